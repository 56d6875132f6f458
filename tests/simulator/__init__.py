"""A simulator of recorded channels: seeded schedules of faults, and the promises checked after each."""

SCHEDULES = 2400  # in each run of the tests
