"""Ambiguous requests, which two servers could parse differently: refused, and the connection is closed."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arauto.settings import WORKERS
from tests.support.http import get
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

HOST = "Host: localhost\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
SLIPPED_IN = f"POST /publish HTTP/1.1\r\n{HOST}{FORM}Content-Length: 28\r\n\r\nchannel=smuggled&message=now"
SIZE = len(SLIPPED_IN)
NO_CHUNKS = "0\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d+) ")


def post(headers: str, body: str = SLIPPED_IN) -> str:
    return f"POST /publish HTTP/1.1\r\n{HOST}{FORM}{headers}\r\n{body}"


def chunked(body: str) -> str:
    return post("Transfer-Encoding: chunked\r\n", body)


AMBIGUOUS = {
    "two lengths": post(f"Content-Length: 0\r\nContent-Length: {SIZE}\r\n"),
    "two lengths, the long one first": post(f"Content-Length: {SIZE}\r\nContent-Length: 0\r\n"),
    "the same length twice": post("Content-Length: 0\r\nContent-Length: 0\r\n"),
    "two lengths in a line": post(f"Content-Length: 0, {SIZE}\r\n"),
    "a length of +0": post("Content-Length: +0\r\n"),
    "a length of -1": post("Content-Length: -1\r\n"),
    "a length in hex": post("Content-Length: 0x0\r\n"),
    "a length with an underscore": post("Content-Length: 0_0\r\n"),
    "a length in other digits": post("Content-Length: ٠\r\n"),
    "an empty length": post("Content-Length: \r\n"),
    "a length and chunks": post(
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", NO_CHUNKS + SLIPPED_IN
    ),
    "chunks and a length": post(
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", f"{SIZE:x}\r\n{SLIPPED_IN}\r\n{NO_CHUNKS}"
    ),
    "an unknown coding": post("Transfer-Encoding: xchunked\r\n", NO_CHUNKS + SLIPPED_IN),
    "two codings": post(
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", NO_CHUNKS + SLIPPED_IN
    ),
    "chunked twice": post("Transfer-Encoding: chunked, chunked\r\n", NO_CHUNKS + SLIPPED_IN),
    "chunked and then none": post("Transfer-Encoding: chunked, identity\r\n", NO_CHUNKS + SLIPPED_IN),
    "none and then chunked": post("Transfer-Encoding: identity, chunked\r\n", NO_CHUNKS + SLIPPED_IN),
    "a coding behind a tab": post(
        "Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n", NO_CHUNKS + SLIPPED_IN
    ),
    "a coding behind a vertical tab": post("Transfer-Encoding: \x0bchunked\r\n", NO_CHUNKS + SLIPPED_IN),
    "a coding in quotes": post('Transfer-Encoding: "chunked"\r\n', NO_CHUNKS + SLIPPED_IN),
    "a space before the colon": post(f"Content-Length : {SIZE}\r\n"),
    "a space before the coding's colon": post(
        "Content-Length: 5\r\nTransfer-Encoding : chunked\r\n", NO_CHUNKS + SLIPPED_IN
    ),
    "a folded header": post("X: a\r\n Content-Length: 0\r\n"),
    "a folded coding": post(
        "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n", NO_CHUNKS + SLIPPED_IN
    ),
    "a fold in the first header": f"POST /publish HTTP/1.1\r\n {HOST}\r\n{SLIPPED_IN}",
    "bare LF all over": f"POST /publish HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n{SLIPPED_IN}",
    "one bare LF": post("X: a\nContent-Length: 0\r\n"),
    "a bare LF at the head's end": f"POST /publish HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\n{SLIPPED_IN}",
    "a bare CR": post("X: a\rContent-Length: 0\r\n"),
    "a NUL": post("X: a\0b\r\nContent-Length: 0\r\n"),
    "chunks with bare LF": chunked(f"{SIZE:x}\n{SLIPPED_IN}\n0\n\n"),
    "a chunk larger than memory": chunked(f"{1 << 70:x}\r\n{'x' * 7_000_000}"),
    "a chunk of -1": chunked(f"-1\r\n{SLIPPED_IN}"),
    "a chunk of +0": chunked(f"+0\r\n\r\n{SLIPPED_IN}"),
    "a chunk of 0x0": chunked(f"0x0\r\n\r\n{SLIPPED_IN}"),
    "a chunk of 0_0": chunked(f"0_0\r\n\r\n{SLIPPED_IN}"),
    "a chunk behind a space": chunked(f" 0\r\n\r\n{SLIPPED_IN}"),
    "a chunk without a size": chunked(f"\r\n{SLIPPED_IN}"),
    "a chunk without its end": chunked(f"5\r\nabcde{NO_CHUNKS}{SLIPPED_IN}"),
    "a chunk longer than it says": chunked(f"3\r\nabcde\r\n{NO_CHUNKS}{SLIPPED_IN}"),
    "a bare LF in an extension": chunked(f"0;x\n\r\n\r\n{SLIPPED_IN}"),
    "a bare CR in an extension": chunked(f"0;a\rb\r\n\r\n{SLIPPED_IN}"),
    "an extension without an end": chunked("0;" + "x" * 20_000),
    "a trailer that is a length": chunked(f"0\r\nContent-Length: {SIZE}\r\n\r\n{SLIPPED_IN}"),
    "a trailer without an end": chunked("0\r\nX: " + "x" * 2_000_000),
    "chunks that nobody reads": f"POST /nowhere HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nz\r\n",
    "chunks in HTTP/1.0": f"POST /publish HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{NO_CHUNKS}",
    "HTTP/0.9": f"GET /healthz\r\n\r\n{SLIPPED_IN}",
    "HTTP/1.11": f"GET /healthz HTTP/1.11\r\n{HOST}\r\n{SLIPPED_IN}",
    "HTTP/2 with prior knowledge": f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{SLIPPED_IN}",
    "two hosts": f"POST /publish HTTP/1.1\r\n{HOST}Host: evil.example\r\n{FORM}Content-Length: 0\r\n\r\n",
    "a header without a colon": post("Nocolon\r\nContent-Length: 0\r\n"),
    "a header without a name": post(": x\r\nContent-Length: 0\r\n"),
    "a proxy's own line": f"PROXY TCP4 203.0.113.9 127.0.0.1 1 1\r\n{post('Content-Length: 0')}",
    "a request in a body": (
        f"POST /nowhere HTTP/1.1\r\n{HOST}Connection: close\r\nContent-Length: {SIZE}\r\n\r\n{SLIPPED_IN}"
    ),
}
TOO_LARGE = {
    "a long address": f"GET /healthz?{'x' * 9000} HTTP/1.1\r\n{HOST}\r\n",
    "a large header": f"GET /healthz HTTP/1.1\r\n{HOST}X: {'y' * 9000}\r\n\r\n",
    "101 headers": f"GET /healthz HTTP/1.1\r\n{HOST}{'X: y' * 101}\r\n\r\n".replace("yX", "y\r\nX"),
    "an endless header": f"GET /healthz HTTP/1.1\r\n{HOST}{'X' * 2_000_000}",
}
BODY = 50_000_000  # bytes
GROWTH = 20_000_000  # bytes that a worker may need for them, as for the largest publication


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("smuggling") / "log"
    with closing(ArautoServer(log, REDIS_URL=valkey.url, ARAUTO_WORKER=request.param)) as server:
        yield server
    assert "Traceback" not in server.log


class Line:
    """A connection that the server may close at any time."""

    def __init__(self, server: ArautoServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)

    def send(self, data: bytes) -> bool:
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""

    def rest(self) -> bytes:
        """Close the sending side, and return all remaining bytes."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return b"".join(iter(self.receive, b""))


