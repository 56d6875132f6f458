"""From Kafka to Redis: publishes messages of one topic to channels, then commits their offsets."""

import logging
from collections import deque
from collections.abc import Callable
from time import monotonic, time
from typing import Any

import redis
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from arauto.bridge.lease import NotOurs
from arauto.bridge.places import Place, place
from arauto.bridge.report import Report
from arauto.bridge.to_kafka import HEADER
from arauto.kafka_io.connection import (
    CONSUMER,
    DEADLINE,
    KafkaFailed,
    KafkaLink,
    check_threads,
    reason,
    trouble,
)
from arauto.kafka_io.topic_identity import describe
from arauto.kafka_io.topic_list import bounds_of
from arauto.kafka_io.topic_pages import record_of
from arauto.kafka_io.truncation import is_truncation, leaders_of
from arauto.protocol.topics import Offsets, Record
from arauto.redis_io.connection import error_text
from arauto.text.bridge_rules import Rule

MOST = 200  # messages of a batch
MOST_BYTES = 1_000_000  # of a batch, and one message more
COMMIT_EVERY = 0.5  # seconds
RENEW_EVERY = 3600.0  # seconds: Kafka forgets the offsets of a group that commits nothing for days
LOOK_EVERY = 5.0  # seconds between two checks of the topic's id and partitions
AGAIN = 1.0  # seconds

_NO_COMMIT = 0  # negative offsets mean that none was committed
_MISPLACED = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}
_OPTIONS: dict[str, Any] = {
    "enable.partition.eof": False,
    "fetch.wait.max.ms": 100,
    "socket.timeout.ms": 10_000,
}

Publish = Callable[[list[tuple[bytes, bytes]]], tuple[int, str]]
"""See :meth:`Lease.publish`."""

log = logging.getLogger("arauto")


