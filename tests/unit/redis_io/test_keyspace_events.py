"""The classes of keyspace events of a server."""

import pytest

from arauto.redis_io.keyspace_events import _is_redis_8_2


@pytest.mark.parametrize(
    ("info", "is_so"),
    [
        ({"redis_version": "8.2.1"}, True),
        ({"redis_version": 8.2}, True),  # redis-py parses a version of two parts as a number
        ({"redis_version": "8.0.3"}, False),
        ({"redis_version": "8.2.1", "valkey_version": "9.1.2"}, False),
        ({}, False),
    ],
)
def test_what_came_with_redis_8_2(info: dict[str, object], is_so: bool) -> None:
    assert _is_redis_8_2(info) is is_so
