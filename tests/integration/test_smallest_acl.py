"""The core of the suite again, with the smallest ACL rules of docs/security.md for the program.

The tests are imported from other files. The tests of logins by users of Redis, and those in the browser,
apply the same rules themselves.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest

from arauto.settings import WORKERS
from tests.integration.test_feed import (  # noqa: F401
    test_a_message_arrives_as_published,
    test_a_pattern_says_which_channel,
    test_ten_tabs_get_everything_in_order,
    test_what_is_added_is_received_and_what_is_removed_is_not,
)
from tests.integration.test_following import (  # noqa: F401
    channel,
    recording,
    server_of_all,
    test_a_tab_that_was_away_is_whole_again,
)
from tests.integration.test_publish import (  # noqa: F401
    listener,
    test_a_form_is_published_byte_for_byte,
    test_an_empty_message_reaches_a_tab,
    test_the_count_is_redis_own_tabs_included,
)
from tests.integration.test_recording_switch import (  # noqa: F401
    server,
    test_a_deleted_log_is_another_log_afterwards,
)
from tests.support.redis_servers import RedisServer, binaries
from tests.support.rules import ACTS, PROGRAM, RECORDS, as_program, refused
from tests.support.servers import ArautoServer

CHANNELS = (
    "noticias", "alertas.*", "old", "new", "counted", "count*", "kept.*", "a",
)  # fmt: skip


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with closing(RedisServer(list(binaries().values())[-1], tmp_path_factory.mktemp("small"))) as small:
        as_program(small, PROGRAM, ACTS, channels=CHANNELS)
        yield small
        assert refused(small) == []


@pytest.fixture(scope="module")
def valkey(redis_server: RedisServer) -> RedisServer:
    return redis_server


@pytest.fixture
def own_redis(own_redis: RedisServer) -> Iterator[RedisServer]:
    as_program(own_redis, PROGRAM, ACTS, RECORDS, channels=CHANNELS)
    yield own_redis
    assert refused(own_redis) == []


@pytest.fixture(scope="module")
def redis_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with closing(RedisServer(binaries()["valkey"], tmp_path_factory.mktemp("following"))) as small:
        as_program(small, PROGRAM, ACTS, RECORDS, channels=CHANNELS)
        yield small
        assert refused(small) == []


@pytest.fixture(scope="module", params=WORKERS)
def shared_arauto(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    shared = ArautoServer(
        tmp_path_factory.mktemp("small") / "log",
        REDIS_URL=redis_server.url, ARAUTO_WORKER=request.param, ARAUTO_RECORDING="off",
    )  # fmt: skip
    with closing(shared):
        yield shared


@pytest.fixture
def arauto(shared_arauto: ArautoServer) -> ArautoServer:
    return shared_arauto


@pytest.fixture(scope="module")
def plain_arauto(shared_arauto: ArautoServer) -> ArautoServer:
    return shared_arauto
