"""What a connection has brought and a thread has not looked at yet."""

import threading
from contextlib import suppress
from queue import Empty, Full, Queue

from arauto.protocol.events import Item

MOST = 64  # batches, each of one read; what comes then waits at Redis
LOOK = 0.25  # seconds after which a full one is looked at again


class Inbox:
    """Whoever fills it waits where it is full, and ends by ``OSError`` when nobody empties it any more."""

    def __init__(self) -> None:
        self._batches: Queue[list[Item]] = Queue(MOST)
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        """Nobody empties it, or nobody fills it, any more."""
        self._over.set()
        self.nudge()

    def put(self, batch: list[Item]) -> None:
        """:raise OSError: it is over."""
        while not self._over.is_set():
            with suppress(Full):
                self._batches.put(batch, timeout=LOOK)
                return
        raise OSError("nobody hears this any more")

    def nudge(self) -> None:
        """Have whoever waits in :meth:`take` go on."""
        with suppress(Full):
            self._batches.put_nowait([])

    def take(self, patience: float) -> list[list[Item]]:
        """The batches that are there, after so many seconds at most."""
        batches: list[list[Item]] = []
        with suppress(Empty):
            batches.append(self._batches.get(timeout=patience))
            for _ in range(MOST):
                batches.append(self._batches.get_nowait())
        return batches
