"""A cache of WebSocket frames: feeds with the same batch share one."""

from time import time

from arauto.net.websocket import text_frame
from arauto.protocol.events import Item, encode
from arauto.system.concurrency import make_lock

SAME_MOMENT = 0.02  # seconds; feeds that get the same batch within it share one frame ...
FEW = 64  # ... of so many messages; one of more may be older, as it takes longer to make
REMEMBERED = 32  # frames; more would only hold memory


class FrameCache:
    """Makes the frames of one process.

    A thousand subscribers of a channel get the very same batch within a few milliseconds, see resp_parser.py.
    They are sent identical frames, including the time of arrival.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = make_lock()
        self._recent: dict[int, tuple[list[Item], float, bytes]] = {}

    def make(self, batch: list[Item]) -> bytes:
        """The frame for ``batch``, a list that must not be changed afterwards."""
        now = time()
        known = self._recent.get(id(batch))
        moment = SAME_MOMENT * max(1.0, len(batch) / FEW)
        if known is not None and known[0] is batch and 0 <= now - known[1] < moment:
            return known[2]
        frame = text_frame(encode(batch, now, self._limit))
        with self._lock:  # two threads must not drop the same frame
            self._recent.pop(id(batch), None)
            if len(self._recent) >= REMEMBERED:
                del self._recent[next(iter(self._recent))]
            self._recent[id(batch)] = (batch, now, frame)
        return frame
