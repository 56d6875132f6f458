"""Recorders and stand-bys at a real Redis: killed, stopped, and in two databases."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import redis

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.log_position import Position
from arauto.protocol.selection import Selection
from arauto.recording import recorder_thread
from arauto.recording.log_store import Store
from arauto.recording.recorded_channels import Recording
from arauto.recording.recorder_thread import JOIN_PATIENCE, KNOWN_WITHIN
from arauto.recording_core import channel_recorder as recorder_module
from arauto.recording_core.announcements import Mark
from arauto.recording_core.feed_steps import Pages, Read
from arauto.recording_core.log_keys import LEASE, head_of
from arauto.redis_io.connection import RedisLink
from arauto.settings import WORKERS, read
from arauto.workers.worker_states import WorkerStates
from tests.support.logs import is_recording
from tests.support.machine_time import MachineTime
from tests.support.recording import FixedRecording, RecordingProcess, make_store, record, recorder
from tests.support.redis_servers import RedisServer
from tests.support.waiting import PATIENCE, eventually

Start = Callable[..., RecordingProcess]


@pytest.fixture
def store(own_redis: RedisServer) -> Store:
    return make_store(own_redis.url)


@pytest.fixture
def start_process(own_redis: RedisServer, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start_one(
            *channels: str, pattern: str = "", database: int = 0, worker: str = "gthread"
        ) -> RecordingProcess:
            log = tmp_path / f"recording-{len(list(tmp_path.iterdir()))}"
            url = f"{own_redis.url}/{database}"
            process = RecordingProcess(url, log, *channels, pattern=pattern, worker=worker)
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
    """Wait for the last message in the log, and check that the log has exactly these."""
    eventually(lambda: log_of(store, channel)[-1:] == sent[-1:], why="the last is in the log")
    assert log_of(store, channel) == sent


def is_recorded(server: RedisServer, channel: str) -> bool:
    return int(server.client.hget(head_of(channel.encode()), "owner") or 0) > 0


def stands_by(server: RedisServer, channel: str) -> int:
    """The number of processes that receive the channel's announcements."""
    words = f"arauto:words:0:{{{channel}}}"
    return int(server.client.execute_command("PUBSUB", "SHARDNUMSUB", words)[1])


def the_recorder(processes: list[RecordingProcess]) -> RecordingProcess:
    return eventually(
        lambda: next((one for one in processes if one.process.poll() is None and one.token), None),
        why="one process is the recorder",
    )


def publish(server: RedisServer, channel: str, name: str, many: int = 300) -> list[str | None]:
    texts = [f"{name} {n}" for n in range(many)]
    for text in texts:
        server.client.publish(channel, text)
    return list(texts)


@pytest.mark.parametrize("worker", WORKERS)
def test_what_a_killed_recorder_has_not_written_is_written_by_who_stood_by(
    own_redis: RedisServer, store: Store, start_process: Start, worker: str
) -> None:
    processes = [start_process("a", worker=worker) for _ in range(3)]
    eventually(lambda: is_recorded(own_redis, "a") and stands_by(own_redis, "a") == 3, why="three receive it")
    sent = publish(own_redis, "a", "calm")
    expect_log(store, "a", sent)
    for round in range(2):
        first = the_recorder(processes)
        first.process.send_signal(signal.SIGSTOP)  # Redis sends it messages, but it writes nothing
        sent += publish(own_redis, "a", f"unwritten {round}")
        first.kill()
        sent += publish(own_redis, "a", f"alone {round}")
        expect_log(store, "a", sent)


def test_a_process_that_stops_hands_over_at_once(own_redis: RedisServer, store: Store) -> None:
    first, second = recorder(own_redis.url, b"a"), recorder(own_redis.url, b"a")
    first.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    second.start()
    eventually(lambda: stands_by(own_redis, "a") == 2, why="both receive it")
    sent = publish(own_redis, "a", "first")
    expect_log(store, "a", sent)
    eventually(lambda: second.candidate.is_ready, why="the stand-by knows the end of the log")
    first.stop()
    sent += publish(own_redis, "a", "second")
    expect_log(store, "a", sent)
    second.stop()
    assert own_redis.subscribers() == 0


