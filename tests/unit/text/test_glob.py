"""Globs match as Redis matches them."""

import random

import pytest

from arauto.text.glob import is_ambiguous, matches
from tests.support.redis_servers import RedisServer


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("news.*", "news.local", True),
        ("news.*", "news", False),
        ("*", "anything at all", True),
        ("h?llo", "hallo", True),
        ("h[ae]llo", "hello", True),
        ("h[^e]llo", "hello", False),
        ("h[a-c]llo", "hbllo", True),
        ("h[c-a]llo", "hbllo", True),
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
        ("a*b*c", "a--b--b--c", True),
        ("", "", True),
    ],
)
def test_the_globs_of_the_manual(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern.encode(), name.encode()) is expected


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not matches(b"*a" * 120 + b"b", b"a" * 256)


def test_redis_says_the_same_of_any_pattern(redis_server: RedisServer) -> None:
    chance = random.Random(1)
    names = {"".join(chance.choices(r"ab-]^\*", k=chance.randint(1, 5))).encode() for _ in range(300)}
    with redis_server.client.pubsub() as pubsub:
        pubsub.subscribe(*names)
        for _ in names:
            pubsub.get_message(timeout=5)
        for _ in range(3000):
            pattern = "".join(chance.choices(r"ab-]^\*?[", k=chance.randint(1, 7))).encode()
            listed = set(redis_server.client.pubsub_channels(pattern))
            assert {name for name in names if matches(pattern, name)} == listed, pattern


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("kept.[a-é]*", True),
        ("[é-z]", True),
        ("[xa-é]", True),
        ("[é-ü]", False),
        ("[a-z]é", False),
        ("a-é", False),
        ("[aé]", False),
    ],
)
def test_a_range_from_ascii_to_beyond_is_ambiguous(pattern: str, expected: bool) -> None:
    assert is_ambiguous(pattern.encode()) is expected
