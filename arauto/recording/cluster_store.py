"""The store of logs in a cluster: each log is on the master of its slot."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import count
from typing import Any

import redis
from redis.crc import key_slot

from arauto.recording.log_names import LogNames
from arauto.recording.log_store import Command, Store
from arauto.recording_core.log_keys import LEASE, NAMES, head_of, tagged
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.cluster_map import Shard
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.elapsed import unix


class ClusterStore(Store):
    """The logs of all channels, each read and written on its node."""

    def __init__(self, link: ClusterLink, most: int, age: int, log_names: LogNames | None = None) -> None:
        super().__init__(link.log_client, most, age)
        self.log_names = log_names or LogNames()
        self._link = link

    def client_of(self, key: bytes) -> Any:
        return self._link.client_of(key)

    def ask(self, commands: Sequence[tuple[bytes, Command]]) -> list[Any]:
        """As :meth:`Store.ask`; for a node that does not answer, the error is the reply."""
        replies: list[Any] = [None] * len(commands)
        places = defaultdict[Any, list[int]](list)
        for place, (key, _) in enumerate(commands):
            try:
                places[self.client_of(key)].append(place)
            except redis.RedisError as error:
                replies[place] = error
        for client, some in places.items():
            try:
                found = self._ask(client, [commands[place][1] for place in some])
            except redis.RedisError as error:
                found = [error] * len(some)
            for place, reply in zip(some, found, strict=True):
                replies[place] = reply
        return replies

    # Names: their node may be down while other nodes record

    def names(self) -> set[bytes]:
        return self.log_names.known

    def register(self, channel: bytes) -> bool:
        """Have the channel registered soon; its recorders are woken then."""
        self.log_names.add(channel)
        return False

    def unregister(self, channel: bytes) -> None:
        self.log_names.remove(channel)
        super().unregister(channel)

    def update_names(self, is_recorded: Callable[[bytes], bool]) -> None:
        """Read the names of all logs, and add those that this process has registered."""
        client: Any = self.client_of(NAMES)
        lacking = self.log_names.take(client.smembers(NAMES), is_recorded)
        if lacking:
            client.sadd(NAMES, *lacking)
            self.log_names.added(lacking)
        for one in {self.beats_for(channel): channel for channel in lacking}.values():
            with suppress(redis.RedisError):
                self.wake_recorders(one)

    def beats_for(self, channel: bytes) -> bytes:
        slot = slot_of(channel)
        shards = self._link.cluster.map().shards()
        first = next((shard.first for shard in shards if shard.has(slot)), slot)
        return tagged(self.beats, tag_of(first))

    def of(self, shard: Shard) -> "ShardStore":
        """The store for the recorders of one shard."""
        return ShardStore(self._link, self._most, self._age, self.log_names, shard)


class ShardStore(ClusterStore):
    """The logs of one shard, and its lease, on its master and nowhere else.

    Its recorder receives messages in the order of this node, so it must not write to another one.
    """

    def __init__(self, link: ClusterLink, most: int, age: int, log_names: LogNames, shard: Shard) -> None:
        super().__init__(link, most, age, log_names)
        self._address = shard.address
        tag = tag_of(shard.first)
        self.lease, self.beats = tagged(LEASE, tag), tagged(self.beats, tag)

    def client_of(self, key: bytes) -> Any:
        return self._link.client_at(self._address)

    def beats_for(self, channel: bytes) -> bytes:
        return self.beats

    def losses(self) -> list[tuple[int, int]]:
        """The losses of all nodes: this node may have got its log from another one."""
        return [
            (round(1000 * unix(since)), round(1000 * unix(found)))
            for found, since in reversed(self._link.cluster.all_losses())
        ]


def make_store(link: RedisLink, most: int, age: int) -> Store:
    """The store of the Redis or cluster of ``link``."""
    return (
        ClusterStore(link, most, age) if isinstance(link, ClusterLink) else Store(link.log_client, most, age)
    )


@lru_cache(4096)
def slot_of(channel: bytes) -> int:
    """The slot of all keys of the channel's log. It differs from that of a name with braces."""
    return key_slot(head_of(channel))


@lru_cache(1024)
def tag_of(slot: int) -> bytes:
    """A hash tag of this slot: the lowest number in it."""
    return next(tag for n in count() if key_slot(tag := b"%d" % n) == slot)
