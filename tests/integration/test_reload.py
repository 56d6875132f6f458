"""A reload (SIGHUP): the workers go on until their successors can take over."""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import psutil
import pytest

from arauto.settings import WORKERS
from tests.support.gates import gated_recorder, gated_worker
from tests.support.http import get
from tests.support.logs import is_recording
from tests.support.machine_time import MachineTime
from tests.support.promises import Published, check_kept, replay, watching
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab, receives
from tests.support.waiting import eventually

GONE_WITHIN = 3.0  # seconds until the program has ended


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "may start"
    path.touch()
    return path


def reload(server: ArautoServer) -> list[psutil.Process]:
    """Begin a reload, and return the workers of before."""
    old = server.workers()
    begun = server.log.count("Booting worker")
    os.kill(server._process.pid, signal.SIGHUP)
    eventually(lambda: server.log.count("Booting worker") == begun + len(old))
    return old


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize(("workers", "gated"), [(1, gated_worker), (2, gated_worker), (1, gated_recorder)])
def test_nothing_is_missed_while_successors_start(
    start: Start,
    redis_server: RedisServer,
    gate: Path,
    machine: MachineTime,
    worker: str,
    workers: int,
    gated: Callable[[Path], str],
) -> None:
    """Until then pages stay where they are, others come, and the recorder goes on."""
    server = start(
        REDIS_URL=redis_server.url,
        ARAUTO_WORKER=worker,
        ARAUTO_WORKERS=str(workers),
        ARAUTO_RECORD="kept.*",
        ALTER=gated(gate),
    )
    eventually(lambda: is_recording(redis_server), why="a recorder is at work")
    published = Published(redis_server, f"kept.{token_hex(8)}")
    published.go_on()
    with watching(server, published, tabs=4) as tabs:
        with published.keep_on():
            published.wait_for(20)
            gate.unlink()
            old = reload(server)
            published.wait_for(300)  # for more than three seconds
            assert [tab.sockets for tab in tabs] == [1] * 4
            assert get(server, "/readyz").status == 200
            with open_tab(server, "a") as other:
                assert receives(redis_server, other)
            gate.touch()
            eventually(lambda: not any(one.is_running() for one in old), why="they have ended")
            published.wait_for(100)
        check_kept(server, published, tabs, machine)
        assert [tab.gaps for tab in tabs] == [[]] * 4
    assert [line for line in replay(server, published.channel) if line.get("type") == "gap"] == []
    assert "Traceback" not in server.log


def test_a_recorder_that_is_cut_off_meanwhile_goes_on(
    start: Start, own_redis: RedisServer, gate: Path
) -> None:
    server = start(
        REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORD="kept.*", ALTER=gated_worker(gate)
    )
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    published = Published(own_redis, "kept.a")
    published.go_on()
    gate.unlink()
    reload(server)
    own_redis.client.client_kill_filter(_type="pubsub")
    eventually(
        lambda: is_kept(server, published), why="it is the recorder again, before its successor starts"
    )
    gate.touch()


def is_kept(server: ArautoServer, published: Published) -> bool:
    """Publish one more message; return whether it gets into the log."""
    published.go_on()
    return [line for line in replay(server, published.channel) if line.get("data") == published.last] != []


@pytest.mark.parametrize("worker", WORKERS)
def test_requests_are_answered_by_those_that_go_on(start: Start, own_redis: RedisServer, worker: str) -> None:
    """Not by a worker that closes its sockets, or keeps the recorder's lease for a moment."""
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="2", ARAUTO_RECORD="kept.*")
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    statuses = list[int]()
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(open_tab(server, "a"))
        old = reload(server)
        while any(one.is_running() for one in old):
            statuses.append(get(server, "/readyz").status)
    assert "was sent SIGTERM" not in server.log, "they exit by themselves"
    refused = [status for status in statuses if status != 200]
    assert len(refused) <= len(old), "each may have accepted one, at most, before it stopped"
    assert len(statuses) > 20


def test_successors_that_are_stopped_are_not_waited_for(
    start: Start, valkey: RedisServer, gate: Path, machine: MachineTime
) -> None:
    """A second reload, and then a stop, before the first successor has started."""
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKERS="2", ALTER=gated_worker(gate))
    with ExitStack() as stack:
        tab = stack.enter_context(open_tab(server, "a"))
        gate.unlink()
        reload(server)
        assert receives(valkey, tab)
        reload_again = server.log.count("Booting worker") + 2
        os.kill(server._process.pid, signal.SIGHUP)
        eventually(lambda: server.log.count("Booting worker") == reload_again)
        assert receives(valkey, tab)
        began = machine()
        assert server.stop() == 0
        assert machine() - began < GONE_WITHIN
    assert "Traceback" not in server.log
