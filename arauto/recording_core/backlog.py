"""The messages of one channel that are received but not announced yet, oldest first (pure)."""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from arauto.recording_core.announcements import digest

OVERHEAD = 200  # bytes of memory per message, beside its data


@dataclass(frozen=True, slots=True)
class Copy:
    """The same message once more, received by a pattern."""

    pattern: bytes
    channel: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """One message as Redis pushed it. Messages with equal data and copies are equal."""

    data: bytes
    at: int = field(compare=False)  # milliseconds, by the receiver's clock
    serial: int = field(compare=False)  # counts the messages of one connection
    copies: tuple[Copy, ...] = ()


class Backlog:
    """A queue whose oldest message is taken by its digest.

    :param waiting: its first messages, none of which was shown.
    """

    def __init__(self, waiting: Iterable[Received] = ()) -> None:
        self._received = deque(waiting)
        self.newest = self._received[-1] if self._received else None  # also when it has left the queue
        self.size = sum([len(message.data) + OVERHEAD for message in self._received])  # bytes, about
        self.serial = self.newest.serial if self.newest else 0  # of the newest
        self._shown = self.oldest.serial - 1 if self.oldest else 0  # of the newest that the page was shown

    def __len__(self) -> int:
        return len(self._received)

    def __iter__(self) -> Iterator[Received]:
        return iter(self._received)

    @property
    def oldest(self) -> Received | None:
        return self._received[0] if self._received else None

    def add(self, data: bytes, at: int) -> Received:
        self.serial += 1
        self.newest = received = Received(data, at, self.serial)
        self._received.append(received)
        self.size += len(data) + OVERHEAD
        return received

    def copy(self, copy: Copy) -> None:
        """Note that the newest message was received once more."""
        if self.newest is None:
            return
        before, at = self.newest, self.newest.at
        self.newest = Received(before.data, at, before.serial, (*before.copies, copy))
        if self._received and self._received[-1] is before:
            self._received[-1] = self.newest

    def show(self, message: Received) -> None:
        """Note that the page was shown this message, and all before it."""
        self._shown = max(self._shown, message.serial)

    def is_shown(self, message: Received) -> bool:
        return message.serial <= self._shown

    def waiting(self) -> Iterator[Received]:
        """The messages that the page was not shown yet."""
        return (message for message in self._received if message.serial > self._shown)

    def take(self, wanted: int, until: int | None = None) -> Received | None:
        """Take the oldest message if it has this digest, and at most this serial; else ``None``."""
        oldest = self.oldest
        if oldest is None or (until is not None and oldest.serial > until) or digest(oldest.data) != wanted:
            return None
        return self._pop()

    def drop(self, many: int) -> None:
        for _ in range(many):
            self._pop()

    def clear(self, until: int | None = None) -> list[Received]:
        """Take all messages, or those up to this serial."""
        if until is None or not self._received or self._received[-1].serial <= until:
            taken = list(self._received)
            self._received.clear()
            self.size = 0
            return taken
        taken = []
        while self._received[0].serial <= until:
            taken.append(self._pop())
        return taken

    def count_last(self, digests: Sequence[int], until: int) -> int:
        """How many of the last ``digests`` are here, in this order, with at most this serial."""
        ours = iter([digest(message.data) for message in reversed(self._received) if message.serial <= until])
        found = 0
        for wanted in reversed(digests):
            if wanted not in ours:
                break
            found += 1
        return found

    def find_last(self, digests: Sequence[int], until: int) -> int:
        """The serial of the last of ``digests`` that is here, each behind the one before; 0: none is."""
        serials = defaultdict[int, list[int]](list)
        for message in self._received:
            if message.serial <= until:
                serials[digest(message.data)].append(message.serial)
        last = 0
        for wanted in digests:
            at = bisect_right(serials[wanted], last)
            last = serials[wanted][at] if at < len(serials[wanted]) else last
        return last

    def _pop(self) -> Received:
        self.size -= len(self._received[0].data) + OVERHEAD
        return self._received.popleft()
