"""One glob of a page: the topics that are followed by it, and those that are left out."""

from collections.abc import Callable, Iterable

from arauto.protocol.events import Item
from arauto.protocol.topic_events import TopicAway, TopicsMatched
from arauto.protocol.topic_names import glob_matches
from arauto.protocol.topic_starts import GlobPlace
from arauto.protocol.topics import BEGINNING, Start, TopicPlace

MOST_CHECKED = 1000  # topics whose permissions are checked at a time
MOST_NAMED = 20  # names of topics that are left out

SayLeftOut = Callable[[str, int], str]
"""A sentence for a glob and the number of its topics that are left out."""


class TopicGlob:
    """Remembers what the glob has matched; queries to Kafka and Redis are made elsewhere.

    :param start: where to begin in topics that exist at first; ``None``: from now on. Topics created later
        are shown from their beginning.
    """

    def __init__(self, name: str, start: Start | GlobPlace | None) -> None:
        self.name = name
        self.topics: set[str] = set()
        """The topics that the page follows by this glob."""
        self._start = start
        self._places: dict[str, TopicPlace] = {}  # of a page that comes back, in topics not followed yet
        if isinstance(start, GlobPlace):
            self._places = {
                topic: place for topic, place in start.topics.items() if place and glob_matches(name, topic)
            }
        self._seen: frozenset[str] | None = None  # matches at the last look; None: there was no look
        self._left_out: list[str] = []
        self._refused: set[str] = set()
        self._sent: TopicsMatched | TopicAway | None = None

    def is_settled(self, found: frozenset[str]) -> bool:
        """Whether exactly ``found`` is followed and was sent, so that there is nothing to do."""
        return found == self._seen and not found ^ self.topics and isinstance(self._sent, TopicsMatched)

    def candidates(self, found: frozenset[str]) -> list[str]:
        """Topics of ``found`` to follow too, if the page may read them; in turns of :data:`MOST_CHECKED`.

        A page that comes back follows those where it was, even if they are gone: else their end would
        leave no gap.
        """
        left = (found | self._places.keys()) - self.topics - self._refused
        if not left:
            self._refused.clear()
        return sorted(left)[:MOST_CHECKED]

    def refuse(self, topics: Iterable[str]) -> None:
        """The page may not read these; they are candidates again after all others."""
        self._refused |= set(topics)

    def add(self, topic: str) -> None:
        """The page follows this topic by the glob now."""
        self.topics.add(topic)
        self._places.pop(topic, None)

    def start_of(self, topic: str) -> Start | None:
        """Where to begin in a topic: at its beginning if it is newer than the last look."""
        if place := self._places.get(topic):
            return place
        if self._seen is not None:
            return None if topic in self._seen else BEGINNING
        if isinstance(self._start, GlobPlace):
            return self._start.topics.get(topic, BEGINNING)
        return self._start

    def looked(self, found: frozenset[str], left_out: list[str]) -> None:
        """Call it after a look, when :attr:`topics` has all of ``found`` that can be followed."""
        self._seen, self._left_out = found, left_out

    def news(self, say: SayLeftOut) -> list[Item]:
        """The topics as an event, if it differs from the last one."""
        left_out = self._left_out[:MOST_NAMED]
        why = say(self.name, len(self._left_out)) if left_out else ""
        now = TopicsMatched(self.name, sorted(self.topics), left_out, why)
        return self.changed(now) if self._seen is not None else []

    def changed(self, now: TopicsMatched | TopicAway) -> list[Item]:
        """``now``, if it differs from the last event."""
        if now == self._sent:
            return []
        self._sent = now
        return [now]
