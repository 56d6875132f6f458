"""One thread a process that tends every open feed: heartbeats, silence, goodbyes unanswered.

Ten thousand idle sockets would otherwise keep ten thousand timers running.
"""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from time import monotonic, sleep

TICK = 0.25  # seconds; how late a call may come

Tend = Callable[[], float | None]
"""Does what is due, without waiting for anyone; returns the seconds until it wants to be
called again, or ``None`` when that is never."""

log = logging.getLogger("arauto")


class Pulse:
    """Calls each ``tend`` when it is due. Its thread starts with the first and never ends."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Tend]] = []
        self._order = itertools.count()  # so that two of the same moment are never compared
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, tend: Tend) -> None:
        """Call ``tend`` in ``seconds``; from any thread."""
        with self._lock:
            heapq.heappush(self._due, (monotonic() + seconds, next(self._order), tend))
            if self._thread is None:
                # A process that is forked later starts its own.
                thread = threading.Thread(target=self._run, name="pulse", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while True:
            sleep(TICK)
            for tend in self._take_due():
                self._call(tend)

    def _take_due(self) -> list[Tend]:
        now = monotonic()
        due = []
        with self._lock:
            while self._due and self._due[0][0] <= now:
                due.append(heapq.heappop(self._due)[2])
        return due

    def _call(self, tend: Tend) -> None:
        try:
            again = tend()
        except Exception:
            log.exception("a feed could not be tended")
            return
        if again is not None:
            self.after(again, tend)
