"""Kafka as a source. Permissions for a topic are those for the channel ``kafka:<topic>``."""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

from arauto.auth.audit import Audit
from arauto.auth.permissions import check_reading, readable
from arauto.auth.visitor import Visitor
from arauto.i18n.gettext import gettext, language
from arauto.kafka_io.all_topics import AllTopics
from arauto.kafka_io.connection import KafkaFailed, KafkaLink, Trouble, say
from arauto.kafka_io.consumer_groups import Group, groups_of
from arauto.kafka_io.producer import NotProduced, TopicProducer
from arauto.kafka_io.retention import Retention, Retentions
from arauto.kafka_io.shared_answers import SharedAnswers
from arauto.kafka_io.topic_hub import MOST_READ, TopicHub
from arauto.kafka_io.topic_list import (
    Bounds,
    Partition,
    Places,
    Topics,
    find_places,
    known_bounds,
    partitions_of,
)
from arauto.kafka_io.topic_volume import find_volume
from arauto.protocol.events import Deliver
from arauto.protocol.log_entries import Volume
from arauto.protocol.log_query import Point
from arauto.protocol.topic_names import TopicName
from arauto.protocol.topic_starts import Starts
from arauto.protocol.topics import Offsets, Outgoing, channel_of
from arauto.sources.source import PublishError
from arauto.sources.topic_reading import TopicReading, check_partitions
from arauto.sources.topic_tail import TopicTail
from arauto.text.glob import matches

MAX_LISTED = 1000  # topics; the others are only counted
MAX_PARTITIONS = 10_000  # of all topics that are listed

T = TypeVar("T")


class TopicReceipt(NamedTuple):
    """Where Kafka stores a message, its time (Unix milliseconds) and its retention; ``None``: unknown."""

    partition: int
    offset: int
    ms: int | None
    retention: Retention | None


