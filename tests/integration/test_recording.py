"""What is published on a recorded channel is in its log, and in no other way different."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arauto.logs import Id
from tests.support.http import publish
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer
from tests.support.tabs import open_tab
from tests.support.waiting import PATIENCE, eventually

# One that begins later than the first message notes in the log that nobody listened until then.
NO_RECORDER = "import arauto.recorder; arauto.recorder.Recorder.run = lambda self: None"
ALL = "\x00\x7fé🎺\r\n"


@pytest.fixture
def recording(start: type[ArautoServer], own_redis: RedisServer) -> ArautoServer:
    """What is published here needs no recorder."""
    return start(
        REDIS_URL=own_redis.url,
        ARAUTO_RECORD="kept.*,exact",
        ARAUTO_WORKERS="1",
        ALTER=NO_RECORDER,
    )


def expect_recorder(redis_server: RedisServer) -> None:
    """Before that an entry may be a gap: nobody listened."""
    eventually(lambda: redis_server.client.hget("arauto:recorder", "until"), why="a recorder is at work")


def entries(redis_server: RedisServer, channel: str) -> list[tuple[Id, dict[bytes, bytes]]]:
    log: Any = redis_server.client.xrange(f"arauto:log:{channel}")
    return [(Id.read(id), fields) for id, fields in log]


@pytest.fixture(params=list(binaries()))
def each_redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    with closing(RedisServer(binaries()[request.param], tmp_path)) as server:
        yield server


def test_what_is_published_here_is_recorded_in_the_same_step(
    start: type[ArautoServer], each_redis: RedisServer
) -> None:
    server = start(REDIS_URL=each_redis.url, ARAUTO_RECORD="kept.*", ARAUTO_WORKERS="1")
    expect_recorder(each_redis)
    with each_redis.client.pubsub(ignore_subscribe_messages=True) as everything:
        everything.psubscribe("*")
        everything.get_message(timeout=PATIENCE)
        texts = ["one", ALL, "x" * 1_000_000, ""]
        ids = [publish(server, "kept.a", text).json["id"] for text in texts]
        # A subscriber of every channel hears the messages and nothing else.
        heard = [everything.get_message(timeout=5) for _ in texts]
        assert [message["data"] for message in heard] == [text.encode() for text in texts]
        assert everything.get_message(timeout=0) is None
    log = entries(each_redis, "kept.a")
    assert [str(id) for id, _ in log] == ids
    assert [fields for _, fields in log] == [{b"m": text.encode()} for text in texts]
    assert [id.n for id, _ in log] == [1, 2, 3, 4]


def test_what_is_not_recorded_leaves_no_trace(recording: ArautoServer, own_redis: RedisServer) -> None:
    answer = publish(recording, "other", "x")
    assert answer.json == {"channel": "other", "receivers": 0, "tabs": 0}
    assert b"arauto:logs" not in own_redis.client.keys("*") or not own_redis.client.hexists(
        "arauto:logs", "other"
    )
    assert own_redis.client.keys("*other*") == []


def test_recording_can_be_forbidden(start: type[ArautoServer], own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="*", ARAUTO_RECORDING="off", ARAUTO_WORKERS="1")
    assert publish(server, "kept.a", "x").json == {"channel": "kept.a", "receivers": 0, "tabs": 0}
    assert own_redis.client.keys("*") == []


def test_a_log_is_capped_by_count(start: type[ArautoServer], own_redis: RedisServer) -> None:
    server = start(
        REDIS_URL=own_redis.url,
        ARAUTO_RECORD="*",
        ARAUTO_RECORD_MESSAGES="100",
        ARAUTO_WORKERS="1",
        ALTER=NO_RECORDER,
    )
    for n in range(350):
        publish(server, "capped", str(n))
    log = entries(own_redis, "capped")
    assert 100 <= len(log) <= 200
    assert log[-1][0].n == 350


def test_a_full_redis_still_publishes(recording: ArautoServer, own_redis: RedisServer) -> None:
    """It says so in the answer, and in the log once."""
    own_redis.client.config_set("maxmemory", "1")
    for _ in range(3):
        answer = publish(recording, "exact", "x")
        assert answer.status == 200
        assert answer.json["unrecorded"].startswith("OOM ")
    assert recording.log.count("channel 'exact' is not recorded any more: OOM") == 1
    own_redis.client.config_set("maxmemory", "0")
    assert publish(recording, "exact", "x").json["id"].endswith("-1")
    assert recording.log.count("channel 'exact' is recorded again") == 1


def test_a_replica_takes_no_log(start: type[ArautoServer], own_redis: RedisServer) -> None:
    """Its subscribers hear what is published there all the same."""
    own_redis.client.replicaof("127.0.0.1", "1")
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1")
    with open_tab(server, "exact") as tab:
        assert tab.next()["type"] == "following"
        for n in range(3):
            assert publish(server, "exact", str(n)).json["unrecorded"].startswith("READONLY ")
        assert tab.messages(3) == ["0", "1", "2"]
    assert server.log.count("channel 'exact' is not recorded any more: READONLY") == 1
    eventually(lambda: server.log.count("nothing is recorded that others publish: You can't write") == 1)
    own_redis.client.replicaof("NO", "ONE")
    assert "id" in publish(server, "exact", "x").json
    assert server.log.count("channel 'exact' is recorded again") == 1


def test_a_key_that_is_no_log_is_left_alone(recording: ArautoServer, own_redis: RedisServer) -> None:
    own_redis.client.set("arauto:log:exact", "mine")
    assert publish(recording, "exact", "x").json["unrecorded"].startswith("WRONGTYPE ")
    assert own_redis.client.get("arauto:log:exact") == b"mine"
    assert "id" in publish(recording, "kept.b", "x").json


@pytest.mark.parametrize(
    "rights", ["-xadd", "-eval", "-spublish", "resetkeys ~other", "resetchannels &exact"]
)
def test_without_the_right_to_record_it_is_published(
    start: type[ArautoServer], own_redis: RedisServer, rights: str
) -> None:
    user = ["on", ">secret", "~*", "&*", "+@all", *rights.split(" ")]
    own_redis.client.execute_command("ACL", "SETUSER", "poor", *user)
    url = own_redis.url.replace("//", "//poor:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1")
    answer = publish(server, "exact", "x")
    assert answer.status == 200
    assert "permission" in answer.json["unrecorded"]
    assert not own_redis.client.exists("arauto:log:exact")


def test_what_may_not_be_published_is_not_recorded(start: type[ArautoServer], own_redis: RedisServer) -> None:
    user = ["on", ">secret", "~*", "+@all", "resetchannels", "&other"]
    own_redis.client.execute_command("ACL", "SETUSER", "mute", *user)
    url = own_redis.url.replace("//", "//mute:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1")
    assert publish(server, "exact", "x").status == 403
    assert not own_redis.client.exists("arauto:log:exact")


def test_a_log_that_lost_its_head_goes_on_with_another_epoch(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    publish(recording, "exact", "1")
    first = own_redis.client.hget("arauto:logs", "exact")
    own_redis.client.delete("arauto:logs")
    publish(recording, "exact", "2")
    assert [id.n for id, _ in entries(own_redis, "exact")] == [1, 2]
    own_redis.client.delete("arauto:log:exact")
    publish(recording, "exact", "3")
    assert [id.n for id, _ in entries(own_redis, "exact")] == [3]  # that two are gone can be seen
    assert first is not None


def test_a_clock_that_went_back_breaks_no_order(recording: ArautoServer, own_redis: RedisServer) -> None:
    ahead = 4_000_000_000_000
    own_redis.client.hset("arauto:logs", "exact", f"0123456789abcdef.{ahead}-7")
    assert publish(recording, "exact", "x").json["id"] == f"{ahead}-8"
