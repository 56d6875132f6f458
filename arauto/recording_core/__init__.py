"""The protocol of recorded channels: state machines without I/O, proved in tests/simulator.

The log decides what every page shows and in which order. Each page keeps its own subscription to the
channel, which spares it reading the messages from the log. The recorder of the deployment appends what it
receives, and announces the numbers in the same step; every process that may take over receives the same
and forgets what is announced, so it knows what is missing. Invariants:

- a position is one number in one epoch; numbers rise without a hole while an epoch lasts
- whoever begins to record without knowing what is missing begins another epoch, with a gap entry
- a log is written to by one recorder, which names where it believes the log to end
- no message waits longer than ``feed.PATIENCE`` for its announcement; then the page has no position

announcements.py has what is announced, and announcement_text.py how Redis carries it. backlog.py holds what
was received and is in no log yet. channel_recorder.py follows one channel of one process, candidate.py one
process, channel_feed.py one channel of one page; log_head.py, log_entries.py and log_keys.py are a log as
Redis holds it.
"""
