"""The open sockets of this process, and how they are sent away when the server stops."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from arauto.net.websocket import CLOSE_PATIENCE, Code, Transport
from arauto.system.timer_wheel import TICK
from arauto.workers.worker_states import WorkerStates

_ROUND = 0.01  # seconds between two looks at those who are still there


class Drain:
    """Knows who is there. Where the process goes, or will be told to in a moment, nobody else is let in."""

    def __init__(self, worker_states: WorkerStates) -> None:
        self._worker_states = worker_states
        self._begun = False
        self._present: dict[Transport, str] = {}
        self._lock = threading.Lock()

    @contextmanager
    def present(self, transport: Transport, goodbye: str) -> Iterator[None]:
        """``transport`` is open for as long as the block runs.

        :param goodbye: the sentence it gets when the server stops.
        """
        with self._lock:
            self._present[transport] = goodbye
        if self._begun:
            transport.close(Code.RESTART, goodbye)  # it was let in just before
        try:
            yield
        finally:
            with self._lock:
                del self._present[transport]

    @property
    def admits(self) -> bool:
        """Whether somebody may come who has not to leave again at once."""
        return not self._worker_states.am_going

    def send_away(self) -> None:
        """Close every socket with 1001 and wait until all have left, two seconds at most."""
        self._worker_states.go()
        self._begun = True
        unsaid = self._remaining()
        end = monotonic() + CLOSE_PATIENCE
        while unsaid and monotonic() < end:
            unsaid = {
                transport: goodbye
                for transport, goodbye in unsaid.items()
                if not transport.close(Code.RESTART, goodbye, patience=_ROUND)
            }
        for transport in unsaid:
            transport.abort()  # stuck in a write: there is no way to say anything
        end = monotonic() + CLOSE_PATIENCE + TICK
        while self._remaining() and monotonic() < end:
            sleep(_ROUND)

    def _remaining(self) -> dict[Transport, str]:
        with self._lock:
            return dict(self._present)
