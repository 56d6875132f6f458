"""Puts the messages of one page's recorded channels in the order of their logs."""

from collections import deque
from collections.abc import Collection
from time import monotonic, sleep, time
from typing import Any, NamedTuple

import redis

from arauto.protocol.acknowledgements import read_acknowledgement
from arauto.protocol.events import (
    Acknowledged,
    Deliver,
    ErrorNotice,
    Followed,
    Halted,
    Item,
    LogGap,
    Lost,
    Numbered,
    Refused,
    Unfollowed,
)
from arauto.protocol.events import Gap as LinkGap
from arauto.protocol.json_members import text
from arauto.protocol.log_entries import FIRST, Hole
from arauto.protocol.log_position import Position
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Selection
from arauto.protocol.validation import is_own_shard
from arauto.recording.log_reader import FIRST_PAGE, Log, next_size
from arauto.recording.log_watch import LogWatch
from arauto.recording.shared_queries import SharedQueries, States, Turn
from arauto.recording_core.announcement_text import read_announcement
from arauto.recording_core.announcements import Marked, Stopped
from arauto.recording_core.backlog import Copy
from arauto.recording_core.channel_feed import ChannelFeed, State
from arauto.recording_core.feed_steps import FeedStep, Gap, Halt, Locate, Place, Read, Show, ShowWaiting
from arauto.recording_core.page_place import LATE, place_at, shown_until
from arauto.redis_io.connection import SLOT_MOVES, error_text
from arauto.redis_io.elapsed import now_ms as _now
from arauto.redis_io.subscriber import Command, subscribe_commands

UNRECORDED_AFTER = 3000  # milliseconds without an answer until the page shows that nothing is recorded
BEGINS_WITHIN = 1.5  # seconds to wait for the first entry of a new log
ROUND = 0.05  # seconds
SHARDED = (b"smessage", b"ssubscribe", b"sunsubscribe")


class Sentences(NamedTuple):
    """Sentences for the page, with ``{name}`` for the channel and ``{words}`` for the reply of Redis."""

    not_followed: str
    not_read: str
    not_recorded: str
    slot_moves: str


