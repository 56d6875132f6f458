"""The list of all topics: Kafka is queried once for many readers, and listeners are notified of changes."""

from typing import Any

import pytest

from arauto.kafka_io import all_topics
from arauto.kafka_io.all_topics import AllTopics
from arauto.kafka_io.shared_answers import SharedAnswers


class Kafka:
    """A fake that counts the requests and the notifications."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = {"orders", "news", "__of.kafka"}
        self.requests, self.now, self.notified = 0, 100.0, 0
        monkeypatch.setattr(all_topics, "list_topics", self._list)
        monkeypatch.setattr(all_topics, "monotonic", lambda: self.now)
        monkeypatch.setattr(all_topics, "SharedAnswers", lambda: SharedAnswers(lambda: self.now))
        link: Any = None
        self.all = AllTopics(link)

    def _list(self, link: Any) -> dict[str, dict[int, bool]]:
        self.requests += 1
        return {name: {0: True} for name in self.names}

    def notify(self) -> None:
        """Called at each change."""
        self.notified += 1


def test_kafka_is_asked_for_the_first_who_wants_something_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch)
    for _ in range(200):
        assert kafka.all.matching("*", 4) == {"orders", "news"}
        assert kafka.all.matching("__*", 4) == {"__of.kafka"}
        assert kafka.all.get().keys() == kafka.names
    assert kafka.requests == 1
    kafka.now += 3
    kafka.all.matching("o*", 4)
    assert kafka.requests == 1
    kafka.all.matching("o*", 1)
    assert kafka.requests == 2
    kafka.now += 3
    kafka.all.matching("o*", 4)
    assert kafka.requests == 2, "the list is shared"


def test_it_is_reported_that_there_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch)
    kafka.all.listeners.add(kafka.notify)
    for names, notified in ((kafka.names, 1), (kafka.names, 1), ({"news"}, 2), ({"news", "late"}, 3)):
        kafka.names = names
        kafka.now += 2
        assert kafka.all.get().keys() == names
        assert kafka.notified == notified
    assert kafka.all.matching("*") == {"news", "late"}
