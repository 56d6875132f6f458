"""Gaps that a page was sent: the log and the connection may both report the same loss (pure)."""

from arauto.protocol.events import LogGap

OF_LOSSES = ("recorder", "unreadable")


class ReportedGaps:
    """The newest gap of each channel."""

    __slots__ = ("_reported",)

    def __init__(self) -> None:
        self._reported: dict[bytes, tuple[int, int]] = {}

    def new_parts(self, gap: LogGap) -> list[LogGap]:
        """The parts of the gap that were not reported yet."""
        channel, hole = gap
        if hole.reason not in OF_LOSSES or hole.missing is not None:
            return [gap]
        start, end = self._reported.get(channel, (hole.start, hole.start))
        if hole.end < start or hole.start > end:
            parts = [(hole.start, hole.end)]
        else:
            parts = [(hole.start, start), (end, hole.end)]
            hole = hole._replace(start=min(start, hole.start), end=max(end, hole.end))
        self._reported[channel] = (hole.start, hole.end)
        return [LogGap(channel, hole._replace(start=a, end=b)) for a, b in parts if a < b]

    def forget(self, channel: bytes) -> None:
        """The page has unsubscribed from the channel."""
        self._reported.pop(channel, None)
