"""Cache of WebSocket frames: feeds that get the same batch share one."""

from time import time

from arauto.net.websocket import text_frame
from arauto.protocol.events import Item, encode

SAME_MOMENT = 0.02  # seconds; feeds that get the same batch within it share one frame
REMEMBERED = 8  # frames; more would only hold memory


class FrameCache:
    """Makes the frames of one process.

    A thousand subscribers of a channel get the very same batch within a few milliseconds,
    see resp_parser.py. What they are sent differs in nothing, the time of arrival included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._recent: dict[int, tuple[list[Item], float, bytes]] = {}

    def make(self, batch: list[Item]) -> bytes:
        """The frame for ``batch``, a list that nobody changes afterwards."""
        now = time()
        known = self._recent.get(id(batch))
        if known is not None and known[0] is batch and 0 <= now - known[1] < SAME_MOMENT:
            return known[2]
        frame = text_frame(encode(batch, now, self._limit))
        if len(self._recent) >= REMEMBERED:
            self._recent.clear()
        self._recent[id(batch)] = (batch, now, frame)
        return frame
