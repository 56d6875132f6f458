"""A timer wheel: one thread per process for heartbeats, silent connections and other timers.

Ten thousand idle sockets would otherwise need ten thousand timers.
"""

import logging
import threading
from collections.abc import Callable
from math import ceil
from time import monotonic, sleep

from arauto.system.concurrency import make_lock
from arauto.system.resource_errors import start

TICK = 0.25  # seconds; how late a call may be

Callback = Callable[[], float | None]
"""A function that must not block; returns the seconds until it should be called again, or ``None`` for
never.
"""

log = logging.getLogger("arauto")


class TimerWheel:
    """Calls each ``callback`` when it is due. Its thread starts with the first, and never ends."""

    def __init__(self) -> None:
        # A wheel of ticks: with twenty thousand waiting, a heap would cost more than the calls.
        self._due: dict[int, list[Callback]] = {}
        self._tick = TICK
        self._next = 0  # the first tick that has not been called yet
        self._lock = make_lock()
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, callback: Callback) -> None:
        """Call ``callback`` in ``seconds``; from any thread."""
        tick = ceil((monotonic() + seconds) / self._tick)
        with self._lock:
            if self._thread is None:
                # A process that is forked later starts its own.
                self._next = ceil(monotonic() / self._tick)
                thread = threading.Thread(target=self._run, name="timers", daemon=True)
                start(thread)
                self._thread = thread
            self._due.setdefault(max(tick, self._next), []).append(callback)

    def _run(self) -> None:
        while True:
            sleep(max(0.0, self._next * self._tick - monotonic()))
            for callback in self._take_due():
                self._call(callback)

    def _take_due(self) -> list[Callback]:
        due: list[Callback] = []
        with self._lock:
            past = int(monotonic() / self._tick) + 1
            for tick in range(self._next, past):
                due += self._due.pop(tick, ())
            self._next = past
        return due

    def _call(self, callback: Callback) -> None:
        try:
            again = callback()
        except Exception:
            log.exception("timer failed")
            return
        if again is not None:
            self.after(again, callback)
