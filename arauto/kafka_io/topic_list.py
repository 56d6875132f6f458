"""Topics, their partitions, and the offsets where each begins and ends."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it does not declare its exports
    AdminClient,
    ListOffsetsResultInfo,
    OffsetSpec,
    PartitionMetadata,
)

from arauto.kafka_io.connection import DEADLINE, KafkaLink

_BEGINNING, END = -2, -1  # as times, in Kafka's protocol

Partition = tuple[str, int]
Topics = dict[str, dict[int, bool]]
"""The partitions of each topic, and whether they have a leader."""


class Bounds(NamedTuple):
    """The first offset that is stored, and that of the next message."""

    low: int
    high: int


class Places(NamedTuple):
    """The numbers of brokers; ``leader`` is ``None`` where there is none."""

    leader: int | None
    replicas: list[int]
    in_sync: list[int]


def list_topics(link: KafkaLink) -> Topics:
    """All topics, by name.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """

    def ask(consumer: Consumer) -> Topics:
        found = consumer.list_topics(timeout=DEADLINE).topics
        return {
            name: {number: one.leader >= 0 for number, one in sorted(topic.partitions.items())}
            for name, topic in sorted(found.items())
        }

    return link.ask(ask)


def partitions_of(link: KafkaLink, topic: str) -> list[int]:
    """The partitions of one topic; none: it does not exist. It is not created.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """
    return sorted(_describe(link, topic))


def find_places(link: KafkaLink, topic: str) -> dict[int, Places]:
    """The brokers of each partition of one topic, by partition; see :func:`partitions_of`."""
    parts = sorted(_describe(link, topic).items())
    return {
        number: Places(None if one.leader < 0 else one.leader, one.replicas, one.isrs)
        for number, one in parts
    }


def _describe(link: KafkaLink, topic: str) -> dict[int, PartitionMetadata]:
    def ask(consumer: Consumer) -> dict[int, PartitionMetadata]:
        found = consumer.list_topics(topic, timeout=DEADLINE).topics[topic]
        if found.error is None:
            return dict(found.partitions)
        if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return {}
        raise KafkaException(found.error)

    return link.ask(ask)


def find_bounds(link: KafkaLink, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """The bounds of those partitions that have a leader.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """

    return link.ask(lambda consumer: bounds_of(consumer, partitions))


def known_bounds(link: KafkaLink, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """As :func:`find_bounds`, but a partition that does not answer does not fail the others.

    :raise KafkaFailed: no query is possible.
    """

    def ask(consumer: Consumer) -> dict[Partition, Bounds]:
        try:
            return bounds_of(consumer, partitions)
        except KafkaException:
            return _each(link.admin, partitions)

    return link.ask(ask)


def _each(admin: AdminClient, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """With an answer for each partition, which costs ten times as much."""
    spec: Any = OffsetSpec
    low, high = (
        admin.list_offsets({TopicPartition(*one): end for one in partitions}, request_timeout=DEADLINE)
        for end in (spec.earliest(), spec.latest())
    )
    return _both(
        *({(one.topic, one.partition): _offset(at) for one, at in end.items()} for end in (low, high))
    )


def _offset(answer: "Future[ListOffsetsResultInfo]") -> int:
    try:
        return answer.result(2 * DEADLINE).offset
    except (KafkaException, NoAnswer):
        return -1


def bounds_of(consumer: Consumer, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """As :func:`find_bounds`, with the caller's consumer.

    :raise KafkaException: Kafka does not answer, or refuses.
    """
    found = _bounds(consumer, partitions)
    if len(found) < len(partitions):
        names = {topic for topic, _ in partitions}  # one may be newer than the consumer's metadata
        consumer.list_topics(names.pop() if len(names) == 1 else None, timeout=DEADLINE)
        found = _bounds(consumer, partitions)
    return found


def _bounds(consumer: Consumer, partitions: list[Partition]) -> dict[Partition, Bounds]:
    return _both(*(offsets_of(consumer, partitions, end) for end in (_BEGINNING, END)))


def _both(low: dict[Partition, int], high: dict[Partition, int]) -> dict[Partition, Bounds]:
    """:param low: a negative offset means unknown, as in ``high``."""
    return {one: Bounds(at, high[one]) for one, at in low.items() if at >= 0 and high.get(one, -1) >= 0}


def find_time(link: KafkaLink, topic: str, partitions: list[int], ms: int) -> dict[int, int | None]:
    """The first message from ``ms`` on, of each partition that has a leader; ``None``: all are older.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """

    def ask(consumer: Consumer) -> dict[int, int | None]:
        found = offsets_of(consumer, [(topic, partition) for partition in partitions], ms)
        return {partition: offset if offset >= 0 else None for (_, partition), offset in found.items()}

    return link.ask(ask)


def offsets_of(consumer: Consumer, partitions: list[Partition], ms: int) -> dict[Partition, int]:
    """The first offset from ``ms`` on, of each partition that answers; negative: there is none."""
    if not partitions:
        return {}
    wanted = [TopicPartition(topic, partition, ms) for topic, partition in partitions]
    found = consumer.offsets_for_times(wanted, timeout=DEADLINE)
    return {(one.topic, one.partition): one.offset for one in found if one.error is None}
