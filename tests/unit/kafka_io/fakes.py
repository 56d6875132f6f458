"""A fake Kafka with the answers that a test sets."""

from collections.abc import Callable
from typing import Any

from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, TopicPartition


class Message:
    """A message as the library returns it; ``headers`` may be an error to raise."""

    def __init__(self, offset: int, data: bytes = b"", headers: Any = None) -> None:
        self._offset, self._data, self._headers = offset, data, headers

    def error(self) -> None:
        return None

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> None:
        return None

    def value(self) -> bytes:
        return self._data

    def leader_epoch(self) -> int | None:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, 1_700_000_000_000

    def headers(self) -> Any:
        if isinstance(self._headers, Exception):
            raise self._headers
        return self._headers


class Place:
    """The library's answer for one partition."""

    def __init__(self, requested: TopicPartition, offset: int, error: KafkaError | None) -> None:
        self.topic, self.partition = requested.topic, requested.partition
        self.offset, self.error = offset, error


class Link:
    """A topic with three partitions, each with the offsets 0 to 9; and a consumer of it.

    :param messages: those of partition 0, in order.
    :param leaderless: whether partition 1 has no leader for a request of this time (negative: of its ends).
    """

    def __init__(
        self, messages: list[Message] | None = None, leaderless: Callable[[int], bool] = lambda ms: False
    ) -> None:
        self._messages, self._leaderless = messages or [], leaderless

    def ask(self, question: Callable[[Any], Any]) -> Any:
        return question(self)

    def list_topics(self, topic: str, timeout: float) -> Any:
        found = type("Topic", (), {"error": None, "partitions": {0: None, 1: None, 2: None}})
        return type("Cluster", (), {"topics": {topic: found}})

    def offsets_for_times(self, wanted: list[TopicPartition], timeout: float) -> list[Place]:
        return [self._place(one) for one in wanted]

    def _place(self, requested: TopicPartition) -> Place:
        if requested.partition == 1 and self._leaderless(requested.offset):
            return Place(requested, -1001, KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
        return Place(requested, {-2: 0, -1: 10}.get(requested.offset, -1), None)

    def assign(self, places: list[TopicPartition]) -> None: ...

    def unassign(self) -> None: ...

    def poll(self, timeout: float) -> Message | None:
        return self._messages.pop(0) if self._messages else None

    def consume(self, most: int, timeout: float) -> list[Message]:
        return []
