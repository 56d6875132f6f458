"""The names of all logs of a cluster, as far as this process knows them."""

import threading
from collections.abc import Callable, Iterable


class LogNames:
    """They are in one key, whose node may be down while others record. Safe for all threads."""

    def __init__(self) -> None:
        self.is_wanted = threading.Event()
        """Set when there is a name to add, or when another process may have added one."""
        self._lock = threading.Lock()
        self._stored: set[bytes] = set()  # as last read from Redis
        self._own: set[bytes] = set()  # of logs of this process
        self._waiting: set[bytes] = set()  # to be added in Redis

    @property
    def known(self) -> set[bytes]:
        with self._lock:
            return self._stored | self._own | self._waiting

    def add(self, channel: bytes) -> None:
        with self._lock:
            self._own.add(channel)
            if channel in self._stored or channel in self._waiting:
                return
            self._waiting.add(channel)
        self.is_wanted.set()

    def remove(self, channel: bytes) -> None:
        with self._lock:
            for names in (self._stored, self._own, self._waiting):
                names.discard(channel)

    def take(self, stored: Iterable[bytes], is_recorded: Callable[[bytes], bool]) -> list[bytes]:
        """Take the names in Redis.

        :return: names to add there, also those that it has lost and that are still recorded.
        """
        with self._lock:
            self._stored = {*stored}
            self._own = set(filter(is_recorded, self._own))
            self._waiting = (self._waiting | self._own) - self._stored
            return sorted(self._waiting)

    def added(self, channels: Iterable[bytes]) -> None:
        """Redis has these names now."""
        with self._lock:
            self._stored |= self._waiting.intersection(channels)
            self._waiting -= self._stored
