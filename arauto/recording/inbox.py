"""A bounded queue of batches, from a subscriber to the recorder thread."""

import threading
from contextlib import suppress
from queue import Empty, Full, Queue

from arauto.protocol.events import Item

MOST = 64  # batches, each of one read; more wait in Redis
LOOK = 0.25  # seconds between two attempts to put a batch into a full queue


class Inbox:
    """``put`` waits while the queue is full, and raises ``OSError`` once it has ended."""

    def __init__(self) -> None:
        self._batches: Queue[list[Item]] = Queue(MOST)
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        """End the queue: it is no longer read or written."""
        self._over.set()
        self.wake()

    def put(self, batch: list[Item]) -> None:
        """:raise OSError: the queue has ended."""
        while not self._over.is_set():
            with suppress(Full):
                self._batches.put(batch, timeout=LOOK)
                return
        raise OSError("the queue has ended")

    def wake(self) -> None:
        """Wake the thread that waits in :meth:`take`."""
        with suppress(Full):
            self._batches.put_nowait([])

    def take(self, patience: float) -> list[list[Item]]:
        """The queued batches, after waiting for at most ``patience`` seconds for the first."""
        batches: list[list[Item]] = []
        with suppress(Empty):
            batches.append(self._batches.get(timeout=patience))
            for _ in range(MOST):
                batches.append(self._batches.get_nowait())
        return batches
