"""The server is stopped and reloaded while idle, busy and stuck tabs are open."""

import os
import signal
import threading
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic

import psutil
import pytest

from arauto.server.config_checks import SHORTEST_TIMEOUT
from arauto.settings import WORKERS
from tests.support.machine_time import MachineTime
from tests.support.raw import CLOSE, RawFeed, close_frame
from tests.support.redis_servers import RedisServer, free_port
from tests.support.scenes import bad_network, promised
from tests.support.servers import ALTERED, ArautoServer, Start
from tests.support.starts import run
from tests.support.tabs import open_tab, receives
from tests.support.trees import copy_tree
from tests.support.waiting import eventually

IDLE, BUSY, STUCK = 200, 5, 5  # tabs
SAID_WITHIN = 1.0  # seconds until each close frame has come
GONE_WITHIN = 3.0  # seconds until the program has ended
STOPPED_IN_ITS_BEGINNING = """
import os, signal, threading

class Last:
    def __del__(self):
        os.kill(os.getppid(), signal.SIGTERM)
        while True:
            threading.Event().wait(0.1)


Last()
"""
FOR_AS_LONG_AS_IT_TAKES = "--graceful-timeout 3600"
"""``ALTER``: a worker that does not stop in time is waited for, and not killed."""


@pytest.mark.alone
def test_a_stop_with_idle_busy_and_stuck_tabs(
    own_arauto: ArautoServer, own_redis: RedisServer, machine: MachineTime
) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(RawFeed(own_arauto, "idle"))) for _ in range(IDLE)]
        busy = [stack.enter_context(closing(RawFeed(own_arauto, "busy"))) for _ in range(BUSY)]
        stuck = [
            stack.enter_context(closing(RawFeed(own_arauto, "stuck", receive_buffer=4096)))
            for _ in range(STUCK)
        ]
        for feed in [*idle, *busy, *stuck]:
            feed.confirmed()
        for _ in range(100):
            own_redis.client.publish("stuck", "x" * 100_000)
        with publishing(own_redis, "busy"):
            process = psutil.Process(own_arauto._process.pid)
            family = [process, *process.children(recursive=True)]
            began = machine()
            process.send_signal(signal.SIGTERM)
            for feed in [*idle, *busy]:
                payload = goodbye(feed)
                assert payload[:2] == (1001).to_bytes(2), payload
            assert machine() - began < SAID_WITHIN
            assert own_arauto._process.wait(10) == 0
            assert machine() - began < GONE_WITHIN
        assert not any(one.is_running() for one in family)
        assert own_redis.subscribers() == 0


class publishing(threading.Thread):
    """Publishes continuously while the block runs."""

    def __init__(self, redis_server: RedisServer, channel: str) -> None:
        super().__init__(daemon=True)
        self._redis, self._channel = redis_server, channel
        self._ended = threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self.join(5)

    def run(self) -> None:
        number = 0
        while not self._ended.wait(0.001):
            self._redis.client.publish(self._channel, str(number))
            number += 1


def goodbye(feed: RawFeed) -> bytes:
    """The payload of the server's close frame; it is answered as by a browser."""
    while (frame := feed.next()) is not None and frame.opcode != CLOSE:
        pass
    assert frame is not None, "the stream ended without a goodbye"
    feed.send_if_open(close_frame())
    return frame.payload


@pytest.mark.parametrize("worker", WORKERS)
def test_a_stop_before_the_workers_have_begun(valkey: RedisServer, worker: str) -> None:
    environ = {"PORT": str(free_port()), "REDIS_URL": valkey.url, "ARAUTO_WORKER": worker}
    environ |= {"ARAUTO_WORKERS": "1", "GUNICORN_CMD_ARGS": FOR_AS_LONG_AS_IT_TAKES}
    stopped = run(ALTERED, **environ, ALTER=STOPPED_IN_ITS_BEGINNING)
    assert stopped.returncode == 0
    assert "Traceback" not in stopped.stderr


@pytest.mark.parametrize("worker", WORKERS)
def test_a_server_that_was_paused_keeps_its_pages_and_messages(
    start: Start, valkey: RedisServer, worker: str
) -> None:
    """As by ``docker pause``, for longer than gunicorn's timeout. The master may go on before its workers."""
    server = start(
        REDIS_URL=valkey.url,
        ARAUTO_WORKER=worker,
        ARAUTO_WORKERS="2",
        GUNICORN_CMD_ARGS=f"--timeout {SHORTEST_TIMEOUT}",
    )
    master = psutil.Process(server._process.pid)
    with ExitStack() as stack, open_tab(server, "paused", ping_interval=None) as tab:
        for process in (master, *server.workers()):
            process.suspend()
            stack.callback(process.resume)
        paused_at, waits = monotonic(), master.num_ctx_switches().voluntary
        valkey.client.publish("paused", "meanwhile")
        eventually(lambda: monotonic() - paused_at > SHORTEST_TIMEOUT)
        master.resume()
        eventually(
            lambda: master.num_ctx_switches().voluntary > waits + 1, why="it has looked at its workers"
        )
        stack.close()
        assert tab.messages(1) == ["meanwhile"]
    assert "WORKER TIMEOUT" not in server.log


@pytest.mark.parametrize("change", ["1 +", "raise SystemExit('no')"])
def test_a_reload_that_fails_takes_nobody_with_it(
    start: Start, own_redis: RedisServer, tmp_path: Path, change: str
) -> None:
    tree = tmp_path / "tree"
    copy_tree(tree)
    server = start(tree=tree, REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    file = tree / "gunicorn.conf.py"
    right = file.read_text()
    with open_tab(server, "a") as tab:
        file.write_text(change)
        os.kill(server._process.pid, signal.SIGHUP)
        eventually(lambda: "The workers are not renewed." in server.log)
        assert receives(own_redis, tab)
    file.write_text(right)
    os.kill(server._process.pid, signal.SIGHUP)
    eventually(lambda: server.log.count("is ready for requests") == 2)


@pytest.mark.parametrize("worker", WORKERS)
def test_workers_renewed_under_load(tmp_path: Path, own_redis: RedisServer, worker: str) -> None:
    """gunicorn's reload, as in a deployment: all tabs return, with one gap and no duplicate."""
    with bad_network(own_redis) as network:
        server = ArautoServer(
            tmp_path / "log", REDIS_URL=f"redis://127.0.0.1:{network.port}", ARAUTO_WORKER=worker
        )
        with closing(server), promised(own_redis, network, server, tabs=40) as (scene, _):
            old = server.workers()
            with scene.cause():
                os.kill(server._process.pid, signal.SIGHUP)
                eventually(lambda: not any(one.is_running() for one in old), within=20)
                eventually(lambda: all(witness.is_live for witness in scene.witnesses), within=20)
            assert [witness.sockets for witness in scene.witnesses] == [2] * 40
            assert [len(witness.record.gaps) for witness in scene.witnesses] == [1] * 40
        assert "Traceback" not in server.log