def test_a_recorder_that_stops_writes_what_it_has_at_once(
    own_redis: RedisServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the channel is busy, so the recorder would wait for more messages."""
    monkeypatch.setattr(recorder_module, "REST", 1_000_000)
    monkeypatch.setattr(recorder_thread, "REST", 1_000_000)
    one = recorder(own_redis.url, b"a")
    one.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    sent = list[str | None]()
    while one.candidate.rests_until is None:
        sent += publish(own_redis, "a", f"{len(sent)}", 100)
    log = one.candidate._logs[b"a"].recorder
    eventually(lambda: len(log_of(store, "a")) + log.waiting == len(sent), why="it has received all")
    one.stop()
    assert log_of(store, "a") == sent


def test_a_recorder_that_loses_its_connection_makes_room_at_once(
    own_redis: RedisServer, store: Store
) -> None:
    """The stand-by has the messages that are not in the log, so none is missing."""
    first, second = recorder(own_redis.url, b"a"), recorder(own_redis.url, b"a")
    first.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    second.start()
    eventually(lambda: stands_by(own_redis, "a") == 2 and second.candidate.is_ready, why="both receive it")
    sent = publish(own_redis, "a", "first")
    expect_log(store, "a", sent)
    wire, first._subscriber._connect = first._subscriber._socket, no_way
    assert wire is not None
    wire.shutdown()
    sent += publish(own_redis, "a", "second")
    expect_log(store, "a", sent)
    assert second.candidate.token
    second.stop()
    first.stop()


def no_way() -> NonblockingSocket:
    raise redis.ConnectionError("max number of clients reached")


def test_a_process_that_goes_does_not_become_the_recorder(own_redis: RedisServer) -> None:
    worker_states = WorkerStates()
    worker_states.use_slot(0)
    worker_states.stop()
    going = record(FixedRecording(RedisLink(own_redis.url), Selection((b"a",), ())), worker_states)
    first = recorder(own_redis.url, b"a")
    first.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    going.start()
    eventually(lambda: stands_by(own_redis, "a") == 2 and going.candidate.is_ready, why="both receive it")
    token = first.candidate.token
    first.stop()
    own_redis.client.execute_command("SPUBLISH", "arauto:beats:0", "0 1 0")
    going.stop()
    assert int(own_redis.client.hget(LEASE, "token") or 0) == token


def test_a_server_keeps_the_lease_until_all_its_processes_know_that_it_stops(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_thread, "KNOWN_WITHIN", 1000.0)
    worker_states = WorkerStates()
    worker_states.use_slot(1)
    worker_states.use_slot(0)
    recording = FixedRecording(RedisLink(own_redis.url), Selection((b"a",), ()))
    one = record(recording, worker_states)
    one.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    worker_states.stop()
    stopping = Thread(target=one.stop)
    stopping.start()
    before = recording.refreshed
    eventually(lambda: recording.refreshed > before + 1, why="it continues")
    assert one.candidate.token
    worker_states.use_slot(1)
    worker_states.stop()
    stopping.join(PATIENCE)
    assert own_redis.client.hget(LEASE, "expires") == b"0"


@pytest.mark.parametrize("is_recorder", [True, False])
def test_a_stop_does_not_wait_for_a_redis_that_hangs(
    own_redis: RedisServer, is_recorder: bool, machine: MachineTime
) -> None:
    one = recorder(own_redis.url, b"a")
    one.start()
    if is_recorder:
        eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    own_redis.freeze()
    began = machine()
    one.stop()
    assert machine() - began < KNOWN_WITHIN + JOIN_PATIENCE + 0.5
    own_redis.thaw()
    one.join()


def test_where_nothing_is_to_be_recorded_nothing_is_received(own_redis: RedisServer, store: Store) -> None:
    recording = FixedRecording(RedisLink(own_redis.url), Selection((), ()))
    one = record(recording)
    one.start()

    def has_looked(before: int) -> bool:
        return recording.refreshed > before + 1

    for _ in range(2):
        eventually(lambda: not own_redis.subscribers(), why="no connection is subscribed")
        eventually(partial(has_looked, recording.refreshed), why="it looks at the switches")
        assert (one.candidate.token, own_redis.subscribers()) == (0, 0)
        recording.choose(b"a")
        one.wake()
        eventually(lambda: is_recorded(own_redis, "a") and one.candidate.token, why="it is recorded")
        recording.choose()
        one.wake()
    one.stop()


def test_a_switch_is_followed_at_once(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_thread, "REFRESH_EVERY", 1000)
    recording = FixedRecording(RedisLink(own_redis.url), Selection((b"a",), ()))
    seen: list[int] = []
    one = record(recording, reconcile=lambda: seen.append(recording.generation))
    one.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    recording.choose(b"a", b"b")
    one.wake()
    eventually(lambda: is_recorded(own_redis, "b"), why="it is recorded")
    assert seen == [1]
    one.wake()
    eventually(lambda: seen == [1, 1], why="each has looked once more")
    one.stop()


def test_a_mistake_is_reported_and_ends_nothing(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    recording = FixedRecording(RedisLink(own_redis.url), Selection((b"a",), ()))
    faults: list[Exception] = [KeyError("a mistake"), RuntimeError("can't start new thread")]
    recording.refresh = lambda: raise_next(faults)  # type: ignore[method-assign]
    one = record(recording)
    one.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    one.stop()
    assert caplog.text.count("recorder failed\nTraceback") == 1
    assert caplog.text.count("allows no more processes or threads") == 1
    assert one.error == ""


def raise_next(faults: list[Exception]) -> None:
    if faults:
        raise faults.pop(0)


def allow(server: RedisServer, *rules: str) -> str:
    """The URL of a user with these ACL rules."""
    server.client.execute_command("ACL", "SETUSER", "poor", "reset", "on", ">secret", *rules)
    return server.url.replace("//", "//poor:secret@")


def test_that_nothing_can_be_received_is_reported(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one = recorder(allow(own_redis, "~*", "+@all", "resetchannels", "&a"), b"a")
    one.start()
    eventually(lambda: "permission" in one.error, why="the error is reported")
    one.stop()
    assert len(re.findall("recorder blocked why=.NOPERM", caplog.text)) == 1


@pytest.mark.parametrize("missing", ["-evalsha -eval", "-hset", "-time", "-smembers"])
def test_that_nobody_may_be_the_recorder_is_said_until_somebody_may(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    one = recorder(allow(own_redis, "~*", "&*", "+@all", *missing.split()), b"a")
    one.start()
    eventually(lambda: "permission" in one.error or "NOPERM" in one.error, why="the error is reported")
    assert caplog.text.count("recorder blocked why=") == 1
    allow(own_redis, "~*", "&*", "+@all")
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    eventually(lambda: not one.error, why="the error is cleared")
    one.stop()
    assert "Traceback" not in caplog.text


def test_why_it_cannot_be_the_recorder_is_not_said_while_another_one_is(own_redis: RedisServer) -> None:
    poor = recorder(allow(own_redis, "~*", "&*", "+@all", "-hset"), b"a")
    poor.start()
    eventually(lambda: "hset" in poor.error.lower(), why="the error is reported")
    rich = recorder(own_redis.url, b"a")
    rich.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="the other one records")
    eventually(lambda: not poor.error, why="the error is cleared")
    rich.stop()
    eventually(lambda: "hset" in poor.error.lower(), why="the error is reported again")
    poor.stop()


def test_what_was_the_matter_before_does_not_hide_what_is_now(own_redis: RedisServer) -> None:
    """The connection ends with one error, and the next one has another: it cannot subscribe."""
    one = recorder(allow(own_redis, "~*", "&*", "+@all"), b"a")
    one.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    allow(own_redis, "~*", "&*", "+@all", "-hset")
    eventually(lambda: "hset" in one.error.lower(), why="it sends no beats")
    allow(own_redis, "~*", "+@all", "resetchannels", "&a")
    eventually(lambda: "channels" in one.error or "a channel" in one.error, why="it receives nothing")
    one.stop()


def test_a_channel_without_permission_is_received_once_it_is_granted(
    own_redis: RedisServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are recorded, and a page that follows the refused one gets the reason."""
    monkeypatch.setattr(recorder_thread, "RETRY_EVERY", 0.1)
    url = allow(own_redis, "~*", "+@all", "resetchannels", "&b", "&arauto:*")
    recording = FixedRecording(RedisLink(url), Selection((b"a", b"b"), ()))
    one = record(recording)
    one.start()
    eventually(lambda: is_recorded(own_redis, "b"), why="the other one is recorded")
    eventually(lambda: "permission" in one.why_not(b"a"), why="the reason is reported")
    assert (one.why_not(b"b"), one.error) == ("", "")
    with own_redis.client.pubsub(ignore_subscribe_messages=True) as page:
        page.ssubscribe("arauto:words:0:{a}")
        page.get_message(timeout=PATIENCE)
        store.announce(b"a", Mark("ab.1"))
        announced = [page.get_message(timeout=PATIENCE) for _ in range(2)]
    assert b"stopped 0 NOPERM" in announced[1]["data"]
    allow(own_redis, "~*", "+@all", "allchannels")
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    eventually(lambda: not one.why_not(b"a"), why="the reason is cleared")
    one.stop()
    assert [channel for channel, why in recording.reported if why.startswith("NOPERM")][:1] == [b"a"]
    assert {(b"a", ""), (b"b", "")} <= {*recording.reported}


def test_a_recorder_that_receives_all_records_rather_than_one_that_does_not(own_redis: RedisServer) -> None:
    url = allow(own_redis, "~*", "+@all", "resetchannels", "&arauto:*")
    poor, rich = recorder(url, b"a"), recorder(own_redis.url, b"a")
    poor.start()
    eventually(lambda: poor.why_not(b"a"), why="it may not receive it")
    rich.start()
    eventually(lambda: rich.candidate.token, why="the other one records")
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    poor.stop()
    rich.stop()


def test_a_channel_that_cannot_be_written_is_reported_once_and_again_when_it_can(
    own_redis: RedisServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Recording(RedisLink(own_redis.url), read({"ARAUTO_RECORD": "a"}))
    one = record(recording)
    one.start()
    eventually(lambda: is_recording(own_redis), why="it is the recorder")
    own_redis.client.publish("a", 0)
    expect_log(store, "a", ["0"])
    own_redis.client.config_set("maxmemory", "1")
    for n in range(1, 20):
        own_redis.client.publish("a", n)
    eventually(
        lambda: re.search("recording stopped channel='a' why=.OOM", caplog.text), why="the stop is logged"
    )
    eventually(lambda: "maxmemory" in one.error, why="no process can be the recorder")
    own_redis.client.config_set("maxmemory", "0")
    expect_log(store, "a", [str(n) for n in range(20)])
    eventually(lambda: "recording resumed channel='a'" in caplog.text, why="the end is logged")
    eventually(lambda: not one.error, why="the error is cleared")
    one.stop()
    for event in ("recording stopped", "recording resumed", "recorder blocked why=.command not allowed"):
        assert len(re.findall(event, caplog.text)) == 1


def test_the_recorder_alone_upgrades_and_trims(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_thread, "TRIM_EVERY", 0.0)
    upgraded: list[bool] = []
    monkeypatch.setattr(
        FixedRecording, "upgrade", lambda recording: upgraded.append(is_recorded(own_redis, "a"))
    )
    both = [FixedRecording(RedisLink(own_redis.url), Selection((b"a",), ())) for _ in range(2)]
    first, second = map(record, both)
    first.start()
    eventually(lambda: is_recorded(own_redis, "a"), why="it is recorded")
    assert upgraded == [False]
    second.start()
    eventually(lambda: both[1].refreshed > 2 and both[0].trimmed, why="it trims")
    assert (both[1].trimmed, upgraded) == (0, [False])
    first.stop()
    eventually(lambda: both[1].trimmed, why="the other one does")
    assert upgraded == [False, True]
    second.stop()


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
            assert store.client.execute_command(*store.publish_commands(b"a", b"%d" % n)[1]) == [1, 1, None]
        sent.append(str(n))
    expect_log(store, "a", sent)


def test_a_channel_is_recorded_from_its_first_message_on_where_a_pattern_has_it(
    own_redis: RedisServer, store: Store, start_process: Start
) -> None:
    processes = [start_process(pattern="news.*") for _ in range(2)]
    the_recorder(processes)
    eventually(lambda: patterns(own_redis) == 2, why="both receive the pattern")
    for name in ("news.a", "news.b", "news.}"):
        sent = publish(own_redis, name, name, 20)
        expect_log(store, name, sent)
    own_redis.client.publish("arauto:words:0:{news.a}", "x")
    own_redis.client.publish("other.a", "x")
    assert store.names() == {b"news.a", b"news.b", b"news.}"}


def patterns(server: RedisServer) -> int:
    """The number of clients with a pattern."""
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
