"""The id of a topic by its name, also if the queried broker is down."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from arauto.kafka_io.topic_identity import describe


class Kafka:
    """A fake whose broker is down until the metadata are read again."""

    def __init__(self, code: int) -> None:
        self.admin, self.code, self.looks = self, code, 0

    def describe_topics(self, topics: Any, request_timeout: float) -> dict[str, Future[Any]]:
        answer: Future[Any] = Future()
        if self.looks:
            part = SimpleNamespace(id=0, leader=None)
            answer.set_result(SimpleNamespace(topic_id="a/b+c", partitions=[part]))
        else:
            answer.set_exception(KafkaException(KafkaError(self.code)))
        return {"t": answer}

    def list_topics(self, timeout: float) -> None:
        self.looks += 1
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))  # other brokers are down, too


def test_when_the_broker_that_was_asked_has_gone_another_is_asked() -> None:
    kafka: Any = Kafka(KafkaError._TIMED_OUT)
    with pytest.raises(KafkaException, match="_TIMED_OUT"):
        describe(kafka, "t")
    assert describe(kafka, "t") == ("a_b-c", {0}, {0})


def test_what_is_refused_is_not_asked_of_another() -> None:
    kafka: Any = Kafka(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(KafkaException):
        describe(kafka, "t")
    assert kafka.looks == 0
