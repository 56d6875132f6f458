"""Processes that record and stand by, at a real Redis: killed, stopped, and in two databases."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import redis

from arauto.memory.feed import Pages, Read
from arauto.memory.keys import head_of
from arauto.memory.store import Store
from arauto.memory.words import Position
from arauto.wire import Wire
from tests.support.recording import RecordingProcess, make_store, recorder
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

Start = Callable[..., RecordingProcess]


@pytest.fixture
def store(own_redis: RedisServer) -> Store:
    return make_store(own_redis.url)


@pytest.fixture
def start_process(own_redis: RedisServer, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start_one(*channels: str, pattern: str = "", database: int = 0) -> RecordingProcess:
            log = tmp_path / f"recording-{len(list(tmp_path.iterdir()))}"
            process = RecordingProcess(f"{own_redis.url}/{database}", log, *channels, pattern=pattern)
            stack.callback(process.kill)
            return process

        yield start_one


def log_of(store: Store, channel: str) -> list[str | None]:
    """All messages of the log, and ``None`` for each gap."""
    found: list[str | None] = []
    pages: Pages | None = store.read(channel.encode(), Read(Position("", 0), None))
    while pages is not None:
        found += [None if entry.data is None else entry.data.decode() for entry in pages.entries]
        pages = store.read(channel.encode(), Read(pages.end, None)) if pages.has_more else None
    return found


def expect_log(store: Store, channel: str, sent: list[str | None]) -> None:
    """Of all that was sent the log has the last, and nothing less, more or otherwise."""
    eventually(lambda: log_of(store, channel)[-1:] == sent[-1:], why="the last is in the log")
    assert log_of(store, channel) == sent


def is_recorded(server: RedisServer, channel: str) -> bool:
    return int(server.client.hget(head_of(channel.encode()), "owner") or 0) > 0


def stands_by(server: RedisServer, channel: str) -> int:
    """How many processes hear what is announced of the channel."""
    words = f"arauto:words:0:{{{channel}}}"
    return int(server.client.execute_command("PUBSUB", "SHARDNUMSUB", words)[1])


def the_recorder(processes: list[RecordingProcess]) -> RecordingProcess:
    return eventually(
        lambda: next((one for one in processes if one.process.poll() is None and one.token), None),
        why="one is the recorder",
    )


def publish(server: RedisServer, channel: str, name: str, many: int = 300) -> list[str | None]:
    texts = [f"{name} {n}" for n in range(many)]
    for text in texts:
        server.client.publish(channel, text)
    return list(texts)


def test_what_a_killed_recorder_has_not_written_is_written_by_who_stood_by(
    own_redis: RedisServer, store: Store, start_process: Start
) -> None:
    processes = [start_process("a") for _ in range(3)]
    eventually(lambda: is_recorded(own_redis, "a") and stands_by(own_redis, "a") == 3, why="three hear it")
    sent = publish(own_redis, "a", "calm")
    expect_log(store, "a", sent)
    for round in range(2):
        first = the_recorder(processes)
        first.process.send_signal(signal.SIGSTOP)  # it hears, and writes nothing
        sent += publish(own_redis, "a", f"unwritten {round}")
        first.kill()
        sent += publish(own_redis, "a", f"alone {round}")
        expect_log(store, "a", sent)


def test_a_process_that_stops_hands_over_at_once(own_redis: RedisServer, store: Store) -> None:
    first, second = recorder(own_redis.url, b"a"), recorder(own_redis.url, b"a")
    first.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    second.start()
    eventually(lambda: stands_by(own_redis, "a") == 2, why="both hear it")
    sent = publish(own_redis, "a", "first")
    expect_log(store, "a", sent)
    eventually(lambda: second.candidate.is_ready, why="the other one knows what is in it")
    first.stop()
    sent += publish(own_redis, "a", "second")
    expect_log(store, "a", sent)
    second.stop()
    assert own_redis.subscribers() == 0


def test_who_finds_no_way_back_to_redis_makes_room(
    own_redis: RedisServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no more clients are let in, say, those that publish being there already."""
    first, second = recorder(own_redis.url, b"a"), recorder(own_redis.url, b"a")
    first.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    second.start()
    eventually(lambda: second.candidate.channels and second.candidate.is_ready, why="both hear it")
    monkeypatch.setattr(first._subscriber, "_connect", no_way)
    own_redis.client.client_kill_filter(_type="pubsub")
    eventually(lambda: second.candidate.token, why="the other one is the recorder")
    eventually(lambda: log_of(store, "a") == [None], why="it goes on behind a gap")
    expect_log(store, "a", [None, *publish(own_redis, "a", "heard")])
    second.stop()
    first.stop()


@pytest.mark.parametrize("heard", ["a", "arauto:*"])
def test_that_nothing_can_be_heard_is_said(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture, heard: str
) -> None:
    rules = ["resetchannels", f"&{heard}"]
    own_redis.client.execute_command("ACL", "SETUSER", "deaf", "on", ">secret", "~*", "+@all", *rules)
    one = recorder(own_redis.url.replace("//", "//deaf:secret@"), b"a")
    one.start()
    eventually(lambda: "recording: " in caplog.text and "permission" in caplog.text, why="it is said")
    one.stop()


def no_way() -> Wire:
    raise redis.ConnectionError("max number of clients reached")


def test_the_form_and_others_are_recorded_in_the_order_in_which_they_published(
    own_redis: RedisServer, store: Store, start_process: Start
) -> None:
    start_process("a")
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    sent: list[str | None] = []
    for n in range(200):
        if n % 2:
            own_redis.client.publish("a", n)
        else:
            assert store.publish(b"a", b"%d" % n) == (1, "")
        sent.append(str(n))
    expect_log(store, "a", sent)


def test_a_channel_is_recorded_from_its_first_message_on_where_a_pattern_has_it(
    own_redis: RedisServer, store: Store, start_process: Start
) -> None:
    processes = [start_process(pattern="news.*") for _ in range(2)]
    the_recorder(processes)
    eventually(lambda: patterns(own_redis) == 2, why="both hear the pattern")
    for name in ("news.a", "news.b", "news.}"):
        sent = publish(own_redis, name, name, 20)
        expect_log(store, name, sent)
    own_redis.client.publish("arauto:words:0:{news.a}", "x")
    own_redis.client.publish("other.a", "x")
    assert store.names() == {b"news.a", b"news.b", b"news.}"}


def patterns(server: RedisServer) -> int:
    """How many clients hear a pattern."""
    return sum(int(client["psub"]) for client in server.client.client_list())


def test_two_databases_do_not_interfere(own_redis: RedisServer, store: Store, start_process: Start) -> None:
    start_process("a", database=0)
    start_process("a", database=1)
    with closing(redis.Redis(port=own_redis.port, db=1)) as other:
        eventually(
            lambda: is_recorded(own_redis, "a") and other.hget(head_of(b"a"), "owner"), why="both record"
        )
    sent = publish(own_redis, "a", "x")
    stores = [store, make_store(f"{own_redis.url}/1")]
    for one in stores:
        expect_log(one, "a", sent)


def test_what_redis_says_of_keys_is_not_recorded(
    own_redis: RedisServer, store: Store, start_process: Start
) -> None:
    own_redis.client.config_set("notify-keyspace-events", "KEA")
    start_process("__keyevent@0__:xadd", "arauto:beats:0", "a", pattern="*")
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    own_redis.client.publish("a", "x")
    eventually(lambda: log_of(store, "a") == ["x"], why="the message is in the log")
    assert store.names() == {b"a"}
