"""Recorded channels on Redis Streams: the recorder's thread, the log, and a page that follows it.

recorded_channels.py says which channels are recorded. recorder_thread.py is the one thread of a process
that records or stands by: what its connection has brought waits in inbox.py, recorder_subscription.py
passes it to the candidate of arauto.recording_core, and recorder_actions.py does at Redis what that
decides. log_store.py and lua/ hold each step that must happen at once. follower.py joins the feeds of one
page to its subscriber and its browser, shared_queries.py has what the followers of a process share,
log_watch.py asks Redis what it still has for a page that waits. log_reader.py reads a log back, from where
log_query.py and resume.py say; log_upgrade.py goes on with logs of earlier versions.
"""
