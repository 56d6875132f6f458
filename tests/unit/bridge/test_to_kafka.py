from typing import Any

import pytest
from confluent_kafka import KafkaError

from arauto.bridge import to_kafka
from arauto.bridge.outbox import Kept, Outbox
from arauto.text.bridge_rules import read_rules

STUCK, GOES = read_rules("a -> kafka:stuck, b -> kafka:goes")


class HalfAway:
    """A Kafka in which one of the topics has no leader."""

    def __init__(self, config: object) -> None:
        self._callbacks: list[Any] = []

    def produce(self, topic: str, *_: object, on_delivery: Any, **more: object) -> None:
        if topic == GOES.topic:
            self._callbacks.append(on_delivery)

    def poll(self, timeout: float) -> None:
        while self._callbacks:
            self._callbacks.pop(0)(None, None)


def test_a_topic_that_is_stuck_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(to_kafka, "Producer", HalfAway)
    monkeypatch.setattr(to_kafka, "monotonic", lambda: clock[0])
    link: Any = type("Link", (), {"config": {}, "call": lambda self, function: None})()
    topics = [STUCK.topic, GOES.topic]
    outbox = Outbox(topics)
    passed: list[Kept] = []
    bridge = to_kafka.ToKafka(link, "name", topics, outbox, passed.append, lambda *_: None)
    bridge.look()
    for at in range(to_kafka.MOVING + 1):
        outbox.add(Kept(at, STUCK, b"a", b"", at))
    for at in range(3):
        outbox.add(Kept(at, GOES, b"b", b"", at))
        bridge.pump()
        clock[0] += 1
    assert [one.rule for one in passed] == [GOES] * 3
    assert (outbox.moving_to(STUCK.topic)[0], outbox.waiting) == (to_kafka.MOVING, 1)
    assert bridge.trouble(STUCK.topic) == ("kafka", "away", "no answer")
    assert bridge.trouble(GOES.topic) == ()


class SmallBatches:
    """A Kafka that refuses what is produced between two polls as one batch, if it is too large."""

    MOST = 5_000

    def __init__(self, config: object) -> None:
        self._batch: list[tuple[int, Any]] = []
        self.polls = 0

    def produce(self, topic: str, data: bytes, *_: object, on_delivery: Any, **more: object) -> None:
        self._batch.append((len(data), on_delivery))

    def poll(self, timeout: float) -> None:
        batch, self._batch = self._batch, []
        self.polls += bool(batch)
        is_too_large = sum(size for size, _ in batch) > self.MOST
        for _, delivered in batch:
            delivered(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) if is_too_large else None, None)


def test_a_topic_for_small_batches_gets_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SmallBatches] = []

    def make(config: object) -> SmallBatches:
        made.append(SmallBatches(config))
        return made[-1]

    monkeypatch.setattr(to_kafka, "Producer", make)
    link: Any = type("Link", (), {"config": {}, "call": lambda self, function: None})()
    outbox = Outbox([GOES.topic])
    passed, missed = list[Kept](), list[Kept]()
    bridge = to_kafka.ToKafka(
        link, "name", [GOES.topic], outbox, passed.append, lambda message, _: missed.append(message)
    )
    bridge.look()
    for at in range(1000):
        outbox.add(Kept(at, GOES, b"b", b"x" * (6_000 if at == 500 else 300), at))
    for _ in range(1000):
        bridge.pump()
        if outbox.is_empty:
            break
    assert [one.at for one in missed] == [500]
    assert sorted(one.at for one in passed) == [at for at in range(1000) if at != 500]
    assert made[0].polls < 250, "several at a time"
