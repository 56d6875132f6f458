"""Checks of requests: origins, Fetch Metadata, handshakes, limits; and the headers of every response."""

import socket
from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.http import HANDSHAKE, get, handshake, publish, request
from tests.support.machine_time import MachineTime
from tests.support.raw import RawFeed, raw_feed
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

FOREIGN = "Pages of another origin may not publish or listen here."


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://{host}", True),
        ("HTTP://{host}", True),
        ("https://{host}", False),
        ("http://127.0.0.1:1", False),
        ("http://127.0.0.1", False),
        ("http://{host}.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_another_origin_neither_listens_nor_publishes(
    plain_arauto: ArautoServer, origin: str | None, allowed: bool
) -> None:
    given = None if origin is None else origin.format(host=plain_arauto.host)
    assert handshake(plain_arauto, Origin=given).status == (101 if allowed else 403)
    headers = {} if given is None else {"Origin": given}
    assert publish(plain_arauto, "a", "x", **headers).status == (200 if allowed else 403)


def test_the_refusal_of_another_origin_says_why(plain_arauto: ArautoServer) -> None:
    assert handshake(plain_arauto, Origin="https://evil.example").error == FOREIGN
    assert publish(plain_arauto, "a", "x", Origin="https://evil.example").error == FOREIGN


@pytest.mark.parametrize(
    ("site", "allowed"),
    [("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False), ("odd", False)],
)
def test_fetch_metadata_decides_where_there_is_no_origin(
    plain_arauto: ArautoServer, site: str, allowed: bool
) -> None:
    assert publish(plain_arauto, "a", "x", Sec_Fetch_Site=site).status == (200 if allowed else 403)
    assert handshake(plain_arauto, Sec_Fetch_Site=site).status == (101 if allowed else 403)
    assert get(plain_arauto, "/", Sec_Fetch_Site=site).status == 200  # a link was followed


def test_other_origins_can_be_allowed(start: Start, valkey: RedisServer) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_ORIGINS="https://alerts.example.org, https://b.example")
    assert publish(server, "a", "x", Origin="https://alerts.example.org").status == 200
    assert handshake(server, Origin="https://b.example").status == 101
    assert handshake(server, Origin="https://c.example").status == 403


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("localhost:{port}", True),
        ("127.0.0.1:{port}", True),
        ("[::1]:{port}", True),
        ("alerts.localhost", True),
        ("evil.example:{port}", False),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_a_name_that_was_led_here_is_refused(plain_arauto: ArautoServer, host: str, served: bool) -> None:
    """DNS rebinding: a page of evil.example would have the same origin as the server."""
    name = host.format(port=plain_arauto.port)
    assert get(plain_arauto, "/", Host=name).status == (200 if served else 400)
    origin = f"http://{name}"
    assert handshake(plain_arauto, Host=name, Origin=origin).status == (101 if served else 400)
    assert publish(plain_arauto, "a", "x", Host=name, Origin=origin).status == (200 if served else 400)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Upgrade": None}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Connection": "keep-alive"}, 400),
        ({"Connection": "keep-alive, Upgrade"}, 101),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "abc"}, 400),
        ({"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ"}, 400),
        ({"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZXh4"}, 400),
        ({"Sec_WebSocket_Key": "%%%%"}, 400),
        ({"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits=abc"}, 101),
        ({"Sec_WebSocket_Protocol": "chat"}, 101),
        ({"Content_Length": "0"}, 101),
        ({"Content_Length": "5"}, 400),
        ({"Transfer_Encoding": "chunked"}, 400),
        ({"Cookie": "x=" + "y" * 8000}, 101),
        ({"X_Odd": "\xff\xfe"}, 101),
    ],
)
def test_a_broken_handshake_is_refused_with_a_status(
    plain_arauto: ArautoServer, changes: dict[str, Any], status: int
) -> None:
    answer = handshake(plain_arauto, **changes)
    assert answer.status == status
    if status == 426:
        assert answer.headers["upgrade"] == "websocket"
        assert answer.headers["sec-websocket-version"] == "13"  # RFC 6455 section 4.4
    if status != 101:
        assert answer.error.endswith(".")


