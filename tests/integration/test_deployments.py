"""Deployments of Redis that need a warning: a replica, and a node of a cluster."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from arauto.redis_io import discovery
from arauto.settings import read
from tests.support.redis_servers import RedisServer, binaries, free_port, release_port
from tests.support.servers import Start
from tests.support.waiting import eventually

MakeServer = Callable[..., RedisServer]


@pytest.fixture(params=list(binaries()))
def make_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeServer]:
    """Starts a Redis with the given options."""
    with ExitStack() as stack:

        def make(*options: str) -> RedisServer:
            server = RedisServer(binaries()[request.param], tmp_path, *options)
            return stack.enter_context(closing(server))

        yield make


def test_a_replica_is_reported(make_server: MakeServer, start: Start) -> None:
    master = make_server()
    replica = make_server("--replicaof", f"127.0.0.1 {master.port}")
    server = start(REDIS_URL=replica.url)
    sentence = f"Warning: Redis at 127.0.0.1:{replica.port} is a replica of 127.0.0.1:{master.port}: "
    eventually(lambda: sentence in server.log)


def test_a_node_of_a_cluster_is_reported(make_server: MakeServer) -> None:
    bus = free_port()
    node = make_server("--cluster-enabled", "yes", "--cluster-port", str(bus))
    release_port(bus)
    found = discovery.find(read({"REDIS_URL": node.url}))
    assert f"Redis at 127.0.0.1:{node.port} is one node of a cluster" in found.warning


def test_an_ordinary_redis_has_no_warning(make_server: MakeServer) -> None:
    assert discovery.find(read({"REDIS_URL": make_server().url})).warning == ""
