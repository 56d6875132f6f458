"""A monotonic clock that also runs while the machine sleeps."""

import sys
from functools import partial
from time import monotonic, time

CLOCK_READS = 3  # attempts to read two clocks at the same moment

if sys.platform == "linux":
    from time import CLOCK_BOOTTIME, clock_gettime

    # The monotonic clock stops while a laptop sleeps; a gap must begin before the sleep.
    now = partial(clock_gettime, CLOCK_BOOTTIME)
else:
    now = monotonic

_BEGAN = round(1000 * (time() - now()))


def now_ms() -> int:
    """Unix milliseconds by a clock that is never set, counted from the start of this process."""
    return _BEGAN + round(1000 * now())


def unix_ms(moment: int) -> int:
    """Convert a time of :func:`now_ms` to Unix milliseconds, by the current system time."""
    return round(1000 * unix((moment - _BEGAN) / 1000))


def unix(moment: float) -> float:
    """Convert a time of :func:`now` to Unix seconds, by the current system time.

    A busy machine may pause between reading the two clocks: the fastest of several attempts counts.
    """
    reads = [(now(), time(), now()) for _ in range(CLOCK_READS)]
    _, at, after = min(reads, key=lambda read: read[2] - read[0])
    return at - (after - moment)
