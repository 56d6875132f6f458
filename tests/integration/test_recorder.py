"""What others publish is recorded too: once, in order, or a gap in the log says since when not."""

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest

from arauto.logs import Id
from arauto.recording import Recording
from arauto.redis_link import RedisLink
from arauto.settings import WORKERS, read
from tests.support.http import publish
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE, eventually


@pytest.fixture(params=WORKERS)
def recording(
    request: pytest.FixtureRequest, start: type[ArautoServer], own_redis: RedisServer
) -> ArautoServer:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*,kept.a,exact", ARAUTO_WORKER=request.param)
    eventually(lambda: is_recording(own_redis), why="one has the lease and listens")
    return server


def is_recording(redis_server: RedisServer) -> bool:
    return bool(redis_server.client.hget("arauto:recorder", "until"))


def log_of(redis_server: RedisServer, channel: str) -> list[tuple[int, dict[bytes, bytes]]]:
    log: Any = redis_server.client.xrange(f"arauto:log:{channel}")
    return [(Id.read(id).n, fields) for id, fields in log]


def logged(redis_server: RedisServer, channel: str) -> list[bytes]:
    """The messages in the log; that the numbers have no hole is checked."""
    log = log_of(redis_server, channel)
    assert [n for n, _ in log] == list(range(1, len(log) + 1))
    return [data for _, fields in log for field, data in fields.items() if field != b"gap"]


def gaps(redis_server: RedisServer, channel: str) -> int:
    return sum(b"gap" in fields for _, fields in log_of(redis_server, channel))


def wait_for_beat(redis_server: RedisServer) -> None:
    """The recorder renews its lease, and tries all again that it could not record."""
    expires = redis_server.client.hget("arauto:recorder", "expires")
    eventually(lambda: redis_server.client.hget("arauto:recorder", "expires") != expires)


def recorder_of(server: ArautoServer, redis_server: RedisServer) -> Any:
    """The worker process that holds the recorder's connection."""
    ports = [
        int(client["addr"].rsplit(":", 1)[1])
        for client in redis_server.client.client_list(_type="pubsub")
        if client["psub"] != "0"
    ]
    holders = [
        worker
        for worker in server.workers()
        if any(connection.laddr.port in ports for connection in worker.net_connections("tcp"))
    ]
    assert len(holders) == 1, "one that has lost the lease has not given up yet"
    return holders[0]


