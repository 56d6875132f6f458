"""Topics and their partitions: where each begins and ends."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it does not say what it exports
    AdminClient,
    ListOffsetsResultInfo,
    OffsetSpec,
    PartitionMetadata,
)

from arauto.kafka_io.connection import DEADLINE, KafkaLink

_BEGINNING, END = -2, -1  # as times, in Kafka's protocol

Partition = tuple[str, int]
Topics = dict[str, dict[int, bool]]
"""Of each topic its partitions, and whether they have a leader."""


class Bounds(NamedTuple):
    """The first offset that is kept, and that of the next message."""

    low: int
    high: int


class Places(NamedTuple):
    """The numbers of brokers; ``leader`` is ``None`` where there is none."""

    leader: int | None
    replicas: list[int]
    in_sync: list[int]


def list_topics(link: KafkaLink) -> Topics:
    """All of them, by name.

    :raise KafkaFailed: it cannot be told.
    """

    def ask(consumer: Consumer) -> Topics:
        found = consumer.list_topics(timeout=DEADLINE).topics
        return {
            name: {number: one.leader >= 0 for number, one in sorted(topic.partitions.items())}
            for name, topic in sorted(found.items())
        }

    return link.ask(ask)


def partitions_of(link: KafkaLink, topic: str) -> list[int]:
    """The partitions of one topic; none: there is no such topic, and it is not made either.

    :raise KafkaFailed: it cannot be told.
    """
    return sorted(_describe(link, topic))


def find_places(link: KafkaLink, topic: str) -> dict[int, Places]:
    """Which brokers have each partition of one topic, in their order; see :func:`partitions_of`."""
    told = sorted(_describe(link, topic).items())
    return {
        number: Places(None if one.leader < 0 else one.leader, one.replicas, one.isrs) for number, one in told
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
    """Of those that have a leader.

    :raise KafkaFailed: it cannot be told.
    """

    return link.ask(lambda consumer: bounds_of(consumer, partitions))


def known_bounds(link: KafkaLink, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """As :func:`find_bounds`, of those that answer: one that does not takes no other with it.

    :raise KafkaFailed: nothing can be asked.
    """

    def ask(consumer: Consumer) -> dict[Partition, Bounds]:
        try:
            return bounds_of(consumer, partitions)
        except KafkaException:
            return _each(link.admin, partitions)

    return link.ask(ask)


def _each(admin: AdminClient, partitions: list[Partition]) -> dict[Partition, Bounds]:
    """With an answer for each of them, which costs ten times as much."""
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
    """As :func:`find_bounds`, by a consumer of one's own.

    :raise KafkaException: it cannot be told.
    """
    found = _bounds(consumer, partitions)
    if len(found) < len(partitions):
        names = {topic for topic, _ in partitions}  # one may be newer than what the consumer knows
        consumer.list_topics(names.pop() if len(names) == 1 else None, timeout=DEADLINE)
        found = _bounds(consumer, partitions)
    return found


def _bounds(consumer: Consumer, partitions: list[Partition]) -> dict[Partition, Bounds]:
    return _both(*(offsets_of(consumer, partitions, end) for end in (_BEGINNING, END)))


def _both(low: dict[Partition, int], high: dict[Partition, int]) -> dict[Partition, Bounds]:
    """Negative: it is not known."""
    return {one: Bounds(at, high[one]) for one, at in low.items() if at >= 0 and high.get(one, -1) >= 0}


def find_time(link: KafkaLink, topic: str, partitions: list[int], ms: int) -> dict[int, int | None]:
    """The first message that is not older, of each partition that has a leader; ``None``: all are older.

    :raise KafkaFailed: it cannot be told.
    """

    def ask(consumer: Consumer) -> dict[int, int | None]:
        found = offsets_of(consumer, [(topic, partition) for partition in partitions], ms)
        return {partition: offset if offset >= 0 else None for (_, partition), offset in found.items()}

    return link.ask(ask)


def offsets_of(consumer: Consumer, partitions: list[Partition], ms: int) -> dict[Partition, int]:
    """Of those that answer; negative: there is none."""
    if not partitions:
        return {}
    wanted = [TopicPartition(topic, partition, ms) for topic, partition in partitions]
    found = consumer.offsets_for_times(wanted, timeout=DEADLINE)
    return {(one.topic, one.partition): one.offset for one in found if one.error is None}
