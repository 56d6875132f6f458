"""The number of messages over time, from the offsets at a few times."""

from time import time
from typing import Any, cast

import pytest
from confluent_kafka import TopicPartition

from arauto.kafka_io import topic_volume
from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.topic_list import Bounds
from arauto.kafka_io.topic_volume import find_volume
from arauto.protocol.log_entries import Volume
from tests.unit.kafka_io.fakes import Place

NOW = round(1000 * time())
HOUR = 3_600_000


class Link:
    """A fake topic: the times of the messages of each partition."""

    def __init__(self, *times: list[int]) -> None:
        self.times, self.requests = times, 0

    def ask(self, question: Any) -> Any:
        return question(self)

    def offsets_for_times(self, wanted: list[TopicPartition], timeout: float) -> list[Place]:
        self.requests += 1
        return [Place(one, self._find(one.partition, one.offset), None) for one in wanted]

    def _find(self, partition: int, ms: int) -> int:
        return next((at for at, one in enumerate(self.times[partition]) if one >= ms), -1)


def volume(link: Link, since: int | None = None, until: int | None = None, parts: int = 1) -> Volume | None:
    bounds = {("orders", one): Bounds(0, len(times)) for one, times in enumerate(link.times)}
    return find_volume(cast(KafkaLink, link), bounds, since, until, parts)


def test_it_is_of_all_that_is_kept() -> None:
    first, last = NOW - 48 * HOUR, NOW - 2 * HOUR
    found = volume(Link([first, last - 5], [last]))
    assert found is not None
    assert found.counts == [3]
    assert first - HOUR < found.start <= first
    assert last < found.end <= last + HOUR
    assert volume(Link([], [])) is None


def test_each_part_has_what_is_its_own_and_what_is_empty_is_not_asked_for() -> None:
    start = NOW - 10 * HOUR
    link = Link([start, start + 1, start + 9 * HOUR], [start + 9 * HOUR])
    found = volume(link, start, start + 10 * HOUR, 10)
    assert found == Volume(start, start + 10 * HOUR, [2, 0, 0, 0, 0, 0, 0, 0, 0, 2], [])
    whole, link.requests = link.requests, 0
    found = volume(link, start, start + 10 * HOUR, 500)
    assert found is not None
    assert (sum(found.counts), link.requests < 3 * whole) == (4, True)


def test_what_there_is_no_time_to_ask_is_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_volume, "SECONDS", -1)
    start = NOW - 10 * HOUR
    found = volume(Link([start + 9 * HOUR] * 10), start, start + 10 * HOUR, 4)
    assert found is not None
    assert found.counts == [2, 3, 2, 3]
