"""Recorded channels on Redis Streams: the recorder, the log store, and the catch-up of a page.

``recorded_channels.py`` knows which channels are recorded. ``recorder_thread.py`` is the one thread of a
process that records or is on stand-by: ``inbox.py`` queues batches of its connection,
``recorder_subscription.py`` passes it to the candidate of ``arauto.recording_core``, and
``recorder_actions.py`` carries out the actions that the candidate returns. ``log_store.py`` and ``lua/``
have the atomic steps. ``follower.py`` orders the messages of one page, ``shared_queries.py`` has marks and
results that the followers of a process share, ``log_watch.py`` probes the connection of a page that waits.
``log_reader.py`` reads a log; ``log_upgrade.py`` converts logs of earlier versions.
"""
