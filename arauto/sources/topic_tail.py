"""The topics of one page, in a thread of its own."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import cache
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Self, get_args

import redis

from arauto.auth.audit import Audit
from arauto.auth.permissions import NoRight, readable
from arauto.auth.visitor import Visitor
from arauto.i18n.gettext import gettext
from arauto.kafka_io.connection import KafkaLink, Kind, Trouble, say
from arauto.kafka_io.topic_hub import MOST, TooManyTopics, TopicHub
from arauto.protocol.events import Deliver, Refused
from arauto.protocol.selection import Change
from arauto.protocol.topic_events import TopicChosen
from arauto.protocol.topics import Start, channel_of
from arauto.sources.refusal_words import ExplainRefused
from arauto.sources.topic_cursor import TopicCursor
from arauto.system.resource_errors import start
from arauto.web.locale import chosen

AGAIN = 1.0  # seconds, until what failed is tried again
ASKED_AGAIN = 10.0  # seconds between two questions to Redis whether its user may still listen
JOIN_PATIENCE = 3.0  # seconds

log = logging.getLogger("arauto")


class TopicTail(threading.Thread):
    """A :class:`~arauto.sources.source.Tail` of topics; make it where a request says the language.

    Use it in a ``with`` block: leaving it ends the thread.

    :param starts: from where topics are shown, where it is not from now on.
    :param fail: is called once where the thread ends by a fault.
    """

    def __init__(
        self,
        hub: TopicHub,
        link: KafkaLink,
        visitor: Visitor,
        audit: Audit,
        starts: dict[str, Start],
        deliver: Deliver,
        fail: Callable[[], None],
    ) -> None:
        super().__init__(name="topics", daemon=True)
        self._hub = hub
        self._link = link
        self._visitor = visitor
        self._starts = dict(starts)
        self._deliver = deliver
        self._fail = fail
        self._words = _words(chosen())
        self._explain = ExplainRefused(visitor, audit)
        self._news = threading.Event()
        self._is_stopping = False
        self._changes: deque[Change] = deque()
        self._wanted: set[bytes] = set()
        self._unasked: set[str] = set()  # of which Redis has not said yet that they may be read
        self._asked = 0.0
        self._cursors: dict[str, TopicCursor] = {}

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
        """How many topics there would be."""
        return len((self._wanted | set(change.tsubscribe)) - set(change.tunsubscribe))

    def change(self, change: Change) -> None:
        """Go on with other topics; from any thread."""
        self._wanted |= set(change.tsubscribe)
        self._wanted -= set(change.tunsubscribe)
        self._changes.append(change)
        self._news.set()

    def run(self) -> None:
        try:
            self._watch()
        except OSError:
            pass  # the browser is gone
        except Exception:
            log.exception("topics failed")
            self._fail()
        finally:
            for topic in self._cursors:
                self._hub.leave(topic, self._news.set)

    def _watch(self) -> None:
        while not self._is_stopping:
            self._news.clear()
            while self._changes:
                self._take(self._changes.popleft())
            self._ask_redis()
            if not self._pass_on():
                self._news.wait(self._pause())

    def _take(self, change: Change) -> None:
        for name in change.tsubscribe:
            if (topic := name.decode()) not in self._cursors:
                self._unasked.add(topic)
        for name in change.tunsubscribe:
            self._drop(topic := name.decode())
            self._deliver([TopicChosen(topic, is_added=False)])

    def _pass_on(self) -> bool:
        """Whether there was anything."""
        is_any = False
        for cursor in self._cursors.values():
            if items := cursor.next():
                self._deliver(items)
                is_any = True
        return is_any

    def _pause(self) -> float | None:
        if self._unasked or any(cursor.is_behind for cursor in self._cursors.values()):
            return AGAIN
        return ASKED_AGAIN if self._visitor.redis_user else None

    # Who may

    def _ask_redis(self) -> None:
        """Begin what may be read, and end what may be no longer; as long as Redis is silent, neither."""
        is_due = bool(self._visitor.redis_user) and monotonic() - self._asked >= ASKED_AGAIN
        asked = {*self._unasked, *(self._cursors if is_due else ())}
        if not asked:
            return
        try:
            allowed = readable(self._visitor, map(channel_of, asked))
        except NoRight:
            allowed = set()
        except (redis.RedisError, OSError):
            return
        self._asked = monotonic() if is_due else self._asked
        self._unasked.clear()
        for topic in asked:
            if channel_of(topic) not in allowed:
                self._refuse(self._explain(Refused("topic", topic.encode(), "")))
            elif topic not in self._cursors:
                self._begin(topic)

    def _begin(self, topic: str) -> None:
        try:
            ring = self._hub.join(topic, self._news.set)
        except TooManyTopics:
            self._refuse(Refused("topic", topic.encode(), self._words.too_many))
            return
        self._cursors[topic] = TopicCursor(
            self._link, topic, ring, self._starts.pop(topic, None), self._words.say
        )

    def _refuse(self, refused: Refused) -> None:
        self._drop(refused.name.decode())
        self._wanted.discard(refused.name)
        self._deliver([refused])

    def _drop(self, topic: str) -> None:
        self._unasked.discard(topic)
        if self._cursors.pop(topic, None):
            self._hub.leave(topic, self._news.set)


class _Words(NamedTuple):
    of: dict[Kind, str]
    too_many: str

    def say(self, found: Trouble) -> str:
        return self.of[found.kind].replace("{words}", found.words)


@cache
def _words(language: str) -> _Words:
    return _Words(
        {kind: say(Trouble(kind, "{words}")) for kind in get_args(Kind)},
        gettext(
            "This server process watches %(n)s topics already: try again when pages have been closed.", n=MOST
        ),
    )
