"""Thousands of topics: the list is bounded, and many requests cause one request to Kafka."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from arauto.auth.visitor import Visitor
from arauto.kafka_io import all_topics
from arauto.kafka_io.shared_answers import SharedAnswers
from arauto.kafka_io.topic_list import Bounds, Topics
from arauto.sources import kafka_source
from arauto.sources.kafka_source import MAX_LISTED, MAX_PARTITIONS, KafkaSource

TOPICS = 10_000
AT_ONCE = 20
NONE: Any = None  # without a login Redis is not queried


class Kafka:
    """A fake whose topics have ``partitions`` each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, partitions: int) -> None:
        self.lists = 0
        self.requested: list[int] = []
        self._topics = {f"topic.{n:05}": dict.fromkeys(range(partitions), True) for n in range(TOPICS)}
        monkeypatch.setattr(all_topics, "list_topics", self._list)
        monkeypatch.setattr(kafka_source, "known_bounds", self._bounds)
        for module in (kafka_source, all_topics):  # the cache of a second does not expire
            monkeypatch.setattr(module, "SharedAnswers", partial(SharedAnswers, now=lambda: 0.0))
        link: Any = SimpleNamespace(config={})
        self._source = KafkaSource(link, 0, NONE)

    def _list(self, link: Any) -> Topics:
        self.lists += 1
        return self._topics

    def _bounds(self, link: Any, pairs: list[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        self.requested.append(len(pairs))
        return dict.fromkeys(pairs, Bounds(0, 7))

    def topics(self, glob: bytes = b"*") -> dict[str, Any]:
        return self._source.topics(Visitor(link=NONE), glob)


def test_a_thousand_of_them_are_listed_and_all_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch, partitions=1)
    found = kafka.topics()
    assert (len(found["topics"]), found["total"], found["cut"]) == (MAX_LISTED, TOPICS, True)
    assert found["sentence"] == "10000 topics: the first 1000 are listed, search for the rest."
    one = kafka.topics(b"*09999")
    assert one == {
        "topics": [{"topic": "topic.09999", "partitions": [{"partition": 0, "low": 0, "high": 7}]}],
        "total": 1,
        "cut": False,
    }
    assert kafka.requested == [MAX_LISTED, 1]


def test_their_partitions_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch, partitions=300)
    assert len(kafka.topics()["topics"]) == MAX_PARTITIONS // 300
    assert kafka.requested == [MAX_PARTITIONS // 300 * 300]


def test_however_many_ask_kafka_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch, partitions=1)
    ready = Barrier(AT_ONCE)

    def ask(_: int) -> Any:
        ready.wait()
        return kafka.topics()["total"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(ask, range(AT_ONCE))) == {TOPICS}
    assert (kafka.lists, kafka.requested) == (1, [MAX_LISTED])
