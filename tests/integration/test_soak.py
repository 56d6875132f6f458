"""A short run of what ``make soak`` does for as long as asked."""

import pytest

from arauto.settings import WORKERS
from tests.soak import soak


@pytest.mark.parametrize(("worker", "seed"), [(WORKERS[0], 1), (WORKERS[1], 2)])
def test_thirty_seconds_of_random_faults(worker: str, seed: int) -> None:
    assert soak(seconds=30, sockets=20, worker=worker, redis_name="valkey", seed=seed) == []
