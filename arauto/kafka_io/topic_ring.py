"""The newest batches of one topic, for all pages of a process that watch it."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from arauto.kafka_io.connection import Trouble
from arauto.protocol.events import Item
from arauto.protocol.topics import NONE, Offsets
from arauto.system.concurrency import make_lock

WEIGHT = 4_000_000  # bytes that are kept, and one batch more


class Batch(NamedTuple):
    """``items``, and the offsets of each partition before and after them. It is never changed.

    :param leaders: the epoch of each partition's leader, where it is known.
    """

    items: list[Item]
    starts: Offsets
    ends: Offsets
    weight: int
    leaders: Offsets = NONE


class Now(NamedTuple):
    """The end of a topic.

    :param number: of the next batch.
    :param ends: the offsets of the next messages, by partition; ``None``: unknown yet.
    :param epoch: the id of the topic: a topic created again has another one.
    :param leaders: the epochs of leaders, by partition.
    :param trouble: why the topic or a partition cannot be read; ``None``: all can.
    :param newest: the batch before ``number``; ``None``: there was none yet.
    :param state: the same object as long as nothing changes but ``number``, ``newest`` and the offsets in
        ``ends``.
    """

    number: int
    ends: Offsets | None
    epoch: str
    trouble: Trouble | None
    leaders: Offsets
    newest: Batch | None = None
    state: object = None

    def after(self, before: "Now") -> "Now":
        """The same with its state: that of ``before``, or a new one."""
        is_same = self._parts() == before._parts()
        return self._replace(state=before.state if is_same else object())

    def _parts(self) -> tuple[object, ...]:
        partitions = None if self.ends is None else self.ends.keys()
        return partitions, self.epoch, self.trouble, self.leaders


class TopicRing:
    """One reader adds, any number of pages read; no call blocks."""

    def __init__(self) -> None:
        self._lock = make_lock()
        self._batches: deque[Batch] = deque()
        self._weight = 0
        self.now = Now(0, None, "", None, NONE)
        self.listeners: set[Callable[[], None]] = set()
        """Called after each change."""

    def add(self, batch: Batch, epoch: str, trouble: Trouble | None) -> None:
        """Add a batch; one of another epoch replaces the batches before."""
        with self._lock:
            if epoch != self.now.epoch:
                self._batches.clear()
                self._weight = 0
            self._batches.append(batch)
            self._weight += batch.weight
            while self._weight > WEIGHT and len(self._batches) > 1:
                self._weight -= self._batches.popleft().weight
            now = Now(self.now.number + 1, batch.ends, epoch, trouble, batch.leaders, batch)
            self.now = now.after(self.now)
        self._call()

    def fail(self, trouble: Trouble) -> None:
        """The topic cannot be read."""
        with self._lock:
            self.now = self.now._replace(trouble=trouble).after(self.now)
        self._call()

    def get(self, number: int) -> Batch | None:
        """The batch of this number; ``None``: it was dropped."""
        with self._lock:
            back = self.now.number - number
            return self._batches[-back] if back <= len(self._batches) else None

    def find(self, places: Offsets, epoch: str) -> int | None:
        """The number of the last batch that follows ``places`` without a gap; ``None``: it is not here."""
        with self._lock:
            ends = self.now.ends or {}
            if epoch != self.now.epoch:
                return None
            if covers(places, ends):
                return self.now.number
            # A partition that got its leader late begins here behind offsets that a page may have seen.
            behind = {one for one, at in places.items() if at < ends.get(one, 0)}
            for back, batch in enumerate(reversed(self._batches), 1):
                if covers(places, batch.starts) and behind <= batch.starts.keys():
                    return self.now.number - back
        return None

    def _call(self) -> None:
        for wake in list(self.listeners):
            wake()


def covers(places: Offsets, starts: Offsets) -> bool:
    """Whether ``places`` are at or after ``starts`` in each of its partitions."""
    return all(places.get(partition, -1) >= at for partition, at in starts.items())
