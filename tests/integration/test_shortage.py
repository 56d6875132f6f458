"""A machine without free processes, threads or memory: an error sentence, and open tabs stay served."""

import os
import re
import resource
import signal
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arauto.assets.minifier import sources
from arauto.settings import WORKERS
from tests.support.http import get, publish, request
from tests.support.machine_time import MachineTime
from tests.support.machines import crowded, fewer, limit, limited
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import GUNICORN, Start
from tests.support.starts import run, sentence_of
from tests.support.tabs import Tab, open_tab, receives
from tests.support.waiting import PATIENCE, eventually

PROCESSES = (
    "The machine allows no more processes or threads: raise ulimit -u or -v, or the container's limits."
)
SCRIPT = "page/main.js"
TOKEN = "a token of 16 letters or more"
NO_THREAD_AND_NO_MEMORY = """
import threading
start = threading.Thread.start

def start_unless_named(thread):
    if thread.name in ("watch", "audit"):
        raise RuntimeError("can't start new thread")
    start(thread)

threading.Thread.start = start_unless_named

import arauto.sources.redis_source as redis_source

def list_nothing(*given):
    raise MemoryError

redis_source.list_channels = list_nothing
"""
NO_REAL_THREAD = """
import gevent.threadpool

def refuse(function, given):
    raise RuntimeError("can't start new thread")

gevent.threadpool.start_new_thread = refuse
"""


def left(tab: Tab) -> int:
    """The code with which the server closes the socket."""
    with pytest.raises(ConnectionClosed) as closed:
        tab.next()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


@pytest.mark.parametrize(
    ("worker", "machine"),
    [("gevent", limited("-v 200000")), ("gthread", crowded(6))],
    ids=["memory", "processes"],
)
def test_what_is_too_little_for_the_minifier_is_enough_for_the_rest(
    start: Start, valkey: RedisServer, worker: str, machine: list[str]
) -> None:
    server = start(
        on=machine, REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1",
        PYTHONPYCACHEPREFIX="",  # no cache of minified files
    )  # fmt: skip
    assert (
        server.log.count("Warning: The page loads slower, for its scripts cannot be made small here (") == 1
    )
    for serves in (  # gthread may have a single thread, and refuse a request until it is free
        lambda: get(server, "/").status == 200,
        lambda: get(server, f"/static/{SCRIPT}").body.decode() == sources()[SCRIPT],
        lambda: publish(server, "a", "x").status == 200,
    ):
        eventually(serves)
    assert server.stop() == 0
    assert "Traceback" not in server.log


def test_no_process_at_all_ends_with_one_sentence(valkey: RedisServer) -> None:
    command = [*crowded(1), *GUNICORN]
    assert sentence_of(run(command, PORT=str(free_port()), REDIS_URL=valkey.url)) == PROCESSES


def test_no_thread_for_any_worker_ends_with_a_sentence_each(valkey: RedisServer) -> None:
    environ = {"PORT": str(free_port()), "REDIS_URL": valkey.url, "ARAUTO_WORKER": "gthread"}
    ended = run([*crowded(3), *GUNICORN], **environ, ARAUTO_WORKERS="2")
    assert ended.returncode == 3
    assert ended.stderr.count(f"cannot start. {PROCESSES}") == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("worker", WORKERS)
def test_a_master_that_cannot_fork_keeps_what_it_has_and_tries_again(
    start: Start, own_redis: RedisServer, worker: str
) -> None:
    server = start(
        on=crowded(), REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="2",
        GUNICORN_CMD_ARGS="--graceful-timeout 4",
    )  # fmt: skip
    with open_tab(server, "a") as tab:
        kept = server.worker_of(tab.port)
        master = kept.parent()
        assert master is not None
        (other,) = set(server.workers()) - {kept}
        with fewer(master, 1):
            os.kill(master.pid, signal.SIGUSR2)
            eventually(lambda: f"No other master can be started. {PROCESSES}" in server.log)
            os.kill(master.pid, signal.SIGHUP)
            sentence = f"No worker can be started; this is tried again. {PROCESSES}"
            eventually(lambda: sentence in server.log)
            with open_tab(server, "a") as another:
                assert receives(own_redis, tab, another)
            other.kill()
            eventually(lambda: f"(pid:{other.pid}) was sent SIGKILL" in server.log)
            assert receives(own_redis, tab)
        assert left(tab) == 1001
    eventually(lambda: server.log.count("is ready for requests") == 4)
    assert server.log.count(sentence) == 1
    assert "Traceback" not in server.log


