"""How long a topic keeps its messages."""

from collections.abc import Callable
from concurrent.futures import TimeoutError as NoAnswer
from time import monotonic
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]

from arauto.kafka_io.connection import DEADLINE, KafkaFailed, KafkaLink

FRESH = 60.0  # seconds
FAILED = 2.0  # seconds until a failed query is repeated
MOST = 1000  # topics that are cached


class Retention(NamedTuple):
    """``cleanup`` is Kafka's ``cleanup.policy``: ``delete``, ``compact`` or both.

    :param ms: messages are kept at least so long; ``None``: without a limit of time.
    :param size: bytes of a partition beyond which older messages are deleted sooner; ``None``: no limit.
    """

    cleanup: str
    ms: int | None
    size: int | None


class Retentions:
    """The retention of topics, cached for a minute, and a failed query for two seconds."""

    def __init__(self, link: KafkaLink, now: Callable[[], float] = monotonic) -> None:
        self._link = link
        self._now = now
        self._known: dict[str, tuple[float, Retention | None]] = {}

    def of(self, topic: str) -> Retention | None:
        """``None``: unknown."""
        until, found = self._known.get(topic, (0.0, None))
        if until > self._now():
            return found
        try:
            found = self._link.call(lambda: self._ask(topic))
        except KafkaFailed:
            found = None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[topic] = (self._now() + (FAILED if found is None else FRESH), found)
        return found

    def _ask(self, topic: str) -> Retention | None:
        resource = ConfigResource("topic", topic)
        try:
            found = self._link.admin.describe_configs([resource], request_timeout=DEADLINE)[resource].result(
                DEADLINE
            )
            cleanup = found["cleanup.policy"].value
            if "delete" not in cleanup:
                return Retention(cleanup, None, None)
            ms, size = (int(found[name].value) for name in ("retention.ms", "retention.bytes"))
        except (KafkaException, NoAnswer, KeyError, TypeError, ValueError):  # older brokers lack some
            return None
        return Retention(cleanup, None if ms < 0 else ms, None if size < 0 else size)
