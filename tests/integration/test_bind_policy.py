"""Without a login the program serves this machine, and a network only if configured to."""

import re
from collections.abc import Iterator

import pytest

from tests.support.http import get
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import GUNICORN, ArautoServer, Start
from tests.support.starts import run, sentence_of

TOKEN = "a shared token of twenty-six"
REFUSAL = (
    "Listening on {} would let everyone on the network watch and publish: set ARAUTO_TOKEN to a secret "
    "that they have to know, or ARAUTO_OPEN=1 if that is what you want."
)


@pytest.mark.parametrize(
    ("options", "environ", "reason"),
    [
        ([], {"HOST": "0.0.0.0"}, "0.0.0.0"),
        ([], {"HOST": "::"}, "::"),
        (["--bind", "0.0.0.0:{port}"], {}, "0.0.0.0"),
        (["--bind", "127.0.0.1:{port}", "--bind", "0.0.0.0:{port}"], {}, "0.0.0.0"),
    ],
    ids=["every network", "IPv6", "gunicorn's own option", "also on loopback"],
)
def test_without_a_login_it_does_not_start_on_a_network(
    valkey: RedisServer, options: list[str], environ: dict[str, str], reason: str
) -> None:
    port = str(free_port())
    command = [*GUNICORN, *(option.format(port=port) for option in options)]
    stopped = run(command, REDIS_URL=valkey.url, PORT=port, container="", **environ)
    assert sentence_of(stopped) == REFUSAL.format(reason)


def test_flasks_own_server_does_not_either(valkey: RedisServer) -> None:
    command = [GUNICORN[0], "-m", "flask", "--app", "app", "run", "--host", "0.0.0.0"]
    stopped = run(command, REDIS_URL=valkey.url, container="")
    assert stopped.returncode == 1
    assert stopped.stderr.splitlines()[-1] == REFUSAL.format("0.0.0.0")


def test_open_on_a_network_for_who_says_so_and_it_says_so_too(start: Start, valkey: RedisServer) -> None:
    server = start(REDIS_URL=valkey.url, HOST="0.0.0.0", ARAUTO_OPEN="1", container="")
    assert "Warning: ARAUTO_OPEN is set: whoever reaches this address may watch and publish." in server.log
    assert get(server, "/").status == 200


def test_open_on_loopback_nothing_is_warned_of(plain_arauto: ArautoServer) -> None:
    assert "Warning" not in plain_arauto.log
    page = get(plain_arauto, "/")
    assert (page.status, page.cookies) == (200, ())
    assert b"csrf" not in page.body
    assert b"account" not in page.body
    assert get(plain_arauto, "/login").status == 404


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("127.0.0.1:{port}", True),
        ("192.168.1.5:{port}", True),
        ("[2001:db8::5]", True),
        ("arauto:{port}", True),
        ("alerts.example.org", True),
        ("evil.example:{port}", False),
        ("localhost.evil.example", False),
        ("192.168.1.5.evil.example", False),
        ("", False),
    ],
)
def test_on_a_network_digits_and_plain_names_and_ours_lead_here(
    networked: ArautoServer, host: str, served: bool
) -> None:
    """DNS rebinding: only a name with a domain can be pointed here by an attacker."""
    assert get(networked, "/login", Host=host.format(port=networked.port)).status == (200 if served else 400)


@pytest.fixture(scope="module")
def networked(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    server = ArautoServer(
        tmp_path_factory.mktemp("networked") / "log",
        REDIS_URL=valkey.url, HOST="0.0.0.0", container="docker", ARAUTO_ORIGINS="https://alerts.example.org",
    )  # fmt: skip
    yield server
    server.close()


def test_in_a_container_it_makes_a_token_and_prints_the_link(networked: ArautoServer) -> None:
    (token,) = re.findall(
        rf"^Log in at http://127\.0\.0\.1:{networked.port}/login#(\S{{32}})$", networked.log, re.M
    )
    assert get(networked, "/").status == 401
    person = Person(networked)
    assert person.log_in(token).status == 303
    assert person.is_in()


@pytest.mark.parametrize("environ", [{"ARAUTO_TOKEN": TOKEN}, {"ARAUTO_OPEN": "1"}])
def test_in_a_container_with_something_set_no_token_is_made(
    start: Start, valkey: RedisServer, environ: dict[str, str]
) -> None:
    server = start(REDIS_URL=valkey.url, HOST="0.0.0.0", container="docker", **environ)
    assert "Log in at" not in server.log
    assert TOKEN not in server.log
