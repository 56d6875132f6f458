"""A Redis Cluster on loopback: three masters and their replicas."""

from contextlib import ExitStack, closing
from pathlib import Path

import redis
from redis.crc import key_slot

from tests.support.redis_servers import RedisServer, free_port, release_port
from tests.support.waiting import eventually

NODE_TIMEOUT = 1500  # milliseconds without an answer after which the others count a node as failed
MASTERS = 3
SLOTS = 16384


class ClusterNode(RedisServer):
    """One server of a cluster."""

    def __init__(self, binary: str, directory: Path, *options: str) -> None:
        self.bus = free_port()
        place = directory / f"node-{self.bus}"
        place.mkdir()
        enabled = (
            "--enable-debug-command",
            "yes",
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            str(self.bus),
        )
        timeout = ("--cluster-node-timeout", str(NODE_TIMEOUT))
        # Without this, the replica of a master that was frozen for a while may not take over.
        validity = ("--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0")
        super().__init__(binary, place, *enabled, *timeout, *validity, *options)
        self.id: str = self.client.execute_command("CLUSTER MYID").decode()

    def close(self) -> None:
        super().close()
        release_port(self.bus)

    def nodes_seen(self) -> dict[str, list[str]]:
        """The fields of this node's ``CLUSTER NODES``, by the id of each node."""
        with redis.Redis(port=self.port, protocol=2, socket_timeout=1) as client:
            connection = client.connection_pool.get_connection()
            connection.send_command("CLUSTER", "NODES")
            lines = connection.read_response().decode().splitlines()
            client.connection_pool.release(connection)
        return {line.split()[0]: line.split() for line in lines}

    @property
    def is_master(self) -> bool:
        return "master" in self.nodes_seen()[self.id][2]


class Cluster:
    """Shared by many tests: each must leave it whole, which :meth:`wait_until_whole` waits for."""

    def __init__(
        self, stack: ExitStack, binary: str, directory: Path, *options: str, replicas: int = 1
    ) -> None:
        self._stack, self._binary, self._directory, self._options = stack, binary, directory, options
        self.nodes = [self.start_node() for _ in range(MASTERS * (1 + replicas))]
        for n, node in enumerate(self.nodes[:MASTERS]):
            start, end = SLOTS * n // MASTERS, SLOTS * (n + 1) // MASTERS - 1
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", start, end)
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        for node in self.nodes[1:]:
            self.meet(node)
        eventually(
            lambda: all(len(node.nodes_seen()) == len(self.nodes) for node in self.nodes), why="they have met"
        )
        for n, node in enumerate(self.nodes[MASTERS:]):
            node.client.execute_command("CLUSTER", "REPLICATE", self.nodes[n % MASTERS].id)
        self.wait_until_whole()

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes[:MASTERS])}"

    def start_node(self) -> ClusterNode:
        """Start one more node, which does not know the others yet."""
        return self._stack.enter_context(closing(ClusterNode(self._binary, self._directory, *self._options)))

    def meet(self, node: ClusterNode) -> None:
        first = self.nodes[0]
        node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)

    def masters(self) -> list[ClusterNode]:
        return [node for node in self.nodes if node.is_master]

    def owner(self, name: str) -> ClusterNode:
        """The master of the slot of this key."""
        slot, views = key_slot(name.encode()), [node.nodes_seen()[node.id] for node in self.masters()]
        own = next(view for view in views if any(_has(text, slot) for text in view[8:]))
        return next(node for node in self.nodes if node.id == own[0])

    def move_slot(self, name: str, target: ClusterNode) -> None:
        """Move the slot of this key to another master. The slot must be empty."""
        source, slot = self.owner(name), key_slot(name.encode())
        target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        for node in (target, source):
            node.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def wait_until_whole(self) -> None:
        """Every node knows every other one, is connected with it, and follows a master or has slots.

        A test that has failed may have left some of them stopped.
        """
        for node in self.nodes:
            node.revive()
        eventually(self._is_whole, within=30, why="the cluster is whole")

    def _is_whole(self) -> bool:
        try:
            views = [node.nodes_seen() for node in self.nodes]
        except redis.RedisError:
            return False
        lines = [line for view in views for line in view.values()]
        ids = {node.id for node in self.nodes}
        return (
            all(view.keys() == ids for view in views)
            and all("slave" in line[2] or line[8:] for line in lines)
            and all(line[7] == "connected" and "fail" not in line[2] for line in lines)
            and all(
                node.client.info("replication").get("master_link_status", "up") == "up" for node in self.nodes
            )
            and all(b"cluster_state:ok" in info_of(node) for node in self.nodes)
        )


def info_of(node: ClusterNode) -> bytes:
    """Its ``CLUSTER INFO``."""
    connection = node.client.connection_pool.get_connection()
    try:
        connection.send_command("CLUSTER", "INFO")
        return bytes(connection.read_response())
    finally:
        node.client.connection_pool.release(connection)


def _has(text: str, slot: int) -> bool:
    first, _, last = text.partition("-")
    return int(first) <= slot <= int(last or first)
