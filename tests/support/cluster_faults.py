"""Random faults of a Redis Cluster, and publishers that use all its nodes meanwhile."""

import random
from threading import Event

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.clusters import Cluster, ClusterNode
from tests.support.promises import Published, Span
from tests.support.returning import Event as TabEvent

TIMEOUT = 0.5  # seconds that the publisher waits for a node
_NO_MORE = 3  # numbers that one node gets in a row


class EverywherePublisher(Published):
    """Publishes at one node after another, also at nodes that have just restarted or are cut off."""

    def __init__(self, cluster: Cluster, channel: str) -> None:
        super().__init__(cluster.nodes[0], channel)
        self.port_of: dict[str, int] = {}  # where each number was published
        self._clients = {
            node.port: redis.Redis(
                port=node.port,
                protocol=2,
                socket_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),  # a retry could publish twice
            )
            for node in cluster.nodes
        }
        self._random = random.Random(channel)
        self._port = cluster.nodes[0].port

    def go_on(self, many: int = 1) -> None:
        """A number without a reply is unsure."""
        for _ in range(many):
            if self._random.randrange(_NO_MORE) == 0:
                self._port = self._random.choice([*self._clients])
            data = self.note()
            self.port_of[data] = self._port
            try:
                self._clients[self._port].publish(self.channel, data)
            except redis.RedisError:
                self.unsure.add(data)

    def faults(self, events: list[TabEvent], first: int) -> list[str]:
        """How the events of a tab break the promise. Order is promised for the messages of one node only."""
        found, seen = list[str](), dict[str, float]()
        last: dict[int, int] = {}
        for event in events:
            if event.get("channel") != self.channel or "data" not in event:
                continue
            data = event["data"]
            if data in seen:
                after = event["received"] - seen[data]
                found.append(f"{data} came twice, the second after {after:.2f} s")
            seen[data] = event["received"]
            if data in self.unsure:
                continue
            port = self.port_of[data]
            if int(data) < last.get(port, -1):
                found.append(f"{data} came after {last[port]}, which was published at the same node")
            last[port] = int(data)
        gaps = [Span(event["from"], event["to"]) for event in events if event.get("type") == "gap"]
        missing = [
            data
            for data, moment in self.moments.items()
            if int(data) >= first and data not in seen and data not in self.unsure
            if not any(gap.has(moment) for gap in gaps)
        ]
        if missing:
            around = [
                (round(gap.start - self.moments[missing[0]], 2), round(gap.end - self.moments[missing[0]], 2))
                for gap in gaps
            ]
            found.append(
                f"{len(missing)} are missing without a gap, from {missing[0]} to {missing[-1]}, published at "
                f"{ {self.port_of[data] for data in missing} }; gaps, in seconds from the first: {around}"
            )
        return found


class ShardPublisher(EverywherePublisher):
    """Publishes on a sharded channel, and follows the redirections of the nodes."""

    def go_on(self, many: int = 1) -> None:
        for _ in range(many):
            data = self.note()
            for _ in range(len(self._clients)):
                self.port_of[data] = self._port
                try:
                    self._clients[self._port].spublish(self.channel, data)
                    break
                except redis.exceptions.MovedError as error:
                    self._port = int(error.port)
                except redis.ResponseError:
                    self._port = self._random.choice([*self._clients])
                except redis.RedisError:
                    self._port = self._random.choice([*self._clients])
                    self.unsure.add(data)  # the node may have published it
                    break
            else:
                self.unsure.add(data)  # no node took it


class ClusterFaults:
    """Breaks nodes at random; each call breaks one thing and repairs it."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster = cluster
        self._random = random.Random(seed)
        self.happened: list[str] = []

    def one(self) -> None:
        """One fault, then a pause."""
        fault = self._random.choice(
            [self._kill, self._freeze, self._fail_over, self._cut, self._break_a_link, self._restart]
        )
        node = self._random.choice(self._cluster.nodes)
        self.happened.append(f"{fault.__name__} {node.port}")
        try:
            fault(node)
        except redis.RedisError as error:
            self.happened[-1] += f", {error}"
        Event().wait(self._random.uniform(0, 3))

    def _kill(self, node: ClusterNode) -> None:
        node.stop()
        Event().wait(self._random.uniform(0, 6))
        node.start()

    def _restart(self, node: ClusterNode) -> None:
        node.stop()
        node.start()

    def _freeze(self, node: ClusterNode) -> None:
        node.freeze()
        Event().wait(self._random.uniform(0.5, 8))
        node.thaw()

    def _fail_over(self, node: ClusterNode) -> None:
        node.client.execute_command("CLUSTER", "FAILOVER")  # refused by a master

    def _cut(self, node: ClusterNode) -> None:
        node.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    def _break_a_link(self, node: ClusterNode) -> None:
        other = self._random.choice([one for one in self._cluster.nodes if one is not node])
        node.client.execute_command(
            "DEBUG", "CLUSTERLINK", "KILL", self._random.choice(["to", "all"]), other.id
        )
