"""How often somebody may do something: counted in memory that all worker processes share."""

import mmap
import struct
import threading
from time import monotonic_ns

from arauto.net.ip_addresses import neighbour

AT_ONCE = 20  # seconds' worth of it may come at once
BESIDE = 2  # wrong bearer tokens a second of one who is in by another way; then none is looked at
_ROWS = 16384  # of names; those that meet in one of them share its rate
_TIME = struct.Struct("q")  # nanoseconds
_SECOND = 1_000_000_000


class RateLimit:
    """A bucket for each name that fills at ``per_second``; 0: nobody counts.

    Of a bucket only the moment is kept at which it is full again. Processes have no lock between
    them: where two count the same name in the same microsecond, one of the two goes uncounted.
    """

    def __init__(self, per_second: int) -> None:
        self._each = _SECOND // per_second if per_second else 0
        self._full_at = mmap.mmap(-1, _ROWS * _TIME.size)
        self._lock = threading.Lock()  # between the threads of one process
        self._told = 0

    def take(self, *names: str) -> float:
        """Count once for each name: 0, or the seconds to wait; then nothing is counted."""
        with self._lock:
            now, rows = monotonic_ns(), _rows(names)
            if wait := self._wait(rows, now):
                return wait
            for row in rows:
                _TIME.pack_into(self._full_at, row, max(now, self._read(row)) + self._each)
        return 0.0

    def wait(self, *names: str) -> float:
        """What :meth:`take` would answer now."""
        return self._wait(_rows(names), monotonic_ns())

    def is_news(self) -> bool:
        """Whether it is a second since the last time that this was true: so often a refusal is told."""
        now = monotonic_ns()
        with self._lock:
            is_news = now - self._told >= _SECOND
            self._told = now if is_news else self._told
        return is_news

    def _wait(self, rows: set[int], now: int) -> float:
        latest = max(map(self._read, rows), default=now)
        return max(0, latest - now + self._each - AT_ONCE * _SECOND) / _SECOND

    def _read(self, row: int) -> int:
        return int(_TIME.unpack_from(self._full_at, row)[0])


class RateLimits:
    """What is counted in this program."""

    def __init__(self, publish: int, connect: int) -> None:
        self.publish = RateLimit(publish)
        self.connect = RateLimit(connect)
        self.beside = RateLimit(BESIDE)


def by_address(address: str) -> list[str]:
    """The name under which an address is counted; this machine, or a proxy on it, has none."""
    counted = neighbour(address)
    return [f"address {counted}"] if counted else []


def _rows(names: tuple[str, ...]) -> set[int]:
    return {hash(name) % _ROWS * _TIME.size for name in names}  # the workers inherit one hash seed
