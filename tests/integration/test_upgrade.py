"""Logs of an earlier version are read and continued."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import pytest
import redis

from arauto.protocol.log_entries import FIRST, Hole
from arauto.protocol.log_position import Position
from arauto.protocol.log_query import read_point
from arauto.recording.log_reader import Log
from arauto.recording.log_store import Store
from arauto.recording.log_upgrade import upgrade
from arauto.recording.recorded_channels import Recording
from arauto.recording_core.feed_steps import Read
from arauto.recording_core.log_keys import NAMES, SWITCHED, head_of, stream_of
from arauto.recording_core.recorder_steps import Append, Outcome, Take
from arauto.redis_io.connection import RedisLink
from arauto.settings import read
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT

MADE = 1_795_678_857_771  # Unix milliseconds of these logs
DONE = {b"kept.a", b"kept.trimmed", b"kept.foreign", b"kept.bad", b"switched", b"waiting", b"closed"}


@pytest.fixture
def earlier(own_redis: RedisServer) -> RedisServer:
    """The logs of an earlier version, as if they had been written just now."""
    ahead = 1000 * own_redis.client.time()[0] - MADE - 100
    for line in (ROOT / "tests/data/earlier_logs.txt").read_text().splitlines():
        if not line.startswith("#"):
            line = re.sub(r"\b1795678\d{6}\b", lambda match: str(int(match[0]) + ahead), line)
            own_redis.client.execute_command(*(part.encode("latin-1") for part in json.loads(line)))
    return own_redis


@pytest.fixture
def recording(earlier: RedisServer) -> Iterator[Recording]:
    link = RedisLink(earlier.url)
    with closing(link):
        yield Recording(link, read({"ARAUTO_RECORD": "kept.*"}))


def found(store: Store, channel: bytes, since: str = "first") -> list[Any]:
    """The messages and the reasons of the gaps."""
    log = Log.open(store, channel)
    assert log is not None
    pages = log.read(log.place(read_point(since)), log.end)
    return [one.reason if isinstance(one, Hole) else one.data for page in pages for one in page]


def epoch_of(redis_server: RedisServer, channel: str) -> tuple[str, int, int]:
    head: Any = redis_server.client.hget("arauto:logs", channel)
    epoch, ms, number = re.split(r"[.\- ]", head.decode())[:3]
    return epoch, int(ms), int(number)


def test_all_that_can_be_read_is_gone_on_with(recording: Recording, earlier: RedisServer) -> None:
    client: Any = earlier.client
    epoch, ms, number = epoch_of(earlier, "kept.a")
    store = recording.store
    assert set(upgrade(store)) == DONE
    assert found(store, b"kept.a") == [
        b"inside 1", b"outside 2", b"outside 3", b"inside 4", b"5 \xff\0", "recorder", b"outside 7",
    ]  # fmt: skip
    assert found(store, b"switched") == [b"one", b"two"]
    assert found(store, b"closed") == [b"last"]
    assert found(store, b"kept.foreign") == [b"ours 1", b"ours 8"]
    assert found(store, b"kept.bad") == [b"x"]
    log = Log.open(store, b"kept.trimmed")
    assert log is not None
    assert log.hole_before(1) is not None
    assert store.names() == DONE | {b"kept.wrong"}
    assert client.smembers(SWITCHED) == {b"switched", b"waiting"}
    recording.refresh()
    assert recording.selection.channels == (b"switched", b"waiting")
    pages = store.read(b"kept.a", Read(Position(epoch, 3, ms - 90), None))
    assert pages is not None
    assert not pages.is_other
    assert [entry.data for entry in pages.entries] == [b"inside 4", b"5 \xff\0", None, b"outside 7"]
    assert pages.end == Position(epoch, number)


def test_a_recorder_goes_on_behind_what_is_there(recording: Recording, earlier: RedisServer) -> None:
    until = int(earlier.client.hget("arauto:recorder", "until"))  # type: ignore[arg-type]
    store = recording.store
    upgrade(store)
    assert store.take(b"kept.a", Take(7, None), 0, has_glob=True) is None
    head = store.head(b"kept.a")
    assert head is not None
    assert head.end.number == 8
    assert store.append(b"kept.a", Append(7, head.end, (b"new",)), 0).outcome is Outcome.DONE
    log = Log.open(store, b"kept.a")
    assert log is not None
    *_, hole, new = next(log.read(FIRST, log.end))
    assert isinstance(hole, Hole)
    assert (hole.reason, hole.start, hole.id.n) == ("recorder", until, 8)
    assert (new.id.n, found(store, b"kept.a")[-1]) == (9, b"new")
    with pytest.raises(Exception, match=r"^$"):  # recording is switched off
        store.take(b"closed", Take(7, None), 0, has_glob=False)


def test_what_is_somebody_elses_is_left_alone(
    recording: Recording, earlier: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "arauto"):
        upgrade(recording.store)
    assert caplog.messages == [
        "upgrade skipped channel='kept.wrong' why='the key arauto:log:kept.wrong is no stream'"
    ]
    assert earlier.client.get("arauto:log:kept.wrong") == b"mine"
    assert earlier.client.hkeys("arauto:logs") == [b"kept.wrong"]
    earlier.client.hdel("arauto:logs", "kept.wrong")


def test_nothing_is_left_once_all_is_done(recording: Recording, earlier: RedisServer) -> None:
    client: Any = earlier.client
    client.delete("arauto:log:kept.wrong")
    assert set(upgrade(recording.store)) == DONE | {b"kept.wrong"}
    assert upgrade(recording.store) == []
    left = {NAMES, SWITCHED, *map(stream_of, DONE), *map(head_of, DONE | {b"kept.wrong"})}
    assert set(client.keys("*")) == left - {stream_of(b"waiting"), head_of(b"waiting")}


def test_it_goes_on_where_it_was_cut_off(recording: Recording, earlier: RedisServer) -> None:
    store = recording.store
    for channel in (b"kept.a", b"switched"):
        store.register(channel)
        assert store.upgrade(channel) == 1
        assert store.upgrade(channel) == 0
    assert set(upgrade(store)) == DONE - {b"kept.a", b"switched"}
    assert earlier.client.smembers(SWITCHED) == {b"switched", b"waiting"}


def test_two_at_once_do_it_once(recording: Recording, earlier: RedisServer) -> None:
    done: list[bytes] = []
    threads = [Thread(target=lambda: done.extend(upgrade(recording.store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(DONE)
    assert len(found(recording.store, b"kept.a")) == 7


def test_a_log_that_began_anew_meanwhile_is_not_replaced(recording: Recording, earlier: RedisServer) -> None:
    store = recording.store
    assert store.take(b"kept.a", Take(7, None), 0, has_glob=True) is None
    assert b"kept.a" not in upgrade(store)
    assert found(store, b"kept.a") == []
    assert earlier.client.pttl("arauto:log:kept.a") > 0  # it expires when all its entries are too old


@pytest.mark.parametrize("right", ["renamenx", "hset", "hget", "hdel", "sadd", "xrevrange", "eval", "type"])
def test_with_one_right_less_nothing_is_lost(recording: Recording, earlier: RedisServer, right: str) -> None:
    admin: Any = earlier.client
    admin.execute_command("ACL", "SETUSER", "short", "on", ">secret", "~*", "&*", "+@all", f"-{right}")
    with closing(redis.Redis(port=earlier.port, username="short", password="secret")) as client:
        upgrade(Store(client, 10_000, 3_600_000))
    upgrade(recording.store)
    assert len(found(recording.store, b"kept.a")) == 7
    assert found(recording.store, b"switched") == [b"one", b"two"]
    assert admin.smembers(SWITCHED) == {b"switched", b"waiting"}
