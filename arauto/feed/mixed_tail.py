"""Channels of Redis and topics of Kafka in one feed."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from arauto.protocol.selection import Change, Selection
from arauto.sources.source import Tail


class MixedTail:
    """A :class:`~arauto.sources.source.Tail`; the thread of each source starts with its first name.

    :param begin_redis: makes the tail of a selection.
    :param begin_topics: makes a tail of topics, still empty; ``None``: there is no Kafka.
    :param stack: ends the tails.
    """

    def __init__(
        self,
        selection: Selection,
        begin_redis: Callable[[Selection], AbstractContextManager[Tail]],
        begin_topics: Callable[[], AbstractContextManager[Tail]] | None,
        stack: ExitStack,
    ) -> None:
        self._begin_redis = begin_redis
        self._begin_topics = begin_topics
        self._stack = stack
        self._redis: Tail | None = None
        self._topics: Tail | None = None
        of_redis = replace(selection, topics=())
        if of_redis.size:
            self._redis = stack.enter_context(begin_redis(of_redis))
        if selection.topics:
            self._change_topics(Change(tsubscribe=selection.topics))

    def size_after(self, change: Change) -> int:
        of_redis, topics = _parts(change)
        return _size(self._redis, of_redis) + _size(self._topics, topics)

    def change(self, change: Change) -> None:
        of_redis, topics = _parts(change)
        if self._redis is not None and of_redis != Change():
            self._redis.change(of_redis)
        elif self._redis is None and of_redis.added.size:
            self._redis = self._stack.enter_context(self._begin_redis(of_redis.added))
        if topics != Change():
            self._change_topics(topics)

    def _change_topics(self, change: Change) -> None:
        if self._topics is None and self._begin_topics is not None:
            self._topics = self._stack.enter_context(self._begin_topics())
        if self._topics is not None:
            self._topics.change(change)


def _parts(change: Change) -> tuple[Change, Change]:
    """The changes for Redis and for Kafka."""
    topics = Change(tsubscribe=change.tsubscribe, tunsubscribe=change.tunsubscribe)
    return replace(change, tsubscribe=(), tunsubscribe=()), topics


def _size(tail: Tail | None, change: Change) -> int:
    return change.added.size if tail is None else tail.size_after(change)
