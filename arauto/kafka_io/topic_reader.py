"""Reads new messages of one topic, in a thread of its own, for all pages of a process."""

import logging
from collections import deque
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from arauto.kafka_io.connection import CONSUMER, KafkaLink, Trouble, check_threads, reason, trouble
from arauto.kafka_io.topic_identity import describe
from arauto.kafka_io.topic_list import Bounds, bounds_of
from arauto.kafka_io.topic_pages import record_of, weight_of
from arauto.kafka_io.topic_ring import Batch, TopicRing
from arauto.kafka_io.truncation import is_truncation, leaders_of
from arauto.protocol.events import Item
from arauto.protocol.topic_events import Produced, TopicGap
from arauto.protocol.topics import Offsets
from arauto.system.native_thread import Handover, native_sleep

POLL = 0.2  # seconds within which a stopped reader ends
MOST = 1000  # messages of a batch
BEHIND = 4  # batches that wait to be handed over; beyond that, reading pauses
FOR_EACH = 0.00005  # seconds between two batches, for each page: about the cost of a frame
LONGEST = 0.05  # seconds
LOOK = 5.0  # seconds between two checks of the topic's id and partitions
AGAIN = 1.0  # seconds

_READER = {
    "enable.partition.eof": False,
    "fetch.wait.max.ms": 500,  # two requests a second without messages
    "socket.timeout.ms": 10_000,
    "debug": "metadata",  # for LibraryLog; a few lines with each answer about the topic
}
_NONE = ""  # in place of an epoch: the topic did not exist
_MISPLACED = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}

log = logging.getLogger("arauto")


class LibraryLog:
    """Takes the log of Kafka's library, which tells only there that a topic has another id.

    It goes on in a topic that was deleted and created again as if nothing had happened.
    """

    def __init__(self) -> None:
        self.has_other_id = False

    def log(self, level: int, text: str, *values: object) -> None:
        """As of a ``logging.Logger``; called within ``poll`` and ``consume``."""
        self.has_other_id |= any("changed id" in str(value) for value in values)


