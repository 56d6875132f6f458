"""Who consumes a topic: the groups, their members, and where in each partition they are."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it does not say what it exports
    ConsumerGroupDescription,
    MemberDescription,
)

from arauto.kafka_io.connection import DEADLINE, KafkaLink, trouble

MOST = 200  # groups that are asked, each by itself


class Member(NamedTuple):
    """One consumer, and the partitions of the topic that it has."""

    client: str
    host: str
    partitions: list[int]


class Group(NamedTuple):
    """A consumer group of one topic.

    :param state: Kafka's word: ``stable``, ``empty``, ``preparing_rebalancing``, …
    :param committed: the offset of the next message, of each partition where one was committed.
    """

    name: str
    state: str
    members: list[Member]
    committed: dict[int, int]


class Groups(NamedTuple):
    """Those of a topic, by name.

    :param refused: how many Kafka does not let us look at, or has answers of that cannot be read: what
        members have is written by one of them.
    :param is_cut: there are more than :data:`MOST` in Kafka, and the others were not asked.
    """

    found: list[Group]
    refused: int
    is_cut: bool


def groups_of(link: KafkaLink, topic: str, partitions: list[int]) -> Groups:
    """The groups that have committed an offset of ``topic``, or have members that consume it.

    :raise KafkaFailed: it cannot be told.
    """
    return link.call(lambda: _ask(link, topic, partitions))


def _ask(link: KafkaLink, topic: str, partitions: list[int]) -> Groups:
    end = monotonic() + 2 * DEADLINE
    listed = _result(link.admin.list_consumer_groups(request_timeout=DEADLINE), end)
    names = sorted(one.group_id for one in listed.valid)
    asked = names[:MOST]
    if not asked:
        return Groups([], 0, is_cut=False)
    described = link.admin.describe_consumer_groups(asked, request_timeout=DEADLINE)
    pairs = [TopicPartition(topic, one) for one in partitions]
    committed = {
        name: link.admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(name, pairs)], request_timeout=DEADLINE
        )[name]
        for name in asked
    }
    found: list[Group] = []
    refused = 0
    for name in asked:
        try:
            offsets = _result(committed[name], end).topic_partitions
            group = _group(name, _result(described[name], end), topic, partitions, offsets)
        except KafkaException as error:
            if trouble(error.args[0]).kind != "refused":
                raise
            refused += error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND  # it is gone by now
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
    except UnicodeDecodeError:  # the library reads it now
        return False


def _result(asked: "Future[Any]", end: float) -> Any:
    try:
        return asked.result(max(0.0, end - monotonic()))
    except NoAnswer:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
