"""API tokens: created, used within their permissions, revoked."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.http import get, handshake, publish
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.starts import run
from tests.support.tabs import open_tab

FLASK = [sys.executable, "-m", "flask", "--app", "app", "token"]

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture(scope="module")
def gate(valkey: RedisServer, directory: Path) -> Iterator[ArautoServer]:
    server = ArautoServer(
        directory / "log",
        REDIS_URL=valkey.url,
        ARAUTO_TOKEN="a shared token of twenty-six",
        ARAUTO_TOKENS=str(directory / "tokens"),
    )
    with closing(server):
        yield server
    assert "Traceback" not in server.log
    assert "arauto_" not in server.log


@pytest.fixture
def command(valkey: RedisServer, directory: Path) -> Command:
    def do(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run([*FLASK, *arguments], REDIS_URL=valkey.url, ARAUTO_TOKENS=str(directory / "tokens"))

    return do


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_is_for_its_channels_and_only_until_it_is_revoked(
    gate: ArautoServer, valkey: RedisServer, command: Command, directory: Path
) -> None:
    made = command("create", "backup", "--read", "news.*", "--read", "alerts", "--publish", "jobs.*")
    token = made.stdout.strip()
    assert token.startswith("arauto_")
    assert len(token) == 50
    kept = (directory / "tokens").read_text()
    assert token not in kept
    assert (directory / "tokens").stat().st_mode & 0o777 == 0o600
    assert "backup  reads: news.* alerts  publishes: jobs.*  until " in command("list").stdout
    again = command("create", "backup", "--read", "*")
    assert again.returncode == 1
    assert "There is a token named backup: revoke it first, or choose another name." in again.stderr

    assert publish(gate, "jobs.1", "x", **bearer(token)).status == 200
    refused = publish(gate, "news.1", "x", **bearer(token))
    assert (refused.status, refused.error) == (
        403,
        "This token may not publish to news.1. Nothing was published.",
    )
    for query, words in (
        ("channel=news.1&channel=jobs.1", "This token may not listen to jobs.1."),
        ("pattern=n*", "This token may not listen to all of n*."),
        ("pattern=*", "This token may not listen to all of *."),
        ("pattern=alerts*", "This token may not listen to all of alerts*."),
        ("pattern=[n]ews.*", "This token may not listen to all of [n]ews.*."),
    ):
        answer = handshake(gate, f"/feed?{query}", **bearer(token))
        assert (answer.status, answer.error) == (403, words)

    with connect(f"{gate.ws}/feed?selection=follows", additional_headers=bearer(token)) as socket:
        socket.send('{"channel": ["news.1", "jobs.1"]}')
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(15)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.reason == "This token may not listen to jobs.1."

    patterns, shards = ("news.*", "news.a*"), ("news.x",)
    headers = bearer(token)
    with open_tab(
        gate, "alerts", "news.x", patterns=patterns, shards=shards, additional_headers=headers
    ) as tab:
        for verb in ("subscribe", "ssubscribe"):
            tab.say(**{verb: ["secret"]})
            assert tab.next() == {"type": "error", "error": "This token may not listen to secret."}
        with valkey.client.pubsub() as other:
            other.subscribe("secret")
            other.get_message(timeout=5)
            listed = get(gate, "/channels", **bearer(token)).json
            assert [row["channel"] for row in listed["channels"]] == ["alerts", "news.x"]
            assert [row["shard"] for row in listed["shards"]] == ["news.x"]
            assert listed["total"] == 3
            assert get(gate, "/channels/listeners?channel=news.x", **bearer(token)).json["receivers"] == 2
            refused = get(gate, "/channels/listeners?channel=secret", **bearer(token))
            assert (refused.status, refused.error) == (403, "This token may not listen to secret.")
            refused = get(gate, "/channels/keyspace-events", **bearer(token))
            assert (refused.status, refused.error) == (403, "This token may not listen to all of __key*.")
        assert command("revoke", "backup").returncode == 0
        with pytest.raises(ConnectionClosed) as closed:
            tab.until("an event that never comes")
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
            1008, "Your session is over: log in again.",
        )  # fmt: skip
    assert publish(gate, "jobs.1", "x", **bearer(token)).status == 401
    assert "There is no token named backup" in command("revoke", "backup").stderr


def test_an_expired_token_opens_nothing(gate: ArautoServer, command: Command, directory: Path) -> None:
    token = command("create", "old", "--publish", "*").stdout.strip()
    assert publish(gate, "a", "x", **bearer(token)).status == 200
    rows = json.loads((directory / "tokens").read_text())
    (directory / "tokens").write_text(json.dumps([row | {"until": 1.0} for row in rows]))
    assert publish(gate, "a", "x", **bearer(token)).status == 401
    assert "old  reads: -  publishes: *  until 1970-01-01 (over)" in command("list").stdout


def test_a_file_that_is_broken_is_reported_and_lets_nobody_in(
    gate: ArautoServer, command: Command, directory: Path
) -> None:
    token = command("create", "fine", "--publish", "*").stdout.strip()
    whole = (directory / "tokens").read_bytes()
    (directory / "tokens").write_bytes(whole[:-9])
    refused = publish(gate, "a", "x", **bearer(token))
    assert refused.status == 503
    assert refused.error.startswith("The file of ARAUTO_TOKENS cannot be read (")
    assert command("list").stderr.startswith("Error: The file of ARAUTO_TOKENS cannot be read (")
    (directory / "tokens").write_bytes(whole)
    assert publish(gate, "a", "x", **bearer(token)).status == 200


def test_a_token_that_reads_only(gate: ArautoServer, command: Command) -> None:
    token = command("create", "wall", "--read", "*").stdout.strip()
    refused = publish(gate, "a", "x", **bearer(token))
    assert (refused.status, refused.error) == (403, "You may watch, but not publish. Nothing was published.")
    assert handshake(gate, "/feed?pattern=*", **bearer(token)).status == 101


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (
            ["create", "x", "--read", "*"],
            {},
            "Name the file that keeps them: ARAUTO_TOKENS=tokens.json, or redis.",
        ),
        (["create", "x"], {"ARAUTO_TOKENS": "/nowhere/x"}, "Say what it may: --read 'news.*', --publish"),
        (
            ["create", "x", "--read", "*"],
            {"ARAUTO_TOKENS": "/nowhere/x"},
            "The file of ARAUTO_TOKENS cannot be",
        ),
        (["create", "x\n", "--read", "*"], {"ARAUTO_TOKENS": "/nowhere/x"}, "A name has 1 to 256 bytes"),
    ],
)
def test_a_command_that_cannot_work_ends_with_one_sentence(
    valkey: RedisServer, arguments: list[str], environ: dict[str, str], words: str
) -> None:
    stopped = run([*FLASK, *arguments], REDIS_URL=valkey.url, **environ)
    assert stopped.returncode == 1
    assert stopped.stderr.startswith(f"Error: {words}")
    assert len(stopped.stderr.splitlines()) == 1
