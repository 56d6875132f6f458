"""GET /channels/messages?channel=<name>: the recorded past, line by line, honest about what is missing."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from arauto.asking import DEFAULT_LIMIT
from tests.support.http import get, publish
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def recording(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("history") / "log"
    valkey.client.delete("arauto:recorder")
    server = ArautoServer(log, REDIS_URL=valkey.url, ARAUTO_RECORD="past*", ARAUTO_WORKERS="1")
    with closing(server):
        # A recorder that begins later notes in each log that nobody listened until then.
        eventually(lambda: valkey.client.hget("arauto:recorder", "until"), why="a recorder is at work")
        yield server
        assert "Traceback" not in server.log


@pytest.fixture
def ids(recording: ArautoServer, valkey: RedisServer) -> Iterator[list[str]]:
    """Ten messages, 0 to 9."""
    yield [publish(recording, "past", str(n)).json["id"] for n in range(10)]
    valkey.client.delete("arauto:log:past")
    valkey.client.hdel("arauto:logs", "past")


def read(server: ArautoServer, query: str, channel: str = "past") -> list[dict[str, Any]]:
    answer = get(server, f"/channels/{quote(channel, safe='')}/messages?{query}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.body.splitlines()]


def data(lines: list[dict[str, Any]]) -> str:
    return "".join(line["data"] for line in lines)


def test_a_line_for_each_message(recording: ArautoServer, ids: list[str]) -> None:
    lines = read(recording, "")
    assert data(lines) == "0123456789"
    assert [line["id"] for line in lines] == ids
    first = lines[0]
    assert first.keys() == {"id", "channel", "data", "at"}
    assert first["at"] == int(ids[0].split("-")[0]) / 1000


def test_from_here_to_there(recording: ArautoServer, ids: list[str]) -> None:
    assert data(read(recording, f"since={ids[3]}")) == "456789"  # to go on from what one has
    assert data(read(recording, f"since={ids[3]}&until={ids[5]}")) == "45"
    assert data(read(recording, "since=3")) == "789"
    assert data(read(recording, "since=100")) == "0123456789"
    assert data(read(recording, "since=first&limit=2")) == "01"
    assert data(read(recording, "since=10m")) == "0123456789"
    assert data(read(recording, "since=0.5&until=10m")) == ""
    assert data(read(recording, f"since={int(ids[0].split('-')[0]) / 1000}")) == "0123456789"
    assert read(recording, f"since={ids[9]}") == []
    unknown = get(recording, "/channels/past/messages?since=99999999999999-1")
    assert (unknown.status, unknown.error) == (
        400,
        "The log has no such id: it may be of another log, which is gone.",
    )


def test_a_limit_that_nobody_asked_for_is_told(recording: ArautoServer, valkey: RedisServer) -> None:
    with valkey.client.pipeline(transaction=False) as pipeline:
        for n in range(DEFAULT_LIMIT):
            pipeline.publish("past/long", n)
        pipeline.execute()
    eventually(
        lambda: len(read(recording, "since=first", "past/long")) == DEFAULT_LIMIT, why="all is recorded"
    )
    last = read(recording, "since=first", "past/long")[-1]
    assert last["data"] == str(DEFAULT_LIMIT - 1)  # there is no more
    valkey.client.publish("past/long", "more")
    eventually(lambda: len(read(recording, "since=first", "past/long")) > DEFAULT_LIMIT, why="it is recorded")
    assert read(recording, "since=first", "past/long")[-1] == {"more": last["id"]}
    assert data(read(recording, f"since={last['id']}", "past/long")) == "more"
    assert len(read(recording, f"since=first&limit={DEFAULT_LIMIT}", "past/long")) == DEFAULT_LIMIT
    valkey.client.delete("arauto:log:past/long")
    valkey.client.hdel("arauto:logs", "past/long")


def test_bytes_and_names_of_all_kinds(recording: ArautoServer, valkey: RedisServer) -> None:
    name = "past/é ?#.messages"
    publish(recording, name, "text")
    (line,) = read(recording, "", name)
    assert (line["channel"], line["data"]) == (name, "text")
    log = f"arauto:log:{name}"
    valkey.client.xadd(log, {"m": b"\xff"}, id="4000000000000-2")
    valkey.client.hset("arauto:logs", name, "0123456789abcdef.4000000000000-2")
    text, binary = read(recording, "", name)
    assert text == line  # in whatever company
    assert (binary["data"], binary["encoding"], binary["size"]) == ("/w==", "base64", 1)
    assert binary["at"] == 4_000_000_000


@pytest.mark.parametrize(
    "query",
    [
        "since=x", "since=-1", "since=1-", "since=1-2-3", "since=%D9%A3m", "since=9999999999", "since=1e9",
        "until=soon", "limit=0", "limit=-1", "limit=1000000", "limit=x",
        "limit=1.5", "since=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_meant(recording: ArautoServer, query: str) -> None:
    answer = get(recording, f"/channels/past/messages?{query}")
    assert answer.status == 400
    assert answer.error.endswith(".")


def test_a_channel_that_is_not_recorded(recording: ArautoServer) -> None:
    answer = get(recording, "/channels/other/messages")
    assert answer.status == 404
    assert answer.error == "This channel is not recorded: switch it on in the page, or by ARAUTO_RECORD."
    assert read(recording, "", "past.never.used") == []


def test_what_is_not_kept_any_more_is_a_gap(
    recording: ArautoServer, valkey: RedisServer, ids: list[str]
) -> None:
    log = "arauto:log:past"
    valkey.client.xtrim(log, maxlen=6, approximate=False)  # 0 to 3 are gone
    gap, *rest = read(recording, f"since={ids[1]}")
    assert (gap["type"], gap["reason"], gap["missing"]) == ("gap", "log", 2)
    assert data(rest) == "456789"
    assert data(read(recording, f"since={ids[3]}")) == "456789"  # nothing that was asked for is missing
    gap, *rest = read(recording, "since=10m")
    assert (gap["type"], "missing" in gap) == ("gap", False)
    valkey.client.xdel(log, ids[6], ids[9])
    lines = read(recording, f"since={ids[4]}")
    assert [line.get("missing", line.get("data")) for line in lines] == ["5", 1, "7", "8", 1]
    valkey.client.delete(log)
    (gap,) = read(recording, f"since={ids[4]}")
    assert gap["missing"] == 5


def test_another_log_is_told_from_the_one_before(
    recording: ArautoServer, valkey: RedisServer, ids: list[str]
) -> None:
    valkey.client.delete("arauto:log:past", "arauto:logs")
    publish(recording, "past", "anew")
    gap, *rest = read(recording, f"since={ids[5]}")
    assert (gap["reason"], "missing" in gap) == ("replaced", False)
    assert data(rest) == "anew"


def test_a_key_that_is_no_log(recording: ArautoServer, valkey: RedisServer, ids: list[str]) -> None:
    valkey.client.delete("arauto:log:past")
    valkey.client.set("arauto:log:past", "mine")
    answer = get(recording, "/channels/past/messages")
    assert answer.status == 502
    assert answer.error.startswith("Redis does not tell its log: WRONGTYPE")


def test_many_pages(recording: ArautoServer, valkey: RedisServer) -> None:
    with valkey.client.pipeline() as pipeline:
        for n in range(1, 5001):
            pipeline.xadd("arauto:log:past.many", {"m": str(n)}, id=f"1700000000000-{n}")
        pipeline.hset("arauto:logs", "past.many", "0123456789abcdef.1700000000000-5000")
        pipeline.execute()
    lines = read(recording, "since=4000", "past.many")
    assert [int(line["data"]) for line in lines] == list(range(1001, 5001))
