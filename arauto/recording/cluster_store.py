"""The logs in a cluster: those of one channel are at the master of its slot."""

from functools import lru_cache
from itertools import count

import redis
from redis.crc import key_slot

from arauto.recording.log_store import Store
from arauto.recording_core.log_keys import GLOBS, LEASE, NAMES, SWITCHED, head_of, tagged
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.cluster_map import Shard
from arauto.redis_io.connection import RedisLink

_OF_ALL = (NAMES, SWITCHED, GLOBS)


class ClusterStore(Store):
    """The logs of all channels, each by the client of its node."""

    def __init__(self, link: ClusterLink, most: int, age: int) -> None:
        super().__init__(link.log_client, most, age)
        self._link = link

    def client_of(self, key: bytes) -> redis.Redis:
        return self._link.client_of(key)

    def beats_for(self, channel: bytes) -> bytes:
        slot = slot_of(channel)
        shards = self._link.cluster.map().shards()
        first = next((shard.first for shard in shards if shard.has(slot)), slot)
        return tagged(self.beats, tag_of(first))

    def of(self, shard: Shard) -> "ShardStore":
        """The same for the recorders of one shard."""
        return ShardStore(self._link, self._most, self._age, shard)


class ShardStore(ClusterStore):
    """The logs of one shard, and its lease: they are asked for there, or not at all.

    What its recorder receives comes in the order of this node, so it must write nowhere else.
    """

    def __init__(self, link: ClusterLink, most: int, age: int, shard: Shard) -> None:
        super().__init__(link, most, age)
        self._address = shard.address
        tag = tag_of(shard.first)
        self.lease, self.beats = tagged(LEASE, tag), tagged(self.beats, tag)

    def client_of(self, key: bytes) -> redis.Redis:
        return self._link.client_of(key) if key in _OF_ALL else self._link.client_at(self._address)


def make_store(link: RedisLink, most: int, age: int) -> Store:
    """The logs where ``link`` leads to."""
    return (
        ClusterStore(link, most, age) if isinstance(link, ClusterLink) else Store(link.log_client, most, age)
    )


@lru_cache(4096)
def slot_of(channel: bytes) -> int:
    """The slot of all keys of the channel's log. Where the name has braces, it is not that of the name."""
    return key_slot(head_of(channel))


@lru_cache(1024)
def tag_of(slot: int) -> bytes:
    """A hash tag of this slot: the lowest number that has it."""
    return next(tag for n in count() if key_slot(tag := b"%d" % n) == slot)
