"""A log is read, switched and deleted by its exact name, even if a proxy changes the path."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from arauto.recording_core.log_keys import stream_of
from tests.support.http import Answer, publish, request
from tests.support.logs import entries, is_recording
from tests.support.nginx import Nginx
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

NAMES = [
    "a", "b", "a/b", "a//b", "/a", "//a", "a/", "a//", ".", "..", "./a", "../a", "a/./b", "a/../b", "/", "//",
    "%", "%2F", "a%2Fb", "a%2F%2Fb", "%252F", "a?b", "a#b", "a\\b", "a;b", "a b", " a", "a+b", "a&b=c",
    "é", "日本/語", "messages", "recording", "channels/a", "a/messages", "undefined",
]  # fmt: skip


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with closing(RedisServer(binaries()["valkey"], tmp_path_factory.mktemp("redis"))) as redis:
        yield redis


@pytest.fixture(scope="module", params=["direct", "merging"])
def server(
    request: pytest.FixtureRequest, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    directory = tmp_path_factory.mktemp("naming")
    environ: dict[str, Any] = {
        "REDIS_URL": redis.url, "ARAUTO_RECORD": "*", "ARAUTO_DELETE_LOGS": "on", "ARAUTO_WORKERS": "1",
        "ARAUTO_PUBLISH_RATE": "0",
    }  # fmt: skip
    if request.param == "direct":
        server = ArautoServer(directory / "log", **environ)
    else:
        server = Nginx(directory, merges=True, **environ)
    with closing(server):
        yield server
        assert "Traceback" not in server.log


@pytest.fixture
def logs(server: ArautoServer, redis: RedisServer) -> None:
    """Write one message to the log of each name: the name."""
    eventually(lambda: is_recording(redis), why="there is a recorder")
    for name in NAMES:
        redis.client.delete(stream_of(name.encode()))
        assert publish(server, name, name).json["receivers"] == 1
    eventually(lambda: kept(redis) == set(NAMES))


def by_query(server: ArautoServer, method: str, name: str) -> Answer:
    return request(server, method, "/channels/messages?" + urlencode({"channel": name}))


def by_path(server: ArautoServer, method: str, name: str, query: str = "") -> Answer:
    return request(server, method, f"/channels/{quote(name, safe='')}/messages{query}")


def data(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [line["data"] for line in map(json.loads, answer.body.splitlines()) if "data" in line]


def kept(redis: RedisServer) -> set[str]:
    """The names whose logs still have their message."""
    return {
        name for name in NAMES
        if name.encode() in [fields.get(b"m") for _, fields in entries(redis, name)]
    }  # fmt: skip


def test_a_name_in_the_query_is_that_name(server: ArautoServer, redis: RedisServer, logs: None) -> None:
    left = set(NAMES)
    assert kept(redis) == left
    for name in NAMES:
        assert data(by_query(server, "GET", name)) == [name]
        assert by_query(server, "DELETE", name).json == {"channel": name, "deleted": True}
        left.remove(name)
        assert kept(redis) == left


def test_nothing_is_deleted_by_the_path_alone(server: ArautoServer, redis: RedisServer, logs: None) -> None:
    for name in NAMES:
        assert by_path(server, "DELETE", name).status in (400, 404, 405), name
    assert by_path(server, "DELETE", "a").error.startswith("Give the channel as ?channel=… too")
    assert kept(redis) == set(NAMES)


def test_a_path_that_was_changed_is_found_out(server: ArautoServer, redis: RedisServer, logs: None) -> None:
    """A path that arrives unchanged works for that name; a changed one is refused or not found."""
    left = set(NAMES)
    for name in NAMES:
        answer = by_path(server, "DELETE", name, "?" + urlencode({"channel": name}))
        if answer.status == 200:
            left.remove(name)
        assert kept(redis) == left, name
    assert {"a", "a?b", "a b", "é", "a;b", "%"} & left == set()
    answer = request(server, "DELETE", "/channels/a/messages?channel=b")
    assert (answer.status, answer.error) == (
        409, "The channel in the path is not that in the query: nothing was done."
    )  # fmt: skip
    if isinstance(server, Nginx):
        assert {"a//b", ".."} <= left


def test_switching_needs_the_name_where_the_path_may_be_another(server: ArautoServer) -> None:
    def switch(path: str) -> Answer:
        return request(server, "PUT", path, '{"recorded": true}')

    assert switch("/channels/a/recording").json == {"channel": "a", "recorded": True}
    assert switch("/channels/a%2F%2Fb/recording").error.startswith("Give the channel as ?channel=… too")
    for name in NAMES:
        answer = switch("/channels/recording?" + urlencode({"channel": name}))
        assert answer.json == {"channel": name, "recorded": True}


def test_one_channel_is_given(server: ArautoServer, redis: RedisServer, logs: None) -> None:
    for query, sentence in (("", "Channel is required."), ("?channel=a&channel=b", "Give one channel.")):
        for method in ("GET", "DELETE"):
            answer = request(server, method, f"/channels/messages{query}")
            assert (answer.status, answer.error) == (400, sentence)
    assert kept(redis) == set(NAMES)
