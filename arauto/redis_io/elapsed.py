"""Seconds that have passed, asleep or awake."""

import sys
from functools import partial
from time import monotonic

if sys.platform == "linux":
    from time import CLOCK_BOOTTIME, clock_gettime

    # The monotonic clock stops while a laptop sleeps; a gap must begin before the sleep.
    now = partial(clock_gettime, CLOCK_BOOTTIME)
else:
    now = monotonic
