"""Messages on a recorded channel are in its log; nothing else about them changes."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arauto.recording_core.log_keys import SWITCHED, head_of, promised_of, stream_of
from tests.support.http import publish
from tests.support.logs import OwnLog, entries, gaps, head, is_recording, logged
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import PATIENCE, eventually

NO_RECORDER = "from arauto.recording.recorder_thread import RecorderThread as R; R.run = lambda self: None"
ALL = "\x00\x7fé🎺\r\n"


@pytest.fixture
def recording(start: Start, own_redis: RedisServer) -> ArautoServer:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*,exact", ARAUTO_WORKERS="1")
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    return server


@pytest.fixture
def promising(start: Start, own_redis: RedisServer) -> ArautoServer:
    """A server without a recorder, so its promises stay; there is a log of ``exact``."""
    OwnLog(own_redis, "exact")
    return start(REDIS_URL=own_redis.url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1", ALTER=NO_RECORDER)


def promised(redis_server: RedisServer, channel: str = "exact") -> int:
    return int(redis_server.client.llen(promised_of(channel.encode())))


def patterns(redis_server: RedisServer) -> list[int]:
    """The number of patterns of each recorder."""
    return [int(client["psub"]) for client in redis_server.client.client_list(_type="pubsub")]


@pytest.fixture(params=list(binaries()))
def each_redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    with closing(RedisServer(binaries()[request.param], tmp_path)) as server:
        yield server


def test_what_is_published_here_is_in_the_log_as_it_is(start: Start, each_redis: RedisServer) -> None:
    server = start(REDIS_URL=each_redis.url, ARAUTO_RECORD="kept.*", ARAUTO_WORKERS="1")
    eventually(lambda: is_recording(each_redis), why="a recorder is at work")
    with each_redis.client.pubsub(ignore_subscribe_messages=True) as everything:
        everything.psubscribe("*")
        everything.get_message(timeout=PATIENCE)
        texts = ["one", ALL, "x" * 1_000_000, ""]
        for text in texts:
            assert publish(server, "kept.a", text).json["receivers"] == 2  # a recorder is one
        # A subscriber of every channel receives the messages and nothing else.
        messages = [everything.get_message(timeout=5) for _ in texts]
        assert [message["data"] for message in messages] == [text.encode() for text in texts]
        assert everything.get_message(timeout=0) is None
    eventually(lambda: len(entries(each_redis, "kept.a")) == 4, why="all is recorded")
    assert [fields for _, fields in entries(each_redis, "kept.a")] == [
        {b"m": text.encode()} for text in texts
    ]
    assert logged(each_redis, "kept.a") == [text.encode() for text in texts]
    assert promised(each_redis, "kept.a") == 0


def test_what_is_promised_is_said(promising: ArautoServer, own_redis: RedisServer) -> None:
    answer = publish(promising, "exact", "x")
    assert answer.json == {"channel": "exact", "receivers": 0, "tabs": 0, "recorded": True}
    kept: Any = own_redis.client.lrange(promised_of(b"exact"), 0, -1)
    assert kept[0].endswith(b" x")


def test_what_is_not_recorded_leaves_no_trace(recording: ArautoServer, own_redis: RedisServer) -> None:
    answer = publish(recording, "other", "x")
    assert answer.json == {"channel": "other", "receivers": 0, "tabs": 0}
    assert own_redis.client.keys("*other*") == []


def test_recording_can_be_forbidden(start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="*", ARAUTO_RECORDING="off", ARAUTO_WORKERS="1")
    assert publish(server, "kept.a", "x").json == {"channel": "kept.a", "receivers": 0, "tabs": 0}
    assert own_redis.client.keys("*") == []


def test_a_log_is_capped_by_count(start: Start, own_redis: RedisServer) -> None:
    server = start(
        REDIS_URL=own_redis.url, ARAUTO_RECORD="*", ARAUTO_RECORD_MESSAGES="100", ARAUTO_WORKERS="1"
    )
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    for n in range(350):
        publish(server, "capped", str(n))
    eventually(lambda: logged(own_redis, "capped")[-1:] == [b"349"])
    assert 100 <= len(logged(own_redis, "capped")) <= 200


def test_a_full_redis_still_publishes(promising: ArautoServer, own_redis: RedisServer) -> None:
    """The response says why the message is not recorded, and the server's log once."""
    own_redis.client.config_set("maxmemory", "1")
    for _ in range(3):
        answer = publish(promising, "exact", "x")
        assert answer.status == 200
        assert answer.json["unrecorded"].startswith("OOM ")
    assert len(re.findall("recording stopped channel='exact' why=.OOM", promising.log)) == 1
    own_redis.client.config_set("maxmemory", "0")
    assert publish(promising, "exact", "x").json["recorded"]
    assert promising.log.count("recording resumed channel='exact'") == 1


