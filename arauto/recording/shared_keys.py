"""The thread that reads and writes the keys which are the same for all shards of a cluster."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

import redis

from arauto.recording.cluster_store import ClusterStore
from arauto.recording.recorded_channels import Recording

LOOK_EVERY = 1.0  # seconds
LOOK_PAUSE = 0.1  # seconds between two of them at least, whoever asks
TRIM_EVERY = 60.0  # seconds

log = logging.getLogger("arauto")


class SharedKeys(threading.Thread):
    """Each has one node, which may be down: then this thread waits for it, and the recorders do not.

    :param changed: called when what is recorded has changed, or which logs there are.
    :param is_ours: whether this process records a channel, and so removes the old entries of its log.
    """

    def __init__(
        self, recording: Recording, changed: Callable[[], None], is_ours: Callable[[bytes], bool]
    ) -> None:
        super().__init__(name="shared keys", daemon=True)
        assert isinstance(recording.store, ClusterStore)  # noqa: S101 - for mypy: the link is a cluster's
        self.are_read = threading.Event()
        """They were, once, as far as their nodes answered."""
        self._recording = recording
        self._store = recording.store
        self._changed = changed
        self._is_ours = is_ours
        self._trimmed_at = monotonic()
        self._stopping = threading.Event()

    def look(self) -> None:
        """Read them now; from any thread."""
        self._store.log_names.is_wanted.set()

    def stop(self) -> None:
        self._stopping.set()
        self.look()

    def run(self) -> None:
        while not self._stopping.is_set():
            for task in (self._read, self._trim):
                try:
                    task()
                except redis.RedisError:
                    pass  # what was known stays, and what is to be written is tried again
                except Exception:
                    log.exception("recorder failed")
            self.are_read.set()
            self._stopping.wait(LOOK_PAUSE)
            self._store.log_names.is_wanted.wait(LOOK_EVERY)
            self._store.log_names.is_wanted.clear()

    def _read(self) -> None:
        before = self._recording.generation, self._store.names()
        try:
            self._recording.refresh()
            self._store.update_names(self._recording.covers)
        finally:
            if (self._recording.generation, self._store.names()) != before:
                self._changed()

    def _trim(self) -> None:
        if monotonic() - self._trimmed_at > TRIM_EVERY:
            self._trimmed_at = monotonic()
            self._recording.trim(self._is_ours)
