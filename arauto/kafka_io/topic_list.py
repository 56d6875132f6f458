"""Topics and their partitions: where each begins and ends."""

from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from arauto.kafka_io.connection import DEADLINE, KafkaLink

_BEGINNING, _END = -2, -1  # as times, in Kafka's protocol

Partition = tuple[str, int]


class Bounds(NamedTuple):
    """The first offset that is kept, and that of the next message."""

    low: int
    high: int


def list_topics(link: KafkaLink) -> dict[str, list[int]]:
    """The partitions of every topic.

    :raise KafkaFailed: it cannot be told.
    """

    def ask(consumer: Consumer) -> dict[str, list[int]]:
        found = consumer.list_topics(timeout=DEADLINE).topics
        return {name: sorted(topic.partitions) for name, topic in found.items()}

    return link.ask(ask)


def find_bounds(link: KafkaLink, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """Of those that have a leader.

    :raise KafkaFailed: it cannot be told.
    """

    def ask(consumer: Consumer) -> dict[Partition, Bounds]:
        low, high = (_offsets(consumer, partitions, end) for end in (_BEGINNING, _END))
        return {one: Bounds(low[one], high[one]) for one in partitions if one in low and one in high}

    return link.ask(ask)


def _offsets(consumer: Consumer, partitions: list[Partition], ms: int) -> dict[Partition, int]:
    if not partitions:
        return {}
    wanted = [TopicPartition(topic, partition, ms) for topic, partition in partitions]
    found = consumer.offsets_for_times(wanted, timeout=DEADLINE)
    return {(one.topic, one.partition): one.offset for one in found if one.error is None and one.offset >= 0}
