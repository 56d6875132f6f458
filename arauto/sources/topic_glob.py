"""One glob of a page: the topics that it brings, and those that it cannot."""

from collections.abc import Callable, Iterable

from arauto.protocol.events import Item
from arauto.protocol.topic_events import TopicAway, TopicsMatched
from arauto.protocol.topic_starts import GlobPlace
from arauto.protocol.topics import Start, TopicPlace

MOST_ASKED = 1000  # topics that are not followed yet, of which Redis is asked at a time
MOST_NAMED = 20  # topics that are left out

SayLeftOut = Callable[[str, int], str]
"""A sentence for a glob, and for how many of its topics are left out."""


class TopicGlob:
    """Remembers what it has matched; Kafka and Redis are asked elsewhere.

    :param start: from where the topics are shown that there are at first; ``None``: from now on. What comes
        into being later is shown from its beginning.
    """

    def __init__(self, name: str, start: Start | GlobPlace | None) -> None:
        self.name = name
        self.topics: set[str] = set()
        """Those that the page follows by it."""
        self._start = start
        self._seen: frozenset[str] | None = (
            None  # those that there were at the last look; None: there was none
        )
        self._left_out: list[str] = []
        self._refused: set[str] = set()
        self._told: TopicsMatched | TopicAway | None = None

    def is_settled(self, found: frozenset[str]) -> bool:
        """Whether all of ``found`` is followed and told, and nothing else: there is nothing to look for."""
        return found == self._seen and not found ^ self.topics and isinstance(self._told, TopicsMatched)

    def candidates(self, found: frozenset[str]) -> list[str]:
        """Those of ``found`` that can be followed too, if the page may read them; each in its turn."""
        left = found - self.topics - self._refused
        if not left:
            self._refused.clear()
        return sorted(left)[:MOST_ASKED]

    def refuse(self, topics: Iterable[str]) -> None:
        """The page may not read these; they are candidates again when all others have been."""
        self._refused |= set(topics)

    def start_of(self, topic: str) -> Start | None:
        """From where it is shown; it is news of it where it was not there at the last look."""
        if self._seen is not None:
            return None if topic in self._seen else TopicPlace("", {})
        if isinstance(self._start, GlobPlace):
            return self._start.topics.get(topic, TopicPlace("", {}))
        return self._start

    def looked(self, found: frozenset[str], left_out: list[str]) -> None:
        """All of ``found`` that can be followed now are in :attr:`topics`."""
        self._seen, self._left_out = found, left_out

    def news(self, say: SayLeftOut) -> list[Item]:
        """Which they are, if that was not told last."""
        left_out = self._left_out[:MOST_NAMED]
        why = say(self.name, len(self._left_out)) if left_out else ""
        now = TopicsMatched(self.name, sorted(self.topics), left_out, why)
        return self.tell(now) if self._seen is not None else []

    def tell(self, now: TopicsMatched | TopicAway) -> list[Item]:
        """The same, if it was not told last."""
        if now == self._told:
            return []
        self._told = now
        return [now]
