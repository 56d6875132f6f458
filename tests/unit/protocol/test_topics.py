"""Names of topics, and places in them."""

import pytest

from arauto.protocol.log_entries import FIRST
from arauto.protocol.log_query import BadPoint, Point
from arauto.protocol.topics import BadTopic, check_topic, read_partition, read_place, write_places

NOW = 1_763_879_938.5


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("first", Point(id=FIRST)),
        ("10m", Point(ms=1_763_879_338_500)),
        ("100", Point(last=100)),
        ("1763879000.25", Point(ms=1_763_879_000_250)),
        ("3:4711", {3: 4711}),
        ("3:4711,12:0", {3: 4711, 12: 0}),
    ],
)
def test_a_place_is_read(text: str, place: object) -> None:
    assert read_place(text, NOW) == place


@pytest.mark.parametrize(
    "text", ["", "last", "1-1", "3:", ":3", "3:x", "3:1,", "-1", "3:-1", "1:" + "9" * 19]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(BadPoint, match="is not a place in a topic: write 10m, "):
        read_place(text, NOW)


def test_a_partition_has_one_offset() -> None:
    with pytest.raises(BadPoint, match=r"Give one offset for partition 3\."):
        read_place("3:1,4:0,3:2", NOW)


def test_a_time_to_come_is_refused() -> None:
    with pytest.raises(BadPoint, match="has not come yet"):
        read_place("1763880000", NOW)


def test_places_are_written_as_they_are_read() -> None:
    assert write_places({12: 0, 3: 4711}) == "3:4711,12:0"


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "ação", "a" * 250, "a\n", "a:b"])
def test_what_no_topic_can_be_called_is_refused(name: str) -> None:
    with pytest.raises(BadTopic):
        check_topic(name)
    assert check_topic("a" * 249)
    assert check_topic("__consumer_offsets")


@pytest.mark.parametrize("text", ["", "-1", "x", "1.0", "2147483648", "9" * 30])
def test_what_is_no_partition_is_refused(text: str) -> None:
    with pytest.raises(BadTopic):
        read_partition(text)
    assert read_partition("2147483647") == 2**31 - 1
