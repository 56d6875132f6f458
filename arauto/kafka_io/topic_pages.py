"""Messages of a topic, a page at a time. Between two pages no consumer is held."""

from heapq import merge
from time import monotonic
from typing import Any

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from arauto.kafka_io.connection import DEADLINE, KafkaLink
from arauto.protocol.topics import Headers, Offsets, Record, TopicEntry, Trimmed

MESSAGES = 10_000  # of one page
BYTES = 2_000_000  # of one page, and one message more
OVERHEAD = 100  # bytes of a message or a header, beside its contents


def read_page(link: KafkaLink, topic: str, places: Offsets, ends: Offsets, most: int) -> list[TopicEntry]:
    """Messages from ``places`` up to, and without, ``ends``.

    ``places`` is advanced to the next offsets, without the partitions that are read to their end. Messages of
    one partition are in its order, those of several are merged by time within a page.

    :raise KafkaFailed: Kafka does not answer, or refuses.
    """

    def ask(consumer: Consumer) -> list[TopicEntry]:
        consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in places.items()])
        page = _Page(places, ends)
        try:
            page.fill(consumer, topic, min(most, MESSAGES))
        finally:
            consumer.unassign()
        return page.entries()

    return link.ask(ask)


class _Page:
    def __init__(self, places: Offsets, ends: Offsets) -> None:
        self._places, self._ends = places, ends
        self._records: dict[int, list[Record]] = {partition: [] for partition in places}
        self._trimmed: list[Trimmed] = []
        self._left, self._weight = 0, 0

    def fill(self, consumer: Consumer, topic: str, most: int) -> None:
        self._left = most
        deadline = monotonic() + DEADLINE
        while self._places and self._left and self._weight < BYTES and not self._trimmed:
            first = consumer.poll(max(0.0, deadline - monotonic()))
            if first is None:
                if self._left == most:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
                return
            # Waiting for several at once would take the whole timeout.
            more = consumer.consume(self._left - 1, 0) if self._left > 1 else []
            for message in (first, *more):
                if error := message.error():
                    self._take_error(consumer, topic, message, error)
                else:
                    self._take(message)

    def entries(self) -> list[TopicEntry]:
        filled = [records for records in self._records.values() if records]
        if len(filled) == 1:
            return [*filled[0], *self._trimmed]
        return [*merge(*filled, key=_time), *self._trimmed]

    def _take(self, message: Any) -> None:
        partition, offset = message.partition(), message.offset()
        if partition not in self._places:
            return  # read to its end
        if offset < self._places[partition]:
            return  # the library may go back when a leader changes
        if offset < self._ends[partition]:
            record = record_of(message)
            self._records[partition].append(record)
            self._left -= 1
            self._weight += weight_of(record)
            self._places[partition] = offset + 1
        if offset + 1 >= self._ends[partition]:
            del self._places[partition]

    def _take_error(self, consumer: Consumer, topic: str, message: Any, error: KafkaError) -> None:
        partition = message.partition()
        if message.topic() is None or partition not in self._places:
            return  # of the group, which we do not use
        if error.code() == KafkaError._PARTITION_EOF:
            del self._places[partition]
            return
        at = self._places[partition]
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            low, _ = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=DEADLINE)
            if low > at:
                self._trimmed.append(Trimmed(partition, at, low))
                self._places[partition] = low
                return
        raise KafkaException(error)


def weight_of(record: Record) -> int:
    """About how many bytes of memory a record takes."""
    headers = sum(OVERHEAD + len(name) + len(value or b"") for name, value in record.headers or [])
    return OVERHEAD + len(record.data or b"") + len(record.key or b"") + headers


def record_of(message: Any) -> Record:  # by its types each part may be missing
    """Convert a message of Kafka's library."""
    kind, ms = message.timestamp()
    return Record(
        message.partition(),
        message.offset(),
        message.key(),
        _headers(message),
        message.value(),
        None if kind == TIMESTAMP_NOT_AVAILABLE else ms,
        kind == TIMESTAMP_LOG_APPEND_TIME,
    )


def _headers(message: Any) -> Headers | None:
    try:
        return message.headers() or []
    except (SystemError, UnicodeDecodeError):  # the library wants names in UTF-8; Kafka does not
        return None


def _time(record: Record) -> int:
    return record.ms or 0