def test_each_message_is_recorded_once_whoever_publishes_it(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    wanted = set()
    for n in range(60):
        publish(recording, "kept.a", f"inside {n}")
        own_redis.client.publish("kept.a", f"outside {n}".encode() + b"\xff\x00")
        wanted |= {f"inside {n}".encode(), f"outside {n}".encode() + b"\xff\x00"}
    eventually(lambda: len(logged(own_redis, "kept.a")) == len(wanted))
    assert set(logged(own_redis, "kept.a")) == wanted
    for side in (b"inside", b"outside"):
        numbers = [int(m.split()[1].rstrip(b"\xff\x00")) for m in logged(own_redis, "kept.a") if side in m]
        assert numbers == list(range(60))
    own_redis.client.publish("other", "not kept")
    own_redis.client.publish("exact", "sentinel")
    eventually(lambda: logged(own_redis, "exact") == [b"sentinel"])
    assert own_redis.client.keys("*other*") == []


def test_a_burst_on_many_channels(recording: ArautoServer, own_redis: RedisServer) -> None:
    names = [f"kept.{n}" for n in range(100)]
    with own_redis.client.pipeline(transaction=False) as pipeline:
        for n in range(50):
            for name in names:
                pipeline.publish(name, str(n))
        pipeline.publish("exact", b"x" * 1_000_000)
        pipeline.execute()
    eventually(lambda: logged(own_redis, "exact") == [b"x" * 1_000_000])
    for name in names:
        assert logged(own_redis, name) == [str(n).encode() for n in range(50)]


@contextmanager
def burst(redis_server: RedisServer, channel: str) -> Iterator[None]:
    """A thousand numbers a second until it is left, then ``last``."""
    over = Event()

    def publish_on() -> None:
        for start in itertools.count(0, 5):
            with redis_server.client.pipeline(transaction=False) as pipeline:
                for n in range(start, start + 5):
                    pipeline.publish(channel, str(n))
                pipeline.execute()
            if over.wait(0.005):
                redis_server.client.publish(channel, "last")
                return

    thread = Thread(target=publish_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_recorder_that_is_killed_is_replaced_and_leaves_a_gap(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    with burst(own_redis, "kept.a"):
        eventually(lambda: len(logged(own_redis, "kept.a")) > 100)
        os.kill(recorder_of(recording, own_redis).pid, signal.SIGKILL)
        publish(recording, "exact", "meanwhile")  # from here: safe while no recorder runs
        eventually(lambda: gaps(own_redis, "exact") == 1)
        own_redis.client.publish("exact", "after")
        eventually(lambda: logged(own_redis, "exact") == [b"before", b"meanwhile", b"after"])
        eventually(lambda: b"gap" not in log_of(own_redis, "kept.a")[-1][1])
    eventually(lambda: logged(own_redis, "kept.a")[-1] == b"last")
    check_burst([fields for _, fields in log_of(own_redis, "kept.a")])


def check_burst(log: list[dict[bytes, bytes]]) -> None:
    """Before the gap and after it nothing is missing; nothing is there twice."""
    gap = next(place for place, fields in enumerate(log) if b"gap" in fields)
    before, after = ([int(fields[b"o"]) for fields in part] for part in (log[:gap], log[gap + 1 : -1]))
    assert before == list(range(len(before)))
    assert after == list(range(after[0], after[0] + len(after)))
    assert after[0] > len(before)


@pytest.fixture
def recordings(own_redis: RedisServer) -> Iterator[list[Recording]]:
    """What two processes say to Redis, without the processes."""
    links = [RedisLink(own_redis.url) for _ in range(2)]
    yield [Recording(link, read({"ARAUTO_RECORD": "*"})) for link in links]
    for link in links:
        link.close()


def test_a_lease_from_the_future_is_none(recordings: list[Recording], own_redis: RedisServer) -> None:
    """Redis's clock went back while the recorder died."""
    first, second = (recording.claim(3000) for recording in recordings)
    assert (first > 0, second) == (True, 0)
    own_redis.client.hset("arauto:recorder", "expires", 4_000_000_000_000)
    assert recordings[1].claim(3000) > first


def test_numbers_are_told_in_their_order(recordings: list[Recording], own_redis: RedisServer) -> None:
    """Late, but before any that is greater, whoever has to say that one."""
    recording, other = recordings
    token = recording.claim(60_000)
    with own_redis.client.pubsub(ignore_subscribe_messages=True) as tab:
        tab.ssubscribe("arauto:ids:a")
        tab.get_message(timeout=PATIENCE)
        recording.append(b"a", token, True, [b"1"])
        recording.append(b"a", token, False, [b"2", b"3"])
        recording.append(b"a", token, False, [b"4"])
        own_redis.client.execute_command(*other.publishing(b"a", b"5"))
        recording.append(b"a", token, False, [b"6"])
        recording.say(token, [b"a", b"b"])
        recording.append(b"a", token, False, [b"7"])
        recording.take(token)
        recording.append(b"a", token, False, [b"9"])
        recording.append(b"a", token, True, [b"10"])
        recording.append(b"a", token, False, [b"11"])
        own_redis.client.delete("arauto:log:a", "arauto:logs")
        own_redis.client.execute_command(*other.publishing(b"a", b"of another log"))
        told = []
        while message := tab.get_message(timeout=1):
            kind, position, *many = message["data"].split()
            told.append(b" ".join([kind, position.rpartition(b"-")[2], *many]).decode())
    assert told[:7] == ["late 1 1", "late 2 2", "late 4 1", "next 5", "late 6 1", "late 7 1", "gap 8"]
    assert told[7:] == ["late 9 1", "late 10 1", "next 1"]
    assert not own_redis.client.exists("arauto:unsaid")


def test_a_stop_gives_the_lease_back(recording: ArautoServer, own_redis: RedisServer) -> None:
    recording.stop()
    lease = own_redis.client.hgetall("arauto:recorder")
    seconds, microseconds = own_redis.client.time()
    assert int(lease[b"expires"]) <= seconds * 1000 + microseconds // 1000


def test_a_lost_lease_makes_no_duplicate(recording: ArautoServer, own_redis: RedisServer) -> None:
    """Another takes the lease while messages come: the one before must not write any more."""
    for n in range(300):
        own_redis.client.publish("exact", str(n))
        if n % 100 == 50:
            own_redis.client.hincrby("arauto:recorder", "token", 1)
        Event().wait(0.02)

    def is_recorded_again() -> bool:
        own_redis.client.publish("exact", "last")
        return b"last" in logged(own_redis, "exact")

    eventually(is_recorded_again)
    assert gaps(own_redis, "exact") >= 1
    numbers = [int(data) for data in logged(own_redis, "exact") if data.isdigit()]
    assert numbers == sorted(set(numbers))


def test_a_recorder_that_stood_still_writes_nothing_twice(
    start: type[ArautoServer], own_redis: RedisServer
) -> None:
    """It has heard all that its successor wrote, and learns only by writing that it has one."""
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="exact")
    eventually(lambda: is_recording(own_redis))
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    holder = recorder_of(server, own_redis)
    holder.suspend()
    try:
        eventually(lambda: gaps(own_redis, "exact") == 1)
        wanted = [b"before", *(b"%d" % n for n in range(500))]
        for data in wanted[1:]:
            own_redis.client.publish("exact", data)
        eventually(lambda: logged(own_redis, "exact") == wanted)
    finally:
        holder.resume()
    eventually(lambda: recorder_of(server, own_redis).pid != holder.pid, why="it has given up")
    assert logged(own_redis, "exact") == wanted


def test_a_full_redis_leaves_a_gap_when_it_is_over(recording: ArautoServer, own_redis: RedisServer) -> None:
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    own_redis.client.config_set("maxmemory", "1")
    assert own_redis.client.publish("exact", "lost") == 1
    eventually(lambda: "channel 'exact' is not recorded any more: OOM" in recording.log)
    own_redis.client.config_set("maxmemory", "0")
    eventually(lambda: "channel 'exact' is recorded again" in recording.log)
    own_redis.client.publish("exact", "after")
    eventually(lambda: logged(own_redis, "exact") == [b"before", b"after"])
    assert gaps(own_redis, "exact") == 1


@pytest.mark.parametrize("fault", ["WRONGTYPE", "ERR ACL failure in script: No permissions"])
def test_a_channel_that_cannot_be_recorded(
    start: type[ArautoServer], own_redis: RedisServer, fault: str
) -> None:
    """The others are, it is said once, and a gap comes first when it can be again."""
    allow = partial(own_redis.client.execute_command, "ACL", "SETUSER", "poor")
    allow("on", ">secret", "~*", "&*", "+@all")
    if fault != "WRONGTYPE":
        allow("resetkeys", "~arauto:logs", "~arauto:record*", "~arauto:log:kept.a")
    else:
        own_redis.client.set("arauto:log:exact", "mine")
    url = own_redis.url.replace("//", "//poor:secret@")
    server = start(REDIS_URL=url, ARAUTO_RECORD="kept.*,exact", ARAUTO_WORKERS="1")
    eventually(lambda: is_recording(own_redis))
    for n in range(3):
        own_redis.client.publish("exact", "lost")
        own_redis.client.publish("kept.a", str(n))
        eventually(lambda n=n: len(logged(own_redis, "kept.a")) > n)
        wait_for_beat(own_redis)
    assert server.log.count(f"channel 'exact' is not recorded any more: {fault}") == 1
    assert "recorded again" not in server.log
    if fault != "WRONGTYPE":
        allow("allkeys")
    else:
        own_redis.client.delete("arauto:log:exact")
    eventually(lambda: server.log.count("channel 'exact' is recorded again") == 1)
    own_redis.client.publish("exact", "after")
    eventually(lambda: logged(own_redis, "exact") == [b"after"])
    assert gaps(own_redis, "exact") == 1


def test_subscribers_killed_leave_a_gap(recording: ArautoServer, own_redis: RedisServer) -> None:
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    own_redis.client.execute_command("CLIENT KILL TYPE pubsub")
    eventually(lambda: gaps(own_redis, "exact") == 1)
    own_redis.client.publish("exact", "after")
    eventually(lambda: logged(own_redis, "exact") == [b"before", b"after"])


def test_what_is_old_is_let_go(start: type[ArautoServer], own_redis: RedisServer) -> None:
    start(
        REDIS_URL=own_redis.url,
        ARAUTO_RECORD="*",
        ARAUTO_RECORD_SECONDS="1",
        ALTER="import arauto.recorder; arauto.recorder.TRIM_EVERY = 0.5",
    )
    eventually(lambda: is_recording(own_redis))
    own_redis.client.publish("exact", "x")
    eventually(lambda: (own_redis.client.hget("arauto:logs", "exact") or b"").endswith(b"-1"))
    eventually(lambda: own_redis.client.xlen("arauto:log:exact") == 0)
    assert own_redis.client.hget("arauto:logs", "exact").endswith(b"-1")
