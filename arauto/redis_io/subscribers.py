"""The subscribers of one page: its own, and one for each other node that has sharded channels of the page.

The page's own one is asked for all names. A sharded channel that its node does not have is taken from it, and
asked for where it is. While nothing serves it, the page is told so; its other names go on.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic, time
from types import TracebackType
from typing import Self

import redis

from arauto.protocol.events import Deliver, Gap, Item, Lost, Refused, ShardGap
from arauto.protocol.selection import Change, Selection
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.redis_url import Address
from arauto.redis_io.shards_elsewhere import Shard, ShardsElsewhere
from arauto.redis_io.subscriber import JOIN_PATIENCE, MESSAGES, Explain, MakeCommands, Subscriber
from arauto.system.concurrency import make_lock
from arauto.system.resource_errors import start
from arauto.system.timer_wheel import TimerWheel

ROUND = 0.5  # seconds between two looks at what waits
UNTOLD = 3  # attempts of which the page is not told: while a slot moves, both its nodes may refuse

log = logging.getLogger("arauto")


class Subscribers:
    """What one page listens to.

    :param deliver: takes the batches of all, one at a time.
    :param on_fault: called when a thread ends by an error of ours.
    :param explain: puts a refusal in words for people.
    :param through: takes the batches of the page's own subscriber in place of ``deliver``.
    :param commands: makes the commands of the page's own subscriber.

    Use it in a ``with`` block: leaving it ends the threads and their connections.
    """

    def __init__(
        self,
        link: RedisLink,
        selection: Selection,
        deliver: Deliver,
        on_fault: Callable[[], None],
        timers: TimerWheel,
        explain: Explain,
        through: Deliver | None = None,
        commands: MakeCommands | None = None,
    ) -> None:
        self._link = link
        self._deliver = deliver
        self._through = through or deliver
        self._on_fault = on_fault
        self._timers = timers
        self._explain = explain
        self.own: Subscriber = Subscriber(
            lambda: link.connect(self.own.shards),
            self._deliver_own,
            on_fault,
            timers,
            selection,
            commands,
            moves=lambda: link.moves,
            settle=link.settle,
            explain=explain,
            give_up=lambda *what: self._give_up(self.own, *what),
        )
        """The page's own, which has all but some sharded channels."""
        self._elsewhere = ShardsElsewhere(self.own, link.settle)
        self._turn = make_lock()  # whose batch is delivered, once there are several
        self._asking = make_lock()  # guards who is asked for what
        self._lock = make_lock()  # guards the others
        self._others: dict[Subscriber, frozenset[Address]] = {}  # and at which nodes they are to be
        self._ended: list[Subscriber] = []
        self._thread: threading.Thread | None = None  # a sharded channel is elsewhere, or was
        self._woken = threading.Event()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self.own.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._woken.set()
        self.own.stop()
        if self._thread is not None:
            self._thread.join(JOIN_PATIENCE)
        with self._lock:
            every = [self.own, *self._others, *self._ended]
        for one in every:
            one.stop()
        for one in every:
            one.join(JOIN_PATIENCE)

    def size_after(self, change: Change) -> int:
        """How many names would be selected after ``change``."""
        elsewhere = self._elsewhere.names() - {*change.ssubscribe, *change.sunsubscribe, *self.own.shards}
        return self.own.size_after(change) + len(elsewhere)

    def change(self, change: Change) -> None:
        """Change the selection without losing a message of the rest; from any thread."""
        with self._asking:
            added = _by(self._elsewhere.ask, change.ssubscribe)
            gone = _by(self._elsewhere.drop, change.sunsubscribe)
            for one in {self.own, *added, *gone}:
                shards = {"ssubscribe": tuple(added[one]), "sunsubscribe": tuple(gone[one])}
                one.change(replace(change, **shards) if one is self.own else Change(**shards))

    # What comes, in the threads of the subscribers

    def _deliver_own(self, batch: list[Item]) -> None:
        if self._thread is None:
            self._through(batch)  # the very list, which other pages share
        else:
            self._hand_on(self._through, self._of_own, batch)

    def _hand_on(self, deliver: Deliver, read: Callable[[Item], list[Item]], batch: list[Item]) -> None:
        with self._turn:
            if not all(isinstance(item, list) and item[0] in MESSAGES for item in batch):
                batch = [out for item in batch for out in read(item)]
            if batch:
                deliver(batch)

    def _of_own(self, item: Item) -> list[Item]:
        if isinstance(item, Lost | Gap) and self.own.is_empty:
            return []  # all that the page listens to is elsewhere
        if isinstance(item, Lost):
            return [item, *self._elsewhere.states()]  # the page takes every name for lost
        return self._answered(self.own, item)

    def _of_other(self, other: Subscriber, item: Item) -> list[Item]:
        if isinstance(item, Lost):
            self._end(other, item.at, item.detail)
            return []
        if isinstance(item, Refused) and not item.kind:
            self._end(other, time(), item.error)
            return []
        out = self._answered(other, item)
        self._end_if_idle(other)
        return out

    def _answered(self, by: Subscriber, item: Item) -> list[Item]:
        if isinstance(item, Refused) and item.kind == "shard":
            self._elsewhere.drop(item.name)
        elif isinstance(item, list) and item[0] == b"ssubscribe":
            return [*self._elsewhere.confirm(item[1], by), item]
        return [item]

    def _give_up(self, by: Subscriber, name: bytes, since: float | None, words: str) -> None:
        self._elsewhere.give_up(by, name, since, words)
        self._end_if_idle(by)
        self._woken.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_asking, name="shards", daemon=True)
            start(self._thread)

    def _end_if_idle(self, other: Subscriber) -> None:
        if other is not self.own and not self._elsewhere.has(other):
            self._end(other, time(), "")

    def _end(self, other: Subscriber, since: float, words: str) -> None:
        """It is over with this connection: what it had is asked for anew."""
        with self._lock:
            self._others.pop(other, None)
            self._ended = [*(one for one in self._ended if one.is_alive()), other]
        self._elsewhere.lose(other, since, words)
        other.stop()
        self._woken.set()

    # Asking for what waits, in a thread of its own

    def _keep_asking(self) -> None:
        try:
            while not self._stopping.is_set():
                self._woken.wait(ROUND if self._elsewhere.waiting() else None)
                self._woken.clear()
                with self._asking:
                    self._ask_for_all()
        except OSError:
            pass  # the browser is gone
        except Exception:
            log.exception("subscriber failed")
            self._on_fault()

    def _ask_for_all(self) -> None:
        served = defaultdict[frozenset[Address] | None, list[bytes]](list)
        for name, shard in self._elsewhere.waiting().items():
            if shard.retry_at > monotonic():
                continue
            places = self._places(name)
            if places is None and shard.words.startswith("MOVED "):
                self._refuse(
                    name, shard
                )  # of the other nodes nothing is known, so there is nothing to wait for
                continue
            if places == frozenset() or shard.words.startswith("CLUSTERDOWN") or shard.attempts > UNTOLD:
                self._tell(name, shard)
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
        self._elsewhere.drop(name)
        gap = [ShardGap(name, *shard.gap)] if shard.gap else []
        with self._turn:
            self._deliver([*gap, self._explain(Refused("shard", name, shard.words))])

    def _tell(self, name: bytes, shard: Shard) -> None:
        told = self._explain(Refused("shard", name, shard.words))
        if told != shard.told:
            with self._turn:
                shard.told = told
                self._deliver([told])

    def _ask(self, places: frozenset[Address] | None, names: list[bytes]) -> None:
        one = self.own if places is None else self._one_at(places)
        other = one or self._make_other(places or frozenset(), names)
        for name in names:
            self._elsewhere.give(name, other)
        if one is None:
            other.__enter__()
            return
        one.change(Change(ssubscribe=tuple(names)))
        with self._lock:
            is_over = one is not self.own and one not in self._others
        if is_over:
            self._elsewhere.lose(one, time(), "")

    def _one_at(self, places: frozenset[Address]) -> Subscriber | None:
        """Who is connected there, or is going to be."""
        if self.own.place in places:
            return self.own
        with self._lock:
            for one, there in self._others.items():
                place = one.place
                if place in places or (place is None and there == places):
                    return one
        return None

    def _make_other(self, places: frozenset[Address], names: list[bytes]) -> Subscriber:
        other: Subscriber = Subscriber(
            lambda: self._link.connect_to_shard(names),
            lambda batch: self._hand_on(self._deliver, lambda item: self._of_other(other, item), batch),
            self._on_fault,
            self._timers,
            Selection(shards=tuple(names)),
            explain=self._explain,
            give_up=lambda *what: self._give_up(other, *what),
        )
        with self._lock:
            self._others[other] = places
        return other


def _by(holder: Callable[[bytes], Subscriber], names: Iterable[bytes]) -> dict[Subscriber, list[bytes]]:
    """The names, by who has them."""
    found = defaultdict[Subscriber, list[bytes]](list)
    for name in names:
        found[holder(name)].append(name)
    return found