def test_a_worker_that_cannot_start_takes_no_other_with_it(start: Start, own_redis: RedisServer) -> None:
    server = start(on=crowded(), REDIS_URL=own_redis.url, ARAUTO_WORKER="gthread", ARAUTO_WORKERS="2")
    with open_tab(server, "a") as tab:
        kept = server.worker_of(tab.port)
        master = kept.parent()
        assert master is not None
        (other,) = set(server.workers()) - {kept}
        with fewer(master, master.num_threads() + kept.num_threads() + 1):
            other.kill()
            short = eventually(lambda: re.search(r"Worker (\d+) cannot start\. (.*)", server.log))
            assert short[2] == PROCESSES
            assert receives(own_redis, tab)
        with suppress(ProcessLookupError):
            os.kill(int(short[1]), signal.SIGTERM)  # otherwise it would wait for a while
        eventually(lambda: server.log.count("is ready for requests") == 3)
        assert receives(own_redis, tab)
        with fewer(kept, 1):  # though no thread can be started, it sends close frames
            assert server.stop() == 0
        assert left(tab) == 1001
    assert "Traceback" not in server.log


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_that_waits_for_files_ends_at_a_signal(
    start: Start, valkey: RedisServer, worker: str, machine: MachineTime
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1")
    (only,) = server.workers()
    master = only.parent()
    assert master is not None
    with limit(master, resource.RLIMIT_NOFILE, master.num_fds()):
        only.kill()
        short = eventually(lambda: re.search(r"Worker (\d+) cannot start\. (.*)", server.log))
        assert short[2] == "The machine allows no more open files: raise ulimit -n."
    signalled = machine()
    assert server.stop() == 0
    assert machine() - signalled < 3  # else it was killed, or had waited


@pytest.mark.parametrize("worker", WORKERS)
def test_what_is_short_later_is_said_in_words(start: Start, valkey: RedisServer, worker: str) -> None:
    server = start(
        REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1", ARAUTO_AUDIT_CHANNEL="audit",
        ARAUTO_TOKEN=TOKEN, ALTER=NO_THREAD_AND_NO_MEMORY,
    )  # fmt: skip
    person = Person(server)
    person.log_in(TOKEN)
    assert person.publish("a", "x").status == 200
    short = person.get("/channels")
    assert (short.status, short.headers["retry-after"]) == (503, "10")
    assert short.error == "The server is short of memory, threads or files: try again in a moment."
    assert f"audit channel incomplete why={PROCESSES!r}" in server.log
    with pytest.raises(ConnectionClosed) as refusal, open_tab(server, "a", **person.socket_headers()):
        pass
    assert refusal.value.rcvd is not None
    assert refusal.value.rcvd.code == 1013
    assert f"feed dropped why={PROCESSES!r}" in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("more", [b'"",' + b" " * 10**6, b"[]," * 300_000], ids=["long", "many"])
def test_json_for_which_memory_is_short_is_not_taken_for_something_else(
    start: Start, valkey: RedisServer, more: bytes
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER="gevent", ARAUTO_WORKERS="1")
    (process,) = server.workers()
    body = b'{"channel":"a","message":"x","more":[%b""]}' % more
    answers = set()
    for mebibytes in range(2, 50, 4):
        with limit(process, resource.RLIMIT_AS, process.memory_info().vms + mebibytes * 2**20):
            answers.add(request(server, "POST", "/publish", body, Content_Type="application/json").status)
    assert answers <= {200, 503}
    assert server.workers() == [process]
    assert "Traceback" not in server.log


def test_a_name_that_no_thread_can_look_up_is_a_redis_that_is_away(start: Start, valkey: RedisServer) -> None:
    url = valkey.url.replace("127.0.0.1", "localhost")
    server = start(REDIS_URL=url, ARAUTO_WORKER="gevent", ARAUTO_WORKERS="1", ALTER=NO_REAL_THREAD)
    assert publish(server, "a", "x").status == 503
    with connect(f"{server.ws}/feed?channel=a") as socket:
        assert "start new thread" in str(socket.recv(PATIENCE))
    assert "Traceback" not in server.log
