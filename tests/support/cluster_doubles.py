"""Test doubles of a cluster: a map of its slots, and nodes that note the commands they receive."""

from typing import Any

import redis

from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.cluster_map import Shard
from arauto.redis_io.redis_url import Address

A, B, C = ("a", 1), ("b", 2), ("c", 3)


def shard(address: Address, first: int, end: int) -> Shard:
    return Shard(address, (range(first, end),))


class FakeNode:
    """The client and the pipelines of one node. Only commands on sets have an effect."""

    def __init__(self) -> None:
        self.commands: list[Any] = []
        self.sets: dict[bytes, set[bytes]] = {}
        self.is_down = False

    def execute_command(self, *command: Any) -> Any:
        if self.is_down:
            raise redis.TimeoutError("no answer")
        self.commands.append(command)
        name, key, *given = command
        if name == "SMEMBERS":
            return set(self.sets.get(key, ()))
        if name == "SADD":
            self.sets.setdefault(key, set()).update(given)
        if name == "SREM":
            self.sets.get(key, set()).difference_update(given)
        return None

    def smembers(self, key: bytes) -> Any:
        return self.execute_command("SMEMBERS", key)

    def sadd(self, key: bytes, *names: bytes) -> Any:
        return self.execute_command("SADD", key, *names)

    def srem(self, key: bytes, *names: bytes) -> Any:
        return self.execute_command("SREM", key, *names)

    def pipeline(self, transaction: bool) -> "FakePipeline":
        return FakePipeline(self)


class FakePipeline:
    def __init__(self, node: FakeNode) -> None:
        self._node = node
        self._commands: list[Any] = []

    def __enter__(self) -> "FakePipeline":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute_command(self, *command: Any) -> None:
        self._commands.append(command)

    def execute(self, raise_on_error: bool) -> list[Any]:
        return [self._node.execute_command(*command) for command in self._commands]


class FakeCluster:
    """A cluster and its map in one object."""

    def __init__(self) -> None:
        self.found = [shard(A, 0, 5000), shard(B, 5000, 10_000), shard(C, 10_000, 16_384)]
        self.losses: list[tuple[float, float]] = []
        self.looks = 0

    def map(self) -> "FakeCluster":
        return self

    def shards(self) -> list[Shard]:
        return self.found

    def master_of(self, slot: int) -> Address | None:
        return next((one.address for one in self.found if one.has(slot)), None)

    def look(self) -> None:
        self.looks += 1

    def renew(self, since: float) -> None:
        self.look()

    def losses_at(self, address: Address) -> list[tuple[float, float]]:
        return self.losses

    def all_losses(self) -> list[tuple[float, float]]:
        return self.losses


class FakeLink(ClusterLink):
    """A link to three nodes, each with a third of the slots."""

    def __init__(self) -> None:
        self.fakes = {address: FakeNode() for address in (A, B, C)}
        self.fake = FakeCluster()
        self.cluster: Any = self.fake

    @property
    def log_client(self) -> Any:
        return redis.Redis()

    def client_at(self, address: Address) -> Any:
        return self.fakes[address]
