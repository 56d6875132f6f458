"""The newest batches of one topic, for all pages of a process that watch it."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from arauto.kafka_io.connection import Trouble
from arauto.protocol.events import Item
from arauto.protocol.topics import NONE, Offsets
from arauto.system.concurrency import make_lock

WEIGHT = 4_000_000  # bytes of what is kept, and one batch more


class Batch(NamedTuple):
    """``items``, and where each partition was before and after them. Nobody changes any of it.

    :param leaders: the epoch of each partition's leader, where it is known.
    """

    items: list[Item]
    starts: Offsets
    ends: Offsets
    weight: int
    leaders: Offsets = NONE


class Now(NamedTuple):
    """Where a topic is.

    :param number: of the next batch.
    :param ends: ``None``: nobody knows yet.
    :param epoch: another one is another topic by this name.
    :param leaders: the epochs of leaders, by partition.
    :param trouble: why not all of it can be read; ``None``: it can.
    """

    number: int
    ends: Offsets | None
    epoch: str
    trouble: Trouble | None
    leaders: Offsets


class TopicRing:
    """One reader adds, any number of pages read; each call is short."""

    def __init__(self) -> None:
        self._lock = make_lock()
        self._batches: deque[Batch] = deque()
        self._weight = 0
        self.now = Now(0, None, "", None, NONE)
        self.listeners: set[Callable[[], None]] = set()
        """Are called when there is something new."""

    def add(self, batch: Batch, epoch: str, trouble: Trouble | None) -> None:
        """Add what was read; of another epoch it is the beginning."""
        with self._lock:
            if epoch != self.now.epoch:
                self._batches.clear()
                self._weight = 0
            self._batches.append(batch)
            self._weight += batch.weight
            while self._weight > WEIGHT and len(self._batches) > 1:
                self._weight -= self._batches.popleft().weight
            self.now = Now(self.now.number + 1, batch.ends, epoch, trouble, batch.leaders)
        self._call()

    def fail(self, trouble: Trouble) -> None:
        """Nothing of it can be read."""
        with self._lock:
            self.now = self.now._replace(trouble=trouble)
        self._call()

    def get(self, number: int) -> Batch | None:
        """The batch of this number; ``None``: it is no longer here."""
        with self._lock:
            back = self.now.number - number
            return self._batches[-back] if back <= len(self._batches) else None

    def find(self, places: Offsets, epoch: str) -> int | None:
        """The number of the last batch before which nothing is missing; ``None``: it is not here."""
        with self._lock:
            ends = self.now.ends or {}
            if epoch != self.now.epoch:
                return None
            if covers(places, ends):
                return self.now.number
            # A partition that got its leader late begins in the ring after what a page may have seen of it.
            behind = {one for one, at in places.items() if at < ends.get(one, 0)}
            for back, batch in enumerate(reversed(self._batches), 1):
                if covers(places, batch.starts) and behind <= batch.starts.keys():
                    return self.now.number - back
        return None

    def _call(self) -> None:
        for wake in list(self.listeners):
            wake()


def covers(places: Offsets, starts: Offsets) -> bool:
    """Whether all that comes before ``starts`` comes before ``places`` too."""
    return all(places.get(partition, -1) >= at for partition, at in starts.items())
