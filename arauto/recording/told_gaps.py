"""What a page was told is missing: the log and the connection may both tell of one loss (pure)."""

from arauto.protocol.events import LogGap

OF_LOSSES = ("recorder", "unreadable")


class ToldGaps:
    """The newest row of each channel."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: dict[bytes, tuple[int, int]] = {}

    def tell(self, gap: LogGap) -> list[LogGap]:
        """The parts of the gap that were not told yet."""
        channel, hole = gap
        if hole.reason not in OF_LOSSES or hole.missing is not None:
            return [gap]
        start, end = self._told.get(channel, (hole.start, hole.start))
        if hole.end < start or hole.start > end:
            parts = [(hole.start, hole.end)]
        else:
            parts = [(hole.start, start), (end, hole.end)]
            hole = hole._replace(start=min(start, hole.start), end=max(end, hole.end))
        self._told[channel] = (hole.start, hole.end)
        return [LogGap(channel, hole._replace(start=a, end=b)) for a, b in parts if a < b]

    def forget(self, channel: bytes) -> None:
        """The page listens to it no longer."""
        self._told.pop(channel, None)
