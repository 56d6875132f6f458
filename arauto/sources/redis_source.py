"""Redis as a source: Pub/Sub, and the logs of recorded channels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import redis

from arauto.auth.audit import Audit
from arauto.auth.permissions import check_reading, check_subscribing
from arauto.auth.visitor import Visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.events import Deliver
from arauto.protocol.log_entries import LogEntry, Volume
from arauto.protocol.log_query import BadPoint, Point
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Selection
from arauto.recording.cluster_tail import ClusterTail
from arauto.recording.follower import Follower, Sentences
from arauto.recording.log_reader import Log
from arauto.recording.recorded_channels import Recording
from arauto.recording.shard_follower import Means
from arauto.recording.shared_queries import SharedQueries
from arauto.redis_io.channel_list import count_listeners, list_channels
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.connection import error_text
from arauto.redis_io.sentinel import NoMaster
from arauto.redis_io.subscriber import Subscriber
from arauto.redis_io.subscribers import Subscribers
from arauto.refusal import Refusal
from arauto.sources.redis_publish import publish, publish_sharded
from arauto.sources.refusal_words import ExplainRefused
from arauto.sources.source import Receipt, SourceError
from arauto.web.locale import chosen


class RedisSource:
    """A :class:`~arauto.sources.source.Source`."""

    def __init__(self, recording: Recording, queries: SharedQueries, audit: Audit) -> None:
        self._recording = recording
        self._queries = queries
        self._audit = audit
        self._open: set[tuple[Follower, Subscriber]] = set()
        self._tails: set[ClusterTail] = set()

    def channels(self, visitor: Visitor, glob: bytes) -> dict[str, Any]:
        return list_channels(visitor.link, glob, visitor.may_read)

    def listeners(self, visitor: Visitor, channel: bytes, is_sharded: bool) -> dict[str, Any]:
        check_subscribing(visitor, Selection(shards=(channel,)) if is_sharded else Selection((channel,)))
        return count_listeners(visitor.link, "shard" if is_sharded else "channel", channel)

    def check_reading(self, visitor: Visitor, channel: bytes) -> None:
        check_reading(visitor, channel)

    def publish(self, visitor: Visitor, channel: bytes, message: bytes, is_sharded: bool) -> Receipt:
        if is_sharded:
            return publish_sharded(channel, message, visitor.link, visitor.redis_user)
        return publish(self._recording, channel, message, visitor.link, visitor.redis_user)

    def missing(self) -> list[str]:
        try:
            self._recording.link.client.ping()
        except NoMaster:
            return ["sentinel"]
        except redis.RedisError:
            return ["redis"]
        return []

    def read(self, channel: bytes, since: Point, until: Point | None) -> Iterator[list[LogEntry]]:
        with self._reading(channel) as log:
            if log is not None:
                yield from _pages(log, since, until)

    def volume(self, channel: bytes, since: Point, until: Point | None, parts: int) -> Volume | None:
        with self._reading(channel) as log:
            return log.volume(since, until, parts) if log else None

    @contextmanager
    def _reading(self, channel: bytes) -> Iterator[Log | None]:
        try:
            log = Log.open(self._recording.store, channel) if self._recording.is_allowed else None
            # A log whose recording was switched off is kept as long as any other.
            if log is None and not self._recording.covers(channel):
                sentence = gettext(
                    "This channel is not recorded: switch it on in the page, or by ARAUTO_RECORD."
                )
                raise Refusal(sentence, 404)
            yield log
        except redis.RedisError as error:
            raise SourceError(error_text(error), isinstance(error, redis.ResponseError)) from None

    @contextmanager
    def tail(
        self,
        visitor: Visitor,
        selection: Selection,
        resume_points: dict[bytes, ResumePoint],
        deliver: Deliver,
        fail: Callable[[], None],
    ) -> Iterator[Subscribers | ClusterTail]:
        link = visitor.link
        if isinstance(link, ClusterLink) and self._recording.is_allowed:
            with self._cluster_tail(link, visitor, selection, resume_points, deliver, fail) as tail:
                yield tail
            return
        follower = self._follower(deliver, resume_points, visitor.redis_user)
        subscribers = Subscribers(
            visitor.link,
            selection,
            deliver,
            fail,
            self._queries.timers,
            ExplainRefused(visitor, self._audit),
            follower,
            follower.commands if follower else None,
        )
        with subscribers, self._following(follower, subscribers.own):
            yield subscribers

    @contextmanager
    def _cluster_tail(
        self,
        link: ClusterLink,
        visitor: Visitor,
        selection: Selection,
        resume_points: dict[bytes, ResumePoint],
        deliver: Deliver,
        fail: Callable[[], None],
    ) -> Iterator[ClusterTail]:
        sentences = _sentences_for(visitor.redis_user)
        means = Means(
            link,
            fail,
            self._queries.timers,
            ExplainRefused(visitor, self._audit),
            lambda deliver, points: Follower(self._queries, deliver, points, sentences),
        )
        if not all(map(self._recording.covers, resume_points)):
            with suppress(redis.RedisError):
                self._recording.refresh()  # another process may have been the first to know
        tail = ClusterTail(means, selection, resume_points, deliver, self._recording.covers)
        self._tails.add(tail)
        try:
            with tail:
                yield tail
        finally:
            self._tails.discard(tail)

    def reconcile(self) -> None:
        """Make each tail follow exactly the channels that are recorded now."""
        for follower, subscriber in list(self._open):
            _reconcile(follower, subscriber)
        for tail in list(self._tails):
            tail.reconcile()

    def _follower(
        self, deliver: Deliver, resume_points: dict[bytes, ResumePoint], user: str
    ) -> Follower | None:
        """A follower for recorded channels; ``None`` where nothing can be recorded."""
        if not self._recording.is_allowed and not resume_points:
            return None
        if not all(map(self._recording.covers, resume_points)):
            with suppress(redis.RedisError):
                self._recording.refresh()  # another process may have been the first to know
        return Follower(self._queries, deliver, resume_points, _sentences_for(user))

    @contextmanager
    def _following(self, follower: Follower | None, subscriber: Subscriber) -> Iterator[None]:
        """While the block runs, :meth:`reconcile` reaches this tail."""
        if follower is None:
            yield
            return
        self._open.add((follower, subscriber))
        follower.watch.begin(subscriber)
        try:
            _reconcile(follower, subscriber)
            yield
        finally:
            follower.watch.end()
            self._open.discard((follower, subscriber))


def _reconcile(follower: Follower, subscriber: Subscriber) -> None:
    if commands := follower.commands_after_switch(subscriber.channels):
        subscriber.send(commands)


def _pages(log: Log, since: Point, until: Point | None) -> Iterator[list[LogEntry]]:
    if since.id is not None and since.id > log.end:
        raise BadPoint(
            gettext("The recording has no such id: it may be of an earlier recording, which is gone.")
        )
    if since.ms is not None and (hole := log.hole_before(since.ms)):
        yield [hole]
    end = log.end if until is None else min(log.end, log.place(until))
    yield from log.read(log.place(since, end), end)


def _sentences_for(user: str) -> Sentences:
    if not user:
        return _sentences(chosen())
    sentence = gettext(
        "{name} is recorded, but Redis does not let the user %(user)s read the recording: it is live only.",
        user=user,
    )
    return _sentences(chosen())._replace(not_followed=sentence)


@cache
def _sentences(language: str) -> Sentences:
    return Sentences(
        gettext("{name} is recorded, but Redis does not let this program read the recording: {words}"),
        gettext("The recording of {name} cannot be read: {words}"),
        gettext("no process records it; the servers' logs may say why"),
        gettext("its slot is moving to another node, or its node is away: then it goes on by itself"),
    )
