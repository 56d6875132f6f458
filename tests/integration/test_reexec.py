"""SIGUSR2: a new master takes over the address and the Valkey, however the old one was started."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from arauto.settings import WORKERS
from tests.support.http import get, publish
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.trees import copy_tree, move_valkey
from tests.support.waiting import eventually


@contextmanager
def new_master(server: ArautoServer) -> Iterator[psutil.Process]:
    """Start another master beside the old one; it is stopped afterwards."""
    old = psutil.Process(server._process.pid)
    known = set(old.children())
    old.send_signal(signal.SIGUSR2)
    eventually(lambda: server.log.count("is ready for requests") == 2, why="the new master serves")
    (new,) = [child for child in old.children() if child not in known]
    try:
        yield new
    finally:
        if new.is_running():
            new.terminate()
        psutil.wait_procs([new], 15)


def test_a_new_master_serves_when_the_old_one_has_gone(start: Start, valkey: RedisServer) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKERS="1")
    with new_master(server):
        assert server.stop() == 0
        assert get(server, "/readyz").status == 200
    assert "Traceback" not in server.log


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGQUIT])
def test_the_embedded_valkey_stays_until_the_last_master_has_gone(
    start: Start, tmp_path: Path, worker: str, signum: int
) -> None:
    server, port = _start_with_valkey(start, tmp_path, worker)
    with new_master(server):
        assert server.stop(signum) == 0
        assert _works(server)
        assert _answers(port)
    eventually(lambda: not _answers(port), why="the Valkey has ended")
    assert server.log.count("on embedded Valkey 9.") == 2
    assert "Traceback" not in server.log


def test_it_stays_for_the_old_master_when_the_new_one_goes(start: Start, tmp_path: Path) -> None:
    server, port = _start_with_valkey(start, tmp_path, "gevent")
    with new_master(server):
        pass
    assert _works(server)
    assert server.stop() == 0
    assert not _answers(port)


def _start_with_valkey(start: Start, tmp_path: Path, worker: str) -> tuple[ArautoServer, int]:
    port = free_port()
    copy_tree(tmp_path / "tree")
    move_valkey(tmp_path / "tree", port)
    return start(tree=tmp_path / "tree", ARAUTO_WORKERS="1", ARAUTO_WORKER=worker), port


def _works(server: ArautoServer) -> bool:
    with open_tab(server, "a") as tab:
        receivers = publish(server, "a", "x").json["receivers"]
        return (receivers, tab.messages(1)) == (1, ["x"]) and get(server, "/").status == 200


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
