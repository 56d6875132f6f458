"""The scripts of a recorded channel with a faulty Redis, damaged keys or missing permissions."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import redis
from redis.exceptions import NoPermissionError

from arauto.protocol.log_position import Position
from arauto.recording import log_store as store_module
from arauto.recording.log_store import PAGE, Store
from arauto.recording_core.announcement_text import read_announcement
from arauto.recording_core.announcements import Announcement, Appended, Mark, Marked, Renewed, Resumed
from arauto.recording_core.feed_steps import Entry, Pages, Read
from arauto.recording_core.log_keys import LEASE, announcements_of, head_of, promised_of, stream_of
from arauto.recording_core.recorder_steps import Append, Fenced, Outcome, Take, Unwanted
from tests.support.redis_servers import RedisServer

SCRIPTS = ["eval", "evalsha", "time", "info", "publish", "spublish", "type", "unlink"]
KEYS = ["hset", "hdel", "hmget", "xadd", "xdel", "xrange", "xrevrange", "xtrim"]
LISTS = ["lindex", "llen", "lpop", "lrange", "rpush"]
RIGHTS = [*SCRIPTS, *KEYS, *LISTS]


def make(client: redis.Redis) -> Store:
    return Store(client, 10_000, 3_600_000)


@pytest.fixture
def channel(redis_server: RedisServer) -> Iterator[bytes]:
    name = b"store." + uuid.uuid4().hex.encode()
    yield name
    redis_server.client.delete(stream_of(name), head_of(name), promised_of(name))


@pytest.fixture
def store(redis_server: RedisServer) -> Store:
    return make(redis_server.client)


def publish(store: Store, channel: bytes, message: bytes) -> Any:
    return store.client.execute_command(*store.publish_commands(channel, message)[1])


class Log:
    """A log that has begun, and its recorder."""

    def __init__(self, store: Store, channel: bytes, token: int = 7) -> None:
        self.store, self.channel, self.token = store, channel, token
        self.begin()

    def begin(self) -> None:
        assert self.store.take(self.channel, Take(self.token, None), 0, has_glob=True) is None
        self.position = self.read().end

    def append(self, *messages: bytes) -> Outcome:
        done = self.store.append(self.channel, Append(self.token, self.position, messages), 0)
        self.position = Position(self.position.epoch, self.position.number + done.many, self.position.ms)
        return done.outcome

    def read(self, after: Position | None = None, many: int = PAGE) -> Pages:
        pages = self.store.read(self.channel, Read(after or Position("", 0), None), many)
        assert pages is not None
        return pages

    def texts(self) -> list[bytes | None]:
        return [entry.data for entry in self.read().entries]


def test_a_log_is_written_and_read(store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    began = log.position
    assert log.append(b"a", b"b\r\n\0") is Outcome.DONE
    pages = log.read(began)
    assert [(entry.number - began.number, entry.data) for entry in pages.entries] == [
        (1, b"a"),
        (2, b"b\r\n\0"),
    ]
    assert (pages.end, pages.is_other, pages.is_stale) == (log.position, False, False)
    assert log.append() is Outcome.DONE


def test_a_log_that_ends_before_a_loss_was_found_does_not_know_of_it(store: Store, channel: bytes) -> None:
    """As at a replica that became the master before the gap entry was replicated."""
    log = Log(store, channel)
    complete = log.read().until

    def gap_with(*losses: tuple[int, int]) -> int:
        log.store.client.hset(head_of(channel), "until", complete)
        assert store.take(channel, Take(8, None), 0, has_glob=True, losses=losses) is None
        return log.read().entries[-1].since

    found_before, since_after = (complete - 900, complete - 1), (complete, complete + 900)
    assert gap_with(found_before, since_after) == complete
    assert gap_with((complete - 3000, complete)) == complete - 3000
    # Newest first: the gap of the later loss already covers the earlier one.
    assert gap_with((complete - 1000, complete + 500), (complete - 2000, complete - 500)) == complete - 2000


def test_the_later_recorder_has_the_channel(store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    assert store.take(channel, Take(8, log.position), 0, has_glob=True) == log.position
    assert log.append(b"a") is Outcome.FENCED
    with pytest.raises(Fenced) as error:
        store.take(channel, Take(7, log.position), 0, has_glob=True)
    assert error.value.token == 8


def test_a_channel_that_is_switched_off_is_taken_by_its_glob_alone(store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    store.switch(channel, False)
    assert log.append(b"a") is Outcome.FENCED
    with pytest.raises(Unwanted):
        store.take(channel, Take(9, None), 0, has_glob=False)
    assert store.take(channel, Take(9, None), 0, has_glob=True) is None


def test_what_is_off_and_deleted_is_not_begun_by_who_does_not_know(store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    store.switch(channel, False)
    assert store.delete(channel)
    store.drop(channel, stays_off=True)
    assert store.head(channel) is None
    assert channel in store.names()  # it is removed later
    with pytest.raises(Unwanted):
        store.take(channel, Take(9, log.position), 0, has_glob=False)
    store.drop(channel)
    assert channel not in store.names()
    assert store.client.keys(head_of(channel).decode()) == []
    store.switch(channel, True)
    assert store.take(channel, Take(9, None), 0, has_glob=False) is None


def test_entries_of_others_are_passed_over(redis_server: RedisServer, store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    log.append(b"a")
    redis_server.client.xadd(stream_of(channel), {"other": "entry"}, id=f"{1 << 42}-0")
    assert log.append(b"b") is Outcome.MOVED
    log.begin()
    assert log.append(b"b") is Outcome.DONE
    pages = log.read(Position(log.position.epoch, 0))
    assert not pages.has_more
    all_of_it = store.read(channel, Read(Position(log.position.epoch, log.position.number - 1), None))
    assert all_of_it is not None
    assert [entry.data for entry in all_of_it.entries] == [b"b"]
    assert log.texts() == [None, b"b"]  # a gap, and the message after it


def test_an_end_that_was_taken_away_does_not_keep_anything_from_being_written(
    redis_server: RedisServer, store: Store, channel: bytes
) -> None:
    log = Log(store, channel)
    far = redis_server.client.xadd(stream_of(channel), {"other": "entry"}, id=f"{1 << 42}-{1 << 50}")
    redis_server.client.xdel(stream_of(channel), far)
    assert log.append(b"b") is Outcome.MOVED
    log.begin()
    assert log.append(b"b") is Outcome.DONE


def test_a_key_that_is_no_stream(redis_server: RedisServer, store: Store, channel: bytes) -> None:
    redis_server.client.set(stream_of(channel), "x")
    with pytest.raises(redis.ResponseError, match="is no stream"):
        store.take(channel, Take(7, None), 0, has_glob=True)
    assert publish(store, channel, b"a") == [0, 0, None]
    with pytest.raises(redis.ResponseError, match="is no stream"):
        store.switch(channel, True)


def test_what_is_known_badly_is_found_in_several_turns(store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    began = log.position
    log.append(*(b"%d" % n for n in range(10)))
    after, found, turns = Position(began.epoch, began.number + 7, 0), list[Entry](), 0
    while True:
        pages = log.read(after, many=3)
        found += pages.entries
        after, turns = pages.end, turns + 1
        if not pages.has_more:
            break
    assert [entry.data for entry in found] == [b"7", b"8", b"9"]
    assert turns > 1


def test_what_is_promised_survives_the_recorder(store: Store, channel: bytes) -> None:
    log = Log(store, channel)
    assert publish(store, channel, b"a\n 1") == [0, 1, None]
    assert publish(store, channel, b"b") == [0, 1, None]
    assert log.append(b"a\n 1") is Outcome.DONE
    assert store.take(channel, Take(8, None), 0, has_glob=True) is None
    pages = store.read(channel, Read(Position(log.position.epoch, log.position.number), None))
    assert pages is not None
    assert [entry.data for entry in pages.entries] == [b"b", None]


def test_what_is_written_while_a_log_is_read_is_read_later(
    store: Store, channel: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(store, channel)
    began = log.position
    log.append(b"a")
    head, stream = head_of(channel), stream_of(channel)
    later = "redis.call('XADD', KEYS[2], '*', 'm', 'later') redis.call('HINCRBY', KEYS[1], 'number', 1)"
    monkeypatch.setattr(store_module, "RUN", ("EVAL", f"{later} return ''", 2, head, stream))
    pages = log.read(began)
    assert [entry.data for entry in pages.entries] == [b"a"]
    assert (pages.end, pages.has_more) == (log.position, False)


def test_what_is_deleted_while_a_log_is_read_is_seen_to_be_missing(
    store: Store, channel: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(store, channel)
    began = log.position
    log.append(b"a", b"b")
    command = ("EVAL", "redis.call('UNLINK', KEYS[1]) return ''", 1, stream_of(channel))
    monkeypatch.setattr(store_module, "RUN", command)
    pages = log.read(began)
    assert (pages.entries, pages.end.number, pages.has_more) == ([], began.number + 2, False)


def test_a_take_that_is_refused_changes_nothing(
    redis_server: RedisServer, store: Store, channel: bytes
) -> None:
    """Otherwise the gap of the next take would begin at the refused one."""
    log = Log(store, channel)
    log.append(b"a")
    before = redis_server.client.hgetall(head_of(channel))
    redis_server.client.set(promised_of(channel), "x")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.take(channel, Take(8, None), 0, has_glob=True)
    assert redis_server.client.hgetall(head_of(channel)) == before


def test_what_somebody_else_put_before_promises_does_not_hide_them(
    redis_server: RedisServer, store: Store, channel: bytes
) -> None:
    log = Log(store, channel)
    redis_server.client.rpush(promised_of(channel), "somebody else's")
    publish(store, channel, b"a")
    publish(store, channel, b"b")
    assert log.append(b"a", b"b") is Outcome.DONE
    assert redis_server.client.llen(promised_of(channel)) == 0
    store.take(channel, Take(8, None), 0, has_glob=True)
    assert log.texts().count(b"a") <= 1


@pytest.mark.parametrize("number", [9 * 10**14, 10**15, 10**16, 10**20])
@pytest.mark.parametrize("field", ["owner", "number", "ms", "until", "closed", "begins"])
def test_a_number_that_nobody_reads_is_not_counted_on(
    redis_server: RedisServer, store: Store, channel: bytes, field: str, number: int
) -> None:
    Log(store, channel)
    redis_server.client.hset(head_of(channel), field, str(number))
    log = Log(store, channel, token=8)
    assert log.append(b"a") is Outcome.DONE
    assert log.texts()[-1] == b"a"
    assert max(log.position.number, log.position.ms) < 9 * 10**14


def test_a_lease_with_a_number_that_nobody_reads_is_none(redis_server: RedisServer, store: Store) -> None:
    redis_server.client.hset(LEASE, mapping={"token": str(10**16), "expires": "0"})
    assert 0 < store.claim() < 9 * 10**14
    redis_server.client.delete(LEASE)


def test_an_entry_with_a_number_that_nobody_reads_is_named(
    redis_server: RedisServer, store: Store, channel: bytes
) -> None:
    Log(store, channel)
    redis_server.client.xadd(stream_of(channel), {"m": "x"}, id=f"{10**16}-1")
    with pytest.raises(redis.ResponseError, match="has an entry that is none of ours: delete it"):
        store.take(channel, Take(8, None), 0, has_glob=True)
    assert store.delete(channel)
    assert Log(store, channel, token=9).append(b"a") is Outcome.DONE


@pytest.mark.parametrize("field", ["epoch", "run"])
def test_a_head_that_is_no_text_is_read(
    redis_server: RedisServer, store: Store, channel: bytes, field: str
) -> None:
    log = Log(store, channel)
    log.append(b"a")
    redis_server.client.hset(head_of(channel), field, b"\xff\xfe")
    assert log.texts() == [b"a"] or log.texts() == [None, b"a"]
    assert store.head(channel) is not None


@pytest.mark.parametrize("name", [b"}", b"{", b"{a}b", b"a b", b"\xff\n", b"a}b{c"])
def test_every_name_has_a_log_of_its_own(redis_server: RedisServer, store: Store, name: bytes) -> None:
    log = Log(store, name)
    log.append(name)
    assert log.texts() == [name]
    assert store.delete(name)
    assert redis_server.client.delete(head_of(name)) == 1


def test_databases_do_not_interfere(redis_server: RedisServer, store: Store, channel: bytes) -> None:
    with closing(redis.Redis(port=redis_server.port, db=1)) as client:
        with announced(redis_server, announcements_of(channel, 0)) as here:
            other = Log(make(client), channel)
            other.append(b"there")
            Log(store, channel).append(b"here")
        client.flushdb()
    assert [announcement for announcement in here if isinstance(announcement, Appended)] == [here[-1]]


class announced:
    """Receives the announcements that are made while the block runs."""

    def __init__(self, server: RedisServer, name: bytes) -> None:
        self._server, self._name = server, name
        self.words: list[Announcement] = []

    def __enter__(self) -> list[Announcement]:
        self._pubsub = self._server.client.pubsub()
        self._pubsub.ssubscribe(self._name)
        return self.words

    def __exit__(self, *_: object) -> None:
        self._server.client.execute_command("SPUBLISH", self._name, b"end")
        while (message := self._pubsub.get_sharded_message(timeout=10)) is not None:
            if message["data"] == b"end":
                break
            if message["type"] == "smessage" and (announcement := read_announcement(message["data"])):
                self.words.append(announcement)
        self._pubsub.close()


@pytest.mark.parametrize("right", RIGHTS)
def test_with_one_right_less_everything_is_announced_or_not_written(
    redis_server: RedisServer, channel: bytes, right: str
) -> None:
    """And messages are published, whatever else is refused, unless the user may not run scripts."""
    admin = redis_server.client
    rules = ["resetkeys", "resetchannels", "-@all", "~arauto:*", "&*", *(f"+{name}" for name in RIGHTS)]
    admin.execute_command("ACL", "SETUSER", "short", "on", ">secret", *rules, f"-{right}")
    log = Log(make(admin), channel)
    admin.script_flush()  # else a cached script could run without +eval
    with closing(redis.Redis(port=redis_server.port, username="short", password="secret")) as client:
        short = make(client)
        with announced(redis_server, announcements_of(channel, 0)) as words:
            received = published(short, channel)
            attempt(lambda: short.announce(channel, Mark("5f3a.1")))
            attempt(lambda: short.append(channel, Append(7, log.position, (b"a", b"b")), 0))
            attempt(lambda: short.take(channel, Take(8, log.position), 0, has_glob=True))
            attempt(lambda: short.take(channel, Take(9, None), 0, has_glob=True))
    admin.execute_command("ACL", "DELUSER", "short")
    assert received is (right not in ("eval", "publish"))
    ends = [end_of(announcement) for announcement in words if not isinstance(announcement, Mark)]
    assert log.read().end == (ends or [log.position])[-1]
    numbers = [entry.number for entry in log.read(log.position).entries]
    assert numbers == list(range(log.position.number + 1, log.read().end.number + 1))


def end_of(announcement: Announcement) -> Position:
    """The end of the log in an announcement."""
    assert isinstance(announcement, Appended | Resumed | Renewed | Marked), announcement
    return announcement.last if isinstance(announcement, Appended) else announcement.position


def published(store: Store, channel: bytes) -> bool:
    try:
        publish(store, channel, b"x")
    except NoPermissionError:
        return False
    return True


def attempt(step: object) -> None:
    try:
        step()  # type: ignore[operator]
    except redis.ResponseError:
        pass
