"""The replacement of Apache Kafka on machines without Java: an empty fetch waits in it, too."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.support.small_kafka import SmallKafka
from tests.support.waiting import PATIENCE, eventually

STATISTICS = 500  # milliseconds
MANY = 100  # fetches; a consumer whose fetches do not wait sends thousands


@pytest.fixture
def small_kafka(tmp_path: Path) -> Iterator[SmallKafka]:
    with closing(SmallKafka(tmp_path)) as kafka:
        kafka.start()
        yield kafka


def test_what_is_published_comes_and_nobody_asks_all_the_time(small_kafka: SmallKafka) -> None:
    fetches: list[int] = []

    def count(statistics: str) -> None:
        brokers = json.loads(statistics)["brokers"].values()
        fetches.append(sum(one["req"].get("Fetch", 0) for one in brokers))

    small_kafka.create("small", partitions=2)
    options = {"group.id": "small", "auto.offset.reset": "error", "statistics.interval.ms": STATISTICS}
    consumer = Consumer(small_kafka.client(**options, stats_cb=count))
    consumer.assign([TopicPartition("small", one, 0) for one in (0, 1)])

    def is_idle() -> bool:
        assert consumer.poll(0.1) is None
        return len(fetches) > 3

    eventually(is_idle)
    assert 0 < fetches[-1] - fetches[0] < MANY
    small_kafka.produce("small", b"hello", partition=1)
    message = consumer.poll(PATIENCE)
    assert message is not None
    assert (message.error(), message.value()) == (None, b"hello")
    consumer.close()
    small_kafka.stop()
    small_kafka.start()
    assert "small" in small_kafka.topics(), "what it has it keeps"
