"""Rate limits (GCRA), in memory that all worker processes share."""

import mmap
import struct
import threading
from time import monotonic_ns

from arauto.net.ip_addresses import counted_address

AT_ONCE = 20  # seconds' worth that is allowed in one burst
EXTRA_TOKENS = 2  # wrong bearer tokens a second of a visitor with another login; beyond it none is checked
_ROWS = 16384  # rows of names; names with the same row share its rate
_TIME = struct.Struct("q")  # nanoseconds
_SECOND = 1_000_000_000


class RateLimit:
    """One bucket per name, refilled at ``per_second``; 0: no limit.

    A bucket is stored as the time at which it is full again. Processes have no lock between them: if two
    count the same name in the same microsecond, one of the two may be lost.
    """

    def __init__(self, per_second: int) -> None:
        self._each = _SECOND // per_second if per_second else 0
        self._full_at = mmap.mmap(-1, _ROWS * _TIME.size)
        self._lock = threading.Lock()  # between the threads of one process
        self._logged_at = 0

    def take(self, *names: str) -> float:
        """Count once for each name; returns 0, or the seconds to wait, and then nothing is counted."""
        with self._lock:
            now, rows = monotonic_ns(), _rows(names)
            if wait := self._wait(rows, now):
                return wait
            for row in rows:
                _TIME.pack_into(self._full_at, row, max(now, self._read(row)) + self._each)
        return 0.0

    def wait(self, *names: str) -> float:
        """What :meth:`take` would return now."""
        return self._wait(_rows(names), monotonic_ns())

    def should_log(self) -> bool:
        """Whether to log a refusal now: True at most once a second."""
        now = monotonic_ns()
        with self._lock:
            is_due = now - self._logged_at >= _SECOND
            self._logged_at = now if is_due else self._logged_at
        return is_due

    def _wait(self, rows: set[int], now: int) -> float:
        latest = max(map(self._read, rows), default=now)
        return max(0, latest - now + self._each - AT_ONCE * _SECOND) / _SECOND

    def _read(self, row: int) -> int:
        return int(_TIME.unpack_from(self._full_at, row)[0])


class RateLimits:
    """The rate limits of this program."""

    def __init__(self, publish: int, connect: int) -> None:
        self.publish = RateLimit(publish)
        self.connect = RateLimit(connect)
        self.extra_tokens = RateLimit(EXTRA_TOKENS)


def by_address(address: str) -> list[str]:
    """The name under which an address is counted; this machine, and a proxy on it, are not."""
    counted = counted_address(address)
    return [f"address {counted}"] if counted else []


def _rows(names: tuple[str, ...]) -> set[int]:
    return {hash(name) % _ROWS * _TIME.size for name in names}  # the workers inherit one hash seed
