"""A worker at a limit of the machine refuses the next tab, and keeps those it has."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from arauto.settings import WORKERS
from tests.support.http import HANDSHAKE, get, publish
from tests.support.machines import limit, limited
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import GUNICORN, ArautoServer, Start
from tests.support.starts import run, sentence_of
from tests.support.tabs import Tab, open_tab, receives
from tests.support.waiting import eventually

STACK = 8 * 1024 * 1024  # bytes of address space that a new thread needs
NO_THREAD_FOR_B = """
from arauto.redis_io.subscriber import Subscriber
start = Subscriber.start

def start_unless_b(subscriber):
    if b"b" in subscriber.channels:
        raise RuntimeError("can't start new thread")
    start(subscriber)

Subscriber.start = start_unless_b
"""
NO_FILE = "The machine allows no more open files: raise ulimit -n."
ROOM = 39  # sockets with a limit of 256 open files


@contextmanager
def idle_connections(server: ArautoServer, n: int) -> Iterator[None]:
    """Open connections that send nothing."""
    with ExitStack() as stack:
        for _ in range(n):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        yield


def until_refused(server: ArautoServer, stack: ExitStack) -> Iterator[Tab]:
    """Open tabs until one is refused."""
    while True:
        try:
            yield stack.enter_context(open_tab(server, "a"))
        except (InvalidStatus, ConnectionClosed) as refusal:
            refused = refusal
            break
    if isinstance(refused, InvalidStatus):
        assert refused.response.status_code == 503
    else:
        assert refused.rcvd is not None
        assert refused.rcvd.code == 1013


@pytest.mark.parametrize("worker", WORKERS)
def test_no_more_sockets_are_let_in_than_there_are_files_for(
    start: Start, own_redis: RedisServer, worker: str
) -> None:
    server = start(
        on=limited("-n 256"), REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1",
    )  # fmt: skip
    assert f"Warning: A process may open only 256 files here, so a worker takes {ROOM} sockets" in server.log
    with ExitStack() as stack:
        tabs = [stack.enter_context(open_tab(server, "a")) for _ in range(ROOM)]
        refused = get(server, "/feed?channel=a", **HANDSHAKE)
        assert (refused.status, refused.error[:24]) == (503, "Too many pages are open:")
        with idle_connections(server, 300):
            assert receives(own_redis, *tabs)
        assert publish(server, "a", "x").json["receivers"] == ROOM
        assert get(server, "/").status == 200
    assert server.log.count("is ready for requests") == 1
    assert "Traceback" not in server.log


def test_too_few_files_end_with_one_sentence(valkey: RedisServer) -> None:
    command = [*limited("-n 64"), *GUNICORN]
    sentence = sentence_of(run(command, PORT=str(free_port()), REDIS_URL=valkey.url))
    assert sentence == (
        "A process may open only 64 files here, which is too few: allow 1024 or more (ulimit -n)."
    )


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_without_descriptors_keeps_its_tabs(
    start: Start, own_redis: RedisServer, worker: str
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1")
    (process,) = server.workers()
    with open_tab(server, "a") as tab:
        with limit(process, resource.RLIMIT_NOFILE, process.num_fds()), idle_connections(server, 20):
            assert all(receives(own_redis, tab) for _ in range(3))
        eventually(lambda: get(server, "/").status == 200)
        assert receives(own_redis, tab)
    assert server.log.count("is ready for requests") == 1
    assert server.log.count(f"accept paused why={NO_FILE!r}") == 1
    assert "Traceback" not in server.log


def test_a_worker_without_threads_keeps_its_tabs(start: Start, own_redis: RedisServer) -> None:
    """A thread needs address space for its stack: limiting that limits threads, also those of root."""
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER="gthread", ARAUTO_WORKERS="1")
    (process,) = server.workers()
    with open_tab(server, "a") as tab:
        most = process.memory_info().vms + STACK // 2
        with ExitStack() as stack, limit(process, resource.RLIMIT_AS, most):
            tabs = [tab, *until_refused(server, stack)]
            assert receives(own_redis, *tabs)
        eventually(lambda: get(server, "/").status == 200)
        assert receives(own_redis, tab)
    assert server.log.count("is ready for requests") == 1
    assert "Traceback" not in server.log


@pytest.mark.parametrize("worker", WORKERS)
def test_a_feed_without_a_thread_of_its_own_says_why_it_leaves(
    start: Start, valkey: RedisServer, worker: str
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1", ALTER=NO_THREAD_FOR_B)
    with open_tab(server, "a") as tab:
        with pytest.raises(ConnectionClosed) as refusal, open_tab(server, "b"):
            pass
        assert refusal.value.rcvd is not None
        assert refusal.value.rcvd.code == 1013
        assert refusal.value.rcvd.reason.startswith("Too many pages are open:")
        assert receives(valkey, tab)
    assert "Traceback" not in server.log
