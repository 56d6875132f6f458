"""All topics: however many look at them again and again, Kafka is asked once, and a change is told."""

from typing import Any

import pytest

from arauto.kafka_io import all_topics
from arauto.kafka_io.all_topics import AllTopics
from arauto.kafka_io.shared_answers import SharedAnswers


class Kafka:
    """Counts how often it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = {"orders", "news", "__of.kafka"}
        self.asked, self.now, self.told = 0, 100.0, 0
        monkeypatch.setattr(all_topics, "list_topics", self._list)
        monkeypatch.setattr(all_topics, "monotonic", lambda: self.now)
        monkeypatch.setattr(all_topics, "SharedAnswers", lambda: SharedAnswers(lambda: self.now))
        link: Any = None
        self.all = AllTopics(link)

    def _list(self, link: Any) -> dict[str, dict[int, bool]]:
        self.asked += 1
        return {name: {0: True} for name in self.names}

    def tell(self) -> None:
        """Is called for news."""
        self.told += 1


def test_kafka_is_asked_for_the_first_who_wants_something_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch)
    for _ in range(200):
        assert kafka.all.matching("*", 4) == {"orders", "news"}
        assert kafka.all.matching("__*", 4) == {"__of.kafka"}
        assert kafka.all.get().keys() == kafka.names
    assert kafka.asked == 1
    kafka.now += 3
    kafka.all.matching("o*", 4)
    assert kafka.asked == 1
    kafka.all.matching("o*", 1)
    assert kafka.asked == 2
    kafka.now += 3
    kafka.all.matching("o*", 4)
    assert kafka.asked == 2, "that was for all"


def test_it_is_told_that_there_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch)
    kafka.all.listeners.add(kafka.tell)
    for names, told in ((kafka.names, 1), (kafka.names, 1), ({"news"}, 2), ({"news", "late"}, 3)):
        kafka.names = names
        kafka.now += 2
        assert kafka.all.get().keys() == names
        assert kafka.told == told
    assert kafka.all.matching("*") == {"news", "late"}
