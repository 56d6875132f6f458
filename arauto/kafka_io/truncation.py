"""Whether a topic has lost what was read of it, and has others in the place: the epochs of leaders say so."""

from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from arauto.kafka_io.connection import DEADLINE, KafkaLink
from arauto.kafka_io.topic_list import END, Partition
from arauto.protocol.topics import Offsets

_TRUNCATED = KafkaError(KafkaError._LOG_TRUNCATION).str()  # also within what the library says of a reset


def leaders_of(consumer: Consumer, partitions: list[Partition]) -> Offsets:
    """The epoch of the leader of each, where Kafka tells: each new leader has a higher one."""
    if not partitions:
        return {}
    found = consumer.offsets_for_times([TopicPartition(*one, END) for one in partitions], timeout=DEADLINE)
    told = {one.partition: one.leader_epoch for one in found if one.error is None}
    return {one: leader for one, leader in told.items() if leader is not None}


def is_truncation(error: KafkaError) -> bool:
    """Whether Kafka no longer has what was read."""
    return _TRUNCATED in error.str()


def find_truncated(link: KafkaLink, topic: str, places: Offsets, leaders: Offsets) -> set[int]:
    """Those of ``places`` before which Kafka no longer has what it had under ``leaders``.

    :raise KafkaFailed: it cannot be told.
    """

    def ask(consumer: Consumer) -> set[int]:
        consumer.list_topics(topic, timeout=DEADLINE)  # it compares with the leaders that it knows
        consumer.assign([TopicPartition(topic, one, at) for one, at in places.items()])
        try:
            for one, at in places.items():  # what is assigned is compared only at times
                consumer.seek(TopicPartition(topic, one, at, leader_epoch=leaders[one]))
            return _wait(consumer, set(places))
        finally:
            consumer.unassign()

    return link.ask(ask)


def _wait(consumer: Consumer, left: set[int]) -> set[int]:
    """Until each of them says whether it can be read."""
    found: set[int] = set()
    deadline = monotonic() + DEADLINE
    while left:
        message: Message | None = consumer.poll(max(0.0, deadline - monotonic()))
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        error, partition = message.error(), message.partition()
        if partition is None or message.topic() is None:
            continue  # of the group, of which we want nothing
        left.discard(partition)
        if error is not None and is_truncation(error):
            found.add(partition)
    return found
