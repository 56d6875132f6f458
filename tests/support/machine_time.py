"""A clock that runs slower on a busy machine, to test what is promised in seconds.

A small process repeats two milliseconds of work. The time that takes, counted from the moment it was due,
shows how much slower the machine is; on an idle machine the clock shows real seconds.
"""

import mmap
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from tests.support.waiting import eventually

_WORK = """
import mmap, struct, sys
from time import monotonic, sleep, thread_time
with open(sys.argv[1], "r+b") as file:
    shared = mmap.mmap(file.fileno(), 24)
clock, last = 0.0, monotonic()
while True:
    due, cpu = monotonic() + 0.01, thread_time()
    sleep(0.01)
    while thread_time() - cpu < 0.002:
        pass
    now = monotonic()
    slower = max(1.0, (now - due) / (thread_time() - cpu))
    clock += (now - last) / slower
    last = now
    shared[:] = struct.pack("ddd", clock, last, slower)
"""


class MachineTime:
    def __init__(self, shared: mmap.mmap) -> None:
        self._shared = shared
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

    @property
    def is_running(self) -> bool:
        return any(self._shared[:])


@contextmanager
def machine_time() -> Iterator[MachineTime]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(24))
        file.flush()
        with mmap.mmap(file.fileno(), 24) as shared:
            process = subprocess.Popen([sys.executable, "-S", "-c", _WORK, file.name])
            try:
                time = MachineTime(shared)
                eventually(lambda: time.is_running, why="the clock runs")
                yield time
            finally:
                process.kill()
                process.wait()