class Follower:
    """Sits between a subscriber and its ``deliver``; runs in the subscriber's thread.

    :param resume_points: where the page resumes, by channel.
    :param sentences: translated beforehand: that thread has no request and so no language.
    """

    def __init__(
        self,
        shared: SharedQueries,
        deliver: Deliver,
        resume_points: dict[bytes, ResumePoint],
        sentences: Sentences,
    ) -> None:
        self._shared = shared
        self._recording = shared.recording
        self._deliver = deliver
        self._resume_points = dict(resume_points)
        self._sentences = sentences
        self._is_open = False  # whether this connection has sent its subscriptions
        self._channel_of: dict[bytes, bytes] = {}  # announcements requested -> their channel
        self._followed: set[bytes] = set()  # channels whose announcements are confirmed ...
        self._confirmed: set[bytes] = set()  # ... and channels that are confirmed themselves
        self._unlogged: set[tuple[str, bytes]] = set()  # patterns and sharded channels: they have no log
        self._feeds: dict[bytes, ChannelFeed] = {}
        self._epochs: dict[bytes, str] = {}  # as the page knows them
        self._has_gap = False  # messages that were lost with the connection are in no log
        self._states: States | None = None  # of the feeds, to be set before the next batch
        self._reasons: dict[bytes, str] = {}  # why a channel is not recorded, as last shown to the page
        self._refusals: dict[bytes, str] = {}  # why a log cannot be followed, as last shown to the page
        self._is_shareable = True  # without queries to Redis: another page would get the same result
        self._out: list[Item] = []
        self._size = FIRST_PAGE  # entries to read at a time
        self.watch = LogWatch(shared.timers)

    # Commands to Redis

    def commands(self, verb: bytes, names: Selection) -> list[Command]:
        """Subscribe to announcements before the channel that they are about."""
        followed = set(self._channel_of.values())
        is_followed = self._recording.covers if verb == b"SUBSCRIBE" else followed.__contains__
        logs = [self._follow(name, verb) for name in names.channels if is_followed(name)]
        self._is_open = True
        unlogged = {("pattern", name) for name in names.patterns} | {("shard", name) for name in names.shards}
        self._unlogged = self._unlogged | unlogged if verb == b"SUBSCRIBE" else self._unlogged - unlogged
        return logs + subscribe_commands(verb, names)

    def commands_after_switch(self, channels: Collection[bytes]) -> list[Command]:
        """Commands to send after recording was switched on or off; from any thread.

        :param channels: the selected channels.
        """
        if not self._is_open:
            return []  # the first subscriptions are not sent yet, and will be right
        followed, covers = set(self._channel_of.values()), self._recording.covers
        switched = [name for name in channels if covers(name) != (name in followed)]
        if switched:  # while nothing of a page was recorded, this was not tracked
            self._confirmed.update(switched if followed else channels)
        return [self._follow(name, b"SUBSCRIBE" if covers(name) else b"UNSUBSCRIBE") for name in switched]

    def resume(self, channel: bytes, point: ResumePoint) -> None:
        """Set where a channel resumes that is selected next; from any thread."""
        self._resume_points[channel] = point

    def release(self, channel: bytes) -> ResumePoint | None:
        """Where a channel resumes that another follower takes over; ``None``: unknown."""
        return self._resume_points.pop(channel, None)

    def _follow(self, channel: bytes, verb: bytes) -> Command:
        name = self._recording.store.announcements_of(channel)
        if verb == b"SUBSCRIBE":
            self._channel_of[name] = channel
        return b"S" + verb, name

    # Pushes from Redis

    def __call__(self, batch: list[Item]) -> None:
        # The reply to a probe, a batch by itself, may be received when nothing is followed any more.
        if not self._channel_of and not self._resume_points and not _is_pong(batch):
            self._deliver(batch)  # this very list, which other feeds share
            return
        before = self._states
        turn = self._shared.find(batch, before) if before else None
        if turn is not None:
            self._states, out = turn.after, turn.out
        else:
            out = self._process(batch)
            if before and self._states and self._is_shareable:
                self._shared.keep(Turn.of(batch, before, self._states, out))
        if out:
            self._deliver(out)
        if turn is not None and not turn.is_live:
            self.watch.expect(turn.waits_since)
        else:
            self.watch.plan(self._feeds.values(), self._states)

    def _process(self, batch: list[Item]) -> list[Item]:
        for channel, settled in self._states or ():
            self._feeds[channel].settle(settled)  # the shared state, also where this feed's is more exact
        self._is_shareable = True
        now = _now()
        for item in batch:
            self._handle(item, now)
        states = tuple((channel, one) for channel, feed in self._feeds.items() if (one := feed.settled))
        self._states = states if states and len(states) == len(self._feeds) else None
        out, self._out = self._out, []
        return out

    def _handle(self, item: Item, now: int) -> None:
        if not isinstance(item, list):
            self._handle_notice(item)
            return
        kind, name = item[0], item[1]
        if kind == b"message" and name in self._feeds:
            if steps := self._feeds[name].received(item[2], now):
                self._carry_out(name, steps)
        elif kind == b"pmessage" and item[2] in self._feeds:
            if steps := self._feeds[item[2]].copied(Copy(*item[1:])):
                self._carry_out(item[2], steps)
        elif kind == b"pong":
            self._handle_pong()
        elif kind in SHARDED and is_own_shard(name):
            self._handle_announcement(kind, name, item[2], now)
        else:
            self._out.append(item)
            self._confirm(kind, name)

    def _handle_announcement(self, kind: bytes, name: bytes, data: Any, now: int) -> None:
        if kind == b"ssubscribe":
            self._begin_following(self._channel_of.get(name))
        elif kind == b"sunsubscribe":
            self._end_following(self._channel_of.pop(name, b""))
        elif (channel := self._channel_of.get(name, b"")) not in self._feeds:
            return
        elif announcement := read_announcement(data):
            feed = self._feeds[channel]
            if isinstance(announcement, Marked):
                self._shared.answered(channel)
            if feed.may_differ(announcement):
                self._is_shareable = False
            self._carry_out(channel, feed.announced(announcement, now))
        elif acknowledgement := read_acknowledgement(data):
            self._out.append(Acknowledged(channel, acknowledgement))

    def _confirm(self, kind: bytes, name: bytes) -> None:
        self._is_shareable = False
        if kind == b"subscribe":
            self._confirmed.add(name)
            self._begin(name)
        elif kind == b"unsubscribe":
            self._confirmed.discard(name)
            self._resume_points.pop(name, None)
            self._forget(name)

    def _handle_notice(self, item: Item) -> None:
        if isinstance(item, Lost):
            self._note_lost()
        elif isinstance(item, LinkGap):
            has_gap, self._has_gap = self._has_gap or bool(self._unlogged), False
            if not has_gap:
                return
        elif isinstance(item, Refused) and item.kind == "log":
            channel = self._channel_of.pop(item.name, None)
            if channel is not None and self._refusals.get(channel) != item.error:
                self._refusals[channel] = item.error
                self._show_error(self._sentences.not_followed, channel, item.error)
            return
        elif isinstance(item, Refused) and item.kind:
            self._unlogged.discard((item.kind, item.name))
            if item.kind == "channel":
                self._confirm(b"unsubscribe", item.name)
        self._out.append(item)

    def _note_lost(self) -> None:
        """The connection to Redis was lost: each channel resumes where its page is."""
        for channel in tuple(self._confirmed):  # another thread may switch recording on
            feed = self._feeds.get(channel)
            place = feed.place if feed else None
            if feed and place:
                self._resume_points[channel] = ResumePoint(place, feed.since)
            elif channel not in self._resume_points:
                self._has_gap = True
        self._confirmed.clear()
        self._followed.clear()
        self._feeds.clear()
        self._channel_of.clear()
        self._reasons.clear()
        self._refusals.clear()
        self._is_open = False
        self.watch.forget()

    # Following a channel

    def _begin_following(self, channel: bytes | None) -> None:
        self._is_shareable = False
        if channel is not None:
            self._followed.add(channel)
            if channel in self._confirmed:
                self._begin(channel)

    def _begin(self, channel: bytes) -> None:
        if channel in self._feeds:
            return
        start = self._resume_points.pop(channel, None)
        if channel not in self._followed:
            if start and isinstance(start.at, Position):  # it was recorded once
                self._gap(channel, start.since or start.at.ms - LATE, "unrecorded")
                self._out.append(Unfollowed(channel))
            return
        self._feeds[channel] = feed = self._make_feed(channel, start)
        self._carry_out(channel, feed.subscribed(_now()))

    def _make_feed(self, channel: bytes, start: ResumePoint | None) -> ChannelFeed:
        if start is None:
            return ChannelFeed(None, _now())
        if isinstance(start.at, Position):
            self._epochs[channel] = start.at.epoch
            return ChannelFeed(start.at, start.since or start.at.ms - LATE)
        self._is_shareable = False
        try:
            log = Log.open(self._recording.store, channel)
            has_waited = log is None
            log = log or self._find_log(channel)
            if log is None:
                return ChannelFeed(None, _now())
            position = log.locate(start.at)
            if start.at.ms and (hole := log.hole_before(start.at.ms)):
                self._out.append(LogGap(channel, hole))
        except redis.RedisError as error:
            self._show_error(self._sentences.not_read, channel, error_text(error))
            return ChannelFeed(None, _now())
        since = start.at.ms or shown_until(position, log.until)
        # A place to resume from, should the connection break now.
        self._emit(channel, place_at(position, since))
        return ChannelFeed(position, since, has_waited)

    def _find_log(self, channel: bytes) -> Log | None:
        """Wait for the log: the first message of a channel may be received shortly before it exists."""
        self._flush()
        end = monotonic() + BEGINS_WITHIN
        while (log := Log.open(self._recording.store, channel)) is None and monotonic() < end:
            self._shared.locate(channel)
            sleep(ROUND)
        return log

    def _end_following(self, channel: bytes) -> None:
        self._is_shareable = False
        self._followed.discard(channel)
        if channel in self._feeds:
            self._carry_out(channel, self._feeds[channel].ended(_now()))
            self._out.append(Unfollowed(channel))
            self._forget(channel)

    def _forget(self, channel: bytes) -> None:
        self._feeds.pop(channel, None)
        self._epochs.pop(channel, None)
        self._reasons.pop(channel, None)

    def _handle_pong(self) -> None:
        """Redis has replied to a probe: everything it had pushed before is handled."""
        self._is_shareable = False
        at = self.watch.answered()
        for channel, feed in list(self._feeds.items()):
            if at:
                self._carry_out(channel, feed.caught_up(at))
            self._carry_out(channel, feed.tick(_now()))
            if feed.state is State.LIVE and _now() - feed.live_since > UNRECORDED_AFTER:
                self._report_not_recorded(channel, feed)

    def _report_not_recorded(self, channel: bytes, feed: ChannelFeed) -> None:
        """Show that the channel is not recorded, and again if the reason changes."""
        why = self._shared.why_not(channel)
        if feed.is_halted and (not why or why == self._reasons.get(channel)):
            return
        self._reasons[channel] = why
        stopped = Stopped(feed.live_since, why or self._sentences.not_recorded)
        self._carry_out(channel, feed.announced(stopped, _now()))

    # Steps of a channel feed

    def _carry_out(self, channel: bytes, steps: list[FeedStep]) -> None:
        queue = deque(steps)
        while queue:
            step = queue.popleft()
            if isinstance(step, Read):
                queue.extendleft(reversed(self._read(channel, step)))
            elif isinstance(step, Locate):
                self._is_shareable = False
                self._shared.locate(channel)
            else:
                self._emit(channel, step)

    def _read(self, channel: bytes, step: Read) -> list[FeedStep]:
        self._is_shareable = False
        self._flush()
        feed = self._feeds[channel]
        try:
            pages = self._recording.store.read(channel, step, self._size)
        except redis.RedisError as error:
            self._show_error(self._sentences.not_read, channel, error_text(error))
            return feed.unreadable(_now())
        if pages is None:
            return feed.unreadable(_now())
        weight = 1 + sum([len(entry.data or b"") for entry in pages.entries])
        self._size = next_size(len(pages.entries), weight)
        return feed.read(pages, _now())

    def _flush(self) -> None:
        """Deliver pending items before the log is read."""
        if self._out:
            out, self._out = self._out, []
            self._deliver(out)

    def _emit(self, channel: bytes, step: FeedStep) -> None:
        out = self._out.append
        if isinstance(step, Show):
            self._show(channel, step)
        elif isinstance(step, ShowWaiting):
            self._is_shareable = False
            self._flush()
            for batch in self._shared.batches(channel, step.messages):
                self._deliver(batch)  # this very list, which other pages share
        elif isinstance(step, Copy):
            out([b"pmessage", step.pattern, step.channel, step.data])
        elif isinstance(step, Gap):
            out(LogGap(channel, Hole(FIRST, step.start, step.end, step.reason)))
        elif isinstance(step, Halt):
            is_moving = step.why == SLOT_MOVES
            self._is_shareable = self._is_shareable and not is_moving  # others have another language
            out(Halted(channel, step.since, self._sentences.slot_moves if is_moving else step.why))
        elif isinstance(step, Place):
            self._epochs[channel] = step.position.epoch if step.position else ""
            out(Followed(channel, step.position, step.since))

    def _show(self, channel: bytes, step: Show) -> None:
        out, position = self._out, step.position
        if position is None:
            out.append([b"message", channel, step.data])
        else:
            out.append(Numbered(channel, position, step.data, step.ms))
            if self._epochs.get(channel) != position.epoch:
                self._emit(channel, Place(position))
        for copy in step.copies:
            self._emit(channel, copy)

    def _gap(self, channel: bytes, start: int, reason: str) -> None:
        self._out.append(LogGap(channel, Hole(FIRST, start, round(1000 * time()), reason)))

    def _show_error(self, sentence: str, channel: bytes, why: str) -> None:
        self._out.append(ErrorNotice(sentence.replace("{name}", text(channel)).replace("{words}", why)))


def _is_pong(batch: list[Item]) -> bool:
    return bool(batch) and isinstance(batch[0], list) and batch[0][0] == b"pong"