class TopicReader:
    """:meth:`run` adds to ``ring`` until :meth:`stop`, or until the topic does not exist.

    It goes on through any other fault of Kafka.

    A gap is added only where Kafka reports that messages were deleted: holes between offsets are normal.
    """

    def __init__(self, link: KafkaLink, topic: str, ring: TopicRing, handover: Handover) -> None:
        self._link = link
        self._topic = topic
        self._ring = ring
        self._handover = handover
        self._sleep = native_sleep()
        self._is_stopping = False
        self._is_missing = False
        self._errors: deque[KafkaError] = deque(maxlen=10)  # of connections, since the last look
        self._library = LibraryLog()
        self._epoch: str | None = None
        self._places: Offsets = {}
        self._leaderless: set[int] = set()
        self._unplaced: set[int] = set()  # without a leader from the first: their end is unknown
        self._truncated: set[int] = set()
        self._leaders: dict[int, int] = {}  # the leader epochs of the last messages
        self._trouble: Trouble | None = None

    def stop(self) -> None:
        """Ask :meth:`run` to return soon; from any thread."""
        self._is_stopping = True

    def run(self) -> None:
        """Call it in a native thread, and again when the topic exists again."""
        self._is_missing = False
        while self._goes_on:
            self._read()

    def miss(self, why: Trouble) -> None:
        """The topic does not exist; call it only while :meth:`run` does not run."""
        self._is_missing = True
        if self._epoch is None:
            self._epoch = _NONE
        self._trouble = why
        self._handover.soon(lambda: self._ring.fail(why))

    @property
    def _goes_on(self) -> bool:
        return not (self._is_stopping or self._is_missing)

    def _read(self) -> None:
        try:
            check_threads()
            own = {"error_cb": self._errors.append, "logger": self._library}
            consumer = Consumer(self._link.config | CONSUMER | _READER | own)
        except KafkaException as error:
            self._fail(error.args[0])
            self._sleep(AGAIN)
            return
        try:
            while self._goes_on:
                self._try(consumer)
        finally:
            consumer.close()

    def _try(self, consumer: Consumer) -> None:
        try:
            self._place(consumer)
            self._follow(consumer)
            return
        except KafkaException as error:
            if error.args[0].code() in _MISPLACED:
                return  # it is placed again
            self._fail(error.args[0])
        except Exception as error:
            self._log_fault(error)
            self._fail(KafkaError(KafkaError._FAIL, "internal error"))
        if self._goes_on:
            # A message that is fetched now is fetched again, once it is placed.
            consumer.poll(AGAIN)

    # Offsets

    def _place(self, consumer: Consumer) -> None:
        """Find the offsets to go on from, and add gaps for what is missing since the last time."""
        self._library.has_other_id = False
        epoch, partitions, _ = describe(self._link, self._topic)
        consumer.unassign()  # else each reply waits for a fetch that the broker holds
        bounds = bounds_of(consumer, [(self._topic, one) for one in partitions])
        led = {one: found for one in partitions if (found := bounds.get((self._topic, one)))}
        leaders = leaders_of(consumer, [(self._topic, one) for one in led])
        gaps: list[Item] = []
        if self._epoch is None:
            self._unplaced = partitions - led.keys()
        elif self._epoch != epoch:
            self._places, self._unplaced, self._truncated, self._leaders = {}, set(), set(), {}
        starts = self._places
        self._places = dict(starts)
        for one, found in led.items():
            at = starts.get(one)
            if (gap := self._gap(one, at, found)) is not None:
                gaps.append(gap)
            self._places[one] = self._begin(one, found) if at is None else min(max(at, found.low), found.high)
            if gap is not None:
                self._leaders.pop(one, None)
        self._unplaced -= led.keys()
        self._truncated.clear()
        self._leaderless = partitions - led.keys()
        self._epoch = epoch
        consumer.assign([TopicPartition(self._topic, one, at) for one, at in self._places.items()])
        known = led.keys() & self._leaders.keys()
        self._leaders = leaders | self._leaders
        for one in known:
            # With the epoch, Kafka checks that the messages before are still those that were read. An epoch
            # given to assign() is not always checked.
            at, leader = self._places[one], self._leaders[one]
            consumer.seek(TopicPartition(self._topic, one, at, leader_epoch=leader))
        missing = ", ".join(map(str, sorted(self._leaderless)))
        self._trouble = Trouble("leaderless", missing) if missing else None
        self._add(gaps, self._places | starts)

    def _begin(self, partition: int, found: Bounds) -> int:
        """A partition that was added later is read from its beginning, one without a leader from its end."""
        return found.high if self._epoch is None or partition in self._unplaced else found.low

    def _gap(self, partition: int, at: int | None, found: Bounds) -> TopicGap | None:
        if at is None:
            is_lost = self._epoch is not None and partition in self._unplaced
            return TopicGap(self._topic, "leaderless", partition, found.high) if is_lost else None
        if at < found.low:
            return TopicGap(self._topic, "retention", partition, at, found.low - at)
        if at > found.high or partition in self._truncated:
            return TopicGap(self._topic, "truncated", partition, min(at, found.high))
        return None

    # Reading

    def _follow(self, consumer: Consumer) -> None:
        """Read until the topic's id, partitions or leaders change."""
        looked = monotonic()
        while not self._is_stopping:
            first = consumer.poll(POLL)
            # Waiting for several at once would take the whole timeout.
            messages = [] if first is None else [first, *consumer.consume(MOST - 1, 0)]
            if self._library.has_other_id:
                return  # these may be of the new topic, which is shown from its beginning
            if messages:
                self._take(messages)
                self._rest()
            if self._errors or monotonic() - looked > LOOK:
                self._errors.clear()
                if self._has_changed():
                    return
                looked = monotonic()

    def _has_changed(self) -> bool:
        # Not by the consumer: its connection replies only when a held fetch is over.
        epoch, partitions, leaderless = describe(self._link, self._topic)
        is_other = partitions != self._places.keys() | self._leaderless
        return epoch != self._epoch or is_other or leaderless != self._leaderless

    def _take(self, messages: list[Message]) -> None:
        items: list[Item] = []
        starts = dict(self._places)
        weight = 0
        failed: KafkaError | None = None
        for message in messages:
            if error := message.error():
                if is_truncation(error):
                    self._truncated.add(message.partition() or 0)
                if message.topic() is not None:  # else of the group, which we do not use
                    failed = error
                continue
            record = record_of(message)
            if record.offset < self._places.get(record.partition, 0):
                continue  # the library may go back when a leader changes
            items.append(Produced(self._topic, record))
            self._places[record.partition] = record.offset + 1
            if (leader := message.leader_epoch()) is not None:
                self._leaders[record.partition] = leader
            weight += weight_of(record)
        if items:
            self._add(items, starts, weight)
        if failed is not None:
            raise KafkaException(failed)

    def _rest(self) -> None:
        """Give pages time for their frames, and let the next batch grow."""
        while self._handover.waiting > BEHIND and not self._is_stopping:
            self._sleep(POLL / 100)
        self._sleep(min(LONGEST, FOR_EACH * len(self._ring.listeners)))

    # Output

    def _add(self, items: list[Item], starts: Offsets, weight: int = 0) -> None:
        batch = Batch(items, starts, dict(self._places), weight, dict(self._leaders))
        epoch, trouble = self._epoch or _NONE, self._trouble
        self._handover.soon(lambda: self._ring.add(batch, epoch, trouble))

    def _fail(self, error: KafkaError) -> None:
        found = trouble(reason(error, self._errors, self._link.config))
        self._errors.clear()
        if found != self._trouble:
            self._handover.soon(lambda: log.warning("topic away topic=%r why=%r", self._topic, found.words))
        if found.kind == "unknown":
            self.miss(found)
            return
        self._trouble = found
        self._handover.soon(lambda: self._ring.fail(found))

    def _log_fault(self, error: Exception) -> None:
        self._handover.soon(lambda: log.error("topic reader failed topic=%r", self._topic, exc_info=error))
