"""Headers of a proxy count only if its address is in ARAUTO_PROXIES."""

from collections.abc import Iterator
from contextlib import closing
from unicodedata import normalize

import pytest

from tests.support.http import get, handshake, publish
from tests.support.persons import Person, in_utf8
from tests.support.raw import RawFeed
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import GUNICORN, ArautoServer, Start
from tests.support.starts import run, sentence_of

ANA = {"X_Forwarded_User": "ana"}
LONG = "import arauto.auth.login_throttle as a; a.FIRST_WAIT = 600.0; a.LONGEST_WAIT = 600.0"
TOKEN = "a shared token of twenty-six"
FORM = {"channel": "a", "message": "x"}


@pytest.fixture(scope="module")
def behind(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """The program behind a proxy at 127.0.0.1 that sends the user's name in a header."""
    valkey.client.flushall()
    server = ArautoServer(
        tmp_path_factory.mktemp("behind") / "log",
        REDIS_URL=valkey.url, ARAUTO_PROXIES="127.0.0.1, 10.0.0.0/8", ARAUTO_PROXY_USER="X-Forwarded-User",
        ARAUTO_PROXY_READERS="guest,temp-*,josé,Bruna", ARAUTO_MAX_SOCKETS_PER_ADDRESS="1",
        ALTER=LONG,
    )  # fmt: skip
    with closing(server):
        yield server
    assert "Traceback" not in server.log


def test_who_the_proxy_names_is_in(behind: ArautoServer) -> None:
    person = Person(behind, **ANA)
    assert person.is_in()
    assert 'aria-label="Account: ana"' in person.get().body.decode()
    assert "log out there" in person.get("/account").body.decode()
    assert person.publish("a", "x").status == 200
    assert handshake(behind, **ANA).status == 101


@pytest.mark.parametrize(
    "headers", [{}, {"X_Forwarded_User": ""}, {"X_Forwarded_User": " "}, {"X_User": "ana"}]
)
def test_whom_it_does_not_name_is_not(behind: ArautoServer, headers: dict[str, str]) -> None:
    assert get(behind, "/", **headers).status == 401
    assert handshake(behind, **headers).status == 401


@pytest.mark.parametrize(
    "name",
    [
        "guest",
        "temp-7",
        "Temp-7",
        "bruna",
        in_utf8("josé"),
        in_utf8("jose\u0301"),
        in_utf8("JOSÉ"),
        "\tguest ",
    ],
)
def test_its_readers_watch_and_do_not_publish(behind: ArautoServer, name: str) -> None:
    person = Person(behind, X_Forwarded_User=name)
    assert person.publish("a", "x").error == "You may watch, but not publish. Nothing was published."
    assert handshake(behind, X_Forwarded_User=name).status == 101


@pytest.mark.parametrize("given", ["à", "a\u0300", "João à"])
def test_its_users_names_are_text_in_utf8(behind: ArautoServer, given: str) -> None:
    name = normalize("NFC", given)
    person = Person(behind, X_Forwarded_User=in_utf8(given))
    assert f'aria-label="Account: {name}"' in person.get().body.decode()
    assert person.publish("a", "x").status == 200
    assert f"published channel='a' bytes=1 user={name!r} way=proxy" in behind.log


@pytest.mark.parametrize(
    "name",
    [
        "jos\xe9", "\xff", in_utf8("josé")[:-1], "\xed\xb3\xa9", "\xc0\xafguest",
        in_utf8("guest\u200b"), in_utf8("\ufeffguest"), in_utf8("gu\u00adest"), in_utf8("guest\u202e"),
        in_utf8("gu\x85est"), in_utf8("guest\u00a0"), in_utf8("guest\u2028"),
        "ana,guest", "guest, ana", ",",
    ],
)  # fmt: skip
def test_a_name_that_can_be_read_in_two_ways_is_refused(behind: ArautoServer, name: str) -> None:
    for answer in (
        get(behind, "/", X_Forwarded_User=name),
        handshake(behind, X_Forwarded_User=name),
        publish(behind, "a", "x", X_Forwarded_User=name),
    ):
        assert answer.status == 400
        assert answer.error == (
            "X-Forwarded-User has to be one name in UTF-8, without commas or invisible characters: "
            "look at how the proxy sets it."
        )


def test_of_two_names_none_decides(behind: ArautoServer) -> None:
    """A proxy adds its header to the client's instead of replacing it."""
    for headers in (
        "X-Forwarded-User: ana\r\nX-Forwarded-User: guest\r\n",
        "X-Forwarded-User: guest\r\n" * 2,
    ):
        with closing(RawFeed(behind, headers=headers)) as feed:
            assert feed.status == 400


def test_its_users_forms_carry_a_token_too(behind: ArautoServer) -> None:
    assert publish(behind, "a", "x", **ANA).status == 403
    of_bia = Person(behind, X_Forwarded_User="bia").form_token()
    assert Person(behind, **ANA).post("/publish", FORM | {"csrf": of_bia}).status == 403


def test_from_another_address_its_header_says_nothing(behind: ArautoServer) -> None:
    for headers in (
        "X-Forwarded-User: ana\r\n",
        "X-Forwarded-User: ana\r\nX-Forwarded-For: 127.0.0.1\r\n",
        "X-Forwarded-User: ana\r\nX-Forwarded-For: 127.0.0.1, 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n",
        "X_Forwarded_User: ana\r\n",
    ):
        with closing(RawFeed(behind, address="127.0.0.2", headers=headers)) as feed:
            assert feed.status == 401


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("198.51.100.1, 203.0.113.6", "203.0.113.6"),  # the client's own claim is on the left
        ("203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("203.0.113.8:4711", "203.0.113.8"),
        ("[2001:db8::8]:4711", "2001:db8::8"),
        ("2001:db8:1::8", "2001:db8:1::8"),
        ("fe80::8%eth0 user='root'", "fe80::8"),
    ],
)
def test_the_address_is_the_last_that_is_no_proxy(behind: ArautoServer, forwarded: str, address: str) -> None:
    headers = f"X-Forwarded-User: ana\r\nX-Forwarded-For: {forwarded}\r\n"
    with closing(RawFeed(behind, headers=headers)) as feed:
        feed.confirmed()
        assert f"address={address}\n" in behind.log
        again = handshake(behind, X_Forwarded_For=forwarded, **ANA)
        assert again.status == 503
        assert "ARAUTO_MAX_SOCKETS_PER_ADDRESS" in again.error


