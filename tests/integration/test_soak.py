"""Short runs of ``make soak``."""

import pytest

from arauto.settings import WORKERS
from tests import cluster_soak, recorded_soak, rolling_soak, sentinel_soak
from tests.soak import soak
from tests.support.redis_servers import binaries

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("worker", "seed"), [(WORKERS[0], 1), (WORKERS[1], 2)])
def test_thirty_seconds_of_random_faults(worker: str, seed: int) -> None:
    assert soak(seconds=30, sockets=20, worker=worker, redis_name="valkey", seed=seed) == []


@pytest.mark.parametrize(
    ("worker", "redis_name", "seed"), [(WORKERS[0], "valkey", 3), (WORKERS[1], [*binaries()][-1], 4)]
)
def test_twenty_seconds_on_a_recorded_channel(worker: str, redis_name: str, seed: int) -> None:
    assert recorded_soak.soak(seconds=20, sockets=6, worker=worker, redis_name=redis_name, seed=seed) == []


@pytest.mark.parametrize(
    ("worker", "redis_name", "seed"), [(WORKERS[0], [*binaries()][-1], 5), (WORKERS[1], "valkey", 6)]
)
def test_twenty_seconds_under_sentinel(worker: str, redis_name: str, seed: int) -> None:
    assert sentinel_soak.soak(seconds=20, sockets=2, worker=worker, redis_name=redis_name, seed=seed) == []


def test_a_rolling_deploy() -> None:
    assert rolling_soak.soak(seconds=0, sockets=60, worker=WORKERS[0], redis_name="valkey", seed=7) == []


def test_fifteen_seconds_on_a_cluster() -> None:
    assert cluster_soak.soak(seconds=15, sockets=2, worker=WORKERS[0], redis_name="valkey", seed=7) == []
