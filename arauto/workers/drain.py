"""Closes the open sockets of this process when it stops."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from arauto.net.websocket import CLOSE_PATIENCE, Code, Transport
from arauto.system.timer_wheel import TICK
from arauto.workers.handover import wait_for_successor
from arauto.workers.worker_states import WorkerStates

_ROUND = 0.01  # seconds


class Drain:
    """Tracks open sockets. When the process stops, or is about to, no more are accepted.

    Until the successor of a process is ready, they are.
    """

    def __init__(self, worker_states: WorkerStates) -> None:
        self._worker_states = worker_states
        self._begun = False
        self._present: dict[Transport, str] = {}
        self._lock = threading.Lock()

    @contextmanager
    def track(self, transport: Transport, reason: str) -> Iterator[None]:
        """Track ``transport`` while the block runs.

        :param reason: the reason of its close frame when the server stops.
        """
        with self._lock:
            self._present[transport] = reason
        if self._begun:
            transport.close(Code.RESTART, reason)  # it was accepted just before the drain
        try:
            yield
        finally:
            with self._lock:
                del self._present[transport]

    @property
    def is_accepting(self) -> bool:
        """Whether new sockets are accepted."""
        return self._worker_states.goes_on

    @property
    def has_successor(self) -> bool:
        """Whether another process accepts sockets instead."""
        return self._worker_states.has_successor

    def hand_over(self, until: float) -> None:
        """Wait until all successors of this process serve pages, if there are any."""
        wait_for_successor(self._worker_states, lambda: self._worker_states.are_successors_ready, until)

    def close_all(self) -> None:
        """Close every socket with 1001, and wait until all are closed, two seconds at most."""
        self._worker_states.stop()
        self._begun = True
        unclosed = self._remaining()
        end = monotonic() + CLOSE_PATIENCE
        while unclosed and monotonic() < end:
            unclosed = {
                transport: reason
                for transport, reason in unclosed.items()
                if not transport.close(Code.RESTART, reason, patience=_ROUND)
            }
        for transport in unclosed:
            transport.abort()  # stuck in a write: no close frame can be sent
        end = monotonic() + CLOSE_PATIENCE + TICK
        while self._remaining() and monotonic() < end:
            sleep(_ROUND)

    def _remaining(self) -> dict[Transport, str]:
        with self._lock:
            return dict(self._present)
