"""The topics of one page, in a thread of its own."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from time import monotonic
from types import TracebackType
from typing import Self

import redis

from arauto.auth.audit import Audit
from arauto.auth.permissions import NoRight, readable
from arauto.auth.visitor import Visitor
from arauto.kafka_io.all_topics import AllTopics
from arauto.kafka_io.connection import KafkaFailed, KafkaLink
from arauto.kafka_io.shared_answers import FRESH
from arauto.kafka_io.topic_hub import TooManyTopics, TopicHub
from arauto.protocol.events import Deliver, Item, Refused
from arauto.protocol.selection import Change
from arauto.protocol.topic_events import TopicAway, TopicChosen, TopicGap
from arauto.protocol.topic_names import TopicName, read_name
from arauto.protocol.topic_starts import GlobPlace, Starts
from arauto.protocol.topics import Start, channel_of
from arauto.sources.refusal_words import ExplainRefused
from arauto.sources.topic_cursor import TopicCursor
from arauto.sources.topic_glob import TopicGlob
from arauto.sources.topic_words import topic_words
from arauto.system.resource_errors import start
from arauto.web.locale import chosen

AGAIN = 1.0  # seconds until a failed call is repeated
LISTED_AGAIN = 5.0  # seconds between two lists of topics, for globs
CHECKED_AGAIN = 10.0  # seconds between two checks of a Redis user's permissions
JOIN_PATIENCE = 3.0  # seconds

log = logging.getLogger("arauto")


class TopicTail(threading.Thread):
    """A :class:`~arauto.sources.source.Tail` of topics; make it in a request, whose language it uses.

    Use it in a ``with`` block: leaving it ends the thread.

    :param starts: where to begin in topics that are not shown from now on.
    :param fail: called once if the thread ends by an unexpected error.
    """

    # There may be thousands of pages: without the dictionary of a thread's attributes each is smaller.
    __slots__ = (
        "_all", "_changes", "_checked", "_cursors", "_deliver", "_explain", "_fail", "_globs", "_hub",
        "_is_stopping", "_link", "_listed", "_names", "_news", "_starts", "_unchecked", "_visitor", "_wanted",
        "_words",
    )  # fmt: skip

    def __init__(
        self,
        hub: TopicHub,
        topics: AllTopics,
        link: KafkaLink,
        visitor: Visitor,
        audit: Audit,
        starts: Starts,
        deliver: Deliver,
        fail: Callable[[], None],
    ) -> None:
        super().__init__(name="topics", daemon=True)
        self._hub = hub
        self._all = topics
        self._link = link
        self._visitor = visitor
        self._starts = dict(starts)
        self._deliver = deliver
        self._fail = fail
        self._words = topic_words(chosen())
        self._explain = ExplainRefused(visitor, audit)
        self._news = threading.Event()
        self._is_stopping = False
        self._changes: list[Change] = []
        self._wanted: set[bytes] = set()
        self._unchecked: set[str] = set()  # topics whose permission is not checked yet
        self._checked = 0.0
        self._cursors: dict[str, TopicCursor] = {}
        self._names: defaultdict[str, set[TopicName]] = defaultdict(set)  # of each followed topic
        self._globs: dict[str, TopicGlob] = {}
        self._listed = 0.0

    def __enter__(self) -> Self:
        start(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_stopping = True
        self._news.set()
        self.join(JOIN_PATIENCE)

    def size_after(self, change: Change) -> int:
        """How many topics the selection would have after ``change``."""
        return len((self._wanted | set(change.tsubscribe)) - set(change.tunsubscribe))

    def change(self, change: Change) -> None:
        """Change the selection; from any thread."""
        self._wanted |= set(change.tsubscribe)
        self._wanted -= set(change.tunsubscribe)
        self._changes.append(change)
        self._news.set()

    def run(self) -> None:
        try:
            self._watch()
        except OSError:
            pass  # the browser has disconnected
        except Exception:
            log.exception("topics failed")
            self._fail()
        finally:
            self._all.listeners.discard(self._look_again)
            for topic in self._cursors:
                self._hub.leave(topic, self._news.set)

    def _watch(self) -> None:
        while not self._is_stopping:
            self._news.clear()
            while self._changes:
                self._take(self._changes.pop(0))
            self._check_rights()
            self._look()
            if not self._pass_on():
                self._news.wait(self._pause())

    def _take(self, change: Change) -> None:
        for name in map(_read, change.tsubscribe):
            if name.is_glob:
                self._globs.setdefault(name.topic, TopicGlob(name.topic, self._starts.pop(name.topic, None)))
                self._all.listeners.add(self._look_again)
                self._look_again()
                self._deliver([TopicChosen(name.topic, is_added=True)])
                continue
            self._names[name.topic].add(name)
            if name.topic not in self._cursors:
                self._unchecked.add(name.topic)
            elif self._show(name.topic).is_chosen:
                self._deliver([TopicChosen(name.text, is_added=True)])
        for name in map(_read, change.tunsubscribe):
            glob = self._globs.pop(name.topic, None) if name.is_glob else None
            for topic in glob.topics if glob else {name.topic}:
                self._release(topic, name)
            self._deliver([TopicChosen(name.text, is_added=False)])

    def _show(self, topic: str) -> TopicCursor:
        """The cursor of a topic, with the partitions that its names select."""
        wanted = {name.partition for name in self._names[topic]}
        cursor = self._cursors[topic]
        cursor.show(None if None in wanted else frozenset(one for one in wanted if one is not None))
        return cursor

    def _release(self, topic: str, name: TopicName) -> None:
        names = self._names[topic]
        names.discard(name)
        if not names:
            self._drop(topic)
        elif topic in self._cursors:
            self._show(topic)

    def _pass_on(self) -> bool:
        """Deliver the next items; whether there may be more."""
        has_more = False
        for topic, cursor in self._cursors.items():
            if items := cursor.next():
                self._deliver(self._confirmed(topic) if isinstance(items[0], TopicChosen) else items)
                has_more = has_more or not cursor.is_done
        return has_more

    def _confirmed(self, topic: str) -> list[Item]:
        """Confirmations for the names of a topic; those of globs were sent before."""
        return [TopicChosen(name.text, is_added=True) for name in self._names[topic] if not name.is_glob] or [
            TopicChosen(topic, is_added=True)
        ]

    def _pause(self) -> float | None:
        pauses = [LISTED_AGAIN] if self._globs else []
        if self._unchecked or any(cursor.is_behind for cursor in self._cursors.values()):
            pauses.append(AGAIN)
        if self._visitor.redis_user:
            pauses.append(CHECKED_AGAIN)
        return min(pauses, default=None)

    # Globs

    def _look_again(self) -> None:
        """List topics again soon; from any thread."""
        self._listed = 0.0
        self._news.set()

    def _look(self) -> None:
        if not self._globs or monotonic() - self._listed < LISTED_AGAIN:
            return
        # The first page queries Kafka for all pages, when the list is almost as old.
        age = LISTED_AGAIN - FRESH if self._listed else FRESH
        self._listed = monotonic()
        for glob in self._globs.values():
            self._look_for(glob, age)

    def _look_for(self, glob: TopicGlob, age: float) -> None:
        """Follow the topics that exist now; while Redis does not answer, no new ones."""
        try:
            found = self._all.matching(glob.name, age)
        except KafkaFailed as error:
            if error.trouble is not None:
                self._send(glob.changed(TopicAway(glob.name, self._words.say(error.trouble))))
            return
        if glob.is_settled(found):
            return
        candidates = glob.candidates(found)
        try:
            allowed = self._allowed(candidates)
        except (redis.RedisError, OSError):
            return
        glob.refuse(set(candidates) - allowed)
        left_out = [topic for topic in sorted(allowed) if not self._bring(topic, glob)]
        glob.looked(found, left_out)
        for topic in glob.topics - found:
            self._lose(topic, glob)
        self._send(glob.news(self._words.say_left_out))

    def _send(self, news: list[Item]) -> None:
        if news:
            self._deliver(news)

    def _bring(self, topic: str, glob: TopicGlob) -> bool:
        """Follow a topic by a glob; whether that is possible."""
        if topic not in self._cursors and not self._begin(topic, glob.start_of(topic), waits=False):
            return False
        glob.add(topic)
        self._names[topic].add(TopicName(glob.name, is_glob=True))
        self._show(topic)
        return True

    def _lose(self, topic: str, glob: TopicGlob) -> None:
        """Leave a topic that is no longer listed, if its reader does not find it either."""
        if not self._cursors[topic].is_gone:
            return
        glob.topics.discard(topic)
        self._release(topic, TopicName(glob.name, is_glob=True))
        if topic not in self._cursors:  # not selected by its name either
            self._deliver([TopicGap(topic, "deleted"), TopicChosen(topic, is_added=False)])

    # Permissions

    def _check_rights(self) -> None:
        """Begin topics that may be read, end those that may not; while Redis does not answer, neither."""
        is_due = bool(self._visitor.redis_user) and monotonic() - self._checked >= CHECKED_AGAIN
        if not (is_due or self._unchecked):
            return
        due = self._unchecked | (self._cursors.keys() if is_due else set())
        try:
            allowed = self._allowed(due)
        except (redis.RedisError, OSError):
            return
        self._checked = monotonic() if is_due else self._checked
        self._unchecked.clear()
        for topic in due:
            if topic not in allowed:
                self._refuse(topic, lambda refused: self._explain(refused))
            elif topic in self._cursors:
                continue
            elif self._begin(topic, self._start_of(topic)):
                self._show(topic)
            else:
                self._refuse(topic, lambda refused: refused._replace(error=self._words.too_many))

    def _allowed(self, topics: Collection[str]) -> set[str]:
        """The topics that the visitor may read.

        :raise redis.RedisError: Redis does not answer.
        """
        try:
            allowed = readable(self._visitor, map(channel_of, topics))
        except NoRight:
            return set()
        return {topic for topic in topics if channel_of(topic) in allowed}

    def _start_of(self, topic: str) -> Start | None:
        start = self._starts.pop(topic, None)
        return None if isinstance(start, GlobPlace) else start

    def _begin(self, topic: str, start: Start | None, waits: bool = True) -> bool:
        try:
            ring = self._hub.join(topic, self._news.set, waits)
        except TooManyTopics:
            return False
        self._cursors[topic] = TopicCursor(self._link, topic, ring, start, self._words.say)
        return True

    def _refuse(self, topic: str, explain: Callable[[Refused], Refused]) -> None:
        """Refuse the names of a topic; a glob just leaves it out."""
        names = self._names[topic]
        self._drop(topic)
        items: list[Item] = []
        for name in names:
            if name.is_glob:
                self._globs[name.topic].topics.discard(topic)
                items.append(TopicChosen(topic, is_added=False))
                continue
            self._wanted.discard(name.text.encode())
            items.append(explain(Refused("topic", name.text.encode(), "")))
        self._deliver(items)

    def _drop(self, topic: str) -> None:
        self._unchecked.discard(topic)
        self._names.pop(topic, None)
        if self._cursors.pop(topic, None):
            self._hub.leave(topic, self._news.set)


def _read(name: bytes) -> TopicName:
    return read_name(name.decode())
