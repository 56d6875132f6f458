"""Messages of other clients are recorded too: once and in order, or the log has a gap."""

from functools import partial
from threading import Event

import pytest

from arauto.recording.log_store import Store
from arauto.recording_core.candidate import NEVER
from arauto.recording_core.log_keys import LEASE
from arauto.settings import WORKERS
from tests.support.logs import gaps, head, is_recording, logged, owner
from tests.support.recording import make_store, recorder_of
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually


@pytest.fixture(params=WORKERS)
def recording(request: pytest.FixtureRequest, start: Start, own_redis: RedisServer) -> ArautoServer:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*,exact", ARAUTO_WORKER=request.param)
    eventually(lambda: is_recording(own_redis), why="there is a recorder")
    return server


def test_a_burst_on_many_channels(recording: ArautoServer, own_redis: RedisServer) -> None:
    names = [f"kept.{n}" for n in range(100)]
    with own_redis.client.pipeline(transaction=False) as pipeline:
        for n in range(50):
            for name in names:
                pipeline.publish(name, str(n))
        pipeline.publish("other", "not kept")
        pipeline.publish("exact", b"x" * 1_000_000)
        pipeline.execute()
    eventually(lambda: logged(own_redis, "exact") == [b"x" * 1_000_000])

    def is_whole(name: str) -> bool:
        return logged(own_redis, name) == [str(n).encode() for n in range(50)]

    for name in names:
        eventually(partial(is_whole, name))
    assert own_redis.client.keys("*other*") == []


@pytest.fixture
def store(own_redis: RedisServer) -> Store:
    return make_store(own_redis.url)


def test_a_lease_from_the_future_is_none(store: Store, own_redis: RedisServer) -> None:
    """The recorder died, and Redis's clock was set back."""
    first = store.claim()
    assert (first > 0, store.claim()) == (True, 0)
    own_redis.client.hset(LEASE, "expires", 4_000_000_000_000)
    assert store.claim() > first


def test_a_lease_that_has_run_out_is_left_to_who_knows_the_logs(store: Store, own_redis: RedisServer) -> None:
    first = store.claim()
    own_redis.client.hset(LEASE, "expires", own_redis.client.time()[0] * 1000)
    assert store.claim(grace=600_000) == 0
    second = store.claim()
    assert second > first
    store.release(second)
    assert store.claim(grace=600_000) > second


def test_a_lease_of_another_run_of_redis_is_none(store: Store, own_redis: RedisServer) -> None:
    """As after a failover: the new master has the lease, but its holder cannot write there."""
    assert not store.claim(grace=NEVER)
    token = store.claim()
    assert not store.claim(grace=NEVER)
    own_redis.client.hset(LEASE, "run", "0" * 40)
    assert store.claim(grace=NEVER) > token
    assert not store.claim()


def test_a_stop_gives_the_lease_back(recording: ArautoServer, own_redis: RedisServer) -> None:
    recording.stop()
    assert own_redis.client.hget(LEASE, "expires") == b"0"


def test_a_lost_lease_makes_no_duplicate(recording: ArautoServer, own_redis: RedisServer) -> None:
    """Another process takes the lease under load: the previous recorder must not write any more."""
    for n in range(300):
        own_redis.client.publish("exact", str(n))
        if n % 100 == 50:
            own_redis.client.hincrby(LEASE, "token", 1)
        Event().wait(0.02)
    own_redis.client.publish("exact", "last")
    eventually(lambda: logged(own_redis, "exact")[-1:] == [b"last"])
    numbers = [int(data) for data in logged(own_redis, "exact") if data.isdigit()]
    assert numbers == sorted(set(numbers))
    assert numbers == list(range(300)) or gaps(own_redis, "exact")


def test_a_recorder_that_stood_still_writes_nothing_twice(
    recording: ArautoServer, own_redis: RedisServer
) -> None:
    """It receives all that its successor wrote, and learns of that successor only by a refused write."""
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    holder, token = recorder_of(recording), owner(own_redis, "exact")
    holder.suspend()
    try:
        eventually(lambda: owner(own_redis, "exact") > token, why="the other process has taken over")
        wanted = [b"before", *(b"%d" % n for n in range(500))]
        for data in wanted[1:]:
            own_redis.client.publish("exact", data)
        eventually(lambda: logged(own_redis, "exact") == wanted)
    finally:
        holder.resume()
    own_redis.client.publish("exact", "after")
    wanted.append(b"after")
    eventually(lambda: logged(own_redis, "exact")[-1:] == [b"after"])
    assert logged(own_redis, "exact") == wanted


def test_subscribers_killed_leave_a_gap(recording: ArautoServer, own_redis: RedisServer) -> None:
    own_redis.client.publish("exact", "before")
    eventually(lambda: logged(own_redis, "exact") == [b"before"])
    own_redis.client.execute_command("CLIENT KILL TYPE pubsub")
    eventually(lambda: gaps(own_redis, "exact") == 1)
    own_redis.client.publish("exact", "after")
    eventually(lambda: logged(own_redis, "exact") == [b"before", b"after"])


def test_what_is_old_is_let_go(start: Start, own_redis: RedisServer) -> None:
    start(
        REDIS_URL=own_redis.url,
        ARAUTO_RECORD="*",
        ARAUTO_RECORD_SECONDS="1",
        ALTER="import arauto.recording.recorder_thread as thread; thread.TRIM_EVERY = 0.5",
    )
    eventually(lambda: is_recording(own_redis))
    own_redis.client.publish("exact", "x")
    eventually(
        lambda: (log := head(own_redis, "exact")) and log["number"] > log["begins"], why="it was written"
    )
    eventually(lambda: logged(own_redis, "exact") == [])
