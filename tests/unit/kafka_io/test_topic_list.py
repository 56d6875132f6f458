"""Offsets of partitions are known, whatever other partitions do not answer."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from arauto.kafka_io.topic_list import Bounds, known_bounds

AWAY, GONE, LEADERLESS = ("away", 0), ("gone", 0), ("leaderless", 0)
SILENT = -1001  # the library's offset if a broker has not answered in time


class Link:
    """A library that answers a request for several partitions with none, or each with its answer."""

    def __init__(self, **answers: int | KafkaError) -> None:
        self.admin = self
        self._answers = answers

    def ask(self, question: Any) -> Any:
        return question(self)

    def offsets_for_times(self, *_: Any, **__: Any) -> Any:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def list_offsets(self, requested: dict[TopicPartition, Any], request_timeout: float) -> Any:
        return {one: self._answer(one) for one in requested}

    def _answer(self, requested: TopicPartition) -> Future[Any]:
        answer: Future[Any] = Future()
        found = self._answers[requested.topic]
        if isinstance(found, KafkaError):
            answer.set_exception(KafkaException(found))
        else:
            answer.set_result(SimpleNamespace(offset=found))
        return answer


def test_what_does_not_answer_takes_nothing_else_with_it() -> None:
    link: Any = Link(
        orders=7,
        away=SILENT,
        gone=KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART),
        leaderless=KafkaError(KafkaError.LEADER_NOT_AVAILABLE),
    )
    assert known_bounds(link, [AWAY, ("orders", 0), GONE, LEADERLESS]) == {("orders", 0): Bounds(7, 7)}


def test_what_cannot_be_asked_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    link: Any = Link()
    monkeypatch.setattr(link, "list_offsets", link.offsets_for_times)
    with pytest.raises(KafkaException):
        known_bounds(link, [GONE])
