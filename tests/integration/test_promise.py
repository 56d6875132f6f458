"""Every message comes once and in order, or is within a gap, which has a start and an end."""

import random
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from arauto.settings import WORKERS
from tests.support import faults
from tests.support.faults import FAULTS
from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer, binaries
from tests.support.scenes import bad_network, lose_nothing_slowly, promised, settle
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually
from tests.support.witness import SHARDED

Stage = tuple[RedisServer, Proxy, ArautoServer]
MIXED = ["promise.a", f"{SHARDED}b", f"{SHARDED}c"]


@pytest.fixture(scope="module", params=WORKERS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The program on each worker, with a bad network between it and one of the two Redis servers."""
    servers = binaries()
    binary = servers["valkey"] if request.param == "gevent" else servers.get("redis", servers["valkey"])
    directory = tmp_path_factory.mktemp("promise")
    redis_server = RedisServer(binary, directory)
    with closing(redis_server), bad_network(redis_server) as proxy:
        server = ArautoServer(
            directory / "log", REDIS_URL=f"redis://127.0.0.1:{proxy.port}", ARAUTO_WORKER=request.param
        )
        with closing(server):
            yield redis_server, proxy, server
            assert "Traceback" not in server.log


SHORT = st.tuples(
    st.sampled_from(sorted(FAULTS)),
    st.floats(0.05, 1.5),  # seconds that a fault lasts
    st.floats(0.0, 0.5),  # seconds until the next
)


@settings(
    max_examples=4,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(schedule=st.lists(SHORT, min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_the_promise_holds_whatever_happens(
    stage: Stage, schedule: list[tuple[str, float, float]], seed: int
) -> None:
    random.seed(seed)
    with promised(*stage, channels=MIXED) as (scene, _):
        for name, seconds, pause in schedule:
            FAULTS[name](scene, seconds)
            Event().wait(pause)
        note(f"seed {seed}, causes {scene.causes}")


def test_a_slow_and_a_slicing_network_lose_nothing(stage: Stage) -> None:
    lose_nothing_slowly(*stage)


def test_a_link_reset_within_a_message_is_one_gap(stage: Stage) -> None:
    with promised(*stage, padding=100_000, pause=0.05) as (scene, _):
        with scene.cause():
            scene.proxy.cut_after(150_000)
            eventually(lambda: all(witness.record.gaps for witness in scene.witnesses), within=30)
        assert [len(witness.record.gaps) for witness in scene.witnesses] == [1] * 3


def test_redis_restarted_empty_at_once_and_later(stage: Stage) -> None:
    with promised(*stage, channels=MIXED) as (scene, _):
        for seconds in (0.5, 5):
            faults.restart_redis(scene, seconds)
            eventually(lambda: all(witness.is_live for witness in scene.witnesses), within=30)
        assert [len(witness.record.gaps) for witness in scene.witnesses] == [2] * 3


def test_subscribers_killed_again_and_again(stage: Stage) -> None:
    """Every 200 ms for 10 s; the back-off bounds the number of connections."""
    redis_server, _, server = stage
    with promised(*stage, channels=MIXED) as (scene, _):
        threads = server.threads()
        before = redis_server.client.info("stats")["total_connections_received"]
        for _ in range(50):
            faults.kill_subscribers(scene, 0)
            Event().wait(0.2)
        opened = redis_server.client.info("stats")["total_connections_received"] - before
        assert opened <= 3 * 20, opened  # without a back-off each of three tabs would connect fifty times
        assert server.threads() <= threads + 2


@pytest.fixture
def small_buffers(stage: Stage) -> Iterator[None]:
    """Redis closes a subscriber that is a megabyte behind."""
    client = stage[0].client
    usual = client.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
    assert usual is not None
    client.config_set("client-output-buffer-limit", "pubsub 1mb 1mb 1")
    yield
    client.config_set("client-output-buffer-limit", usual)


@pytest.mark.usefixtures("small_buffers")
def test_what_redis_drops_for_a_slow_tab_is_reported(stage: Stage) -> None:
    """A tab stops reading for a while, and Redis closes the subscriber of its feed."""
    redis_server = stage[0]
    with promised(*stage, tabs=2, pause=0.005, padding=60_000) as (scene, numbers):
        slow = scene.witnesses[0]
        with scene.cause():
            slow.stall()
            eventually(lambda: redis_server.subscribers() < 2, within=30, why="Redis closes one subscriber")
            slow.resume()
            eventually(lambda: slow.is_live and slow.record.gaps, within=60)
        settle(scene, numbers)
        assert slow.record.missing(numbers.published) > 0


def test_a_worker_that_is_killed(stage: Stage) -> None:
    with promised(*stage, tabs=6) as (scene, numbers):
        faults.kill_worker_of(scene, scene.witnesses[0])
        settle(scene, numbers)
        returned = [witness for witness in scene.witnesses if witness.sockets > 1]
        assert scene.witnesses[0] in returned
        assert all(witness.record.gaps for witness in returned)
        assert not any(witness.record.gaps for witness in scene.witnesses if witness.sockets == 1)
