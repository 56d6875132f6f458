"""A clock that runs slower on a busy machine, to test what is promised in seconds.

A small process repeats two milliseconds of work, twenty times a second. The time that takes, counted from
the moment it was due, shows how much slower the machine is; on an idle machine the clock shows real seconds.
"""

import mmap
import struct
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from tests.support.waiting import eventually

_WORK = """
import mmap, struct, sys
from time import monotonic, sleep, thread_time, time
with open(sys.argv[1], "r+b") as file:
    shared = mmap.mmap(file.fileno(), 24)
history = open(sys.argv[2], "wb", buffering=0)
clock, last = 0.0, monotonic()
while True:
    due, cpu = monotonic() + 0.04, thread_time()
    sleep(0.04)
    while thread_time() - cpu < 0.002:
        pass
    now = monotonic()
    slower = max(1.0, (now - due) / (thread_time() - cpu))
    clock += (now - last) / slower
    last = now
    shared[:] = struct.pack("ddd", clock, last, slower)
    history.write(struct.pack("dd", time(), clock))
"""


class MachineTime:
    def __init__(self, shared: mmap.mmap, history: Path) -> None:
        self._shared = shared
        self._history = history
        self._began = (0.0, 0.0)

    def start(self) -> None:
        """Begin to measure :attr:`slowness`."""
        self._began = (monotonic(), self())

    @property
    def slowness(self) -> float:
        """How many times slower than when idle the machine has been since :meth:`start`."""
        real, idle = self._began
        return max(1.0, (monotonic() - real) / (self() - idle))

    def __call__(self) -> float:
        """The clock, in seconds."""
        clock, last, slower = struct.unpack("ddd", self._shared[:])
        return float(clock + max(0.0, monotonic() - last) / max(1.0, slower))

    def between(self, start: float, end: float) -> float:
        """Seconds of the clock between two Unix times since it began to run."""
        eventually(lambda: self._known()[-1][0] >= end, why="the clock has run until then")
        known = self._known()
        first, last = (bisect_left(known, (moment,)) for moment in (start, end))
        return known[last][1] - known[first][1]

    def _known(self) -> list[tuple[float, float]]:
        """Unix times, and what the clock showed then."""
        written = self._history.read_bytes()
        return list(struct.iter_unpack("dd", written[: len(written) // 16 * 16]))

    @property
    def is_running(self) -> bool:
        return any(self._shared[:])


@contextmanager
def machine_time() -> Iterator[MachineTime]:
    with tempfile.TemporaryDirectory() as place:
        now, history = Path(place, "now"), Path(place, "history")
        now.write_bytes(bytes(24))
        with now.open("r+b") as file, mmap.mmap(file.fileno(), 24) as shared:
            process = subprocess.Popen([sys.executable, "-S", "-c", _WORK, str(now), str(history)])
            try:
                time = MachineTime(shared, history)
                eventually(lambda: time.is_running, why="the clock runs")
                yield time
            finally:
                process.kill()
                process.wait()
