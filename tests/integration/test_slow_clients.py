"""Requests that arrive byte by byte: they do not delay pages, and are cut."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

import pytest

from arauto.settings import WORKERS
from tests.support.certificates import make_certificates
from tests.support.http import get
from tests.support.machine_time import MachineTime
from tests.support.raw import HEARTBEAT, RawFeed
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start

HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Drop: "
BODY = (
    "POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\nchannel="
)
CHUNKED = (
    "POST /publish HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: application/json\r\n\r\n"
)
EACH = 67  # of these three kinds: two hundred in all
PATIENCE, LONG_PATIENCE = 1.5, 4.0  # seconds, instead of tens
SOON = "import arauto.server.request_timeouts as d; d.HEAD_PATIENCE = d.BODY_PATIENCE = 1.5"
LATER = "import arauto.server.request_timeouts as d; d.HEAD_PATIENCE = d.BODY_PATIENCE = 4.0"
NEVER = "import arauto.server.request_timeouts as d; d.HEAD_PATIENCE = d.BODY_PATIENCE = 1e9"


@pytest.fixture(params=WORKERS)
def worker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Drops:
    """Clients that send one byte now and then."""

    def __init__(self, server: ArautoServer) -> None:
        self.began = monotonic()
        self.open: list[socket.socket] = []
        self.last_words: list[bytes] = []
        for start in [HEAD, BODY, CHUNKED] * EACH:
            raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            raw.sendall(start.encode())
            raw.setblocking(False)
            self.open.append(raw)

    def drip(self) -> None:
        """Send one more byte on each connection; keep the last bytes of those that were cut."""
        for raw in self.open.copy():
            try:
                raw.send(b"1")
                last_word = raw.recv(4096)
            except BlockingIOError:
                continue
            except OSError:
                last_word = b""
            self.open.remove(raw)
            self.last_words.append(last_word)
            raw.close()

    def close(self) -> None:
        for raw in self.open:
            raw.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.alone
def test_two_hundred_slow_clients_delay_no_page_and_are_cut(
    start: Start, valkey: RedisServer, worker: str, stack: ExitStack, machine: MachineTime
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_MAX_SOCKETS="300", ALTER=SOON)
    drops = Drops(server)
    stack.callback(drops.close)
    waits = []
    started = machine()
    while drops.open:
        assert machine() - started < PATIENCE + 4, f"{len(drops.open)} are still there"
        drops.drip()
        began = machine()
        assert get(server, "/").status == 200
        waits.append(machine() - began)
        sleep(0.02)  # the pace of the drops
    assert sorted(waits)[len(waits) * 95 // 100] < 0.1, "pages waited"
    timeouts = [word for word in drops.last_words if word.startswith(b"HTTP/1.1 408 ")]
    assert len(timeouts) >= 2 * EACH
    assert all(b"did not arrive in time" in word for word in timeouts)
    assert "Traceback" not in server.log


def test_a_first_request_may_come_late(start: Start, valkey: RedisServer, worker: str) -> None:
    """On a slow line or a busy machine. gunicorn would close the connection after two seconds, silently."""
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        for piece in (b"GET /healthz HTTP/1.1\r\n", b"Host: localhost\r\n\r\n"):
            sleep(1.5)  # the pace of the line
            raw.sendall(piece)
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_comes_too_late_is_told_so(start: Start, valkey: RedisServer, worker: str) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ALTER=SOON)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(HEAD.encode())
        assert b"did not arrive in time" in raw.recv(4096)


@pytest.mark.parametrize("begun", [b"", HEAD.encode(), BODY.encode()])
def test_a_late_request_over_tls_leaves_no_trace(
    start: Start, valkey: RedisServer, worker: str, tmp_path: Path, begun: bytes
) -> None:
    made = make_certificates(tmp_path)
    files = f"--certfile {made.certificate} --keyfile {made.key}"
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ALTER=SOON, GUNICORN_CMD_ARGS=files)
    trust = ssl.create_default_context(cafile=str(made.authority))
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    with trust.wrap_socket(plain, server_hostname="localhost") as raw:
        raw.sendall(begun)
        assert raw.recv(4096) == b""
    assert server.stop() == 0
    assert "Traceback" not in server.log


def test_a_stop_waits_for_no_request(start: Start, valkey: RedisServer, worker: str) -> None:
    """Browsers open connections that they may never use."""
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ALTER=NEVER)
    with ExitStack() as stack:
        unused = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            for _ in range(8)
        ]
        for raw in unused[::2]:
            raw.sendall(b"GET / HTTP/1.1\r\n")
        assert get(server, "/healthz").status == 200
        assert server.stop() == 0
        assert all(b"did not arrive in time" in raw.recv(4096) for raw in unused)
    assert "Traceback" not in server.log


def test_control_without_a_deadline_slow_clients_take_all_the_threads(
    start: Start, valkey: RedisServer, stack: ExitStack
) -> None:
    server = start(
        REDIS_URL=valkey.url, ARAUTO_WORKER="gthread", ARAUTO_WORKERS="1", ARAUTO_MAX_SOCKETS="1", ALTER=NEVER
    )
    drops = Drops(server)
    stack.callback(drops.close)
    while monotonic() - drops.began < PATIENCE + 1:
        drops.drip()
        sleep(0.02)
    assert not drops.last_words
    with socket.create_connection(("127.0.0.1", server.port), timeout=1) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            raw.recv(1)


def test_a_feed_without_a_body_is_not_waited_for(start: Start, valkey: RedisServer, worker: str) -> None:
    """Some proxies send Content-Length with every request, with 0 for a handshake."""
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_HEARTBEAT="1", ALTER=SOON)
    feed = RawFeed(server, headers="Content-Length: 0\r\n").confirmed()
    received = b""
    while received.count(HEARTBEAT) < PATIENCE + 2:
        piece = feed.socket.recv(4096)
        assert piece
        assert b"HTTP" not in piece, piece
        received += piece
    feed.close()


def test_a_large_message_that_arrives_in_time_is_published(
    start: Start, valkey: RedisServer, worker: str
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ALTER=LATER)
    body = b"channel=large&message=" + b"x" * 1_000_000
    head = BODY.replace("1000", str(len(body))).removesuffix("channel=")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(head.encode())
        for at in range(0, len(body), 200_000):
            raw.sendall(body[at : at + 200_000])
            sleep(0.1)  # the pace of the upload
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert answer.status == 200
        assert b'"receivers":0' in answer.read()
        sleep(LONG_PATIENCE + 1)  # the deadline is over, and no 408 is sent on this connection
        assert raw.recv(4096) == b""
