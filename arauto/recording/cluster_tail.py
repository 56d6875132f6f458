"""What one page of a cluster listens to: its recorded channels where their logs are, the rest anywhere."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from time import time
from types import TracebackType
from typing import NamedTuple, Self

import redis

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.events import CONFIRMATIONS, Deliver, Gap, Item, LogGap, Lost, Push
from arauto.protocol.log_entries import FIRST, Hole
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Change, Selection
from arauto.recording.cluster_store import slot_of
from arauto.recording.follower import Follower
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.redis_url import Address
from arauto.redis_io.subscriber import JOIN_PATIENCE, MESSAGES, Explain, Subscriber
from arauto.redis_io.subscribers import Subscribers
from arauto.system.concurrency import make_lock
from arauto.system.timer_wheel import TimerWheel

Points = dict[bytes, ResumePoint | None]
"""Channels, and where each resumes."""


class Means(NamedTuple):
    """What every subscriber of the page is made with."""

    link: ClusterLink
    on_fault: Callable[[], None]
    timers: TimerWheel
    explain: Explain
    make_follower: Callable[[Deliver, dict[bytes, ResumePoint]], Follower]


class ShardFollower:
    """Some recorded channels of the page, at the master that has their slots.

    Whoever follows a log receives its messages at that node: they come there in the order of the log, and
    each before the announcement of its id.

    :param move: takes the channels that are another node's now.
    """

    def __init__(
        self,
        means: Means,
        points: Points,
        deliver: Callable[["ShardFollower", list[Item]], None],
        move: Callable[[Points], None],
    ) -> None:
        self.address: Address | None = None
        """Where it is, or is going to be."""
        self._link = means.link
        self._move = move
        known = {channel: point for channel, point in points.items() if point}
        self.follower = means.make_follower(lambda batch: deliver(self, batch), known)
        self.subscriber: Subscriber = Subscriber(
            self._connect,
            self._hear,
            means.on_fault,
            means.timers,
            Selection(tuple(points)),
            self.follower.commands,
            moves=lambda: hash((means.link.moves, tuple(map(self._owner, self.subscriber.channels)))),
            explain=means.explain,
            follows_slots=True,
        )

    def begin(self) -> None:
        self.follower.watch.begin(self.subscriber)
        self.subscriber.__enter__()

    def end(self) -> None:
        self.follower.watch.end()
        self.subscriber.stop()

    def add(self, points: Points) -> None:
        for channel, point in points.items():
            if point:
                self.follower.resume(channel, point)
        self.subscriber.change(Change(subscribe=tuple(points)))

    def reconcile(self) -> None:
        if commands := self.follower.commands_after_switch(self.subscriber.channels):
            self.subscriber.send(commands)

    def _hear(self, batch: list[Item]) -> None:
        self.follower(batch)
        if self.subscriber.was_doubted and any(isinstance(item, Lost) for item in batch):
            self.subscriber.was_doubted = False
            self.follower.doubt()

    def _owner(self, channel: bytes) -> Address | None:
        return self._link.cluster.map().master_of(slot_of(channel))

    def _connect(self) -> NonblockingSocket:
        owners = {channel: self._owner(channel) for channel in self.subscriber.channels}
        self.address = next(filter(None, owners.values()), None)
        if self.address is None:
            raise redis.ConnectionError("CLUSTERDOWN No node has the slot of this channel")
        strays = tuple(channel for channel, owner in owners.items() if owner not in (None, self.address))
        if strays:
            self.subscriber.change(Change(unsubscribe=strays))
            self._move({channel: self.follower.release(channel) for channel in strays})
        return self._link.connect_to_master(self.address)


class ClusterTail:
    """The same as :class:`Subscribers`, which it has for all that is not recorded.

    :param covers: whether a channel is recorded.
    """

    def __init__(
        self,
        means: Means,
        selection: Selection,
        points: dict[bytes, ResumePoint],
        deliver: Deliver,
        covers: Callable[[bytes], bool],
    ) -> None:
        self._means = means
        self._out = deliver
        self._covers = covers
        self._turn = make_lock()  # whose batch is delivered
        self._lock = make_lock()  # guards who has which channel
        self._followers: list[ShardFollower] = []
        self._states: dict[tuple[str, bytes], tuple[object, Push]] = {}  # confirmed names, and who has them
        self._moving: dict[bytes, float] = {}  # channels that were switched on, and since when they move
        recorded = tuple(name for name in selection.channels if covers(name) or name in points)
        others = tuple(name for name in selection.channels if name not in recorded)
        self._begins_with: Points = {name: points.get(name) for name in recorded}
        self._rest = Subscribers(
            means.link,
            replace(selection, channels=others),
            self._deliver_of_rest,
            means.on_fault,
            means.timers,
            means.explain,
        )

    def __enter__(self) -> Self:
        self._rest.__enter__()
        self._place(self._begins_with)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            followers = list(self._followers)
        for one in followers:
            one.end()
        self._rest.__exit__(kind, error, trace)
        for one in followers:
            one.subscriber.join(JOIN_PATIENCE)

    def size_after(self, change: Change) -> int:
        """How many names would be selected after ``change``."""
        recorded = {*self._recorded(), *change.subscribe} - {*change.unsubscribe}
        ours = {*self._rest.own.channels}
        return self._rest.size_after(change) + len(recorded - ours - {*change.subscribe})

    def change(self, change: Change) -> None:
        """Change the selection without losing a message of the rest; from any thread."""
        recorded = set(self._recorded())
        added = [name for name in change.subscribe if self._covers(name) or name in recorded]
        gone = [name for name in change.unsubscribe if name in recorded]
        rest = replace(
            change,
            subscribe=tuple(name for name in change.subscribe if name not in added),
            unsubscribe=tuple(name for name in change.unsubscribe if name not in gone),
        )
        if rest != Change():
            self._rest.change(rest)
        if gone:
            self._drop(gone)
        if added:
            self._place(dict.fromkeys(added))

    def reconcile(self) -> None:
        """Follow what is recorded now, and nothing else."""
        with self._lock:
            followers = list(self._followers)
        for one in followers:
            one.reconcile()
        switched = [name for name in self._rest.own.channels if self._covers(name)]
        if switched:
            self._moving |= dict.fromkeys(switched, time())
            self._rest.change(Change(unsubscribe=tuple(switched)))

    # Who has what

    def _recorded(self) -> list[bytes]:
        with self._lock:
            return [channel for one in self._followers for channel in one.subscriber.channels]

    def _place(self, points: Points) -> None:
        """Follow these channels where they are."""
        begun: list[ShardFollower] = []
        with self._lock:
            for address, some in self._by_owner(points).items():
                one = next((one for one in self._followers if one.address == address), None)
                if one is not None:
                    one.add(some)
                    continue
                one = ShardFollower(self._means, some, self._deliver_of_shard, self._place)
                one.address = address
                self._followers.append(one)
                begun.append(one)
        for one in begun:
            one.begin()

    def _by_owner(self, points: Points) -> dict[Address | None, Points]:
        owned: dict[Address | None, Points] = {}
        for channel, point in points.items():
            owner = None
            with suppress(redis.RedisError):
                owner = self._means.link.cluster.map().master_of(slot_of(channel))
            owned.setdefault(owner, {})[channel] = point
        return owned

    def _drop(self, channels: Iterable[bytes]) -> None:
        """Unsubscribe. The connections stay: whoever removes a channel often adds another."""
        with self._lock:
            for one in self._followers:
                theirs = tuple(name for name in channels if name in one.subscriber.channels)
                if theirs:
                    one.subscriber.change(Change(unsubscribe=theirs))

    # What comes, in the threads of the subscribers

    def _deliver_of_rest(self, batch: list[Item]) -> None:
        with self._turn:
            self._deliver(self._rest, batch, self._rest.own.is_empty)

    def _deliver_of_shard(self, one: ShardFollower, batch: list[Item]) -> None:
        with self._turn:
            self._deliver(one, batch, one.subscriber.is_empty)

    def _deliver(self, by: object, batch: list[Item], is_empty: bool) -> None:
        if not all(isinstance(item, list) and item[0] in MESSAGES for item in batch):
            batch = [out for item in batch for out in self._read(by, item, is_empty)]
        if batch:
            self._out(batch)

    def _read(self, by: object, item: Item, is_empty: bool) -> list[Item]:
        if isinstance(item, Lost):
            self._states = {name: state for name, state in self._states.items() if state[0] is not by}
            # The page takes every name for lost.
            return [] if is_empty else [item, *(push for _, push in self._states.values())]
        if isinstance(item, Gap) and is_empty:
            return []
        if isinstance(item, Gap) and isinstance(by, ShardFollower):
            hole = Hole(FIRST, round(1000 * item.start), round(1000 * item.end), "recorder")
            return [LogGap(channel, hole) for channel in by.subscriber.channels]
        if isinstance(item, list) and item[0] in CONFIRMATIONS:
            return self._confirm(by, item)
        return [item]

    def _confirm(self, by: object, push: Push) -> list[Item]:
        name = (CONFIRMATIONS[push[0]], push[1])
        if b"un" in push[0]:
            self._states.pop(name, None)
            if push[1] in self._moving and by is self._rest:
                self._place({push[1]: None})
                return []
            return [push]
        self._states[name] = (by, push)
        since = self._moving.pop(push[1], None) if push[0] == b"subscribe" else None
        if since is None:
            return [push]
        return [LogGap(push[1], Hole(FIRST, round(1000 * since), round(1000 * time()), "recorder"))]
