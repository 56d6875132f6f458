"""One reader for each existing topic that pages of this process watch."""

import logging
from collections.abc import Callable
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress
from functools import partial

from confluent_kafka import KafkaException, TopicCollection

from arauto.kafka_io.connection import DEADLINE, KafkaLink, Trouble, trouble
from arauto.kafka_io.topic_identity import choose_another_broker
from arauto.kafka_io.topic_reader import TopicReader
from arauto.kafka_io.topic_ring import TopicRing
from arauto.system.concurrency import make_lock
from arauto.system.native_thread import Handover, native_sleep, start_native
from arauto.system.resource_errors import NoThread

MOST = 1000  # topics that are watched
MOST_READ = 50  # topics that are read; each reader has a few threads
LOOK = 1.0  # seconds between two checks whether waiting topics exist

log = logging.getLogger("arauto")

_CROWDED = Trouble("crowded", str(MOST_READ))


class TooManyTopics(Exception):
    """No more topics can be watched or read."""


class _Watched:
    """A topic that pages watch."""

    def __init__(self, link: KafkaLink, topic: str) -> None:
        self.ring, self.handover = TopicRing(), Handover()
        self.reader = TopicReader(link, topic, self.ring, self.handover)
        self.is_read = False


class TopicHub:
    """Begins to read a topic with its first page, and ends with its last one.

    Topics that do not exist, or are one too many, have no reader: a single thread checks for all of them
    whether they can be read now.
    """

    def __init__(self, link: KafkaLink) -> None:
        self._link = link
        self._lock = make_lock()
        self._watched: dict[str, _Watched] = {}
        self._waiting: set[str] = set()
        self._read = 0
        self._looks: Handover | None = None  # of the thread that checks

    def join(self, topic: str, wake: Callable[[], None], waits: bool = True) -> TopicRing:
        """The ring of a topic; ``wake`` is called for each change of it until :meth:`leave`.

        :param waits: accept the topic also while too many are read; it is read later.
        :raise TooManyTopics: it would be one too many.
        """
        with self._lock:
            if topic not in self._watched:
                if len(self._watched) >= MOST or (not waits and self._read >= MOST_READ):
                    raise TooManyTopics
                self._look_out()
                self._watched[topic] = one = _Watched(self._link, topic)
                self._begin(topic, one)
            ring = self._watched[topic].ring
            ring.listeners.add(wake)
            return ring

    def leave(self, topic: str, wake: Callable[[], None]) -> None:
        with self._lock:
            one = self._watched[topic]
            one.ring.listeners.discard(wake)
            if one.ring.listeners:
                return
            del self._watched[topic]
            self._waiting.discard(topic)
            one.reader.stop()
            if not one.is_read:
                one.handover.close()

    def _begin(self, topic: str, one: _Watched) -> None:
        if self._read < MOST_READ:
            try:
                start_native(partial(self._run, topic, one))
                one.is_read = True
                self._read += 1
                return
            except NoThread:
                pass
        self._waiting.add(topic)
        one.ring.fail(_CROWDED)

    def _run(self, topic: str, one: _Watched) -> None:
        """In a native thread."""
        one.reader.run()
        one.handover.soon(partial(self._end, topic, one))

    def _end(self, topic: str, one: _Watched) -> None:
        with self._lock:
            one.is_read = False
            self._read -= 1
            if self._watched.get(topic) is one:
                self._waiting.add(topic)  # the topic does not exist now
            else:
                one.handover.close()

    # Waiting topics

    def _look_out(self) -> None:
        if self._looks is None:
            looks = Handover()
            try:
                start_native(partial(self._look, looks))
            except NoThread:
                looks.close()
                raise TooManyTopics from None
            self._looks = looks

    def _look(self, looks: Handover) -> None:
        """In a native thread, which never ends."""
        sleep = native_sleep()
        while True:
            sleep(LOOK)
            if waiting := tuple(self._waiting):
                try:
                    looks.soon(partial(self._take_up, _ask(self._link, waiting)))
                except Exception as error:
                    looks.soon(partial(_log_fault, error))

    def _take_up(self, found: dict[str, Trouble | None]) -> None:
        with self._lock:
            for topic, why in found.items():
                if topic not in self._waiting:
                    continue
                one = self._watched[topic]
                if why is None:
                    self._waiting.discard(topic)
                    self._begin(topic, one)
                elif why.kind == "unknown" and one.ring.now.trouble == _CROWDED:
                    one.reader.miss(why)


def _log_fault(error: Exception) -> None:
    log.error("topics lookout failed", exc_info=error)


def _ask(link: KafkaLink, topics: tuple[str, ...]) -> dict[str, Trouble | None]:
    """Why each cannot be read; ``None``: it can be tried. Topics without an answer are left out."""
    found: dict[str, Trouble | None] = {}
    try:
        answers = link.admin.describe_topics(TopicCollection(list(topics)), request_timeout=DEADLINE)
    except KafkaException:
        return found
    for topic in topics:
        with suppress(NoAnswer):
            try:
                answers[topic].result(2 * DEADLINE)
                found[topic] = None
            except KafkaException as error:
                why = trouble(error.args[0])
                found[topic] = why if why.kind in ("away", "unknown") else None
    if any(why and why.kind == "away" for why in found.values()):
        choose_another_broker(link)
    return found
