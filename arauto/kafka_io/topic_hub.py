"""One reader for each topic that pages of this process watch."""

from collections.abc import Callable

from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.topic_reader import TopicReader
from arauto.kafka_io.topic_ring import TopicRing
from arauto.system.concurrency import make_lock
from arauto.system.native_thread import Handover, start_native
from arauto.system.resource_errors import NoThread

MOST = 50  # topics; a reader has a few threads


class TooManyTopics(Exception):
    """No more can be read at a time."""


class TopicHub:
    """Begins to read a topic when its first page comes, and ends after its last one has left."""

    def __init__(self, link: KafkaLink) -> None:
        self._link = link
        self._lock = make_lock()
        self._open: dict[str, tuple[TopicReader, TopicRing]] = {}

    def join(self, topic: str, wake: Callable[[], None]) -> TopicRing:
        """What is read of a topic; ``wake`` is called for each news of it until :meth:`leave`.

        :raise TooManyTopics: this would be one too many.
        """
        with self._lock:
            if topic not in self._open:
                self._open[topic] = self._begin(topic)
            _, ring = self._open[topic]
            ring.listeners.add(wake)
            return ring

    def leave(self, topic: str, wake: Callable[[], None]) -> None:
        with self._lock:
            reader, ring = self._open[topic]
            ring.listeners.discard(wake)
            if not ring.listeners:
                del self._open[topic]
                reader.stop()

    def _begin(self, topic: str) -> tuple[TopicReader, TopicRing]:
        if len(self._open) >= MOST:
            raise TooManyTopics
        ring, handover = TopicRing(), Handover()
        reader = TopicReader(self._link, topic, ring, handover)
        try:
            start_native(reader.run)
        except NoThread:
            handover.close()
            raise TooManyTopics from None
        return reader, ring
