"""Acknowledgements in Redis: they last as long as the log has the message, and no longer."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import redis

from arauto.protocol.acknowledgements import read_acknowledgement
from arauto.recording.acknowledgement_store import AcknowledgementStore, Answer, Outcome
from arauto.recording.recorded_channels import Recording
from arauto.recording_core.log_keys import acknowledgements_of, announcements_of, stream_of
from arauto.redis_io.connection import RedisLink
from arauto.settings import read
from tests.support.logs import OwnLog, entries
from tests.support.redis_servers import RedisServer, binaries

KEY = acknowledgements_of(b"a")


@pytest.fixture(scope="module", params=list(binaries()))
def own_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """A Redis without a program, whose recorder would close the logs that these tests write."""
    with closing(RedisServer(binaries()[request.param], tmp_path_factory.mktemp("own"))) as server:
        yield server


@pytest.fixture
def recording(own_server: RedisServer) -> Iterator[Recording]:
    own_server.client.flushall()
    with closing(RedisLink(own_server.url)) as link:
        yield Recording(link, read({"ARAUTO_RECORD": "a"}))


@pytest.fixture
def kept(recording: Recording) -> AcknowledgementStore:
    return recording.acknowledgements


@pytest.fixture
def log(recording: Recording, own_server: RedisServer) -> OwnLog:
    return OwnLog(own_server, "a", "0", "1", "2")


@pytest.fixture
def client(own_server: RedisServer) -> Any:
    return own_server.client


def ids(kept: AcknowledgementStore) -> list[str]:
    return [one.id for one in kept.list(b"a")]


def members(client: Any) -> list[str]:
    return [member.decode().split()[0] for member in client.zrange(KEY, 0, -1)]


def test_the_first_has_it_until_it_is_given_back(kept: AcknowledgementStore, log: OwnLog) -> None:
    id = log.ids[1]
    outcome, one = kept.take(b"a", id, "Ana Ç")
    assert (outcome, one and one.by) == (Outcome.DONE, "Ana Ç")
    assert kept.take(b"a", id, "Rui") == Answer(Outcome.TAKEN, one)
    assert kept.list(b"a") == [one]
    assert kept.give_back(b"a", id) == Answer(Outcome.GIVEN_BACK, one)
    assert kept.give_back(b"a", id) == Answer(Outcome.NOBODY, None)
    assert kept.take(b"a", id, "Rui").outcome is Outcome.DONE


def test_each_change_is_announced_and_nothing_else(
    kept: AcknowledgementStore, log: OwnLog, client: Any
) -> None:
    pubsub = client.pubsub()
    pubsub.ssubscribe(announcements_of(b"a", 0))
    given = kept.take(b"a", log.ids[0], "Ana").acknowledgement
    kept.take(b"a", log.ids[0], "Rui")
    kept.give_back(b"a", log.ids[0])
    kept.give_back(b"a", log.ids[0])
    kept.take(b"a", "1-1", "Ana")
    client.execute_command("SPUBLISH", announcements_of(b"a", 0), "end")
    received = []
    while (message := pubsub.get_sharded_message(timeout=10))["data"] != b"end":
        if message["type"] == "smessage":
            received.append(read_acknowledgement(message["data"]))
    pubsub.close()
    assert given
    assert received == [given, (log.ids[0], "", 0)]


def test_only_messages_of_a_recorded_channel_can_be_taken(
    kept: AcknowledgementStore, log: OwnLog, own_server: RedisServer
) -> None:
    log.begin(until=1)
    (gap,) = [str(id) for id, fields in entries(own_server, "a") if b"gap" in fields]
    ms, number = map(int, log.ids[0].split("-"))
    for id in (gap, "1-1", f"{ms + 1}-{number}", f"{ms}-{number + 9}"):
        assert kept.take(b"a", id, "Ana") == Answer(Outcome.UNKNOWN, None)
        assert kept.give_back(b"a", id) == Answer(Outcome.UNKNOWN, None)
    assert kept.take(b"b", log.ids[0], "Ana") == Answer(Outcome.UNRECORDED, None)
    log.store.switch(b"a", False)
    assert kept.take(b"a", log.ids[0], "Ana") == Answer(Outcome.UNRECORDED, None)


def test_what_is_trimmed_takes_its_acknowledgement_with_it(
    recording: Recording, kept: AcknowledgementStore, log: OwnLog, client: Any
) -> None:
    for id in log.ids:
        kept.take(b"a", id, "Ana")
    client.xtrim(stream_of(b"a"), minid=log.ids[1], approximate=False)
    assert ids(kept) == log.ids[1:]
    assert kept.take(b"a", log.ids[0], "Ana").outcome is Outcome.UNKNOWN
    recording.trim()
    assert members(client) == log.ids[1:]
    client.xtrim(stream_of(b"a"), minid=log.ids[2], approximate=False)
    kept.give_back(b"a", log.ids[2])
    assert not client.exists(KEY)  # without waiting for a cleanup
    kept.take(b"a", log.ids[2], "Ana")
    client.xtrim(stream_of(b"a"), maxlen=0, approximate=False)
    assert ids(kept) == []
    recording.trim()
    assert not client.exists(KEY)


def test_a_log_that_is_deleted_or_dropped_has_none(
    recording: Recording, kept: AcknowledgementStore, log: OwnLog, client: Any
) -> None:
    kept.take(b"a", log.ids[0], "Ana")
    assert recording.forget(b"a")
    assert not client.exists(KEY)
    client.zadd(KEY, {f"{log.ids[0]} 1 Ana": 1})
    log.store.switch(b"a", False)
    recording.store.drop(b"a")
    assert not client.exists(KEY)


def test_so_many_and_no_more(
    kept: AcknowledgementStore, log: OwnLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arauto.recording.acknowledgement_store.MOST", 2)
    outcomes = [kept.take(b"a", id, "Ana").outcome for id in log.ids]
    assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.FULL]
    kept.give_back(b"a", log.ids[0])
    assert kept.take(b"a", log.ids[2], "Ana").outcome is Outcome.DONE


def test_what_others_have_written_there_is_nobodys(
    kept: AcknowledgementStore, log: OwnLog, client: Any
) -> None:
    client.zadd(KEY, {"anything": 1, b"\xff": 2, f"{log.ids[0]} x y": 3, f"{log.ids[0]} 5 ": 4})
    assert ids(kept) == []
    client.set(KEY, "mine")
    for act in (kept.list, lambda channel: kept.take(channel, log.ids[0], "Ana")):
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            act(b"a")
    kept.trim([b"a"])
    assert client.get(KEY) == b"mine"


@pytest.mark.parametrize(
    "right",
    ["eval", "time", "hmget", "xrange", "zrangebyscore", "zremrangebyscore", "zadd", "spublish"],
)
def test_with_one_right_less_it_is_done_whole_or_refused(
    own_server: RedisServer, kept: AcknowledgementStore, log: OwnLog, client: Any, right: str
) -> None:
    client.execute_command("ACL", "SETUSER", "poor", "on", ">secret", "~*", "&*", "+@all", f"-{right}")
    client.script_flush()  # else a cached script could run without +eval
    with closing(RedisLink(own_server.url.replace("//", "//poor:secret@"))) as link:
        poor = Recording(link, read({})).acknowledgements
        with pytest.raises(redis.ResponseError, match=f"(?i){right}"):
            poor.take(b"a", log.ids[0], "Ana")
    assert not client.exists(KEY)
    assert kept.take(b"a", log.ids[0], "Ana").outcome is Outcome.DONE
