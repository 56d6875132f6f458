"""The consumer groups of a topic: their members, and their offsets in each partition."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it does not declare its exports
    ConsumerGroupDescription,
    MemberDescription,
)

from arauto.kafka_io.connection import DEADLINE, KafkaLink, trouble

MOST = 200  # groups that are described, each by a request of its own


class Member(NamedTuple):
    """One consumer, and the partitions of the topic that are assigned to it."""

    client: str
    host: str
    partitions: list[int]


class Group(NamedTuple):
    """A consumer group of one topic.

    :param state: as Kafka names it: ``stable``, ``empty``, ``preparing_rebalancing``, …
    :param committed: the committed offset (that of the next message) by partition.
    """

    name: str
    state: str
    members: list[Member]
    committed: dict[int, int]


class Groups(NamedTuple):
    """The groups of a topic, by name.

    :param refused: how many groups Kafka does not let us describe, or whose description cannot be parsed:
        assignments are written by clients.
    :param is_cut: Kafka has more than :data:`MOST` groups, and the others were not described.
    """

    found: list[Group]
    refused: int
    is_cut: bool


def groups_of(link: KafkaLink, topic: str, partitions: list[int]) -> Groups:
    """The groups that have committed an offset of ``topic``, or have members that consume it.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """
    return link.call(lambda: _ask(link, topic, partitions))


def _ask(link: KafkaLink, topic: str, partitions: list[int]) -> Groups:
    end = monotonic() + 2 * DEADLINE
    listed = _result(link.admin.list_consumer_groups(request_timeout=DEADLINE), end)
    names = sorted(one.group_id for one in listed.valid)
    queried = names[:MOST]
    if not queried:
        return Groups([], 0, is_cut=False)
    described = link.admin.describe_consumer_groups(queried, request_timeout=DEADLINE)
    pairs = [TopicPartition(topic, one) for one in partitions]
    committed = {
        name: link.admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(name, pairs)], request_timeout=DEADLINE
        )[name]
        for name in queried
    }
    found: list[Group] = []
    refused = 0
    for name in queried:
        try:
            offsets = _result(committed[name], end).topic_partitions
            group = _group(name, _result(described[name], end), topic, partitions, offsets)
        except KafkaException as error:
            if trouble(error.args[0]).kind != "refused":
                raise
            refused += error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND  # it was deleted since
            continue
        if group.committed or any(member.partitions for member in group.members):
            found.append(group)
    return Groups(found, refused, is_cut=len(names) > MOST)


def _group(
    name: str,
    described: ConsumerGroupDescription,
    topic: str,
    there: list[int],
    offsets: list[TopicPartition],
) -> Group:
    members = [_member(one, topic, there) for one in described.members]
    committed = {one.partition: one.offset for one in offsets if one.error is None and one.offset >= 0}
    return Group(
        name,
        described.state.name.lower(),
        sorted(members, key=lambda member: (not member.partitions, member.partitions, member.client)),
        committed,
    )


def _member(described: MemberDescription, topic: str, there: list[int]) -> Member:
    assigned = described.assignment.topic_partitions if described.assignment else []
    given = {one.partition for one in assigned if _is_of(one, topic)}
    partitions = sorted(given.intersection(there))
    return Member(described.client_id, described.host.removeprefix("/"), partitions)


def _is_of(assigned: TopicPartition, topic: str) -> bool:
    try:
        return assigned.topic == topic
    except UnicodeDecodeError:  # the library decodes it on access
        return False


def _result(answer: "Future[Any]", end: float) -> Any:
    try:
        return answer.result(max(0.0, end - monotonic()))
    except NoAnswer:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
