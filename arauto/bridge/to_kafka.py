"""From Redis to Kafka: produces the messages of the outbox. No call blocks gevent's loop."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from arauto.bridge.outbox import MOST_BYTES, Kept, Outbox
from arauto.bridge.report import Why
from arauto.kafka_io.connection import PRODUCER, KafkaLink, check_threads, trouble
from arauto.kafka_io.producer import OVERHEAD
from arauto.kafka_io.topic_identity import describe

HEADER = "arauto-bridge"
MOVING = 2000  # messages in flight to a topic; the others wait in order, and delay no other topic
MOVING_BYTES = 1 << 23  # of these, and one message more: Kafka's library holds a copy
SILENT_AFTER = 2.0  # seconds without an answer
AGAIN = 1.0  # seconds until a refused message is tried again

_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
_NEVER: dict[int, Why] = {
    KafkaError.MSG_SIZE_TOO_LARGE: "too large",
    KafkaError.RECORD_LIST_TOO_LARGE: "too large",
    KafkaError.INVALID_RECORD: "refused",
}


class ToKafka:
    """One for each process. ``pump`` and ``close`` are for one thread, ``look`` for another one.

    :param name: the value of the header.
    :param passed: is given each message that Kafka has.
    :param missed: is given each message that Kafka will never have, and why.
    """

    def __init__(
        self,
        link: KafkaLink,
        name: str,
        topics: list[str],
        outbox: Outbox,
        passed: Callable[[Kept], None],
        missed: Callable[[Kept, Why], None],
    ) -> None:
        self._link = link
        self._header: Any = [(HEADER, name.encode())]
        self._config: dict[str, Any] = (
            link.config
            | PRODUCER
            | {
                "linger.ms": 5,
                "message.timeout.ms": 0,  # until Kafka is back
                "message.max.bytes": MOST_BYTES + OVERHEAD,  # the topic has its own limit
            }
        )
        self._topics = topics
        self._outbox = outbox
        self._passed = passed
        self._missed = missed
        self._producer: Producer | None = None
        self._there: set[str] = set()  # topics that exist: producing to others might create them
        self._trouble: dict[str, tuple[str, ...]] = {}
        self._again: dict[str, float] = {}
        self._back: list[int] = []
        self._room: dict[str, int] = {}  # bytes in flight to topics that found a batch too large
        self._halved: set[str] = set()  # since the last poll: all messages of a batch are refused one by one
        self._sent = dict.fromkeys(topics, 0)  # messages since none was in flight
        self._answered = dict.fromkeys(topics, 0.0)

    def trouble(self, topic: str) -> tuple[str, ...]:
        """Why nothing can be produced to the topic; empty: it can."""
        is_moving = self._outbox.moving_to(topic)[0] > 0
        is_silent = is_moving and monotonic() - self._answered[topic] > SILENT_AFTER
        return ("kafka", "away", "no answer") if is_silent else self._trouble.get(topic, ())

    def look(self) -> None:
        """Check which of the topics exist; waits for Kafka."""
        for topic in self._topics:
            if topic not in self._there:
                error = self._link.call(partial(_look, self._link, topic))
                if error is None:
                    self._there.add(topic)
                    self._trouble.pop(topic, None)
                else:
                    self._trouble[topic] = ("kafka", *trouble(error))

    def pump(self) -> None:
        """Produce waiting messages, and handle delivery reports."""
        for topic in self._topics:
            if topic in self._there and self._again.get(topic, 0) <= monotonic():
                self._send(topic)
        self.poll()

    def poll(self) -> None:
        """Handle delivery reports, without producing more."""
        if self._producer is not None:
            self._producer.poll(0)
        self._outbox.put_back(self._back)
        self._back.clear()
        self._halved.clear()

    def _send(self, topic: str) -> None:
        while not self._back:
            many, size = self._outbox.moving_to(topic)
            if many >= MOVING or size >= MOVING_BYTES:
                return
            room = self._room.get(topic)
            if room is not None and many and size + self._outbox.next_size(topic) > room:
                return
            if (taken := self._outbox.take(topic)) is None:
                return
            number, message = taken
            if not many:
                self._answered[topic] = monotonic()
                self._sent[topic] = 0
            self._sent[topic] += 1
            try:
                if self._producer is None:
                    check_threads()
                    self._producer = Producer(self._config)
                self._producer.produce(
                    topic, message.data, key=message.channel, headers=self._header,
                    on_delivery=partial(self._delivered, number),
                )  # fmt: skip
            except BufferError:
                self._back.append(number)
            except KafkaException as refused:
                self._finish(number, refused.args[0], is_alone=True)

    def _delivered(self, number: int, error: KafkaError | None, _: object) -> None:
        self._finish(number, error)

    def _finish(self, number: int, error: KafkaError | None, is_alone: bool = False) -> None:
        message = self._outbox.moving.get(number)
        if message is None:
            return
        topic = message.topic
        is_alone = is_alone or self._sent[topic] == 1
        self._answered[topic] = monotonic()
        if error is not None and error.code() not in _NEVER:
            self._keep(number, topic, error)
        elif error is not None and error.code() in _TOO_LARGE and not is_alone:
            self._back.append(number)  # another message of its batch, or the batch, may be what is too large
            if topic not in self._halved:
                self._halved.add(topic)
                self._room[topic] = self._outbox.moving_to(topic)[1] // 2
        else:
            self._outbox.settle(number)
            if topic in self._room and self._outbox.moving_to(topic)[0] == 0:
                self._room[topic] *= 2
                if self._room[topic] > MOVING_BYTES:
                    del self._room[topic]
            if error is None:
                self._trouble.pop(topic, None)
                self._passed(message)
            else:
                self._missed(message, _NEVER[error.code()])

    def _keep(self, number: int, topic: str, error: KafkaError) -> None:
        if error.fatal():  # this producer is unusable
            self._producer = None
            self._back += self._outbox.moving
            return
        self._back.append(number)
        found = trouble(error)
        if found.kind == "unknown":
            self._there.discard(topic)
        self._trouble[topic] = ("kafka", *found)
        self._again[topic] = monotonic() + AGAIN


def _look(link: KafkaLink, topic: str) -> KafkaError | None:
    """Why the topic cannot be used. Returned: raised in a call, it would be logged each time."""
    try:
        describe(link, topic)
    except KafkaException as error:
        return error.args[0]  # type: ignore[no-any-return]
    return None
