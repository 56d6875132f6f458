"""The stored messages of a topic between two places."""

from collections.abc import Collection

from arauto.i18n.gettext import gettext
from arauto.kafka_io.connection import KafkaFailed, KafkaLink
from arauto.kafka_io.topic_list import Bounds, find_bounds, find_time, partitions_of
from arauto.kafka_io.topic_pages import read_page
from arauto.protocol.log_query import Point
from arauto.protocol.topics import BadTopic, Offsets, TopicEntry, Trimmed, check_order

Bound = dict[int, Bounds]


class TopicReading:
    """Pages of one topic; between two of them no connection is held.

    :param since: the first message to read, in each partition.
    :param until: the first message not to read; ``None``: up to the end as it was when reading began.
    :param partition: which; ``None``: those that ``since`` names, else all.

    :raise BadTopic: there is no such topic, partition or place.
    :raise BadPoint: ``until`` is before ``since``.
    :raise KafkaFailed: Kafka does not answer, or refuses.
    """

    def __init__(
        self,
        link: KafkaLink,
        topic: str,
        since: Point | Offsets,
        until: Point | Offsets | None,
        partition: int | None,
    ) -> None:
        self._link = link
        self._topic = topic
        check_order(since, until)
        wanted = self._partitions(since, until, partition)
        found = find_bounds(link, [(topic, one) for one in wanted])
        bounds = {one: place for (_, one), place in found.items()}
        _check_answered(wanted, bounds)
        starts = self._place(since, bounds, is_start=True)
        ends = {one: high for one, (_, high) in bounds.items()}
        self._ends = ends if until is None else ends | self._place(until, bounds, is_start=False)
        self._trimmed = [
            Trimmed(one, at, bounds[one].low) for one, at in starts.items() if at < bounds[one].low
        ]
        begun = {one: max(at, bounds[one].low) for one, at in starts.items()}
        self.places: Offsets = {one: at for one, at in begun.items() if at < self._ends[one]}
        """The next offset of each partition that is not read to its end."""

    @property
    def is_over(self) -> bool:
        return not self.places and not self._trimmed

    @property
    def left(self) -> int:
        """How many offsets are still to be read."""
        return sum(self._ends[one] - at for one, at in self.places.items())

    def page(self, most: int) -> list[TopicEntry]:
        """At most so many messages, in the order of their partition, and gaps for missing ones.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        """
        if self._trimmed:
            trimmed, self._trimmed = self._trimmed, []
            return [*trimmed]
        return read_page(self._link, self._topic, self.places, self._ends, most)

    def _partitions(
        self, since: Point | Offsets, until: Point | Offsets | None, partition: int | None
    ) -> list[int]:
        there = partitions_of(self._link, self._topic)
        if not there:
            raise BadTopic(gettext("Kafka has no topic %(name)s.", name=self._topic), 404)
        named = [*since] if isinstance(since, dict) else there
        wanted = named if partition is None else [partition]
        ended = until if isinstance(until, dict) else {}
        check_partitions({*wanted, *named, *ended}, there)
        if not set(wanted) <= set(named):
            raise BadTopic(gettext("The offset is that of another partition."))
        return wanted

    def _place(self, place: Point | Offsets, bounds: Bound, is_start: bool) -> Offsets:
        if isinstance(place, dict):
            for one, at in place.items():
                if is_start and one in bounds and at > bounds[one].high:
                    raise BadTopic(
                        gettext(
                            "Partition %(partition)s ends before: name an offset up to %(high)s,"
                            " that of its next message.",
                            partition=one,
                            high=bounds[one].high,
                        )
                    )
            return {one: min(at, bounds[one].high) for one, at in place.items() if one in bounds}
        return offsets_at(self._link, self._topic, place, bounds)


def check_partitions(named: Collection[int], there: list[int]) -> None:
    """:raise BadTopic: one of them does not exist."""
    if not set(named) <= set(there):
        raise BadTopic(
            gettext("The topic has the partitions 0 to %(last)s: name one of these.", last=there[-1])
        )


def offsets_at(link: KafkaLink, topic: str, point: Point, bounds: Bound) -> Offsets:
    """The first message from ``point`` on, of each partition.

    :raise KafkaFailed: Kafka or one of the partitions does not answer.
    """
    if point.last is not None:
        return {one: max(low, high - point.last) for one, (low, high) in bounds.items()}
    if point.ms is not None:
        found = find_time(link, topic, [*bounds], point.ms)
        _check_answered(bounds, found)
        return {one: high if (first := found[one]) is None else first for one, (_, high) in bounds.items()}
    return {one: low for one, (low, _) in bounds.items()}


def _check_answered(wanted: Collection[int], found: Collection[int]) -> None:
    """A partition without a leader must not look as if it were empty."""
    for one in wanted:
        if one not in found:
            sentence = gettext(
                "Partition %(partition)s does not answer, it may have no leader: try again in a moment.",
                partition=one,
            )
            raise KafkaFailed(sentence, 503, retry_after=1)