class FromKafka:
    """One topic; all methods are for one thread.

    :param group: the consumer group under which offsets are committed. No consumer joins it.
    :param rules: those that read the topic.
    :param is_ours: whether this process holds the lease. One that was frozen for a while must commit nothing:
        another process has committed later offsets by then.
    """

    def __init__(
        self,
        link: KafkaLink,
        group: str,
        topic: str,
        rules: list[Rule],
        publish: Publish,
        is_ours: Callable[[], bool],
    ) -> None:
        self.topic = topic
        self._link = link
        self._group = group
        self._rules = rules
        self._publish = publish
        self._is_ours = is_ours
        self._errors: deque[KafkaError] = deque(maxlen=10)
        self._consumer: Consumer | None = None
        self._was_missing = False
        self._begin()

    def _begin(self) -> None:
        self.is_placed = False
        """Whether it has offsets to read from. Messages before the first of them are not passed on."""
        self._epoch = ""
        self._offsets: Offsets = {}
        self._leaders: Offsets = {}  # their epochs
        self._truncated: set[int] = set()
        self._known: dict[int, Place] = {}
        self._leaderless: set[int] = set()
        self._old: set[int] = set()
        self._hold([])
        self._again = self._looked = self._committed = 0.0
        self._is_uncommitted = False

    def step(self, report: Report) -> bool:
        """Pass on what was fetched.

        :return: whether there may be more at once.
        """
        if monotonic() < self._again:
            return False
        try:
            if self._consumer is None:
                check_threads()
                self._consumer = Consumer(
                    self._link.config | CONSUMER | _OPTIONS
                    | {"group.id": self._group, "error_cb": self._errors.append}
                )  # fmt: skip
            consumer = self._consumer
            if not self.is_placed:
                self._ask(lambda: self._place(consumer, report))
            elif self._errors or monotonic() - self._looked > LOOK_EVERY:
                self._errors.clear()
                self._ask(self._look)
                self._looked = monotonic()
            if not self._held:
                self._hold(self._read(consumer))
            is_busy = bool(self._held)
            self._pass_on(report)
            self._commit(consumer, report)
            self._set_trouble(report)
            return is_busy
        except KafkaException as error:
            self._fail(report, error.args[0])
        except redis.RedisError as error:
            self._set_trouble(report, "redis", error_text(error))
            self._again = monotonic() + AGAIN
        return False

    def close(self, report: Report) -> None:
        """Commit the offsets if the lease is still ours, and disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            try:
                self._ask(lambda: self._leave(consumer, report))
            except (NotOurs, KafkaFailed):
                pass  # the next holder begins at the offsets committed before
            except KafkaException as error:
                log.warning("bridge place not committed topic=%r why=%r", self.topic, error.args[0].str())
            finally:
                self._begin()

    def _ask(self, function: Callable[[], None]) -> None:
        """Call ``function``, which waits for Kafka. :raise KafkaException: it does not answer, or refuses."""

        def outcome() -> KafkaException | None:  # not raised there, which would be logged each time
            try:
                function()
            except KafkaException as error:
                return error
            return None

        if (error := self._link.call(outcome)) is not None:
            raise error

    # Offsets

    def _place(self, consumer: Consumer, report: Report) -> None:
        try:
            epoch, partitions, _ = describe(self._link, self.topic)
        except KafkaException as error:
            if trouble(error.args[0]).kind == "unknown":
                self._was_missing = True
            raise
        consumer.unassign()
        found = bounds_of(consumer, [(self.topic, one) for one in partitions])
        bounds = {partition: one for (_, partition), one in found.items()}
        leaders = leaders_of(consumer, [*found])
        commits = self._read_commits(consumer, partitions)
        known = (commits or _places_in(report, self.topic)) | self._known
        if not known and not self._was_missing:
            self._old = set(partitions)
        placed = place(known, epoch, bounds, self._old, self._truncated)
        now = int(1000 * time())
        for rule in self._rules:
            for why, many in placed.missed:
                report.miss(rule, why, now, now, many)
        self._epoch, self._offsets = epoch, placed.offsets
        self._leaders = leaders | placed.leaders
        self._truncated.clear()
        self._keep()
        self._leaderless = partitions - bounds.keys()
        self._was_missing = True  # partitions that appear from now on are new
        self._old -= bounds.keys()
        consumer.assign([TopicPartition(self.topic, one, at) for one, at in self._offsets.items()])
        for one, leader in placed.leaders.items():
            # With the epoch, Kafka checks that the messages before are still those that were read.
            consumer.seek(TopicPartition(self.topic, one, self._offsets[one], leader_epoch=leader))
        self._write_commits(consumer, self._places())
        self._remember(report)
        self.is_placed, self._is_uncommitted = True, False
        self._looked = self._committed = monotonic()

    def _read_commits(self, consumer: Consumer, partitions: set[int]) -> dict[int, Place]:
        wanted = [TopicPartition(self.topic, one) for one in partitions]
        found = consumer.committed(wanted, timeout=DEADLINE)
        return {
            one.partition: Place(one.offset, one.metadata or "", one.leader_epoch)
            for one in found
            if one.offset >= _NO_COMMIT
        }

    def _keep(self) -> None:
        """Remember the offsets, for the next :meth:`_place`."""
        at = self._offsets.items()
        self._known = {one: Place(offset, self._epoch, self._leaders.get(one)) for one, offset in at}

    def _places(self) -> list[TopicPartition]:
        # With the topic's id: another topic of this name has another one.
        return [
            TopicPartition(self.topic, one, at, self._epoch, leader_epoch=self._leaders.get(one, -1))
            for one, at in self._offsets.items()
        ]

    def _look(self) -> None:
        epoch, partitions, leaderless = describe(self._link, self.topic)
        is_other = partitions != self._offsets.keys() | self._leaderless
        if epoch != self._epoch or is_other or leaderless != self._leaderless:
            self.is_placed = False
            self._hold([])

    # Passing on

    def _read(self, consumer: Consumer) -> list[Record]:
        if not self.is_placed:
            return []
        records: list[Record] = []
        for message in consumer.consume(MOST, 0):
            error = message.error()
            if error is None:
                records.append(record := record_of(message))
                if (leader := message.leader_epoch()) is not None:
                    self._leaders[record.partition] = leader
            elif message.topic() is not None:  # else of the group, which we do not use
                self.is_placed = False
                if is_truncation(error):
                    self._truncated.add(message.partition() or 0)
                if error.code() not in _MISPLACED:
                    raise KafkaException(error)
                break
        return records

    def _hold(self, records: list[Record]) -> None:
        self._held = records
        self._given = 0
        """How many messages of the current batch Redis has published."""

    def _pass_on(self, report: Report) -> None:
        while self._held:
            many, size = 0, 0
            given: list[tuple[bytes, bytes]] = []
            for record in self._held:
                if record.data is not None and not self._is_own(record):
                    given += [(rule.channel, record.data) for rule in self._rules]
                    size += len(record.data) * len(self._rules)
                many += 1
                if size > MOST_BYTES:
                    break
            self._give(given)
            self._note(self._held[:many], report)
            del self._held[:many]
            self._given = 0

    def _give(self, given: list[tuple[bytes, bytes]]) -> None:
        """Publish all; after a refusal, those already published are not published again."""
        if left := given[self._given :]:
            many, why = self._publish(left)
            self._given += many
            if why:
                raise redis.ResponseError(why)

    def _note(self, records: list[Record], report: Report) -> None:
        for record in records:
            self._offsets[record.partition] = record.offset + 1
            for rule in self._rules:
                progress = report.rules[str(rule)]
                if self._is_own(record):
                    progress.own += 1
                elif record.data is None:
                    progress.empty += 1
                else:
                    progress.passed += 1
        self._keep()
        self._is_uncommitted = True

    def _is_own(self, record: Record) -> bool:
        return (HEADER, self._group.encode()) in (record.headers or [])

    def _commit(self, consumer: Consumer, report: Report) -> None:
        since = monotonic() - self._committed
        if self.is_placed and since > (COMMIT_EVERY if self._is_uncommitted else RENEW_EVERY):
            self._ask(lambda: self._write_commits(consumer, self._places()))
            self._remember(report)
            self._is_uncommitted, self._committed = False, monotonic()

    def _remember(self, report: Report) -> None:
        known = self._known.items()
        report.places[self.topic] = {str(one): (at.offset, at.epoch, at.leader) for one, at in known}

    def _write_commits(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        if not self._is_ours():
            raise NotOurs
        if places:
            committed = consumer.commit(offsets=places, asynchronous=False) or []
            if failed := next((one.error for one in committed if one.error is not None), None):
                raise KafkaException(failed)

    def _leave(self, consumer: Consumer, report: Report) -> None:
        try:
            if self._is_uncommitted:
                self._write_commits(consumer, self._places())
                self._remember(report)
        finally:
            consumer.close()

    # Trouble

    def _fail(self, report: Report, error: KafkaError) -> None:
        found = trouble(reason(error, self._errors, self._link.config))
        self._errors.clear()
        self.is_placed = False
        self._hold([])
        self._set_trouble(report, "kafka", *found)
        self._again = monotonic() + AGAIN

    def _set_trouble(self, report: Report, *why: str) -> None:
        for rule in self._rules:
            report.set_trouble(rule, *why)


def _places_in(report: Report, topic: str) -> dict[int, Place]:
    return {int(one): Place(*at) for one, at in report.places.get(topic, {}).items()}