def test_what_stands_left_of_no_address_is_not_believed(behind: ArautoServer) -> None:
    for forwarded in ("203.0.113.99, unknown", "203.0.113.99, ", "203.0.113.99, a:b:c"):
        assert handshake(behind, X_Forwarded_For=forwarded, **ANA).status == 101
    assert "203.0.113.99" not in behind.log


def test_guesses_are_counted_by_network(behind: ArautoServer) -> None:
    """As for sockets and rates: one customer has a whole /64, and IPv4 may be written as IPv6."""
    for of_one in ("2001:db8:7::{n}", "::ffff:198.51.100.7", "198.51.100.7"):
        statuses = [
            get(behind, "/", Authorization="Bearer wrong", X_Forwarded_For=of_one.format(n=n)).status
            for n in range(1, 9)
        ]
        assert statuses == ([429] * 8 if of_one == "198.51.100.7" else [401] * 6 + [429] * 2), of_one
    beside = get(behind, "/", Authorization="Bearer wrong", X_Forwarded_For="2001:db8:7:1::1")
    assert beside.status == 401


def test_what_listens_on_all_addresses_knows_ipv4_by_them(start: Start, valkey: RedisServer) -> None:
    server = start(
        REDIS_URL=valkey.url, HOST="::", ARAUTO_PROXIES="127.0.0.1", ARAUTO_TOKEN=TOKEN,
        ARAUTO_PROXY_USER="X-Forwarded-User", ARAUTO_MAX_SOCKETS_PER_ADDRESS="1",
    )  # fmt: skip
    person = Person(server, X_Forwarded_Proto="https", **ANA)
    assert person.is_in()
    person.get("/login")
    assert all("Secure" in how for how in person.attributes.values())
    with closing(RawFeed(server, headers="X-Forwarded-User: ana\r\n")) as feed:
        feed.confirmed()
        assert handshake(server, **ANA).status == 101


def test_a_header_without_a_proxy_ends_with_one_sentence(valkey: RedisServer) -> None:
    stopped = run(GUNICORN, PORT=str(free_port()), REDIS_URL=valkey.url, ARAUTO_PROXY_USER="X-Forwarded-User")
    assert sentence_of(stopped) == (
        "ARAUTO_PROXY_USER alone would let everyone say who they are: "
        "name the addresses of your proxy in ARAUTO_PROXIES."
    )
