"""Counts the open sockets of all worker processes, so that one cap holds for all."""

import mmap
import struct
import threading

MAX_PROCESSES = 128  # workers, and their successors while the old ones still drain
_COUNT = struct.Struct("q")
_ALL_COUNTS = struct.Struct(f"{MAX_PROCESSES}q")


class Capacity:
    """A count in memory that the master shares with the workers it forks.

    Each process writes only its own slot, so processes need no lock between them: a socket
    takes its seat first and then looks at the sum. Two that come at the very last seat may
    both be refused; never is one too many let in.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._slots = mmap.mmap(-1, MAX_PROCESSES * _COUNT.size)
        self._slot = 0
        self._lock = threading.Lock()  # between the threads of one process

    def use_slot(self, slot: int) -> None:
        """Call in a new process: which slot is its own. It starts at zero."""
        self._slot = slot % MAX_PROCESSES
        self._write(self._slot, 0)

    def clear_slot(self, slot: int) -> None:
        """Call in the master when a process has ended, however it ended."""
        self._write(slot % MAX_PROCESSES, 0)

    def take(self) -> bool:
        """Take a seat; False when there is none."""
        self._add(1)
        if self.taken() <= self.limit:
            return True
        self._add(-1)
        return False

    def give_back(self) -> None:
        """Give back a seat that :meth:`take` gave."""
        self._add(-1)

    def full(self) -> bool:
        """Whether the next one would be refused."""
        return self.taken() >= self.limit

    def taken(self) -> int:
        """The seats taken in all processes."""
        return sum(_ALL_COUNTS.unpack(self._slots))

    def _add(self, n: int) -> None:
        with self._lock:
            self._write(self._slot, self._read(self._slot) + n)

    def _read(self, slot: int) -> int:
        return int(_COUNT.unpack_from(self._slots, slot * _COUNT.size)[0])

    def _write(self, slot: int, count: int) -> None:
        _COUNT.pack_into(self._slots, slot * _COUNT.size, count)
