"""The thread for the keys that are the same for all shards of a cluster."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

import redis

from arauto.recording.cluster_store import ClusterStore
from arauto.recording.recorded_channels import Recording

LOOK_EVERY = 1.0  # seconds
LOOK_PAUSE = 0.1  # seconds between two looks at least
TRIM_EVERY = 60.0  # seconds

log = logging.getLogger("arauto")


class SharedKeys(threading.Thread):
    """Reads and writes these keys. Their node may be down: then only this thread waits for it, no recorder.

    :param changed: called when the recorded channels or the logs have changed.
    :param is_ours: whether this process records a channel, and so trims its log.
    """

    def __init__(
        self, recording: Recording, changed: Callable[[], None], is_ours: Callable[[bytes], bool]
    ) -> None:
        super().__init__(name="shared keys", daemon=True)
        assert isinstance(recording.store, ClusterStore)  # noqa: S101 - for mypy: the link is a cluster's
        self.are_read = threading.Event()
        """Set after the first read, as far as the nodes answered."""
        self._recording = recording
        self._store = recording.store
        self._changed = changed
        self._is_ours = is_ours
        self._trimmed_at = monotonic()
        self._stopping = threading.Event()

    def look(self) -> None:
        """Read the keys now; from any thread."""
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
                    pass  # the last state is kept, and writes are repeated
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