class KafkaSource:
    """One for each application with a ``KAFKA_URL``."""

    def __init__(self, link: KafkaLink, max_message: int, audit: Audit) -> None:
        self._link = link
        self._audit = audit
        self._hub = TopicHub(link)
        self._all = AllTopics(link)
        self._producer = TopicProducer(link, max_message)
        self._retentions = Retentions(link)
        self._answers = SharedAnswers()

    def topics(self, visitor: Visitor, glob: bytes) -> dict[str, Any]:
        """The topics that ``glob`` matches and that the visitor may read, with their partitions, by name.

        ``low`` and ``high`` are the first stored offset and that of the next message; ``None``: unknown, as
        where the partition has no leader. ``total`` counts all topics; ``cut`` says that not all are listed,
        and then there is a ``sentence`` too. Kafka is queried once a second at most, for all visitors
        together: there may be thousands of topics.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        :raise NoRight: Redis no longer accepts the visitor.
        """
        matching = self._shared(("matching", glob), lambda: self._matching(glob))
        allowed = readable(visitor, matching)
        found = [topic for channel, topic in matching.items() if channel in allowed]
        listed: Topics = {}
        partitions = 0
        for name, parts in found[:MAX_LISTED]:
            partitions += len(parts)
            if partitions > MAX_PARTITIONS and listed:
                break
            listed[name] = parts
        answer = {
            "topics": self._shared(("ends", *listed), lambda: self._ends(listed)),
            "total": len(found),
            "cut": len(found) > len(listed),
        }
        if answer["cut"]:
            answer["sentence"] = gettext(
                "%(total)s topics: the first %(n)s are listed, search for the rest.",
                total=len(found),
                n=len(listed),
            )
        return answer

    def _matching(self, glob: bytes) -> dict[bytes, tuple[str, dict[int, bool]]]:
        """By the channel whose permissions count."""
        return {channel_of(one[0]): one for one in self._all.get().items() if matches(glob, one[0].encode())}

    def _ends(self, listed: Topics) -> list[dict[str, Any]]:
        led = [(name, one) for name, parts in listed.items() for one, is_led in parts.items() if is_led]
        bounds = known_bounds(self._link, led)
        return [
            {"topic": name, "partitions": [_partition(one, bounds.get((name, one))) for one in parts]}
            for name, parts in listed.items()
        ]

    def topic(self, topic: str) -> dict[str, Any]:
        """One topic: its partitions with their brokers, and its retention.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        """
        places, bounds = self._find(topic)
        partitions = [_partition(one, bounds.get((topic, one))) | at._asdict() for one, at in places.items()]
        kept = self._retentions.of(topic)
        retention = {
            "cleanup": kept and kept.cleanup,
            "retention_ms": kept and kept.ms,
            "retention_bytes": kept and kept.size,
        }
        return {"topic": topic, "partitions": partitions, **retention}

    def groups(self, topic: str) -> dict[str, Any]:
        """The consumer groups of one topic, their members, and their lag by partition.

        ``lag`` is ``None`` where nothing was committed or the end is unknown; that of a group is the sum of
        those that are known. ``refused`` counts the groups that Kafka does not let us describe; ``cut`` says
        that not all were queried.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        """
        return self._shared(("groups", topic), lambda: self._groups(topic))

    def _groups(self, topic: str) -> dict[str, Any]:
        places, bounds = self._find(topic)
        groups = groups_of(self._link, topic, list(places))
        ends = {one: found.high for (_, one), found in bounds.items()}
        found = [_group(one, list(places), ends) for one in groups.found]
        return {"topic": topic, "groups": found, "refused": groups.refused, "cut": groups.is_cut}

    def _find(self, topic: str) -> tuple[dict[int, Places], dict[tuple[str, int], Bounds]]:
        return self._shared(("places", topic), lambda: self._ask(topic))

    def _ask(self, topic: str) -> tuple[dict[int, Places], dict[tuple[str, int], Bounds]]:
        places = find_places(self._link, topic)
        if not places:
            raise KafkaFailed(say(Trouble("unknown", "")), 404)
        led = [(topic, one) for one, at in places.items() if at.leader is not None]
        return places, known_bounds(self._link, led)

    def _shared(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Shared by language: an error is a sentence in that of the request."""
        return self._answers.of((question, language()), ask)

    def topics_of(self, visitor: Visitor, name: TopicName) -> list[str]:
        """The topics that a name in a feed selects: of a glob, as many as one process reads.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        :raise NoRight: Redis no longer accepts the visitor.
        """
        if not name.is_glob:
            return [name.topic]
        found = sorted(self._all.matching(name.topic))[:MAX_LISTED]
        allowed = readable(visitor, map(channel_of, found))
        return [topic for topic in found if channel_of(topic) in allowed][:MOST_READ]

    def check_reading(self, visitor: Visitor, topic: str) -> None:
        """:raise NoRight: the visitor may not read the topic."""
        check_reading(visitor, channel_of(topic))

    def read(
        self, topic: str, since: Point | Offsets, until: Point | Offsets | None, partition: int | None
    ) -> TopicReading:
        """Read stored messages; see :class:`TopicReading`."""
        return TopicReading(self._link, topic, since, until, partition)

    def volume(
        self, topics: list[str], partition: int | None, since: int | None, until: int | None, parts: int
    ) -> Volume | None:
        """How many messages the topics have together, or one partition of them; see :func:`find_volume`.

        :raise BadTopic: there is no such partition.
        :raise KafkaFailed: Kafka does not answer, or refuses, or has no such topic.
        """
        bounds: dict[Partition, Bounds] = {}
        for topic in topics:
            places, found = self._find(topic)
            if partition is not None:
                check_partitions({partition}, [*places])
            bounds |= {one: bound for one, bound in found.items() if partition in (None, one[1])}
        return find_volume(self._link, bounds, since, until, parts)

    def tail(self, visitor: Visitor, starts: Starts, deliver: Deliver, fail: Callable[[], None]) -> TopicTail:
        """Deliver new messages of topics; see :class:`TopicTail`."""
        return TopicTail(self._hub, self._all, self._link, visitor, self._audit, starts, deliver, fail)

    def publish(self, topic: str, message: Outgoing) -> TopicReceipt:
        """:raise PublishError: it was not published, or it is unknown whether it was; the text says which."""
        try:
            there = partitions_of(self._link, topic)
        except KafkaFailed as error:
            sentence = gettext("%(why)s Nothing was published.", why=error)
            raise PublishError(sentence, error.status, error.retry_after) from None
        if not there:
            raise PublishError(
                gettext("Kafka has no topic %(name)s. Nothing was published.", name=topic), 404
            )
        if message.partition is not None and message.partition not in there:
            raise PublishError(
                gettext("The topic has the partitions 0 to %(last)s. Nothing was published.", last=there[-1]),
                404,
            )
        try:
            delivery = self._producer.produce(topic, message)
        except (NotProduced, KafkaFailed) as error:
            raise PublishError(str(error), error.status, error.retry_after) from None
        return TopicReceipt(*delivery, self._retentions.of(topic))


def _partition(number: int, bounds: Bounds | None) -> dict[str, Any]:
    low, high = bounds or (None, None)
    return {"partition": number, "low": low, "high": high}


def _group(group: Group, partitions: list[int], ends: dict[int, int]) -> dict[str, Any]:
    progress = [_progress(one, group.committed.get(one), ends.get(one)) for one in partitions]
    return {
        "group": group.name,
        "state": group.state,
        "lag": sum(one["lag"] or 0 for one in progress),
        "members": [member._asdict() for member in group.members],
        "partitions": progress,
    }


def _progress(partition: int, committed: int | None, high: int | None) -> dict[str, int | None]:
    # The end was queried before the commit, which may be later by now.
    lag = None if committed is None or high is None else max(0, high - committed)
    return {"partition": partition, "committed": committed, "high": high, "lag": lag}
