"""One reader for each topic, as long as somebody wants it, and no more than a process can bear."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from arauto.kafka_io import topic_hub
from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.topic_hub import MOST, TooManyTopics, TopicHub


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The readers that were begun, none of which reads."""
    found: list[Any] = []

    def begin(read: Any) -> None:
        found.append(read.__self__)

    monkeypatch.setattr(topic_hub, "start_native", begin)
    return found


def nobody() -> None:
    """Is told of news."""


def somebody() -> None:
    """Is another."""


def hub() -> TopicHub:
    return TopicHub(cast(KafkaLink, SimpleNamespace(config={})))


def test_pages_share_a_reader_which_ends_after_the_last(begun: list[Any]) -> None:
    one = hub()
    assert one.join("orders", nobody) is one.join("orders", somebody)
    one.leave("orders", nobody)
    assert [reader._is_stopping for reader in begun] == [False]
    one.leave("orders", somebody)
    assert [reader._is_stopping for reader in begun] == [True]


def test_there_are_no_more_than_a_process_can_bear(begun: list[Any]) -> None:
    one = hub()
    for n in range(MOST):
        one.join(f"topic {n}", nobody)
    one.join("topic 7", somebody)  # is read already
    with pytest.raises(TooManyTopics):
        one.join("one more", nobody)
    one.leave("topic 0", nobody)
    one.join("one more", nobody)
    assert len(begun) == MOST + 1