def answers(server: ArautoServer, request: str) -> list[int]:
    """The statuses of all responses to a request and to a second one, sent after the first response."""
    line = Line(server)
    with closing(line.socket):
        line.send(request.encode())
        answered = line.receive()
        line.send(SLIPPED_IN.encode())
        return [int(status) for status in STATUS.findall(answered + line.rest())]


def test_what_can_be_read_in_two_ways_is_refused_and_is_the_last(
    server: ArautoServer, valkey: RedisServer
) -> None:
    wrong = {}
    with valkey.client.pubsub() as listener:
        listener.subscribe("smuggled")
        assert listener.get_message(timeout=5)
        for name, request in (AMBIGUOUS | TOO_LARGE).items():
            statuses = answers(server, request)
            if len(statuses) > 1 or not all(400 <= one < 500 or one == 501 for one in statuses):
                wrong[name] = statuses
            while (message := listener.get_message(timeout=0)) is not None:
                wrong[name] = [*statuses, message["data"]]
    assert wrong == {}
    assert get(server, "/healthz").status == 200


def test_control_two_plain_requests_on_one_line_are_two(plain_arauto: ArautoServer) -> None:
    """So the test above would notice a smuggled request. (gthread takes one request a connection.)"""
    assert answers(plain_arauto, f"GET /healthz HTTP/1.1\r\n{HOST}\r\n") == [200, 200]


def test_chunks_that_are_well_formed_are_taken_and_are_the_last(server: ArautoServer) -> None:
    body = f"{28:x};a=b\r\nchannel=smuggled&message=now\r\n{NO_CHUNKS}"
    assert answers(server, chunked(body)) == [200]
    assert answers(server, chunked(body + SLIPPED_IN)) == [200]


@pytest.mark.parametrize("kind", ["length", "chunks", "multipart"])
def test_fifty_megabytes_are_refused_early_and_not_kept(server: ArautoServer, kind: str) -> None:
    """:param kind: with a length they are refused unread; chunks are refused at the limit."""
    before = peaks(server)
    form = FORM if kind != "multipart" else "Content-Type: multipart/form-data; boundary=b\r\n"
    start = b"channel=a&message="
    if kind == "multipart":
        start = b'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\n'
    length = "Transfer-Encoding: chunked" if kind != "length" else f"Content-Length: {BODY}"
    line = Line(server)
    with closing(line.socket):
        line.send(f"POST /publish HTTP/1.1\r\n{HOST}{form}{length}\r\n\r\n".encode())
        piece = b"x" * 100_000
        if kind != "length":
            line.send(b"%x\r\n%s\r\n" % (len(start), start))
            piece = b"%x\r\n%s\r\n" % (len(piece), piece)
        line.socket.settimeout(20)
        sent = 0
        if kind != "length":
            while sent < BODY and line.send(piece):
                sent += 100_000
        answered = line.receive()
    # If the server does not read the whole request, the response may be lost with the connection.
    assert STATUS.findall(answered) in ([b"413"], [] if sent else [b"413"])
    assert sent < BODY
    after = peaks(server)
    assert max(after[pid] - before[pid] for pid in before) < GROWTH
    assert get(server, "/healthz").status == 200


def peaks(server: ArautoServer) -> dict[int, int]:
    """The peak memory of each worker, in bytes."""
    return {worker.pid: _peak(worker.pid) for worker in server.workers()}


def _peak(pid: int) -> int:
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) * 1024
