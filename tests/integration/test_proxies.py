"""A proxy's word counts when it comes from an address that is named, and from nowhere else."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.http import get, handshake, publish
from tests.support.persons import Person
from tests.support.raw import RawFeed
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import GUNICORN, ArautoServer
from tests.support.starts import run, sentence_of

ANA = {"X_Forwarded_User": "ana"}
FORM = {"channel": "a", "message": "x"}


@pytest.fixture(scope="module")
def behind(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """The program behind a proxy at 127.0.0.1 that says who has logged in."""
    server = ArautoServer(
        tmp_path_factory.mktemp("behind") / "log",
        REDIS_URL=valkey.url, ARAUTO_PROXIES="127.0.0.1, 10.0.0.0/8", ARAUTO_PROXY_USER="X-Forwarded-User",
        ARAUTO_PROXY_READERS="guest,temp-*", ARAUTO_MAX_SOCKETS_PER_ADDRESS="1",
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


@pytest.mark.parametrize("name", ["guest", "temp-7"])
def test_its_readers_watch_and_do_not_publish(behind: ArautoServer, name: str) -> None:
    person = Person(behind, X_Forwarded_User=name)
    assert person.publish("a", "x").error == "You may watch, but not publish. Nothing was published."
    assert handshake(behind, X_Forwarded_User=name).status == 101


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
    ("told", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("198.51.100.1, 203.0.113.6", "203.0.113.6"),  # what a client says of itself stands on the left
        ("203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("203.0.113.8:4711", "203.0.113.8"),
        ("[2001:db8::8]:4711", "2001:db8::8"),
        ("2001:db8:1::8", "2001:db8:1::8"),
    ],
)
def test_the_address_is_the_last_that_is_no_proxy(behind: ArautoServer, told: str, address: str) -> None:
    with closing(RawFeed(behind, headers=f"X-Forwarded-User: ana\r\nX-Forwarded-For: {told}\r\n")) as feed:
        feed.confirmed()
        assert f"address={address}\n" in behind.log
        again = handshake(behind, X_Forwarded_For=told, **ANA)
        assert again.status == 503
        assert "ARAUTO_MAX_SOCKETS_PER_ADDRESS" in again.error


def test_what_stands_left_of_no_address_is_not_believed(behind: ArautoServer) -> None:
    for told in ("203.0.113.99, unknown", "203.0.113.99, ", "203.0.113.99, a:b:c"):
        assert handshake(behind, X_Forwarded_For=told, **ANA).status == 101
    assert "203.0.113.99" not in behind.log


def test_a_header_without_a_proxy_ends_with_one_sentence(valkey: RedisServer) -> None:
    stopped = run(GUNICORN, PORT=str(free_port()), REDIS_URL=valkey.url, ARAUTO_PROXY_USER="X-Forwarded-User")
    assert sentence_of(stopped) == (
        "ARAUTO_PROXY_USER alone would let everyone say who they are: "
        "name the addresses of your proxy in ARAUTO_PROXIES."
    )
