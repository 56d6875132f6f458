"""The names of all logs of a cluster, as far as this process knows them."""

import threading
from collections.abc import Callable, Iterable


class LogNames:
    """They are in one key, whose node may be down while the logs of others go on. Safe for all threads."""

    def __init__(self) -> None:
        self.is_wanted = threading.Event()
        """There is one to be added, or somebody else may have added one."""
        self._lock = threading.Lock()
        self._told: set[bytes] = set()  # as Redis said last
        self._own: set[bytes] = set()  # of logs of this process
        self._waiting: set[bytes] = set()  # to be added to those of Redis

    @property
    def known(self) -> set[bytes]:
        with self._lock:
            return self._told | self._own | self._waiting

    def add(self, channel: bytes) -> None:
        with self._lock:
            self._own.add(channel)
            if channel in self._told or channel in self._waiting:
                return
            self._waiting.add(channel)
        self.is_wanted.set()

    def remove(self, channel: bytes) -> None:
        with self._lock:
            for names in (self._told, self._own, self._waiting):
                names.discard(channel)

    def take(self, told: Iterable[bytes], is_recorded: Callable[[bytes], bool]) -> list[bytes]:
        """Take what Redis says; returns what it lacks: also what it has lost, if that is still recorded."""
        with self._lock:
            self._told = {*told}
            self._own = set(filter(is_recorded, self._own))
            self._waiting = (self._waiting | self._own) - self._told
            return sorted(self._waiting)

    def added(self, channels: Iterable[bytes]) -> None:
        """Redis has them now."""
        with self._lock:
            self._told |= self._waiting.intersection(channels)
            self._waiting -= self._told