def test_sixty_large_headers_do_not_break_the_handshake(plain_arauto: ArautoServer) -> None:
    assert handshake(plain_arauto, **{f"X_{n}": "y" * 7000 for n in range(60)}).status == 101


def test_a_handshake_in_http_1_0_or_by_post_is_refused(plain_arauto: ArautoServer) -> None:
    headers = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    for start_line, status in (
        ("GET /feed?channel=a HTTP/1.0", b"400"),
        ("POST /feed?channel=a HTTP/1.1", b"405"),
        ("HEAD /feed?channel=a HTTP/1.1", b"400"),
    ):
        with socket.create_connection(("127.0.0.1", plain_arauto.port), timeout=5) as raw:
            raw.sendall(f"{start_line}\r\nHost: {plain_arauto.host}\r\n{headers}\r\n".encode())
            assert raw.recv(4096).split(b" ")[1] == status, start_line


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("", 400, "Choose a channel or a pattern: /feed?channel=news"),
        ("?channel=", 400, "Channel is required."),
        ("?channel=%0A", 400, "A channel name cannot have control characters."),
        ("?channel=" + "x" * 257, 400, "A channel name can have at most 256 bytes."),
        (
            "?" + "&".join(f"channel={n}" for n in range(200)),
            400,
            "A feed can listen to at most 100 channels and patterns.",
        ),
        (
            "?pattern=p&" + "&".join(f"channel={n}" for n in range(100)),
            400,
            "A feed can listen to at most 100 channels and patterns.",
        ),
    ],
)
def test_a_bad_selection_is_refused_before_the_upgrade(
    plain_arauto: ArautoServer, query: str, status: int, sentence: str
) -> None:
    """A plain GET gives a page the reason, which a browser hides for a WebSocket."""
    for answer in (handshake(plain_arauto, f"/feed{query}"), get(plain_arauto, f"/feed{query}")):
        assert (answer.status, answer.error) == (status, sentence)


def test_a_hundred_channels_are_received(plain_arauto: ArautoServer, valkey: RedisServer) -> None:
    with open_tab(plain_arauto, *(f"c{n}" for n in range(100))) as tab:
        valkey.client.publish("c99", "x")
        assert tab.messages(1) == ["x"]


def has_room(server: ArautoServer) -> bool:
    """Without an upgrade, a request to the feed passes the same checks, and gets 426 if there is room."""
    return get(server, "/feed?channel=a").status == 426


def test_the_page_learns_that_all_is_well_by_a_status_that_is_no_error(plain_arauto: ArautoServer) -> None:
    asks = {"Arauto_Asks_Why": "socket"}
    assert get(plain_arauto, "/feed?channel=a", **asks).status == 204
    assert get(plain_arauto, "/feed", **asks).status == 400
    dropped = get(plain_arauto, "/feed?channel=a", **asks, Upgrade="websocket")  # as a proxy may send it
    assert (dropped.status, dropped.error) == (
        400,
        "A WebSocket handshake needs the header Connection: Upgrade.",
    )
    with open_tab(plain_arauto, "a", additional_headers={"Arauto-Asks-Why": "socket"}):
        pass  # a socket counts, whether accepted or not


def test_one_over_the_cap_gets_503_and_pages_go_on(start: Start, valkey: RedisServer) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_MAX_SOCKETS="3")
    with open_tab(server, "a"), open_tab(server, "a"):
        with open_tab(server, "a"):
            for answer in (handshake(server), get(server, "/feed?channel=a")):
                assert answer.status == 503
                assert answer.headers["retry-after"] == "10"
                assert answer.error.startswith("Too many pages are open")
            assert get(server, "/").status == 200
            assert publish(server, "a", "x").json["receivers"] == 3
        eventually(lambda: has_room(server))
        with open_tab(server, "a"):
            assert publish(server, "a", "x").json["receivers"] == 3


