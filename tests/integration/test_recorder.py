"""What others publish is recorded too: once, in order, or a gap in the log says since when not."""

import itertools
import os
import signal
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
from tests.support.waiting import eventually


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
    """The recorder renews its lease, and has tried all again that it could not record."""
    for _ in range(2):
        expires = redis_server.client.hget("arauto:recorder", "expires")
        eventually(lambda expires=expires: redis_server.client.hget("arauto:recorder", "expires") != expires)


def recorder_of(server: ArautoServer, redis_server: RedisServer) -> Any:
    """The worker process that holds the recorder's connection."""
    ports = [
        int(client["addr"].rsplit(":", 1)[1])
        for client in redis_server.client.client_list(_type="pubsub")
        if client["psub"] != "0"
    ]
    (holder,) = [
        worker
        for worker in server.workers()
        if any(connection.laddr.port in ports for connection in worker.net_connections("tcp"))
    ]
    return holder


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


def test_a_recorder_that_is_killed_is_replaced_and_leaves_a_gap(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    os.kill(recorder_of(recording, own_redis).pid, signal.SIGKILL)
    publish(recording, "exact", "meanwhile")  # from here: safe while no recorder runs
    eventually(lambda: gaps(own_redis, "exact") == 1, within=8)
    own_redis.client.publish("exact", "after")
    eventually(lambda: logged(own_redis, "exact") == [b"before", b"meanwhile", b"after"])


def test_a_recorder_that_is_killed_in_the_middle_of_a_burst(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    """Before the gap and after it nothing is missing; nothing is there twice."""
    over = Event()

    def publish_on() -> None:
        for start in itertools.count(0, 5):
            with own_redis.client.pipeline(transaction=False) as pipeline:
                for n in range(start, start + 5):
                    pipeline.publish("exact", str(n))
                pipeline.execute()
            if over.wait(0.005):
                own_redis.client.publish("exact", "last")
                return

    burst = Thread(target=publish_on)
    burst.start()
    eventually(lambda: len(log_of(own_redis, "exact")) > 100)
    os.kill(recorder_of(recording, own_redis).pid, signal.SIGKILL)
    eventually(lambda: gaps(own_redis, "exact") == 1, within=8)
    over.set()
    burst.join()
    eventually(lambda: logged(own_redis, "exact")[-1:] == [b"last"])
    fields = [fields for _, fields in log_of(own_redis, "exact")]
    at = next(place for place, field in enumerate(fields) if b"gap" in field)
    before, after = ([int(field[b"o"]) for field in part] for part in (fields[:at], fields[at + 1 : -1]))
    assert before == list(range(len(before)))
    assert after == list(range(after[0], after[0] + len(after)))
    assert len(before) > 100
    assert after[0] > before[-1] + 1


def test_a_lease_from_the_future_is_none(own_redis: RedisServer) -> None:
    """Redis's clock went back while the recorder died."""
    recordings = [Recording(RedisLink(own_redis.url), read({"ARAUTO_RECORD": "*"})) for _ in range(2)]
    first, second = (recording.claim(3000) for recording in recordings)
    assert (first > 0, second) == (True, 0)
    own_redis.client.hset("arauto:recorder", "expires", 4_000_000_000_000)
    assert recordings[1].claim(3000) > first
    for recording in recordings:
        recording.link.close()


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
        eventually(lambda: gaps(own_redis, "exact") == 1, within=8)
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
        allow("resetkeys", "~arauto:logs", "~arauto:recorder", "~arauto:log:kept.a")
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
    eventually(lambda: logged(own_redis, "exact") == [b"x"])
    eventually(lambda: own_redis.client.xlen("arauto:log:exact") == 0)
    assert own_redis.client.hget("arauto:logs", "exact").endswith(b"-1")
