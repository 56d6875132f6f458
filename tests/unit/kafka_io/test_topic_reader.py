"""The events of a topic's reader when its Kafka changes, with a fake Kafka."""

from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from arauto.kafka_io import connection, topic_reader
from arauto.kafka_io.connection import KafkaLink, Trouble
from arauto.kafka_io.topic_list import Bounds
from arauto.kafka_io.topic_reader import TopicReader
from arauto.kafka_io.topic_ring import Batch, TopicRing
from arauto.protocol.topic_events import TopicGap
from arauto.protocol.topics import Offsets
from arauto.system.native_thread import Handover
from arauto.system.resource_errors import NoThread
from tests.unit.kafka_io.fakes import Message

Step = Callable[["Kafka"], Any]

# The library's error if ``auto.offset.reset`` is ``error``.
TRUNCATED = (
    KafkaError._AUTO_OFFSET_RESET,
    "Reset to INVALID.: Local: Partition log truncation detected (broker 1)",
)


class Kafka:
    """A fake: partitions with a leader have bounds; each poll takes a step, and the last ends the reader."""

    def __init__(self, *steps: Step) -> None:
        self.epoch, self.bounds = "a/b+c", cast("dict[int, Bounds | None]", {0: Bounds(2, 10)})
        self.assigned: list[Offsets] = []
        self.sought: list[tuple[int, int, int]] = []
        self.batches: list[Batch] = []
        self.epochs: list[str] = []
        self.troubles: list[Trouble | None] = []
        self._steps = list(steps)
        self.admin = self
        self.config: dict[str, Any] = {"bootstrap.servers": "kafka:9092"}
        self.listeners: set[Any] = set()
        link, ring = cast(KafkaLink, self), cast(TopicRing, self)
        self._reader = TopicReader(link, "t", ring, Handover())

    def run(self) -> None:
        while not self._reader._is_stopping:
            self._reader.run()
            self.poll(0)  # time passes until the next look

    @property
    def gaps(self) -> list[Any]:
        return [item for batch in self.batches for item in batch.items if isinstance(item, TopicGap)]

    def describe_topics(self, topics: Any, request_timeout: float) -> dict[str, Future[Any]]:
        answer: Future[Any] = Future()
        if self.epoch:
            parts = [SimpleNamespace(id=one, leader=bounds and 1) for one, bounds in self.bounds.items()]
            answer.set_result(SimpleNamespace(topic_id=self.epoch, partitions=parts))
        else:
            answer.set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
        return {"t": answer}

    def bounds_of(self, consumer: Any, partitions: list[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        return {(topic, one): bounds for topic, one in partitions if (bounds := self.bounds[one])}

    def offsets_for_times(self, wanted: list[Any], timeout: float) -> list[Any]:
        return [SimpleNamespace(partition=one.partition, leader_epoch=6, error=None) for one in wanted]

    def poll(self, timeout: float) -> Any:
        if not self._steps:
            self._reader.stop()
            return None
        return self._steps.pop(0)(self)

    def consume(self, most: int, timeout: float) -> list[Any]:
        return []

    def assign(self, places: list[Any]) -> None:
        self.assigned.append({one.partition: one.offset for one in places})

    def seek(self, place: Any) -> None:
        self.sought.append((place.partition, place.offset, place.leader_epoch))

    def unassign(self) -> None: ...

    def close(self) -> None: ...

    def add(self, batch: Batch, epoch: str, trouble: Trouble | None) -> None:
        self.batches.append(batch)
        self.epochs.append(epoch)
        self.troubles.append(trouble)

    def fail(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Kafka]:
    def run(*steps: Step, **state: Any) -> Kafka:
        kafka = Kafka(*steps)
        vars(kafka).update(state)
        monkeypatch.setattr(topic_reader, "Consumer", lambda config: kafka)
        monkeypatch.setattr(topic_reader, "bounds_of", kafka.bounds_of)
        monkeypatch.setattr(topic_reader, "LOOK", -1.0)  # after each poll
        kafka.run()
        return kafka

    return run


Read = Callable[..., Kafka]


def become(**state: Any) -> Step:
    return lambda kafka: vars(kafka).update(state)


def failing(code: int, words: str | None = None, **state: Any) -> Step:
    """An error of partition 0, after which the topic has this state."""

    def step(kafka: Kafka) -> Any:
        vars(kafka).update(state)
        error = KafkaError(code, words)
        return SimpleNamespace(error=lambda: error, partition=lambda: 0, topic=lambda: "t")

    return step


def test_where_threads_are_too_few_it_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka()
    lacking = iter([NoThread()])

    def check(threads: int) -> None:
        if error := next(lacking, None):
            raise error

    monkeypatch.setattr(connection, "check_room", check)
    monkeypatch.setattr(topic_reader, "Consumer", lambda config: kafka)
    monkeypatch.setattr(topic_reader, "bounds_of", kafka.bounds_of)
    monkeypatch.setattr(topic_reader, "AGAIN", 0.0)
    kafka.run()
    trouble, then = kafka.troubles
    assert (trouble and trouble.kind, then) == ("threads", None)


def test_it_begins_at_the_end(read: Read) -> None:
    kafka = read(lambda _: Message(10))
    first, batch = kafka.batches
    assert (first.starts, first.ends, kafka.epochs[0]) == ({0: 10}, {0: 10}, "a_b-c")
    assert (first.leaders, batch.leaders) == ({0: 6}, {0: 7})
    assert (batch.starts, batch.ends, len(batch.items)) == ({0: 10}, {0: 11}, 1)


def test_what_the_library_reads_again_is_not_shown_again(read: Read) -> None:
    kafka = read(lambda _: Message(10), lambda _: Message(11), lambda _: Message(10), lambda _: Message(12))
    assert [batch.ends for batch in kafka.batches] == [{0: 10}, {0: 11}, {0: 12}, {0: 13}]


@pytest.mark.parametrize(
    ("code", "bounds", "gap", "place"),
    [
        (KafkaError._AUTO_OFFSET_RESET, Bounds(15, 20), TopicGap("t", "retention", 0, 10, 5), 15),
        (KafkaError._AUTO_OFFSET_RESET, Bounds(0, 7), TopicGap("t", "truncated", 0, 7), 7),
        (KafkaError._LOG_TRUNCATION, Bounds(0, 12), TopicGap("t", "truncated", 0, 10), 10),
        (KafkaError._AUTO_OFFSET_RESET, Bounds(0, 12), None, 10),
        (TRUNCATED, Bounds(0, 12), TopicGap("t", "truncated", 0, 10), 10),
    ],
)
def test_what_is_gone_under_it_is_reported(
    read: Read, code: int | tuple[int, str], bounds: Bounds, gap: TopicGap | None, place: int
) -> None:
    kafka = read(failing(*(code if isinstance(code, tuple) else (code,)), bounds={0: bounds}))
    assert kafka.gaps == ([gap] if gap else [])
    assert kafka.assigned == [{0: 10}, {0: place}]


def test_the_leader_of_the_last_message_is_sent_where_it_goes_on(read: Read) -> None:
    grown = {0: Bounds(2, 12), 1: Bounds(0, 3)}
    kafka = read(lambda _: Message(10), become(bounds=grown))
    assert (kafka.assigned[-1], kafka.sought) == ({0: 11, 1: 0}, [(0, 11, 7)])
    kafka = read(lambda _: Message(10), failing(*TRUNCATED, bounds=grown))
    assert (kafka.assigned[-1], kafka.sought) == ({0: 11, 1: 0}, []), "it goes on"


def test_a_partition_that_comes_is_read_from_its_first_message(read: Read) -> None:
    kafka = read(become(bounds={0: Bounds(2, 10), 1: Bounds(0, 3)}))
    assert kafka.assigned == [{0: 10}, {0: 10, 1: 0}]
    assert kafka.gaps == []


def test_a_partition_without_a_leader_is_reported_and_then_from_where_it_is_read(read: Read) -> None:
    kafka = read(become(bounds={0: Bounds(2, 11), 1: Bounds(0, 3)}), bounds={0: Bounds(2, 10), 1: None})
    assert Trouble("leaderless", "1") in kafka.troubles
    assert kafka.gaps == [TopicGap("t", "leaderless", 1, 3)]
    assert kafka.assigned == [{0: 10}, {0: 10, 1: 3}]


def test_a_leader_that_is_lost_leaves_no_gap(read: Read) -> None:
    kafka = read(become(bounds={0: None}), become(bounds={0: Bounds(2, 12)}))
    assert Trouble("leaderless", "0") in kafka.troubles
    assert (kafka.gaps, kafka.assigned) == ([], [{0: 10}] * 3)


def test_another_topic_of_the_name_is_read_from_its_first_message(read: Read) -> None:
    kafka = read(
        become(epoch=""), lambda _: None, become(epoch="other", bounds={0: Bounds(0, 4)}), lambda _: None
    )
    assert {one.kind for one in kafka.troubles if one} == {"unknown"}
    assert kafka.assigned == [{0: 10}, {0: 0}]
    assert kafka.epochs[-1] == "other"


def test_what_may_be_of_a_new_topic_is_not_shown_as_of_the_old_one(read: Read) -> None:
    def goes_on(kafka: Kafka) -> Any:
        kafka.epoch, kafka.bounds = "other", {0: Bounds(0, 12)}
        line = "Topic t changed id from a/b+c to other"
        kafka._reader._library.log(7, "%s [%s] %s", "METADATA", "consumer-1", line)
        return Message(10)

    kafka = read(goes_on, lambda _: Message(0))
    assert kafka.assigned == [{0: 10}, {0: 0}]
    assert [(batch.ends, epoch) for batch, epoch in zip(kafka.batches, kafka.epochs, strict=True)] == [
        ({0: 10}, "a_b-c"), ({0: 0}, "other"), ({0: 1}, "other"),
    ]  # fmt: skip


def test_a_topic_that_comes_into_being_is_read_from_its_first_message(read: Read) -> None:
    kafka = read(become(epoch="new", bounds={0: Bounds(0, 4)}), lambda _: None, epoch="")
    assert (kafka.assigned, kafka.gaps) == ([{0: 0}], [])


def test_a_fault_of_ours_is_logged_and_does_not_end_it(read: Read, caplog: pytest.LogCaptureFixture) -> None:
    kafka = read(lambda _: 1 / 0, lambda _: None, lambda _: Message(10))
    assert "topic reader failed topic='t'" in caplog.text
    assert kafka.assigned == [{0: 10}] * 2
    assert [len(batch.items) for batch in kafka.batches] == [0, 0, 1]
