"""The list of all topics, fetched once for all pages of a process."""

from collections.abc import Callable
from functools import lru_cache
from math import inf
from time import monotonic

from arauto.i18n.gettext import language
from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.shared_answers import FRESH, SharedAnswers
from arauto.kafka_io.topic_list import Topics, list_topics
from arauto.protocol.topic_names import glob_matches

MOST_KEPT = 100  # globs


class AllTopics:
    """The last list of topics from Kafka, for a whole process; it is fetched again when it is too old."""

    def __init__(self, link: KafkaLink) -> None:
        self._link = link
        self._answers = SharedAnswers()
        self._topics: Topics = {}
        self._names: frozenset[str] = frozenset()
        self._looked = -inf
        self._matching = lru_cache(MOST_KEPT)(_matching)
        self.listeners: set[Callable[[], None]] = set()
        """Called when topics were created or deleted."""

    def get(self, age: float = FRESH) -> Topics:
        """The topics, from a list at most ``age`` seconds old.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        """
        if monotonic() - self._looked >= age:
            self._answers.of(language(), self._ask)  # by language: an error is a sentence
        return self._topics

    def matching(self, glob: str, age: float = FRESH) -> frozenset[str]:
        """The topics that a glob matches; Kafka's own only if it begins with ``__``. See :meth:`get`."""
        self.get(age)
        return self._matching(glob, self._names)

    def _ask(self) -> None:
        self._topics = list_topics(self._link)
        self._looked = monotonic()
        if self._topics.keys() == self._names:
            return
        self._matching.cache_clear()  # it would keep every name that ever existed
        self._names = frozenset(self._topics)
        for wake in list(self.listeners):
            wake()


def _matching(glob: str, names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if glob_matches(glob, name))
