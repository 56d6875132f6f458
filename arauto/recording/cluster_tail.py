"""The subscriptions of one page in a cluster: recorded channels on their logs' nodes, the rest anywhere."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf
from time import time
from types import TracebackType
from typing import Self

from arauto.protocol.events import CONFIRMATIONS, Deliver, Gap, Item, LogGap, Lost, Push
from arauto.protocol.log_entries import FIRST, Hole
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Change, Selection
from arauto.recording.reported_gaps import ReportedGaps
from arauto.recording.shard_follower import Means, Owners, Points, ShardFollower
from arauto.redis_io.subscriber import IN_FLIGHT, JOIN_PATIENCE
from arauto.redis_io.subscribers import Subscribers
from arauto.system.concurrency import make_lock

MOMENT = 0.1  # seconds to read the log: if that fails meanwhile, it is the same loss


class ClusterTail:
    """As :class:`Subscribers`, of which it has one for everything that is not recorded, "the rest".

    A thread that delivers holds ``_turn``, and never waits for ``_lock``.

    :param covers: whether a channel is recorded.
    """

    # There may be thousands of pages.
    __slots__ = (
        "__weakref__",
        "_away",
        "_begins_with",
        "_covers",
        "_followers",
        "_gaps",
        "_has_rest",
        "_is_over",
        "_leaving",
        "_lock",
        "_means",
        "_out",
        "_rest",
        "_states",
        "_turn",
    )

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
        self._turn = make_lock()  # held while a batch is delivered
        self._lock = make_lock()  # guards which follower has which channel
        self._is_over = False
        self._followers: list[ShardFollower] = []
        self._states: dict[tuple[str, bytes], tuple[object, Push]] = {}  # confirmed names, and by whom
        self._leaving: dict[bytes, bool] = {}  # channels switched on, and whether the rest has dropped them
        self._away: dict[bytes, float] = {}  # channels that may lack messages, and since when
        self._gaps = ReportedGaps()
        recorded = [name for name in selection.channels if covers(name) or name in points]
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
        self._has_rest = False  # whether it is connected: only a page without recorded channels is idle there

    def __enter__(self) -> Self:
        try:
            owners = self._means.owners(self._begins_with)
            with self._lock:
                if not (self._begins_with and self._rest.own.is_empty):
                    self._begin_rest()
                self._place(self._begins_with, owners)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_over = True
            followers = list(self._followers)
        for one in followers:
            one.end()
        if self._has_rest:
            self._rest.__exit__(kind, error, trace)
        for one in followers:
            one.subscriber.join(JOIN_PATIENCE)

    def size_after(self, change: Change) -> int:
        """How many names would be selected after ``change``."""
        with self._lock:
            recorded = {*self._recorded(), *self._leaving}
        more = recorded - {*self._rest.own.channels, *change.subscribe, *change.unsubscribe}
        return self._rest.size_after(change) + len(more)

    def change(self, change: Change) -> None:
        """Change the selection without losing a message of the rest; from any thread."""
        owners = self._means.owners(change.subscribe)
        with self._lock:
            recorded = set(self._recorded())
            for name in change.unsubscribe:
                self._leaving.pop(name, None)
                self._away.pop(name, None)
            for one in self._followers:
                # The connection stays open: a page that removes a channel often adds another.
                one.remove(change.unsubscribe)
                one.add(dict.fromkeys(name for name in change.subscribe if name in one.subscriber.channels))
            new = [name for name in change.subscribe if name not in recorded and name not in self._leaving]
            added = list(filter(self._covers, new))
            channels = Change(
                subscribe=tuple(name for name in new if name not in added),
                unsubscribe=tuple(name for name in change.unsubscribe if name not in recorded),
            )
            if channels != Change():
                self._rest.own.change(channels)
            self._place(dict.fromkeys(added), owners)
        others = replace(change, subscribe=(), unsubscribe=())
        if others != Change():
            self._rest.change(others)
        with self._lock:
            if not self._rest.own.is_empty:
                self._begin_rest()

    def reconcile(self) -> None:
        """Follow exactly the channels that are recorded now."""
        with self._lock:
            followers = list(self._followers)
            switched = [name for name in self._rest.own.channels if self._covers(name)]
            if switched and not self._is_over:
                is_under_way = bool(self._leaving)
                self._leaving |= dict.fromkeys(switched, False)
                self._lacks(switched, (self._rest.own.lost_since or time()) - IN_FLIGHT)
                self._rest.own.change(Change(unsubscribe=tuple(switched)))
                if not is_under_way:
                    self._means.timers.after(self._means.link.settle, self._look_at_leaving)
        for one in followers:
            one.reconcile()

    def _look_at_leaving(self) -> float | None:
        """Follow the logs of channels that the rest has dropped.

        Not at once: a message reaches the nodes at different times, and must not be delivered twice.
        """
        with self._lock:
            is_quiet = self._rest.own.is_quiet
            gone = [name for name, is_gone in self._leaving.items() if is_gone and is_quiet]
            for name in gone:
                del self._leaving[name]
            self._leaving = dict.fromkeys(self._leaving, is_quiet)
            try:
                self._place(dict.fromkeys(gone), self._means.owners(gone))
            except Exception:
                self._means.on_fault()
                raise
            return self._means.link.settle if self._leaving and not self._is_over else None

    # Call these with the lock held

    def _begin_rest(self) -> None:
        if not self._has_rest and not self._is_over:
            self._rest.__enter__()
            self._has_rest = True

    def _recorded(self) -> list[bytes]:
        return [channel for one in self._followers for channel in one.subscriber.channels]

    def _place(self, points: Points, owners: Owners) -> None:
        """Follow these channels on their nodes."""
        if self._is_over:
            return
        for address in {owners[channel]: None for channel in points}:
            some = {channel: point for channel, point in points.items() if owners[channel] == address}
            there = next((one for one in self._followers if one.address == address), None)
            if there is not None:
                there.add(some)
                continue
            one = ShardFollower(self._means, address, some, self._deliver_of_shard, self._move, self._lacks)
            one.begin()
            self._followers.append(one)

    # From the threads of the followers

    def _move(self, one: ShardFollower, strays: Owners) -> None:
        """Move channels to followers of other nodes, and end this one if it has none left."""
        with self._lock:
            points = one.remove(strays)
            if (since := one.subscriber.lost_since) is not None:
                self._lacks([name for name, point in points.items() if point is None], since)
            self._place(points, strays)
            if one.subscriber.is_empty and one in self._followers:
                self._followers.remove(one)
                one.end()

    def _lacks(self, channels: Iterable[bytes], since: float) -> None:
        """Note that messages may be missing since then; the gap is sent once the channel is confirmed."""
        for name in channels:
            self._away[name] = min(since, self._away.get(name, since))

    def _deliver_of_rest(self, batch: list[Item]) -> None:
        with self._turn:
            self._deliver(self._rest, batch, self._rest.own.is_empty)

    def _deliver_of_shard(self, one: ShardFollower, batch: list[Item]) -> None:
        with self._turn:
            self._deliver(one, batch, one.subscriber.is_empty)

    def _deliver(self, by: object, batch: list[Item], is_empty: bool) -> None:
        if any(map(_is_notice, batch)):
            batch = [out for item in batch for out in self._read(by, item, is_empty)]
        if batch and not self._is_over:
            self._out(batch)  # without notices this very list, which other pages share

    def _read(self, by: object, item: Item, is_empty: bool) -> list[Item]:
        if isinstance(item, Lost):
            self._states = {name: state for name, state in self._states.items() if state[0] is not by}
            # The page takes every name for lost, so confirm the others again.
            return [] if is_empty else [item, *(push for _, push in self._states.values())]
        if isinstance(item, LogGap):
            return [*self._gaps.new_parts(item)]
        if isinstance(item, Gap) and isinstance(by, ShardFollower):
            return [gap for name in by.subscriber.channels for gap in self._take_gap(name, item.start)]
        if isinstance(item, Gap):
            return [] if is_empty else [item]
        if isinstance(item, list) and item[0] in CONFIRMATIONS:
            return self._confirm(by, item)
        return [item]

    def _confirm(self, by: object, push: Push) -> list[Item]:
        name = (CONFIRMATIONS[push[0]], push[1])
        if b"un" in push[0]:
            self._states.pop(name, None)
            self._gaps.forget(push[1])
            return [] if push[1] in self._leaving and push[0] == b"unsubscribe" else [push]
        self._states[name] = (by, push)
        is_there = push[0] == b"subscribe" and by is not self._rest
        return [*self._take_gap(push[1]), push] if is_there else [push]

    def _take_gap(self, channel: bytes, since: float = inf) -> list[LogGap]:
        """The gap up to now, since then or since an earlier time that was noted; empty: there is none."""
        since = min(since, self._away.pop(channel, inf))
        if since == inf:
            return []
        hole = Hole(FIRST, round(1000 * since), round(1000 * (time() + MOMENT)), "recorder")
        return self._gaps.new_parts(LogGap(channel, hole))


def _is_notice(item: Item) -> bool:
    return item[0] in CONFIRMATIONS if isinstance(item, list) else isinstance(item, Lost | Gap | LogGap)
