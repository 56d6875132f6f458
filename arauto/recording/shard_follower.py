"""Recorded channels of one page in a cluster, on the master that has their slots."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import redis

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.events import Deliver, Item
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Change, Selection
from arauto.recording.cluster_store import slot_of
from arauto.recording.follower import Follower
from arauto.recording.shard_recording import RECENT
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.elapsed import now, unix
from arauto.redis_io.redis_url import Address
from arauto.redis_io.subscriber import Explain, Subscriber
from arauto.system.timer_wheel import TimerWheel

Points = dict[bytes, ResumePoint | None]
"""Channels, and where each resumes."""
Owners = dict[bytes, Address | None]
"""Channels, and the master that has the log of each; ``None``: no node has its slot."""


class Means(NamedTuple):
    """The dependencies of every subscriber of the page."""

    link: ClusterLink
    on_fault: Callable[[], None]
    timers: TimerWheel
    explain: Explain
    make_follower: Callable[[Deliver, dict[bytes, ResumePoint]], Follower]

    def owners(self, channels: Iterable[bytes]) -> Owners:
        try:
            found = self.link.cluster.map()
        except redis.RedisError:
            return dict.fromkeys(channels)
        return {channel: found.master_of(slot_of(channel)) for channel in channels}


class ShardFollower:
    """Follows logs on the master that has them: there, messages are received in the order of the log, and
    each before the announcement of its id.

    :param address: the master, as far as is known.
    :param deliver: takes this object and a batch.
    :param move: takes this object and channels of other masters, and removes them here.
    :param lacks: takes channels whose logs may lack messages, too, and since when (Unix seconds).
    """

    def __init__(
        self,
        means: Means,
        address: Address | None,
        points: Points,
        deliver: Callable[["ShardFollower", list[Item]], None],
        move: Callable[["ShardFollower", Owners], None],
        lacks: Callable[[Iterable[bytes], float], None],
    ) -> None:
        self.address = address
        self._means = means
        self._move = move
        self._lacks = lacks
        known = {channel: point for channel, point in points.items() if point}
        # When the last loss was found that was reported. The recorder writes later ones to the log.
        self._knows_until = now() - (RECENT if known else 0)
        self.follower = means.make_follower(lambda batch: deliver(self, batch), known)
        self.subscriber: Subscriber = Subscriber(
            self._connect,
            self.follower,
            means.on_fault,
            means.timers,
            Selection(tuple(points)),
            self.follower.commands,
            moves=lambda: hash((means.link.moves, *means.owners(self.subscriber.channels).values())),
            settle=means.link.settle,
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
        if points:
            self.subscriber.change(Change(subscribe=tuple(points)))

    def remove(self, channels: Iterable[bytes]) -> Points:
        """Unsubscribe from those of the channels that are here; returns where each may resume."""
        ours = tuple(name for name in channels if name in self.subscriber.channels)
        if ours:
            self.subscriber.change(Change(unsubscribe=ours))
        return {name: self.follower.release(name) for name in ours}

    def reconcile(self) -> None:
        if commands := self.follower.commands_after_switch(self.subscriber.channels):
            self.subscriber.send(commands)

    def _connect(self) -> NonblockingSocket:
        if self.subscriber.lost_since is not None:
            # Perhaps the node was demoted, which the map of before does not have.
            self._means.link.cluster.renew(now() - self._means.link.settle)
        owners = self._means.owners(self.subscriber.channels)
        self.address = next(filter(None, owners.values()), None)
        strays: Owners = {name: owner for name, owner in owners.items() if owner not in (None, self.address)}
        if strays or not owners:
            self._move(self, strays)
        if self.address is None:
            raise redis.ConnectionError("CLUSTERDOWN No node has the slot of this channel")
        self._report_losses(self.address)
        return self._means.link.connect_to_master(self.address)

    def _report_losses(self, address: Address) -> None:
        """Report messages that the cluster bus may have lost before they reached this node and its logs."""
        losses = [loss for loss in self._means.link.cluster.losses_at(address) if loss[0] > self._knows_until]
        if losses:
            self._knows_until = max(at for at, _ in losses)
            since = min(since for _, since in losses)
            self._lacks(self.subscriber.channels, unix(since))
