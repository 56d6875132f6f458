"""Subscribers on other nodes, for sharded channels that the node of the page's own subscriber lacks."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic, time

import redis

from arauto.protocol.events import Deliver, Gap, Item, Lost, Refused, ShardGap
from arauto.protocol.selection import Change, Names, Selection
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.redis_url import Address
from arauto.redis_io.shards_elsewhere import Shard, ShardsElsewhere
from arauto.redis_io.subscriber import JOIN_PATIENCE, MESSAGES, Explain, Subscriber
from arauto.system.concurrency import Lock, make_lock
from arauto.system.resource_errors import start
from arauto.system.timer_wheel import TimerWheel

ROUND = 0.5  # seconds between two attempts for waiting channels
UNREPORTED = 3  # failed attempts before the page is informed: while a slot moves, both its nodes may refuse

log = logging.getLogger("arauto")


class OtherNodes:
    """Subscribes from a thread of its own, which ends with :meth:`close`.

    :param own: the page's own subscriber.
    :param asking: guards the assignment of channels; callers of :meth:`change` and :meth:`forget` hold it.
    :param deliver: takes the batches.
    """

    def __init__(
        self,
        link: RedisLink,
        own: Subscriber,
        asking: Lock,
        deliver: Deliver,
        on_fault: Callable[[], None],
        timers: TimerWheel,
        explain: Explain,
    ) -> None:
        self._link = link
        self._own = own
        self._asking = asking
        self._deliver = deliver
        self._on_fault = on_fault
        self._timers = timers
        self._explain = explain
        self._shards = ShardsElsewhere(own, link.settle)
        self._turn = make_lock()  # held while a batch is delivered
        self._lock = make_lock()  # guards the subscribers
        self._subscribers: dict[Subscriber, frozenset[Address]] = {}  # and the nodes that each may use
        self._ended: list[Subscriber] = []
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_asking, name="shards", daemon=True)
        start(self._thread)

    def close(self) -> None:
        """End the threads and connections."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(JOIN_PATIENCE)
        with self._lock:
            every = [*self._subscribers, *self._ended]
        for one in every:
            one.stop()
        for one in every:
            one.join(JOIN_PATIENCE)

    def names(self) -> set[bytes]:
        """The sharded channels that are handled here."""
        return self._shards.names()

    def change(self, change: Change) -> None:
        """Change the selection of all subscribers, including the page's own."""
        added = _by(self._shards.ask, change.ssubscribe)
        gone = _by(self._shards.drop, change.sunsubscribe)
        for one in {self._own, *added, *gone}:
            shards = {"ssubscribe": tuple(added[one]), "sunsubscribe": tuple(gone[one])}
            one.change(replace(change, **shards) if one is self._own else Change(**shards))

    def forget(self, shards: Names) -> None:
        """Drop sharded channels that are no longer selected."""
        for name in shards:
            self._shards.drop(name)

    def give_up(self, by: Subscriber, name: bytes, since: float | None, words: str) -> None:
        """Take over a sharded channel that a subscriber has lost, or cannot get now."""
        self._shards.give_up(by, name, since, words)
        self._woken.set()

    # Items, in the threads of the subscribers

    def deliver_of_own(self, batch: list[Item], deliver: Deliver) -> None:
        """Deliver a batch of the page's own subscriber."""
        self._hand_on(batch, self._of_own, deliver)

    def _hand_on(self, batch: list[Item], read: Callable[[Item], list[Item]], deliver: Deliver) -> None:
        with self._turn:
            if not all(isinstance(item, list) and item[0] in MESSAGES for item in batch):
                batch = [out for item in batch for out in read(item)]
            if batch:
                deliver(batch)

    def _of_own(self, item: Item) -> list[Item]:
        if isinstance(item, Lost | Gap) and self._own.is_empty:
            return []  # all names of the page are on other nodes
        if isinstance(item, Lost):
            return [item, *self._shards.states()]  # the page takes every name for lost, so confirm these
        return self._answered(self._own, item)

    def _of_other(self, other: Subscriber, item: Item) -> list[Item]:
        if isinstance(item, Lost):
            self._end(other, item.at, item.detail)
            return []
        if isinstance(item, Refused) and not item.kind:
            self._end(other, time(), item.error)
            return []
        self._woken.set()  # this subscriber may have become idle
        return self._answered(other, item)

    def _answered(self, by: Subscriber, item: Item) -> list[Item]:
        if isinstance(item, Refused) and item.kind == "shard":
            self._shards.drop(item.name)
        elif isinstance(item, list) and item[0] == b"ssubscribe":
            return [*self._shards.confirm(item[1], by), item]
        return [item]

    def _end(self, other: Subscriber, since: float, words: str) -> None:
        """End a subscriber; its channels are subscribed again elsewhere."""
        with self._lock:
            self._subscribers.pop(other, None)
            self._ended = [*(one for one in self._ended if one.is_alive()), other]
        self._shards.lose(other, since, words)
        other.stop()
        self._woken.set()

    # Waiting channels

    def _keep_asking(self) -> None:
        try:
            while not self._stopping.is_set():
                self._woken.wait(ROUND if self._shards.waiting() else None)
                self._woken.clear()
                with self._asking:
                    self._end_idle()
                    self._ask_for_all()
        except OSError:
            pass  # the browser has disconnected
        except Exception:
            log.exception("subscriber failed")
            self._on_fault()

    def _end_idle(self) -> None:
        with self._lock:
            idle = [one for one in self._subscribers if one.is_idle and not self._shards.has(one)]
        for one in idle:
            self._end(one, time(), "")

    def _ask_for_all(self) -> None:
        served = defaultdict[frozenset[Address] | None, list[bytes]](list)
        for name, shard in self._shards.waiting().items():
            if shard.retry_at > monotonic():
                continue
            places = self._places(name)
            if places is None and shard.words.startswith("MOVED "):
                self._refuse(name, shard)  # not a cluster link: no other node is known
                continue
            if places == frozenset() or shard.words.startswith("CLUSTERDOWN") or shard.attempts > UNREPORTED:
                self._report(name, shard)
            if places != frozenset():
                served[places].append(name)
        for places, names in served.items():
            self._ask(places, names)

    def _places(self, name: bytes) -> frozenset[Address] | None:
        try:
            return self._link.shard_places(name)
        except redis.RedisError:
            return frozenset()

    def _refuse(self, name: bytes, shard: Shard) -> None:
        self._shards.drop(name)
        gap = [ShardGap(name, *shard.gap)] if shard.gap else []
        with self._turn:
            self._deliver([*gap, self._explain(Refused("shard", name, shard.words))])

    def _report(self, name: bytes, shard: Shard) -> None:
        refused = self._explain(Refused("shard", name, shard.words))
        if refused != shard.reported:
            with self._turn:
                shard.reported = refused
                self._deliver([refused])

    def _ask(self, places: frozenset[Address] | None, names: list[bytes]) -> None:
        one = self._own if places is None else self._one_at(places)
        other = one or self._make_other(places or frozenset(), names)
        for name in names:
            self._shards.give(name, other)
        if one is None:
            other.__enter__()
            return
        one.change(Change(ssubscribe=tuple(names)))
        with self._lock:
            is_over = one is not self._own and one not in self._subscribers
        if is_over:
            self._shards.lose(one, time(), "")

    def _one_at(self, places: frozenset[Address]) -> Subscriber | None:
        """The subscriber that is connected to one of these nodes, or is about to be."""
        if self._own.place in places:
            return self._own
        with self._lock:
            for one, there in self._subscribers.items():
                place = one.place
                if place in places or (place is None and there == places):
                    return one
        return None

    def _make_other(self, places: frozenset[Address], names: list[bytes]) -> Subscriber:
        other: Subscriber = Subscriber(
            lambda: self._link.connect_to_shard(names),
            lambda batch: self._hand_on(batch, lambda item: self._of_other(other, item), self._deliver),
            self._on_fault,
            self._timers,
            Selection(shards=tuple(names)),
            explain=self._explain,
            give_up=lambda name, since, words: self.give_up(other, name, since, words),
        )
        with self._lock:
            self._subscribers[other] = places
        return other


def _by(holder: Callable[[bytes], Subscriber], names: Iterable[bytes]) -> dict[Subscriber, list[bytes]]:
    """The names, by their subscribers."""
    found = defaultdict[Subscriber, list[bytes]](list)
    for name in names:
        found[holder(name)].append(name)
    return found
