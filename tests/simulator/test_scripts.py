"""The scripts have the same effects in a real Redis as the double has in the simulator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from arauto.recording import log_store
from tests.simulator import redis_twin
from tests.simulator.protocol import Protocol
from tests.simulator.redis_twin import Different, RedisTwin
from tests.simulator.schedule import BUS, PROMISED, draw, play
from tests.support.redis_servers import RedisServer, binaries

SEEDS = 25  # with each server


@pytest.fixture(params=list(binaries()))
def protocol(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Protocol]:
    server = RedisServer(binaries()[request.param], tmp_path)
    monkeypatch.setattr(log_store, "script", redis_twin.script)
    monkeypatch.setattr(log_store, "TIME", (b"MGET", redis_twin.SECONDS, redis_twin.MICROSECONDS))
    monkeypatch.setattr(log_store, "RUN", (b"GET", redis_twin.RUN))
    monkeypatch.setattr(RedisTwin, "client", server.client, raising=False)
    yield Protocol(redis=RedisTwin)
    server.close()


def compare(protocol: Protocol) -> None:
    """Play schedules in both; some have failovers with promises of both masters, or losses of the bus."""
    for seed in range(SEEDS):
        world = play(seed, protocol, draw((0, PROMISED, BUS)[seed % 3] + seed))
        assert isinstance(world.redis, RedisTwin)
        world.redis.close()


def test_redis_does_what_the_double_does(protocol: Protocol) -> None:
    compare(protocol)


def test_another_script_is_found_out(protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    def altered(name: str) -> tuple[str, str]:
        text, known_as = redis_twin.script(name)
        if name == "append":
            text, known_as = text.replace("whole(number + 1)", "whole(number)"), known_as[::-1]
        return text, known_as

    monkeypatch.setattr(log_store, "script", altered)
    with pytest.raises(Different):
        compare(protocol)
