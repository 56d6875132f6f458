"""The recorder's subscription: its channels and patterns, and how pushes reach the candidate."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from arauto.protocol.events import Item, Lost, Refused
from arauto.protocol.selection import Change, Selection
from arauto.recording.cluster_store import slot_of
from arauto.recording.log_store import WAKE
from arauto.recording_core.announcement_text import read_announcement
from arauto.recording_core.announcements import Mark, Stopped
from arauto.recording_core.candidate import Candidate
from arauto.recording_core.candidate_actions import Action, OfChannel
from arauto.recording_core.log_keys import is_recordable
from arauto.redis_io.subscriber import Command
from arauto.text.glob import matches

ELSEWHERE = ("MOVED", "CLUSTERDOWN", "TRYAGAIN")


class RecorderSubscription:
    """Passes the pushes of one connection to a candidate.

    All methods are for the candidate's thread, except :meth:`commands`.

    :param announcements_of: the sharded channel of announcements about a channel's log.
    :param beats: the sharded channel of beats.
    :param report: takes why a channel or a pattern is not recorded; empty: it is again.
    """

    def __init__(
        self,
        candidate: Candidate,
        announcements_of: Callable[[bytes], bytes],
        beats: bytes,
        report: Callable[[bytes, str], None],
    ) -> None:
        self.selection = Selection((), ())
        """The channels and patterns to record."""
        self.source_of = lru_cache(4096)(self._find_source)
        """The name or the pattern by which a channel is received; needed for each message."""
        self.refused: dict[bytes, str] = {}
        """Names that Redis refuses to subscribe, and its errors."""
        self.is_woken = False
        """Whether a page follows a channel that has no log yet."""
        self.has_lost_beats = False
        """Whether Redis has ended the subscription to beats: another node has their slot."""
        self._candidate = candidate
        self._announcements_of = announcements_of
        self._beats = beats
        self._report = report
        self._slots: tuple[range, ...] = ()  # of our shard, if there are several shards
        self._former = Selection((), ())  # no longer selected, but still subscribed
        self._globs: tuple[bytes, ...] = ()  # the patterns of both ...
        self._names: frozenset[bytes] = frozenset()  # ... and the channels of both
        self._known: frozenset[bytes] = frozenset()  # the channels that have a log
        self._recorded_logs: frozenset[bytes] = frozenset()  # those that are recorded too
        self._channels: dict[bytes, bytes] = {}  # sharded channel of announcements -> its channel
        self._requested: set[bytes] = set()  # channels whose announcements are requested ...
        self._followed: set[bytes] = set()  # ... those whose announcements are confirmed ...
        self._sources: set[bytes] = set()  # ... and the names and patterns that are confirmed

    # Subscriptions

    def cover(self, selection: Selection, known: Iterable[bytes], slots: tuple[range, ...] = ()) -> Change:
        """Set the recorded channels and those that have a log, and return the change to subscribe to.

        :param slots: the slots of our shard; empty: there is only one shard.
        """
        before, known = self.selection, frozenset(known)
        is_other, self._slots = slots != self._slots, slots
        self.selection = Selection(tuple(filter(self._is_here, selection.channels)), selection.patterns)
        is_other = is_other or self.selection != before
        gone = {*before.channels, *before.patterns} - {*self.selection.channels, *self.selection.patterns}
        # If messages are received in two ways, only Redis's confirmation shows which is the last by this one.
        names = (name for name in _missing(before.channels, self.selection.channels) if self._glob_of(name))
        self._former = self._confirmed(
            (*self._former.channels, *names),
            (*self._former.patterns, *_missing(before.patterns, self.selection.patterns)),
        )
        self._sources -= gone - {*self._former.channels, *self._former.patterns}
        if is_other:
            self._update_sources()
        if is_other or known != self._known:
            self._known = known
            self._update_recorded_logs()
        for name in gone:
            self.refused.pop(name, None)
        return Change(
            subscribe=_missing(self.selection.channels, before.channels),
            unsubscribe=_missing(before.channels, self.selection.channels),
            psubscribe=_missing(self.selection.patterns, before.patterns),
            punsubscribe=_missing(before.patterns, self.selection.patterns),
        )

    def commands(self, verb: bytes, names: Selection) -> list[Command]:
        """Subscribe to announcements before the messages that they are about; from any thread."""
        channels, patterns = names.channels, names.patterns
        messages = [(verb, name) for name in channels] + [(b"P" + verb, name) for name in patterns]
        if verb == b"UNSUBSCRIBE":
            gone = [self.follow(name, verb) for name in channels if self._glob_of(name) is None]
            return [*gone, *messages]
        logs = dict.fromkeys((*channels, *self._recorded_logs) if patterns else channels)
        return [(b"SSUBSCRIBE", self._beats), *map(self.follow, logs), *messages]

    def follow(self, channel: bytes, verb: bytes = b"SUBSCRIBE") -> Command:
        """The command that subscribes to the announcements of a channel's log."""
        name = self._announcements_of(channel)
        self._channels[name] = channel
        if verb == b"SUBSCRIBE":
            self._requested.add(channel)
        return b"S" + verb, name

    def missing_commands(self) -> list[Command]:
        """Subscriptions to logs that other processes have begun."""
        beats = [(b"SSUBSCRIBE", self._beats)] if self.has_lost_beats else []
        missing = self._recorded_logs - self._followed - self._requested
        return [*beats, *(self.follow(channel) for channel in missing)]

    def retry_commands(self) -> tuple[Change, list[Command]]:
        """Subscriptions that were refused, to be repeated: Redis may allow them by now."""
        names = tuple(name for name in self.selection.channels if name in self.refused)
        patterns = tuple(name for name in self.selection.patterns if name in self.refused)
        logs = [(b"SSUBSCRIBE", name) for name in self.refused.keys() & {self._beats, *self._channels}]
        return Change(subscribe=names, psubscribe=patterns), logs

    @property
    def error(self) -> str:
        """Redis's error if nothing can be received at all; else empty."""
        return self.refused.get(b"") or self.refused.get(self._beats) or ""

    @property
    def is_complete(self) -> bool:
        """Whether everything to record is received here, and all announcements about it."""
        wanted = {*self.selection.channels, *self.selection.patterns}
        return not self.has_lost_beats and wanted <= self._sources and self._recorded_logs <= self._followed

    def refusal_of(self, channel: bytes) -> str:
        """Redis's error if the channel cannot be received here; else empty."""
        wanted = (self._announcements_of(channel), self.source_of(channel))
        return next((self.refused[name] for name in wanted if name in self.refused), "")

    # Pushes

    def handle(self, item: Item, now: int) -> list[Action]:
        """Pass an item on to the candidate, and return its actions."""
        if isinstance(item, list):
            return self._handle(item, now)
        if isinstance(item, Lost):
            for names in (self._requested, self._followed, self._sources):
                names.clear()
            self._update_sources()
            # The next connection does not subscribe to other names that this one was refused.
            sources = {*self.selection.channels, *self.selection.patterns}
            self.refused = {name: why for name, why in self.refused.items() if name in sources}
            actions = self._candidate.disconnected(now)
            self._update_sources()
            return actions
        return self._note_refused(item) if isinstance(item, Refused) else []

    def _handle(self, push: list[bytes], now: int) -> list[Action]:
        kind, name = push[0], push[1]
        if kind == b"message":
            is_wanted = self.source_of(name) == name and name in self._sources
            return self._candidate.received(name, push[2], now) if is_wanted else []
        if kind == b"pmessage":
            is_wanted = self.source_of(push[2]) == name and name in self._sources
            return self._candidate.received(push[2], push[3], now) if is_wanted else []
        if kind == b"smessage":
            return (
                self._handle_beat(push[2], now)
                if name == self._beats
                else self._handle_announcement(name, push[2])
            )
        if kind == b"ssubscribe":
            return self._confirm_log(name, now)
        if kind in (b"subscribe", b"psubscribe"):
            return self._confirm_source(name, now)
        if kind == b"sunsubscribe" and name == self._beats:
            self.has_lost_beats = True
        elif kind == b"sunsubscribe" and name in self._channels:
            self._forget(self._channels[name])
        elif kind in (b"unsubscribe", b"punsubscribe") and name in self._sources:
            self._sources.discard(name)
            self._update_sources()
            self._update_recorded_logs()
        return []

    def _handle_beat(self, data: bytes, now: int) -> list[Action]:
        if data == WAKE:
            self.is_woken = True
        parts = data.split()
        if len(parts) == 3 and all(part.isdigit() and len(part) <= 15 for part in parts):
            token, at, _ = map(int, parts)
            return self._candidate.beat_received(token, at, now)
        return []

    def _handle_announcement(self, name: bytes, data: bytes) -> list[Action]:
        channel, announcement = self._channels.get(name), read_announcement(data)
        if channel is None or announcement is None or channel not in self._followed:
            return []
        if isinstance(announcement, Mark) and channel not in self._candidate.channels:
            return self._announce_stopped(channel)
        return self._candidate.announced(channel, announcement)

    def _confirm_log(self, name: bytes, now: int) -> list[Action]:
        actions = self._clear_refusals({name})
        if name == self._beats:
            self.has_lost_beats = False
            return actions + self._candidate.connected()
        channel = self._channels.get(name)
        if channel is None or channel in self._followed:
            return actions
        self._requested.discard(channel)
        source = self.source_of(channel)
        if source is None:
            return actions  # unsubscribed before Redis confirmed it
        self._followed.add(channel)
        return actions + (self._candidate.subscribed(channel, now) if source in self._sources else [])

    def _confirm_source(self, source: bytes, now: int) -> list[Action]:
        if source in self._sources:
            return []
        followed = self._followed_by(source)
        waiting = {channel for channel in followed if self.source_of(channel) not in self._sources}
        self._sources.add(source)
        self.source_of.cache_clear()
        actions = self._clear_refusals({source})
        for channel in waiting:
            if self.source_of(channel) == source:
                actions += self._candidate.subscribed(channel, now)
        return actions

    # Refusals

    def _note_refused(self, item: Refused) -> list[Action]:
        if item.name in self._channels and item.error.startswith(ELSEWHERE):
            self._forget(self._channels[item.name])  # another node has its slot, and so its recorder
            return []
        was, self.refused[item.name] = self.refused.get(item.name), item.error
        if not item.name or was == item.error:
            return []  # the connection itself is refused, so nothing is received; or it was reported
        if item.name != self._beats:
            self._report(self._channels.get(item.name, item.name), item.error)
        actions = self._candidate.set_blocked(True)
        for channel in self._followed_by(item.name):
            if self.source_of(channel) == item.name:
                actions += self._announce_stopped(channel)
        return actions

    def _clear_refusals(self, names: set[bytes]) -> list[Action]:
        for name in {b"", *names}:
            if self.refused.pop(name, None):
                self._report(self._channels.get(name, name), "")
        return [] if self.refused else self._candidate.set_blocked(False)

    def _announce_stopped(self, channel: bytes) -> list[Action]:
        """Announce to followers of the log why nothing is written to it."""
        why = self.refusal_of(channel)
        return [OfChannel(channel, Stopped(0, why), 0)] if why and self._candidate.token else []

    # Internals

    def _is_here(self, channel: bytes) -> bool:
        """Whether it may be recorded on this shard."""
        if not self._slots:
            return is_recordable(channel)
        return is_recordable(channel, is_cluster=True) and any(
            slot_of(channel) in slots for slots in self._slots
        )

    def _find_source(self, channel: bytes) -> bytes | None:
        """The one source whose messages count: with several, Redis pushes each message several times.

        A pattern is preferred to a name, since names change more often.
        """
        if not self._is_here(channel):
            return None
        ways = [glob for glob in self._globs if matches(glob, channel)]
        if channel in self._names:
            ways.append(channel)
        return next((way for way in ways if way in self._sources), ways[0] if ways else None)

    def _followed_by(self, source: bytes) -> set[bytes]:
        """The followed channels that may be received by this source: by a name only its own."""
        return self._followed if source in self._globs else self._followed & {source}

    def _glob_of(self, channel: bytes) -> bytes | None:
        return next((glob for glob in self.selection.patterns if matches(glob, channel)), None)

    def _confirmed(self, channels: Iterable[bytes], patterns: Iterable[bytes]) -> Selection:
        is_confirmed = self._sources.__contains__
        return Selection(tuple(filter(is_confirmed, channels)), tuple(filter(is_confirmed, patterns)))

    def _update_sources(self) -> None:
        """Update the sources; a channel without a confirmed one is not received."""
        self._former = self._confirmed(self._former.channels, self._former.patterns)
        self._globs = tuple(sorted({*self.selection.patterns, *self._former.patterns}))
        self._names = frozenset((*self.selection.channels, *self._former.channels))
        self.source_of.cache_clear()
        for channel in self._candidate.channels | self._followed:
            source = self.source_of(channel)
            if source is None:
                self._forget(channel)
            elif source not in self._sources:
                self._candidate.unsubscribed(channel)

    def _update_recorded_logs(self) -> None:
        self._recorded_logs = frozenset(name for name in self._known if self.source_of(name) is not None)

    def _forget(self, channel: bytes) -> None:
        self._candidate.unsubscribed(channel)
        self._followed.discard(channel)
        self._requested.discard(channel)


def _missing(names: Iterable[bytes], among: Iterable[bytes]) -> tuple[bytes, ...]:
    there = set(among)
    return tuple(name for name in names if name not in there)
