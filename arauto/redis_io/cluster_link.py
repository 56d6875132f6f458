"""Connections to a Redis Cluster, and a function that opens whatever REDIS_URL names."""

from collections.abc import Sequence
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.redis_io.cluster import Cluster, is_refusal
from arauto.redis_io.connection import PUBLISHERS, RedisLink
from arauto.redis_io.redis_url import NO_TLS, Address, ClusterUrl, Tls, place
from arauto.system.concurrency import make_lock
from arauto.text.cleanup import shown

SETTLE = 0.5  # seconds; a message reaches all nodes soon, but not at the same moment
TRIES = 2  # nodes on which to try to publish, and that may fail to answer a subscriber
_OF_ONE_NODE = {"host", "port", "db"}


def open_link(url: str, tls: Tls = NO_TLS, with_replicas: bool = True) -> RedisLink:
    """A link to the Redis or cluster that ``url`` names.

    :param with_replicas: whether to subscribe on the replicas of a cluster too.
    :raise LinkError: ``url`` does not parse, or a file for TLS cannot be used.
    """
    given = ClusterUrl.of(url)
    return ClusterLink(given, tls, with_replicas) if given else RedisLink(url, tls)


class ClusterLink(RedisLink):
    """Connections to the nodes of one cluster."""

    def __init__(self, url: ClusterUrl, tls: Tls, with_replicas: bool) -> None:
        """:raise LinkError: an option does not work, or a file for TLS cannot be used."""
        super().__init__(url.redis_url, tls)
        self.cluster = Cluster(
            lambda address: self._at(address).make_connection(), url.nodes, with_replicas, not self._is_plain
        )
        self._links: dict[Address, RedisLink] = {}
        self._keys: RedisCluster | None = None
        self._keys_lock = make_lock()

    def _at(self, address: Address) -> RedisLink:
        return self._links.get(address) or self._links.setdefault(address, self.at(address))

    @property
    def client(self) -> redis.Redis:
        return self.publishers(b"")[0].client

    @property
    def keys(self) -> Any:
        """redis-py's own client of a cluster, which finds the node of each key.

        :raise redis.RedisError: no node answers.
        """
        with self._keys_lock:
            if self._keys is None:
                try:
                    self._keys = self._make_keys()
                except RedisClusterException as error:
                    raise redis.ConnectionError(str(error)) from error
            return self._keys

    def _make_keys(self) -> RedisCluster:
        options = {name: value for name, value in self._options.items() if name not in _OF_ONE_NODE}
        nodes = [ClusterNode(*address) for address in self.cluster.map().to_count()[0]]
        return RedisCluster(
            startup_nodes=nodes,
            retry=Retry(NoBackoff(), 1),  # one retry, for a failover
            require_full_coverage=False,
            max_connections=PUBLISHERS,
            ssl=not self._is_plain,
            address_remap=lambda address: self.cluster.map().reach(address),
            **options,
        )

    def publishers(self, channel: bytes) -> list[RedisLink]:
        found = self.cluster.map().for_publishing(channel)
        return [self._at(address) for address in found[:TRIES]]

    def nodes(self) -> tuple[list[RedisLink], bool]:
        addresses, are_all = self.cluster.map().to_count()
        return [self._at(address) for address in addresses], are_all

    def client_of(self, key: bytes) -> redis.Redis:
        """The client of the master that has a key or a sharded channel.

        :raise redis.RedisError: no node answers, or none has the slot.
        """
        address = self.cluster.map().master_of(key_slot(key))
        if address is None:
            raise redis.ConnectionError("No node of the cluster has this slot.")
        return self.client_at(address)

    def client_at(self, address: Address) -> redis.Redis:
        """The client of one node."""
        return self._at(address).client

    def connect_to_master(self, address: Address, notes_losses: bool = False) -> NonblockingSocket:
        """A connection for one subscriber, to this node and no other.

        :raise redis.RedisError: it does not answer, or refuses.
        :raise OSError: the same, from the system.
        """
        moves = self.cluster.moves
        sock = self._at(address).connect_and_ask(address)
        sock.is_bound, sock.notes_losses = True, notes_losses
        self.cluster.keep(sock, moves)
        return sock

    def connect(self, shards: Sequence[bytes] = ()) -> NonblockingSocket:
        return self._connect(self.cluster.places(shards))

    def connect_to_shard(self, shards: Sequence[bytes]) -> NonblockingSocket:
        there = self.shard_places(shards[0])
        return self._connect([one for one in self.cluster.places(shards) if one in there])

    def shard_places(self, shard: bytes) -> frozenset[Address]:
        return frozenset(self.cluster.map().serving(shard))

    def _connect(self, places: list[Address]) -> NonblockingSocket:
        failure: Exception | None = None
        tries = 0
        for address in places:
            if tries == TRIES:
                break
            moves = self.cluster.moves
            try:
                sock = self._at(address).connect_and_ask(address)
            except (redis.ResponseError, redis.AuthenticationError) as error:
                # The node may accept other users. It is no try: nodes that refuse have the fewest of our
                # subscribers, so they come first each time, and a refusal takes no time.
                failure = error
            except (redis.RedisError, OSError) as error:
                self.cluster.shun(address)
                failure = error
                tries += 1
            else:
                self.cluster.keep(sock, moves)
                return sock
        raise failure or redis.ConnectionError("No node of the cluster answers.")

    @property
    def moves(self) -> int:
        return self.cluster.moves

    @property
    def master(self) -> Address | None:
        """A node for people to connect to: ``redis-cli -c`` finds the others."""
        return self.cluster.map().for_publishing(b"")[0]

    @property
    def settle(self) -> float:
        return SETTLE

    @property
    def is_cluster(self) -> bool:
        return True

    def problem(self) -> str:
        """What is wrong with the cluster, with the remedy; empty: nothing.

        :raise redis.RedisError: no node answers.
        """
        found = self.cluster.map()
        if not found.has_all_slots:
            return (
                "a slot has no node that answers, so nothing can be kept there: start what is missing, or "
                "run redis-cli --cluster fix (--cluster create for nodes that never met)."
            )
        errors = self.cluster.unusable()
        if refusing := [one for one, error in errors.items() if is_refusal(error)]:
            why = shown(str(errors[refusing[0]])).rstrip(".")
            return (
                f"its node {', '.join(map(place, refusing))} refuses us ({why}): give our user the same "
                "password and permissions at every node."
            )
        if errors:
            return (
                f"its node {', '.join(map(place, errors))} does not answer from here: set "
                "cluster-announce-ip there to an address that we can reach, or open the way to it."
            )
        return ""

    def as_user(self, username: str, password: str) -> Self:
        other = super().as_user(username, password)
        other._links, other._keys = {}, None
        return other

    def close(self) -> None:
        """Close the connections, and stop polling nodes."""
        for link in self._links.values():
            link.close()
        if self._keys is not None:
            self._keys.close()
        super().close()
        if not self._is_borrowed:
            self.cluster.stop()
