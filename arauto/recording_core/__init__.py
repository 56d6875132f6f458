"""The recording protocol: state machines without I/O, checked by tests/simulator.

The log decides what every page shows and in which order. Each page keeps its own subscription to the
channel, so that it need not read new messages from the log. The recorder appends the messages that it
receives, and announces their numbers in the same step; every process on stand-by receives the same messages
and forgets those that are announced, so it knows which messages the log lacks. Invariants:

- a position is one number in one epoch; numbers rise without a hole within an epoch
- a recorder that does not know which messages the log lacks begins another epoch, with a gap entry
- a log has one writer, which names with each append where it believes the log to end
- no message waits longer than ``channel_feed.PATIENCE`` for its announcement; then the page has no position

``announcements.py`` has the announcements, ``announcement_text.py`` their text in Redis. ``backlog.py`` has
messages that are in no log yet. The state machines are ``channel_recorder.py``, one channel of one process;
``candidate.py``, one process; and ``channel_feed.py``, one channel of one page. What they return is in
``recorder_steps.py``, ``candidate_actions.py`` and ``feed_steps.py``. ``shared_states.py`` has the states
that equal feeds can share. ``log_head.py`` and ``log_keys.py`` describe a log in Redis.

Parts of a channel feed: ``log_reading.py``, its reads of the log (``missing_entries.py`` finds gaps between
entries); ``pending_mark.py``, how it finds its place in the log again; ``older_messages.py``, messages from
before it subscribed; ``leftovers.py``, messages that a recorder promised and its successor wrote;
``page_place.py``, up to when the page was shown everything.
"""
