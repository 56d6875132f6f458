"""Finds by leader epochs whether a partition has lost messages that were read, and has others instead."""

from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from arauto.kafka_io.connection import DEADLINE, KafkaLink
from arauto.kafka_io.topic_list import END, Partition
from arauto.protocol.topics import Offsets

_TRUNCATED = KafkaError(KafkaError._LOG_TRUNCATION).str()  # also part of the library's text for a reset


def leaders_of(consumer: Consumer, partitions: list[Partition]) -> Offsets:
    """The leader epoch of each partition, where Kafka sends it: each new leader has a higher one."""
    if not partitions:
        return {}
    found = consumer.offsets_for_times([TopicPartition(*one, END) for one in partitions], timeout=DEADLINE)
    epochs = {one.partition: one.leader_epoch for one in found if one.error is None}
    return {one: epoch for one, epoch in epochs.items() if epoch is not None}


def is_truncation(error: KafkaError) -> bool:
    """Whether Kafka no longer has the messages that were read."""
    return _TRUNCATED in error.str()


def find_truncated(link: KafkaLink, topic: str, places: Offsets, leaders: Offsets) -> set[int]:
    """The partitions of ``places`` whose messages from the time of ``leaders`` Kafka no longer has.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """

    def ask(consumer: Consumer) -> set[int]:
        consumer.list_topics(topic, timeout=DEADLINE)  # to refresh the leaders that it compares with
        consumer.assign([TopicPartition(topic, one, at) for one, at in places.items()])
        try:
            for one, at in places.items():  # an epoch given to assign() is not always compared
                consumer.seek(TopicPartition(topic, one, at, leader_epoch=leaders[one]))
            return _wait(consumer, set(places))
        finally:
            consumer.unassign()

    return link.ask(ask)


def _wait(consumer: Consumer, left: set[int]) -> set[int]:
    """Wait until each partition has a message or an error."""
    found: set[int] = set()
    deadline = monotonic() + DEADLINE
    while left:
        message: Message | None = consumer.poll(max(0.0, deadline - monotonic()))
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        error, partition = message.error(), message.partition()
        if partition is None or message.topic() is None:
            continue  # of the group, which we do not use
        left.discard(partition)
        if error is not None and is_truncation(error):
            found.add(partition)
    return found
