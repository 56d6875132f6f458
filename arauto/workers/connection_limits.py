"""Counts the open sockets of all worker processes, in all and for each address."""

import mmap
import struct
import threading

from arauto.net.ip_addresses import neighbour

MAX_PROCESSES = 128  # workers, and their successors while the old ones still drain
_ADDRESSES = 1024  # rows of counts; addresses that meet in one of them share its limit
_COUNT = struct.Struct("i")
_ALL_COUNTS = struct.Struct(f"{MAX_PROCESSES}i")


class ConnectionLimits:
    """Counts in memory that the master shares with the workers it forks.

    Each process writes only its own slot of a row, so processes need no lock between them:
    a socket takes its seat first and then looks at the sum. Two that come at the very last
    seat may both be refused; never is one too many let in.
    """

    def __init__(self, limit: int, address_limit: int, process_limit: int | None = None) -> None:
        self.limit = limit
        self.process_limit = limit if process_limit is None else process_limit
        self.address_limit = address_limit
        self._rows = mmap.mmap(-1, (1 + _ADDRESSES) * _ALL_COUNTS.size)
        self._slot = 0
        self._lock = threading.Lock()  # between the threads of one process

    def use_slot(self, slot: int) -> None:
        """Call in a new process: which slot is its own. It starts at zero."""
        self._slot = slot % MAX_PROCESSES
        self.clear_slot(slot)

    def clear_slot(self, slot: int) -> None:
        """Call in the master when a process has ended, however it ended."""
        for row in range(1 + _ADDRESSES):
            self._write(row, slot % MAX_PROCESSES, 0)

    def take(self, address: str) -> bool:
        """Take a seat; False when there is none."""
        self._add(address, 1)
        own = self._read(0, self._slot)
        fits = self.taken() <= self.limit and own <= self.process_limit
        if fits and self.taken_by(address) <= self.address_limit:
            return True
        self._add(address, -1)
        return False

    def give_back(self, address: str) -> None:
        """Give back a seat that :meth:`take` gave."""
        self._add(address, -1)

    def full(self) -> bool:
        """Whether the next one would be refused, whoever it is."""
        return self.taken() >= self.limit or self._read(0, self._slot) >= self.process_limit

    def full_for(self, address: str) -> bool:
        """Whether the next one from this address would be refused for it."""
        return self.taken_by(address) >= self.address_limit

    def taken(self) -> int:
        """The seats taken in all processes."""
        return self._sum(0)

    def taken_by(self, address: str) -> int:
        """The seats that this address has taken in all processes; 0 where nobody counts."""
        row = _row(address)
        return self._sum(row) if row else 0

    def _add(self, address: str, n: int) -> None:
        row = _row(address)
        with self._lock:
            self._write(0, self._slot, self._read(0, self._slot) + n)
            if row:
                self._write(row, self._slot, self._read(row, self._slot) + n)

    def _sum(self, row: int) -> int:
        return sum(_ALL_COUNTS.unpack_from(self._rows, row * _ALL_COUNTS.size))

    def _read(self, row: int, slot: int) -> int:
        return int(_COUNT.unpack_from(self._rows, row * _ALL_COUNTS.size + slot * _COUNT.size)[0])

    def _write(self, row: int, slot: int, count: int) -> None:
        _COUNT.pack_into(self._rows, row * _ALL_COUNTS.size + slot * _COUNT.size, count)


def _row(address: str) -> int:
    """Where an address is counted; 0 where it is not. The workers inherit one hash seed."""
    counted = neighbour(address)
    return 1 + hash(counted) % _ADDRESSES if counted else 0