def test_a_replica_takes_no_log(start: Start, own_redis: RedisServer) -> None:
    """Messages published at the replica still reach its subscribers."""
    OwnLog(own_redis, "exact")
    own_redis.client.replicaof("127.0.0.1", "1")
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1")
    with open_tab(server, "exact") as tab:
        for n in range(3):
            assert publish(server, "exact", str(n)).json["unrecorded"].startswith("READONLY ")
        data: list[str] = []
        while len(data) < 3:
            data += [tab.past("following")["data"]]
        assert data == ["0", "1", "2"]
    assert len(re.findall("recording stopped channel='exact' why=.READONLY", server.log)) == 1
    own_redis.client.replicaof("NO", "ONE")
    assert publish(server, "exact", "x").json["recorded"]
    assert server.log.count("recording resumed channel='exact'") == 1


def test_a_key_that_is_no_log_is_left_alone(recording: ArautoServer, own_redis: RedisServer) -> None:
    own_redis.client.set(stream_of(b"exact"), "mine")
    assert publish(recording, "exact", "x").json["receivers"] == 1
    publish(recording, "kept.b", "x")
    eventually(lambda: logged(own_redis, "kept.b") == [b"x"])
    assert own_redis.client.get(stream_of(b"exact")) == b"mine"


@pytest.mark.parametrize("rights", ["-rpush", "-hmget", "-eval -evalsha", "resetkeys ~other", "-llen"])
def test_without_the_right_to_promise_it_is_published(
    start: Start, own_redis: RedisServer, rights: str
) -> None:
    OwnLog(own_redis, "exact")
    own_redis.client.script_flush()
    user = ["on", ">secret", "~*", "&*", "+@all", *rights.split(" ")]
    own_redis.client.execute_command("ACL", "SETUSER", "poor", *user)
    url = own_redis.url.replace("//", "//poor:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1", ALTER=NO_RECORDER)
    with own_redis.client.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe("exact")
        subscriber.get_message(timeout=PATIENCE)
        for n in range(2):
            answer = publish(server, "exact", str(n))
            assert (answer.status, answer.json["receivers"]) == (200, 1)
            assert (
                "permission" in answer.json["unrecorded"]
                or "can't run this command" in answer.json["unrecorded"]
            )
        own_redis.client.publish("exact", "last")
        messages = [subscriber.get_message(timeout=PATIENCE)["data"] for _ in range(3)]
    assert messages == [b"0", b"1", b"last"]  # each once
    assert promised(own_redis) == 0


@pytest.mark.parametrize("rights", ["+@all", "-evalsha", "-eval"])
def test_a_script_that_redis_does_not_know_publishes_once(
    start: Start, own_redis: RedisServer, rights: str
) -> None:
    OwnLog(own_redis, "exact")
    user = ["on", ">secret", "~*", "&*", "+@all", rights]
    own_redis.client.execute_command("ACL", "SETUSER", "some", *user)
    url = own_redis.url.replace("//", "//some:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1", ALTER=NO_RECORDER)
    with own_redis.client.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe("exact")
        subscriber.get_message(timeout=PATIENCE)
        for n in range(4):
            if n % 2 == 0:
                own_redis.client.script_flush()
            answer = publish(server, "exact", str(n)).json
            assert (answer["receivers"], answer.get("recorded", False)) == (1, rights != "-eval")
        own_redis.client.publish("exact", "last")
        messages = [subscriber.get_message(timeout=PATIENCE)["data"] for _ in range(5)]
    assert messages == [b"0", b"1", b"2", b"3", b"last"]


