"""The channels that the servers on one Redis database record, and their logs."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import redis

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.json_members import quoted
from arauto.protocol.selection import Selection
from arauto.recording.acknowledgement_store import AcknowledgementStore
from arauto.recording.cluster_store import make_store
from arauto.recording.log_store import Command
from arauto.recording.log_upgrade import upgrade
from arauto.recording_core.log_keys import GLOBS, SWITCHED, head_of, is_recordable, stream_of
from arauto.redis_io.connection import RedisLink, error_text
from arauto.settings import Settings
from arauto.text.glob import matches

log = logging.getLogger("arauto")


class _Coverage:
    """The globs and channels as last read from Redis. Immutable, so any thread may read it."""

    def __init__(
        self, globs: frozenset[bytes], switched: frozenset[bytes], may_record: Callable[[bytes], bool]
    ) -> None:
        self.globs, self.switched = globs, switched
        patterns = tuple(sorted(globs))
        self.glob_of = lru_cache(4096)(
            lambda channel: _find_glob(patterns, channel) if may_record(channel) else None
        )
        channels = (name for name in sorted(switched) if may_record(name) and self.glob_of(name) is None)
        self.selection = Selection(tuple(channels), patterns)
        self._channels = frozenset(self.selection.channels)

    def has(self, channel: bytes) -> bool:
        return channel in self._channels or self.glob_of(channel) is not None


class Recording:
    """The recorded channels: those that a glob of any server matches, and those that were switched on.

    Methods raise ``redis.RedisError`` if Redis is away or refuses.
    """

    MAX_SWITCHED = 1000  # channels that can be switched on; beyond that, use globs

    def __init__(self, link: RedisLink, settings: Settings) -> None:
        self.link = link
        self.is_allowed = settings.recording
        self.may_delete = settings.delete_logs
        self.error = ""
        """Redis's error if the globs of all servers could not be read."""
        self.generation = 0
        """How often the recorded channels have changed."""
        self._age = settings.record_seconds * 1000
        self.store = make_store(link, settings.record_messages, self._age)
        self.acknowledgements = AcknowledgementStore(self.store)
        globs = settings.record if settings.recording else ()
        self._own = tuple(glob.encode() for glob in globs)
        self._coverage = _Coverage(frozenset(self._own), frozenset(), self.may_record)
        self._refreshing = threading.Lock()  # else an older reply could replace a newer one
        self._reporting = threading.Lock()
        self._refused: dict[bytes, frozenset[str]] = {}  # channel -> which parts cannot record it

    # For its recorder

    @property
    def slots(self) -> tuple[range, ...]:
        """The slots whose channels are recorded here; empty: all."""
        return ()

    def connect(self) -> NonblockingSocket:
        """A connection that receives messages in the order in which they are recorded."""
        return self.link.connect()

    def new_loss(self) -> tuple[int, int] | None:
        """A new loss: since when messages may be missing, and when it was found (Unix ms)."""
        return None

    def has_moved(self) -> None:
        """Redis has ended a subscription because another node has the slot."""

    def look(self) -> None:
        """Another process has added channels. Nothing to do here: :meth:`refresh` reads them."""

    def upgrade(self) -> None:
        """Convert the logs of earlier versions."""
        upgrade(self.store)

    # Coverage

    @property
    def selection(self) -> Selection:
        """The channels that no glob matches, and the globs."""
        return self._coverage.selection

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to record."""
        return bool(self.selection.channels or self.selection.patterns)

    def may_record(self, channel: bytes) -> bool:
        """Whether ``channel`` can be recorded at all."""
        return is_recordable(channel, self.link.is_cluster)

    def covers(self, channel: bytes) -> bool:
        """Whether ``channel`` is recorded."""
        return self._coverage.has(channel)

    def glob_of(self, channel: bytes) -> bytes | None:
        """A glob that matches ``channel``, which therefore cannot be switched."""
        return self._coverage.glob_of(channel)

    def refresh(self) -> None:
        """Read which channels are recorded, and register the globs of this server, about once a second.

        If Redis refuses, the last state is kept, and :attr:`error` says why.
        """
        if not self.is_allowed:
            return
        wanted: list[tuple[bytes, Command]] = [
            (SWITCHED, ("SMEMBERS", SWITCHED)),
            (GLOBS, self.store.globs_command(self._own)),
        ]
        with self._refreshing:
            switched, reply = self.store.ask(wanted)
            before, globs, refusals = self._coverage, self._coverage.globs, []
            if isinstance(switched, redis.RedisError):
                refusals.append(error_text(switched))
                switched = before.switched
            if isinstance(reply, redis.RedisError):
                refusals.append(error_text(reply))
            else:
                globs, why = frozenset([*self._own, *reply[0]]), reply[1]
                refusals += [why.decode(errors="replace")] if why else []
            self.error = refusals[0] if refusals else ""
            if (globs, switched) != (before.globs, before.switched):
                self._coverage = _Coverage(globs, frozenset(switched), self.may_record)
                self.generation += 1

    # Logs

    def switch(self, channel: bytes, on: bool) -> None:
        """Start recording ``channel``, or stop and close its log.

        :raise redis.ResponseError: Redis refuses; ``FULL``: too many channels are switched on.
        """
        if on:
            self._switch_on(channel)
        else:
            self._switch_off(channel)
        self.refresh()

    def forget(self, channel: bytes) -> bool:
        """Delete the log of ``channel``; returns whether there was one. A recorded channel gets a new log."""
        is_gone = self.store.delete(channel)
        head = self.store.head(channel)
        if head is None or head.is_closed:
            self.store.drop(channel, stays_off=True)
        return is_gone

    def trim(self, is_here: Callable[[bytes], bool] = lambda channel: True) -> None:
        """Remove old entries, also of channels without new messages. Call it about once a minute.

        :param is_here: selects the channels.

        Logs of channels that are no longer recorded are closed, and removed once they are empty.
        """
        self.refresh()
        client: Any = self.link.client
        seconds, microseconds = client.time()
        oldest = seconds * 1000 + microseconds // 1000 - self._age
        names = list(filter(is_here, self.store.names()))
        commands: list[tuple[bytes, Command]] = []
        for channel in names:
            stream, head = stream_of(channel), head_of(channel)
            commands += [(stream, ("XTRIM", stream, "MINID", "=", oldest))]
            commands += [(head, ("HMGET", head, "epoch", "closed", "off"))]
        found = self.store.ask(commands)
        for channel, head in zip(names, found[1::2], strict=True):
            if not isinstance(head, redis.RedisError):
                with suppress(redis.ResponseError):
                    self._tidy(channel, *head)
        self.acknowledgements.trim(names)

    def report(self, channel: bytes, why: str, by: str = "recorder") -> None:
        """Log once that ``channel`` cannot be recorded, and once that it can again (``why`` empty).

        :param by: the part that found out; it also reports the end.
        """
        with self._reporting:
            was = self._refused.get(channel, frozenset[str]())
            is_now = was | {by} if why else was - {by}
            if is_now == was:
                return
            self._refused[channel] = is_now
            if not is_now:
                del self._refused[channel]
        if not was:
            log.warning("recording stopped channel=%s why=%r", quoted(channel), why)
        if not is_now:
            log.warning("recording resumed channel=%s", quoted(channel))

    # A recorder takes the channels in the set, but only if the head permits it, too. If this process dies
    # after changing only one of them, no channel is recorded that was switched off, and ``trim`` sets the
    # missing permission.

    def _switch_on(self, channel: bytes) -> None:
        client = self.store.client_of(SWITCHED)
        is_new = client.sadd(SWITCHED, channel)
        try:
            if is_new and client.scard(SWITCHED) > self.MAX_SWITCHED:
                raise redis.ResponseError("FULL")
            self.store.switch(channel, True)
        except redis.ResponseError:
            if is_new:
                client.srem(SWITCHED, channel)
            raise

    def _switch_off(self, channel: bytes) -> None:
        client = self.store.client_of(SWITCHED)
        if not client.srem(SWITCHED, channel) and not self._has_head(channel):
            return
        with suppress(redis.ResponseError):  # it is off all the same; ``trim`` closes its log later
            self.store.register(channel)
            self.store.switch(channel, False)
            if client.sismember(SWITCHED, channel):  # it was switched on meanwhile
                self.store.switch(channel, True)

    def _has_head(self, channel: bytes) -> bool:
        key = head_of(channel)
        return bool(self.store.client_of(key).exists(key))

    def _tidy(self, channel: bytes, epoch: bytes | None, closed: bytes | None, off: bytes | None) -> None:
        if self.covers(channel):
            if off == b"1" and channel in self._coverage.switched:
                self.store.switch(channel, True)
        elif self.error:
            return  # a glob of another server may match it
        elif epoch and not closed:
            self._close(channel)
        else:
            self.store.drop(channel)

    def _close(self, channel: bytes) -> None:
        """Close a log, unless its channel is recorded: the state that was read may be out of date."""
        self.refresh()
        if not self.covers(channel):
            self.store.switch(channel, False)
            self.refresh()
            if self.covers(channel):
                self.store.switch(channel, True)


def _find_glob(globs: tuple[bytes, ...], channel: bytes) -> bytes | None:
    return next((glob for glob in globs if matches(glob, channel)), None)