@pytest.mark.alone
def test_twenty_over_the_cap_are_refused_at_once(
    start: Start, valkey: RedisServer, machine: MachineTime
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_MAX_SOCKETS="10")
    with ExitStack() as stack:
        inside = [stack.enter_context(raw_feed(server)) for _ in range(10)]
        for _ in range(20):
            began = machine()
            assert handshake(server).status == 503
            assert machine() - began < 1
        for feed in inside[:5]:
            feed.close()
        eventually(lambda: valkey.subscribers() == 5)
        for _ in range(5):
            eventually(lambda: has_room(server))
            stack.enter_context(raw_feed(server))
        assert handshake(server).status == 503


def test_one_address_takes_no_more_than_its_share(start: Start, valkey: RedisServer) -> None:
    ana, bia = "127.0.0.2", "127.0.0.3"
    server = start(
        REDIS_URL=valkey.url, ARAUTO_MAX_SOCKETS_PER_ADDRESS="2",
        PYTHONHASHSEED="0",  # the two addresses have different hashes
    )  # fmt: skip
    with ExitStack() as stack:
        for address in (ana, bia):
            for _ in range(2):
                stack.enter_context(raw_feed(server, address=address))
            for pretended in ("", "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n"):
                refused = RawFeed(server, address=address, headers=pretended)
                assert refused.status == 503
                assert "ARAUTO_MAX_SOCKETS_PER_ADDRESS" in refused.refusal()
                refused.close()
        for _ in range(4):  # loopback has no share: it may be a proxy
            stack.enter_context(raw_feed(server))

    def is_let_in() -> bool:
        with closing(RawFeed(server, address=ana)) as feed:
            return feed.status == 101

    eventually(is_let_in, why="there is room again")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /healthz?" + "x" * 8200 + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + "y" * 9000 + "\r\n\r\n", 431),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + "X: y\r\n" * 101 + "\r\n", 431),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + "X" * 2_000_000, 431),
        ("POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n", 413),
        ("\x16\x03\x01\x02\x00 HTTP/1.1\r\n\r\n", 400),
    ],
    ids=["a long address", "a large header", "101 headers", "an endless header", "a large body", "TLS"],
)
def test_what_is_too_large_gets_a_status(plain_arauto: ArautoServer, head: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", plain_arauto.port), timeout=5) as raw:
        try:
            raw.sendall(head.encode("latin-1"))
        except OSError:
            pass  # the server answered before the request was complete
        assert int(raw.recv(4096).split(b" ")[1]) == status
    assert get(plain_arauto, "/healthz").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nowhere", 404, "There is nothing at this address: go to the start page."),
        ("GET", "/publish", 405, "This address does not take GET: use OPTIONS, POST."),
        ("DELETE", "/", 405, "This address does not take DELETE: use GET, HEAD, OPTIONS."),
        ("PUT", "/publish", 405, "This address does not take PUT: use OPTIONS, POST."),
    ],
)
def test_programs_get_errors_as_json_and_people_as_a_page(
    plain_arauto: ArautoServer, method: str, path: str, status: int, sentence: str
) -> None:
    answer = request(plain_arauto, method, path)
    assert answer.status == status
    assert answer.error == sentence
    page = request(plain_arauto, method, path, Accept="text/html,*/*;q=0.8")
    assert page.status == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<!doctype html>" in page.body.decode().lower()


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/feed", "/static/js/app/main.js"])
def test_every_answer_carries_the_security_headers(plain_arauto: ArautoServer, path: str) -> None:
    headers = get(plain_arauto, path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_health_and_readiness(plain_arauto: ArautoServer) -> None:
    assert get(plain_arauto, "/healthz").json == {"status": "alive"}
    assert get(plain_arauto, "/readyz").json == {"status": "ready"}


def test_the_figures_are_of_all_workers(plain_arauto: ArautoServer) -> None:
    def figures() -> list[str]:
        answer = get(plain_arauto, "/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return [line for line in answer.body.decode().splitlines() if not line.startswith("#")]

    eventually(lambda: figures() == ["arauto_sockets 0", "arauto_sockets_limit 10000"])
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(open_tab(plain_arauto, "a"))
        assert figures()[0] == "arauto_sockets 8"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_monitor_asks_by_any_name_and_method(plain_arauto: ArautoServer, method: str, path: str) -> None:
    answer = request(plain_arauto, method, path, Host="arauto.monitoring.svc.cluster.local")
    assert (answer.status, bool(answer.body)) == (200, method == "GET")


def test_it_listens_on_loopback_only_unless_configured_otherwise(plain_arauto: ArautoServer) -> None:
    listening = {
        c.laddr.ip
        for worker in plain_arauto.workers()
        for c in worker.net_connections("tcp")
        if c.status == "LISTEN"
    }
    assert listening == {"127.0.0.1"}


PIECES = {
    "Sec-WebSocket-Version": ["13", "", "12", "13, 8", "13\x01", "١٣", "-13"],
    "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "", "YWJj", "é" * 16, "=" * 24, "A" * 23 + "="],
    "Upgrade": ["websocket", "WebSocket", "", "h2c", "websocket, h2c", "\xff"],
    "Connection": ["Upgrade", "keep-alive, Upgrade", "close", "", "upgrade, close", "\tUpgrade"],
    "Origin": ["http://{host}", "null", "", "http://", "http://[", "http://{host}, http://{host}", "\xfe"],
    "Host": ["{host}", "", "[", "a:b:c", "localhost:99999", "evil.example", "{host}, {host}", "%00"],
    "Sec-WebSocket-Extensions": ["permessage-deflate", ";;;=", '"', "permessage-deflate; x=" + "y" * 5000],
    "Sec-WebSocket-Protocol": ["chat", ",,,", "\xff"],
    "Cookie": ["a=b", "=" * 8000, ";" * 100, 'a="\xff'],
    "Accept-Language": ["pt", "q=;", "*" * 500, "pt;q=9e99,en;q=nan"],
    "Content-Length": ["0", "5", "-1", "x", "1, 1", "99999999999999999999"],
    "Transfer-Encoding": ["chunked", "identity", "gzip, chunked"],
}


@given(
    start_line=st.sampled_from(["GET {path} HTTP/1.1"] * 6 + ["GET {path} HTTP/1.0", "POST {path} HTTP/1.1"]),
    path=st.sampled_from(
        ["/feed?channel=a"] * 4 + ["/feed", "/feed?channel=%FF", "/feed?pattern=%00", "//feed"]
    ),
    headers=st.fixed_dictionaries(
        {name: st.just(values[0]) for name, values in PIECES.items() if name in (*HANDSHAKE, "Host")}
    ),
    changes=st.lists(
        st.sampled_from(sorted(PIECES)).flatmap(
            lambda name: st.tuples(st.just(name), st.none() | st.sampled_from(PIECES[name]))
        ),
        max_size=4,
    ),
    doubled=st.lists(st.sampled_from(sorted(PIECES)), max_size=1),
)
@settings(max_examples=150)
def test_any_handshake_gets_a_status_and_never_a_fault(
    plain_arauto: ArautoServer,
    start_line: str,
    path: str,
    headers: dict[str, str],
    changes: list[tuple[str, str | None]],
    doubled: list[str],
) -> None:
    for name, value in changes:
        headers = (
            {**headers, name: value} if value is not None else {k: v for k, v in headers.items() if k != name}
        )
    lines = [start_line.format(path=path), *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"{name}: {PIECES[name][0]}" for name in doubled]
    request_ = "\r\n".join([*lines, "", ""]).replace("{host}", plain_arauto.host)
    with socket.create_connection(("127.0.0.1", plain_arauto.port), timeout=10) as raw:
        raw.sendall(request_.encode("utf-8"))
        raw.shutdown(socket.SHUT_WR)
        head = raw.recv(4096)
    status = int(head.split(b" ")[1]) if head else 0
    # The web server answers 501 to an unknown transfer coding.
    assert status in (101, 400, 403, 404, 405, 413, 426, 501, 0), head
