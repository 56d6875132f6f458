"""Fixtures of the tests of Kafka."""

from collections.abc import Iterator

import pytest

from arauto.settings import WORKERS
from tests.support.kafka_servers import KafkaServer, arauto_beside
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest,
    valkey: RedisServer,
    kafka: KafkaServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ArautoServer]:
    """The program with Kafka on each worker, with the test module's ``ENVIRON``."""
    directory = tmp_path_factory.mktemp("beside")
    environ = {"ARAUTO_TOKENS": str(directory / "tokens"), **getattr(request.module, "ENVIRON", {})}
    with arauto_beside(
        kafka, directory, REDIS_URL=valkey.url, ARAUTO_WORKER=request.param, **environ
    ) as arauto:
        yield arauto


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """The name of a topic that does not exist."""
    return "".join(char if char.isalnum() else "." for char in request.node.name)
