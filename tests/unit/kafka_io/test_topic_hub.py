"""One reader for each topic while a page watches it, and no more readers than a process can bear."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from arauto.kafka_io import topic_hub
from arauto.kafka_io.connection import KafkaLink, Trouble
from arauto.kafka_io.topic_hub import MOST_READ, TooManyTopics, TopicHub, _ask, _Watched

ABSENT = Trouble("unknown", "")


class Begun:
    """The hub, its readers, whose threads do not run, and a fake Kafka."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[_Watched] = []
        self._ends: list[Callable[[], None]] = []
        self.answers: dict[str, BaseException | None] = {}
        self.found_again = 0  # requests for its brokers
        self.admin = self
        self.config: dict[str, Any] = {"bootstrap.servers": "kafka:9092"}
        monkeypatch.setattr(topic_hub, "start_native", self._start)
        self.link = cast(KafkaLink, self)
        self.hub = TopicHub(self.link)

    def _start(self, run: partial[None]) -> None:
        if run.func.__name__ == "_run":
            self.found.append(run.args[1])
            self._ends.append(partial(self.hub._end, *run.args))

    def end(self, n: int) -> None:
        """End the n-th reader, as if it had ended by itself."""
        self.found[n].reader.miss(ABSENT)
        self._ends[n]()

    def look(self) -> None:
        self.hub._take_up(_ask(self.link, tuple(self.hub._waiting)))

    def describe_topics(self, topics: object, request_timeout: float) -> Any:
        return _Answers(self.answers)

    def list_topics(self, timeout: float) -> None:
        self.found_again += 1


class _Answers(dict[str, Any]):
    """Answers for the requested topics."""

    def __getitem__(self, topic: str) -> Any:
        return _Answer(self.get(topic))


class _Answer:
    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    def result(self, timeout: float) -> None:
        if self._error:
            raise self._error


def no_topic() -> KafkaException:
    return KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    return Begun(monkeypatch)


def first_page() -> None:
    """A page's callback for news."""


def second_page() -> None:
    """The callback of another page."""


def test_pages_share_a_reader_which_ends_after_the_last(begun: Begun) -> None:
    hub = begun.hub
    assert hub.join("orders", first_page) is hub.join("orders", second_page)
    (one,) = begun.found
    hub.leave("orders", first_page)
    assert not one.reader._is_stopping
    hub.leave("orders", second_page)
    assert one.reader._is_stopping


def test_what_is_one_too_many_waits_until_another_is_closed(begun: Begun) -> None:
    for n in range(MOST_READ):
        begun.hub.join(f"topic {n}", first_page)
    begun.hub.join("topic 7", second_page)  # it is read already
    ring = begun.hub.join("one more", first_page)
    assert (ring.now.trouble, len(begun.found)) == (Trouble("crowded", str(MOST_READ)), MOST_READ)
    begun.hub.leave("topic 0", first_page)
    begun.end(0)
    begun.look()
    assert len(begun.found) == MOST_READ + 1
    assert begun.found[-1].ring is ring


def test_topics_that_do_not_exist_take_no_reader(begun: Begun) -> None:
    names = [f"absent {n}" for n in range(2 * MOST_READ)]
    begun.answers = {name: no_topic() for name in names}
    rings = [begun.hub.join(name, first_page) for name in names]
    for n in range(MOST_READ):
        begun.end(n)
    begun.look()
    assert {ring.now.trouble and ring.now.trouble.kind for ring in rings} == {"unknown"}
    begun.hub.join("there", first_page)
    assert len(begun.found) == MOST_READ + 1, "it has its reader at once"
    del begun.answers["absent 7"]
    begun.answers["absent 8"] = KafkaException(KafkaError(KafkaError._TRANSPORT))
    begun.look()
    assert (len(begun.found), begun.found_again) == (MOST_READ + 2, 1)
    assert begun.found[-1] is begun.found[7], "it goes on where it was"
    for name in (*names, "there"):
        begun.hub.leave(name, first_page)
    begun.look()
    assert len(begun.found) == MOST_READ + 2


def test_there_are_no_more_than_a_process_can_bear(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_hub, "MOST", 2)
    for name in ("a", "b"):
        begun.hub.join(name, first_page)
    with pytest.raises(TooManyTopics):
        begun.hub.join("c", first_page)
    begun.hub.leave("a", first_page)
    begun.hub.join("c", first_page)
