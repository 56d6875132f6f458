"""The switches and globs of recording in Redis, and the ends of logs, also if a process dies in between."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
import redis

from arauto.recording.log_store import GLOBS_LAST
from arauto.recording.recorded_channels import Recording
from arauto.recording.recorder_actions import RecorderActions
from arauto.recording_core.candidate import Candidate
from arauto.recording_core.candidate_actions import OfChannel
from arauto.recording_core.log_keys import GLOBS, NAMES, SWITCHED, head_of, stream_of
from arauto.recording_core.recorder_steps import Take, Unwanted
from arauto.redis_io.connection import RedisLink
from arauto.settings import read
from tests.support.logs import OwnLog, forget, head
from tests.support.redis_servers import RedisServer


@pytest.fixture
def recording(own_redis: RedisServer) -> Iterator[Recording]:
    link = RedisLink(own_redis.url)
    with closing(link):
        yield Recording(link, read({"ARAUTO_RECORD": "kept.*"}))


@pytest.fixture
def client(own_redis: RedisServer) -> Any:
    return own_redis.client


def take(recording: Recording, channel: bytes = b"a", token: int = 9) -> None:
    recording.store.register(channel)
    recording.store.take(channel, Take(token, None), 0, has_glob=False)


def has_room(redis_server: RedisServer, is_so: bool) -> None:
    redis_server.client.config_set("maxmemory", "0" if is_so else "1")


def test_a_switch_is_for_all_who_look(recording: Recording, client: Any) -> None:
    recording.switch(b"a", True)
    assert client.smembers(SWITCHED) == {b"a"}
    assert (recording.covers(b"a"), recording.generation) == (True, 1)
    take(recording)
    recording.switch(b"a", False)
    assert (client.exists(SWITCHED), recording.covers(b"a"), recording.generation) == (0, False, 2)
    with pytest.raises(Unwanted):
        take(recording)
    recording.switch(b"a", True)
    take(recording)


def test_so_many_and_no_more(recording: Recording, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "MAX_SWITCHED", 2)
    for name in (b"a", b"b", b"a"):
        recording.switch(name, True)
    with pytest.raises(redis.ResponseError, match=r"^FULL$"):
        recording.switch(b"c", True)
    assert client.smembers(SWITCHED) == {b"a", b"b"}
    assert not client.exists(head_of(b"c"))
    recording.switch(b"a", False)
    recording.switch(b"c", True)


def test_a_switch_that_is_refused_leaves_nothing(recording: Recording, client: Any) -> None:
    client.set(stream_of(b"a"), "mine")
    with pytest.raises(redis.ResponseError, match="is no stream"):
        recording.switch(b"a", True)
    assert set(client.keys("*")) == {stream_of(b"a")}
    recording.switch(b"never", False)
    assert set(client.keys("*")) == {stream_of(b"a"), GLOBS}


def test_off_is_off_though_redis_writes_nothing(recording: Recording, own_redis: RedisServer) -> None:
    recording.switch(b"a", True)
    take(recording)
    has_room(own_redis, False)
    recording.switch(b"a", False)
    assert not recording.covers(b"a")
    has_room(own_redis, True)
    assert head(own_redis, "a")["closed"] == ""
    recording.trim()
    assert head(own_redis, "a")["closed"] != ""


def test_who_dies_while_it_switches_on_harms_nobody(recording: Recording, client: Any) -> None:
    recording.switch(b"a", True)
    take(recording)
    recording.switch(b"a", False)
    client.sadd(SWITCHED, b"a")  # as if the process died here
    with pytest.raises(Unwanted):
        take(recording)
    recording.trim()
    take(recording)


def test_who_dies_while_it_switches_off_harms_nobody(
    recording: Recording, own_redis: RedisServer, client: Any
) -> None:
    recording.switch(b"a", True)
    take(recording)
    client.srem(SWITCHED, b"a")
    recording.trim()
    assert head(own_redis, "a")["off"] == "1"
    assert not recording.covers(b"a")


def test_who_switches_on_at_the_same_moment_wins(
    recording: Recording, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording.switch(b"a", True)
    switch = recording.store.switch

    def switch_late(channel: bytes, on: bool) -> None:
        if not on:
            client.sadd(SWITCHED, channel)
            switch(channel, True)
        switch(channel, on)

    monkeypatch.setattr(recording.store, "switch", switch_late)
    recording.switch(b"a", False)
    assert recording.covers(b"a")
    take(recording)


def test_what_is_too_old_goes_and_what_is_closed_goes_whole(
    recording: Recording, own_redis: RedisServer, client: Any
) -> None:
    OwnLog(own_redis, "kept.a", "x")
    OwnLog(own_redis, "closed", "x")
    recording.switch(b"waits", True)
    client.xadd(stream_of(b"kept.a"), {"m": "now"}, id="*")
    recording.trim()  # no log is too old, and no glob matches ``closed``
    assert head(own_redis, "closed")["closed"] != ""
    assert client.xlen(stream_of(b"closed")) == 1
    old = Recording(recording.link, read({"ARAUTO_RECORD": "kept.*", "ARAUTO_RECORD_SECONDS": "1"}))
    old._age = -60_000
    old.trim()
    assert client.xlen(stream_of(b"kept.a")) == 0
    assert client.smembers(NAMES) == {b"kept.a"}
    kept = {NAMES, GLOBS, head_of(b"kept.a"), stream_of(b"kept.a")}
    assert set(client.keys("*")) == kept | {SWITCHED, head_of(b"waits")}
    recording.switch(b"waits", False)
    recording.trim()
    assert set(client.keys("*")) == kept


def test_nothing_is_closed_that_another_server_may_record(
    recording: Recording, own_redis: RedisServer, client: Any
) -> None:
    OwnLog(own_redis, "other", "x")
    client.execute_command("ACL", "SETUSER", "poor", "on", ">secret", "~*", "&*", "+@all", "-zrangebyscore")
    with closing(RedisLink(own_redis.url.replace("//", "//poor:secret@"))) as link:
        poor = Recording(link, read({}))
        poor.trim()
        assert "zrangebyscore" in poor.error
    assert head(own_redis, "other")["closed"] == ""


def test_globs_hold_for_a_while_by_the_clock_of_redis(recording: Recording, client: Any) -> None:
    now = 1000 * client.time()[0]
    client.zadd(GLOBS, {"b*": now + 5000, "gone": now - 1, "from the future": now + 2 * GLOBS_LAST})
    recording.refresh()
    assert recording.selection.patterns == (b"b*", b"kept.*")
    until = client.zscore(GLOBS, "kept.*")
    assert now < until <= now + GLOBS_LAST + 60_000
    assert client.zscore(GLOBS, "gone") is None


def test_who_records_nothing_writes_nothing(own_redis: RedisServer, client: Any) -> None:
    with closing(RedisLink(own_redis.url)) as link:
        Recording(link, read({})).refresh()
    assert client.keys("*") == []


def test_a_deleted_log_is_gone_or_goes_on(recording: Recording, own_redis: RedisServer, client: Any) -> None:
    assert not recording.forget(b"a")
    recording.switch(b"a", True)
    take(recording)
    before = head(own_redis, "a")
    assert recording.forget(b"a")
    assert head(own_redis, "a")["epoch"] != before["epoch"]
    recording.store.switch(b"a", False)  # by another process; this one has not noticed it yet
    assert recording.forget(b"a")
    assert not recording.forget(b"a")
    assert head(own_redis, "a") == {"off": "1"}  # for processes that have not noticed it yet
    recording.switch(b"a", False)
    recording.trim()
    assert not client.exists(head_of(b"a"))
    assert client.smembers(NAMES) == set()


def test_a_log_that_begins_while_it_is_deleted_is_known(
    recording: Recording, own_redis: RedisServer, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would not be trimmed, nor followed by other processes."""
    store, begin = recording.store, recording.store.take

    def delete_and_begin(*given: Any) -> Any:
        assert not recording.forget(b"kept.a")
        assert client.smembers(NAMES) == set()
        return begin(*given)

    monkeypatch.setattr(store, "take", delete_and_begin)
    actions = RecorderActions(
        Candidate("a1", 0),
        store,
        has_glob=lambda channel: True,
        follow=lambda channel: None,
        may_claim=lambda: True,
        upgrade=lambda: None,
        report=recording.report,
        give_up=lambda: False,
    )
    for request in (Take(9, None, is_first=True), Take(10, None)):
        actions.do([OfChannel(b"kept.a", request, 1)], lambda: 0)
        assert store.head(b"kept.a") is not None
        assert client.smembers(NAMES) == {b"kept.a"}
        forget(own_redis, "kept.a")