def test_what_may_not_be_published_is_not_recorded(start: Start, own_redis: RedisServer) -> None:
    OwnLog(own_redis, "exact")
    user = ["on", ">secret", "~*", "+@all", "resetchannels", "&other", "&arauto:*"]
    own_redis.client.execute_command("ACL", "SETUSER", "mute", *user)
    url = own_redis.url.replace("//", "//mute:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1", ALTER=NO_RECORDER)
    assert publish(server, "exact", "x").status == 403
    assert promised(own_redis) == 0


def test_a_log_that_lost_its_head_goes_on_with_another_epoch(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    publish(recording, "exact", "1")
    eventually(lambda: logged(own_redis, "exact") == [b"1"])
    first = head(own_redis, "exact")
    own_redis.client.delete(head_of(b"exact"))
    publish(recording, "exact", "2")  # whether more was published is unknown: it may be in the gap
    eventually(lambda: gaps(own_redis, "exact") == 1)
    publish(recording, "exact", "3")
    eventually(lambda: entries(own_redis, "exact")[-1][1] == {b"m": b"3"})
    second = head(own_redis, "exact")
    assert first["epoch"] != second["epoch"]
    assert int(first["number"]) < int(second["number"])


def test_a_clock_that_went_back_breaks_no_order(recording: ArautoServer, own_redis: RedisServer) -> None:
    publish(recording, "exact", "1")
    eventually(lambda: logged(own_redis, "exact") == [b"1"])
    ahead, number = 4_000_000_000_000, int(head(own_redis, "exact")["number"])
    own_redis.client.hset(head_of(b"exact"), "ms", str(ahead))
    publish(recording, "exact", "2")
    eventually(lambda: logged(own_redis, "exact") == [b"1", b"2"])
    assert entries(own_redis, "exact")[-1][0] == (ahead, number + 1)


def test_servers_with_different_globs_record_what_any_of_them_has(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    alter = "import arauto.recording.log_store as store; store.GLOBS_LAST = 2000"
    given: dict[str, Any] = {"REDIS_URL": own_redis.url, "ARAUTO_WORKERS": "1", "ALTER": alter}
    with closing(ArautoServer(tmp_path / "one", ARAUTO_RECORD="one.*", **given)) as one:
        with closing(ArautoServer(tmp_path / "two", ARAUTO_RECORD="two.*", **given)) as two:
            eventually(lambda: patterns(own_redis) == [2, 2], why="each has the globs of both")
            for server in (one, two):
                for name in ("one.a", "two.a"):
                    publish(server, name, "x")
                    own_redis.client.publish(name, "y")
            eventually(lambda: all(len(logged(own_redis, name)) == 4 for name in ("one.a", "two.a")))
            assert gaps(own_redis, "one.a") == gaps(own_redis, "two.a") == 0
        eventually(lambda: patterns(own_redis) == [1], why="no process has the other glob any more")
        assert publish(one, "two.a", "x").json.keys() == {"channel", "receivers", "tabs"}
        assert "Traceback" not in one.log + two.log


def test_a_server_that_may_not_say_its_globs_records_them(start: Start, own_redis: RedisServer) -> None:
    user = ["on", ">secret", "~*", "&*", "+@all", "-zadd", "-zrangebyscore", "-smembers"]
    own_redis.client.execute_command("ACL", "SETUSER", "poor", *user)
    own_redis.client.sadd(SWITCHED, "other")
    url = own_redis.url.replace("//", "//poor:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="exact", ARAUTO_WORKERS="1")
    assert "recorded" not in publish(server, "other", "x").json
    OwnLog(own_redis, "exact")
    assert publish(server, "exact", "x").json["recorded"]
