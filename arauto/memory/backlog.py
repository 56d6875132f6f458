"""The messages of one channel that were received and are not announced yet, oldest first (pure)."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from arauto.memory.words import digest


@dataclass(slots=True)
class Received:
    """One message as Redis pushed it."""

    data: bytes
    at: int  # milliseconds, by the clock of who received it
    serial: int  # counts what one connection received
    is_shown: bool = False  # without an id, because no announcement came in time


class Backlog:
    """A queue that gives its oldest message only to who knows its digest."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque()
        self.serial = 0  # of the newest

    def __len__(self) -> int:
        return len(self._received)

    def __iter__(self) -> Iterator[Received]:
        return iter(self._received)

    @property
    def oldest(self) -> Received | None:
        return self._received[0] if self._received else None

    def add(self, data: bytes, at: int) -> Received:
        self.serial += 1
        received = Received(data, at, self.serial)
        self._received.append(received)
        return received

    def take(self, wanted: int, until: int | None = None) -> Received | None:
        """The oldest message if it has this digest, and at most this serial; else ``None``."""
        oldest = self.oldest
        if oldest is None or (until is not None and oldest.serial > until) or digest(oldest.data) != wanted:
            return None
        return self._received.popleft()

    def drop(self, many: int) -> None:
        for _ in range(many):
            self._received.popleft()

    def clear(self, until: int | None = None) -> list[Received]:
        """Take all, or what was received up to this serial."""
        taken = []
        while self._received and (until is None or self._received[0].serial <= until):
            taken.append(self._received.popleft())
        return taken
