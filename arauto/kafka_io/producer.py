"""Produces messages to topics: each once, stored by all in-sync replicas, within a deadline."""

from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException, Producer

from arauto.i18n.gettext import gettext
from arauto.kafka_io.connection import PRODUCER, KafkaLink, check_threads
from arauto.protocol.topics import Outgoing
from arauto.refusal import Refusal

DEADLINE = 5.0  # seconds
ROUND = 0.01  # seconds; a poll of one thread may bring the delivery report of another
OVERHEAD = 65536  # bytes of a key and headers beside the data

_ANY_PARTITION = -1
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
_UNCERTAIN = {KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT}


class NotProduced(Refusal):
    """The message was not published, or it is unknown whether it was; the text says which."""

    status = 502


class Delivery(NamedTuple):
    """Where a message is stored, and its time in Unix milliseconds, if it has one."""

    partition: int
    offset: int
    ms: int | None


class TopicProducer:
    """One for each process; it connects on first use.

    :param max_message: bytes of the data of one message.
    """

    def __init__(self, link: KafkaLink, max_message: int) -> None:
        self._link = link
        self._config: dict[str, Any] = (
            link.config
            | PRODUCER
            | {
                "linger.ms": 0,
                "message.timeout.ms": int(1000 * DEADLINE),
                "message.max.bytes": max_message + OVERHEAD,
            }
        )
        self._producer: Producer | None = None

    def produce(self, topic: str, message: Outgoing) -> Delivery:
        """Publish to a topic. Check before that it exists: it might be created.

        :raise NotProduced: it was not published, or it is unknown whether it was.
        :raise KafkaFailed: it could not be tried: it was not published.
        """
        outcome = self._link.call(lambda: self._produce(topic, message))
        if isinstance(outcome, Delivery):
            return outcome
        if outcome.code() == KafkaError.INVALID_RECORD and message.key is None:
            sentence = gettext("The topic is compacted and takes no message without a key: give one.")
            raise NotProduced(gettext("%(why)s Nothing was published.", why=sentence), 400)
        raise _refusal(outcome)

    def _produce(self, topic: str, message: Outgoing) -> Delivery | KafkaError:
        if self._producer is None:
            check_threads()
            self._producer = Producer(self._config)
        producer = self._producer
        found: list[tuple[KafkaError | None, Any]] = []
        headers: Any = message.headers
        partition = _ANY_PARTITION if message.partition is None else message.partition
        try:
            producer.produce(
                topic,
                message.data,
                key=message.key,
                headers=headers,
                partition=partition,
                on_delivery=lambda *report: found.append(report),
            )
        except BufferError:
            return KafkaError(KafkaError._QUEUE_FULL)
        except KafkaException as refused:
            why: KafkaError = refused.args[0]
            return why
        deadline = monotonic() + DEADLINE + 1
        while not found and monotonic() < deadline:
            producer.poll(ROUND)
        if not found:
            return KafkaError(KafkaError._TIMED_OUT)
        error, delivered = found[0]
        if error is None:
            kind, ms = delivered.timestamp()
            is_timed = kind != TIMESTAMP_NOT_AVAILABLE
            return Delivery(delivered.partition(), delivered.offset(), ms if is_timed else None)
        if error.fatal():  # this producer is unusable
            self._producer = None
        return error


def _refusal(error: KafkaError) -> NotProduced:
    if error.code() in _TOO_LARGE:
        return NotProduced(gettext("The message is larger than Kafka takes: nothing was published."), 413)
    if error.code() in _UNCERTAIN:
        sentence = gettext("Kafka did not answer: the message may have been published or not.")
        return NotProduced(sentence, 503)
    if error.code() == KafkaError._UNKNOWN_PARTITION:  # it existed a moment before
        why = gettext("Kafka does not answer.")
        return NotProduced(gettext("%(why)s Nothing was published.", why=why), 503, retry_after=1)
    return NotProduced(gettext("Kafka refused the message: %(words)s", words=error.str()))