@pytest.mark.parametrize(
    "right", ["sadd", "srem", "scard", "sismember", "exists", "smembers", "eval", "hset"]
)
def test_with_one_right_less_a_switch_is_whole_or_refused(
    recording: Recording, own_redis: RedisServer, client: Any, right: str
) -> None:
    client.execute_command("ACL", "SETUSER", "poor", "on", ">secret", "~*", "&*", "+@all", f"-{right}")
    client.script_flush()
    with closing(RedisLink(own_redis.url.replace("//", "//poor:secret@"))) as link:
        poor = Recording(link, read({}))
        with suppress(redis.ResponseError):
            poor.switch(b"a", True)
        recording.refresh()
        if recording.covers(b"a"):
            take(recording)
        with suppress(redis.ResponseError):
            poor.switch(b"a", False)
        recording.refresh()
    if recording.covers(b"a"):
        take(recording)


def test_what_is_switched_on_while_others_tidy_up_stays_on(
    recording: Recording, own_redis: RedisServer, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a minute every process looks for logs that are no longer recorded."""
    recording.switch(b"a", True)
    take(recording)
    recording.switch(b"a", False)
    with closing(RedisLink(own_redis.url)) as link:
        tidier = Recording(link, read({}))
        names = tidier.store.names

        def names_then() -> set[bytes]:
            recording.switch(b"a", True)
            take(recording, token=10)
            return names()

        monkeypatch.setattr(tidier.store, "names", names_then)
        tidier.trim()
    known = head(own_redis, "a")
    assert (known["closed"], known["owner"]) == ("", "10")
