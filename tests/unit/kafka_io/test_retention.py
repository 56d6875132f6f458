"""The retention of a topic: if Kafka does not report it, a confirmed message is still a success."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.retention import FAILED, FRESH, Retention, Retentions

TOLD = {"cleanup.policy": "delete", "retention.ms": "60000", "retention.bytes": "-1"}


class Admin:
    """Returns ``settings``, or raises it."""

    settings: Any = TOLD

    def describe_configs(self, resources: list[Any], request_timeout: float) -> dict[Any, Future[Any]]:
        answer: Future[Any] = Future()
        if isinstance(self.settings, Exception):
            answer.set_exception(self.settings)
        else:
            answer.set_result({name: SimpleNamespace(value=value) for name, value in self.settings.items()})
        return {resources[0]: answer}


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


def made(clock: list[float]) -> Retentions:
    link = SimpleNamespace(admin=Admin(), call=lambda function: function())
    return Retentions(cast(KafkaLink, link), lambda: clock[0])


@pytest.mark.parametrize(
    "settings",
    [
        {"cleanup.policy": "delete", "retention.ms": "60000"},
        TOLD | {"retention.ms": None},
        TOLD | {"retention.bytes": "many"},
        TOLD | {"cleanup.policy": None},
        {},
    ],
)
def test_what_a_broker_lacks_is_not_reported(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, settings: dict[str, str | None]
) -> None:
    monkeypatch.setattr(Admin, "settings", settings)
    assert made(clock).of("orders") is None


def test_a_compacted_topic_needs_no_time(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Admin, "settings", {"cleanup.policy": "compact"})
    assert made(clock).of("orders") == Retention("compact", None, None)


def test_an_answer_is_remembered_for_long_and_a_failure_is_not(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    retentions = made(clock)
    monkeypatch.setattr(Admin, "settings", KafkaException(KafkaError(KafkaError._TIMED_OUT)))
    assert retentions.of("orders") is None
    monkeypatch.setattr(Admin, "settings", TOLD)
    assert retentions.of("orders") is None, "it is not requested each time"
    clock[0] += FAILED
    assert retentions.of("orders") == Retention("delete", 60_000, None)
    monkeypatch.setattr(Admin, "settings", {})
    clock[0] += FRESH - 1
    assert retentions.of("orders") == Retention("delete", 60_000, None)
