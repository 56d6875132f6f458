"""The protocol of recorded channels: state machines without I/O, proved in tests/simulator.

The log decides what every page shows and in which order. Each page keeps its own subscription to the
channel, which spares it reading the messages from the log. The recorder of the deployment appends what it
receives, and announces the numbers in the same step; every process that may take over receives the same
and forgets what is announced, so it knows what is missing. Invariants:

- a position is one number in one epoch; numbers rise without a hole while an epoch lasts
- whoever begins to record without knowing what is missing begins another epoch, with a gap entry
- a log is written to by one recorder, which names where it believes the log to end
- no message waits longer than ``feed.PATIENCE`` for its announcement; then the page has no position

words.py has what is announced, and texts.py how Redis carries it. backlog.py holds what was received and is
in no log yet. recorder.py follows one channel of one process, candidate.py one process, feed.py one channel
of one page; they know no Redis. store.py and lua/ do at Redis what must happen in one step, by the names of
keys.py. follower.py joins the feeds of one page to its subscriber and its browser, shared.py has what the
followers of a process have in common, watch.py asks Redis what it still has for a page that waits. reading.py
reads a log back, of which entries.py are the parts; upgrade.py goes on with those of earlier versions.
thread.py is the one thread of a process that records or stands by: what its connection has brought lies in
the inbox.py, hearing.py tells the candidate of it, and speaking.py does what that wishes.
"""
