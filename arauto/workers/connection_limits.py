"""Counts open sockets over all worker processes, in total and per address."""

import mmap
import struct
import threading

from arauto.net.ip_addresses import counted_address

MAX_PROCESSES = 128  # workers, and their successors while the old ones still drain
_ADDRESSES = 1024  # rows of counts; addresses with the same row share its limit
_COUNT = struct.Struct("i")
_ALL_COUNTS = struct.Struct(f"{MAX_PROCESSES}i")


class ConnectionLimits:
    """Counts in memory that the master shares with the workers it forks.

    Each process writes only its own slot of a row, so processes need no lock between them: a socket takes its
    place first, and then checks the sum. Two that take the last place may both be refused; there is never one
    too many.
    """

    def __init__(self, limit: int, address_limit: int, process_limit: int | None = None) -> None:
        self.limit = limit
        self.process_limit = limit if process_limit is None else process_limit
        self.address_limit = address_limit
        self._rows = mmap.mmap(-1, (1 + _ADDRESSES) * _ALL_COUNTS.size)
        self._slot = 0
        self._lock = threading.Lock()  # between the threads of one process

    def use_slot(self, slot: int) -> None:
        """Call it in a new process, with its own slot, which starts at zero."""
        self._slot = slot % MAX_PROCESSES
        self.clear_slot(slot)

    def clear_slot(self, slot: int) -> None:
        """Call it in the master when a process has exited."""
        for row in range(1 + _ADDRESSES):
            self._write(row, slot % MAX_PROCESSES, 0)

    def take(self, address: str) -> bool:
        """Take a place; False if there is none."""
        self._add(address, 1)
        own = self._read(0, self._slot)
        fits = self.taken() <= self.limit and own <= self.process_limit
        if fits and self.taken_by(address) <= self.address_limit:
            return True
        self._add(address, -1)
        return False

    def give_back(self, address: str) -> None:
        """Return a place taken by :meth:`take`."""
        self._add(address, -1)

    def full(self) -> bool:
        """Whether the next socket would be refused, whatever its address."""
        return self.taken() >= self.limit or self._read(0, self._slot) >= self.process_limit

    def full_for(self, address: str) -> bool:
        """Whether the next socket from this address would be refused."""
        return self.taken_by(address) >= self.address_limit

    def taken(self) -> int:
        """The places taken in all processes."""
        return self._sum(0)

    def taken_by(self, address: str) -> int:
        """The places that this address has taken in all processes; 0 if it is not counted."""
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
    """The row of an address; 0 if it is not counted. The workers inherit one hash seed."""
    counted = counted_address(address)
    return 1 + hash(counted) % _ADDRESSES if counted else 0
