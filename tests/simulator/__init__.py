"""A simulator of recorded channels: seeded schedules of faults, and what must hold after each."""

SCHEDULES = 2400  # in each run of the tests
