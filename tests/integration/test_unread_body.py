"""A client that is still sending gets its response, not a reset; one that sends too slowly or much is cut."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from arauto.settings import WORKERS
from tests.support.http import get
from tests.support.machine_time import MachineTime
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

MIB = 1024 * 1024
BODY = b"channel=a&message=" + b"x" * 8 * MIB
FORM = "application/x-www-form-urlencoded"
TOKEN = "a shared token of twenty-six"

# Requests that are refused before their bodies are read: method, path, headers, status.
REFUSALS = [
    ("POST", "/publish", {}, 413),
    ("POST", "/publish", {"Content-Type": "text/plain"}, 415),
    ("POST", "/publish", {"Content-Type": f"{FORM}; charset=latin-1"}, 415),
    ("POST", "/publish", {"Origin": "http://evil.example"}, 403),
    ("POST", "/publish", {"Host": "evil.example"}, 400),
    ("POST", "/nothing", {}, 404),
    ("POST", "/channels", {}, 405),
    ("PUT", "/channels/recording?channel=%E9", {}, 400),
    ("PUT", "/channels/recording?channel=a", {}, 413),
    ("GET", "/feed?channel=a", {}, 426),
]


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("lingering") / "log"
    with closing(ArautoServer(log, REDIS_URL=valkey.url, ARAUTO_WORKER=request.param)) as server:
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="module", params=WORKERS)
def door(
    request: pytest.FixtureRequest, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("door") / "log"
    environ = {"REDIS_URL": valkey.url, "ARAUTO_WORKER": request.param, "ARAUTO_TOKEN": TOKEN}
    with closing(ArautoServer(log, **environ)) as server:
        yield server
        assert "Traceback" not in server.log


def by_urllib(server: ArautoServer, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(server.url + path, BODY, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status), bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def by_kept_connection(
    server: ArautoServer, method: str, path: str, headers: dict[str, str]
) -> tuple[int, bytes]:
    with closing(server.connect(20)) as connection:
        connection.request(method, path, BODY, {"Content-Type": FORM} | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def by_chunks(server: ArautoServer, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    with closing(server.connect(20)) as connection:
        pieces = (BODY[at : at + 65536] for at in range(0, len(BODY), 65536))
        connection.request(method, path, pieces, {"Content-Type": FORM} | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("send", [by_urllib, by_kept_connection, by_chunks])
@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSALS)
def test_eight_megabytes_are_refused_with_a_reason(
    server: ArautoServer, send: object, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert callable(send)
    got, body = send(server, method, path, headers)
    assert got == status
    assert json.loads(body)["error"]


@pytest.mark.parametrize("send", [by_urllib, by_kept_connection, by_chunks])
def test_without_a_login_there_is_a_sentence(door: ArautoServer, send: object) -> None:
    assert callable(send)
    for path in ("/publish", "/channels/recording?channel=a"):
        assert send(door, "POST", path, {})[0] in (401, 405)


def test_the_connection_serves_on_where_all_was_read(server: ArautoServer) -> None:
    with closing(server.connect(20)) as connection:
        for _ in range(2):
            connection.request("POST", "/publish", BODY, {"Content-Type": "text/plain"})
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (415, True)
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()


def begin(server: ArautoServer, length: int = 8 * MIB) -> socket.socket:
    """A client that announces a body and sends a little of it."""
    line = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = f"POST /publish HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: text/plain\r\n"
    line.sendall(f"{head}Content-Length: {length}\r\n\r\nx".encode())
    return line


def test_who_sends_nothing_more_is_let_go(server: ArautoServer, machine: MachineTime) -> None:
    """They get their responses at once, delay no other request, and are cut."""
    with ExitStack() as stack:
        lines = [stack.enter_context(begin(server)) for _ in range(100)]
        for line in lines:
            assert b"415" in line.recv(65536)
        assert get(server, "/healthz").status == 200
        began = machine()
        for line in lines:
            while line.recv(65536):
                pass
        assert machine() - began < 15


def test_who_does_not_close_holds_up_nobody(server: ArautoServer, machine: MachineTime) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            line.sendall(
                f"GET /healthz HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n".encode()
            )
            assert b"200" in line.recv(65536)
        began = machine()
        assert get(server, "/healthz").status == 200
        assert machine() - began < 5


def test_who_drips_is_let_go(server: ArautoServer) -> None:
    with begin(server) as line:
        assert b"415" in line.recv(65536)
        line.settimeout(0.1)

        def is_cut() -> bool:
            try:
                line.sendall(b"x")
                return line.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        eventually(is_cut, within=15)


def test_who_sends_without_end_is_let_go(server: ArautoServer) -> None:
    """The server discards bytes only up to a bound, however quickly they come."""
    with begin(server, length=1 << 40) as line:
        sent = 0
        with pytest.raises(OSError):  # noqa: PT011, PT012 - a reset or a broken pipe, some time
            while sent < 200 * MIB:
                sent += line.send(b"x" * 65536)
        assert sent < 60 * MIB
