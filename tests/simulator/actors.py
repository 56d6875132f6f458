"""Processes, connections and tabs: everything between the protocol's state machines and the scheduler."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Mark as MarkWord
from arauto.recording_core.announcements import Marked, Stopped
from arauto.recording_core.candidate_actions import Action, Claim, Follow, OfChannel, Release, Renew
from arauto.recording_core.channel_feed import ChannelFeed
from arauto.recording_core.feed_steps import FeedStep, Gap, Locate, Place, Read, Show, ShowWaiting
from arauto.recording_core.page_place import LATE, place_at, shown_until
from arauto.recording_core.recorder_steps import AnswerMark, Append, Fenced, Outcome, SendMark, Take
from tests.simulator.protocol import Protocol
from tests.simulator.redis_double import Beat, Push, Raw, RedisDouble, Server
from tests.simulator.shared_feeds import step_with_another

BEGINS_WITHIN = 1500  # milliseconds that a page with since=first waits for a log

Task = Callable[[], None]
Pushed = tuple[bytes, object]
"""A channel, and a push of Redis for it."""


@dataclass(frozen=True)
class Listening:
    """The confirmation of SUBSCRIBE."""


@dataclass(frozen=True)
class Following:
    """The confirmation of SSUBSCRIBE to the announcements."""


@dataclass(frozen=True)
class Left:
    """The confirmation of UNSUBSCRIBE."""


class Connection:
    """One connection to Redis; its pushes wait in ``inbox``."""

    def __init__(self, server: Server) -> None:
        self.inbox: deque[Pushed] = deque()
        self.is_open = True
        self._server = server
        self._pushes: dict[RedisDouble, Push] = {}

    def subscribe(self, redis: RedisDouble) -> None:
        redis.subscribe(self._push(redis))
        self._push(redis)(Listening())

    def follow(self, redis: RedisDouble) -> None:
        if self.is_open:
            redis.follow(self._push(redis))
            self._push(redis)(Following())

    def listen_to_beats(self, redis: RedisDouble) -> None:
        redis.listen_to_beats(self._push(redis))

    def leave(self, redis: RedisDouble, has_pattern: bool) -> None:
        """Unsubscribe from the channel; from its announcements too, unless a pattern has the channel.

        Pushes on their way still arrive.
        """
        if redis in self._pushes:
            redis.leave(self._pushes[redis])
            if not has_pattern:
                redis.unfollow(self._pushes[redis])
            self._pushes[redis](Left())

    def close(self) -> None:
        self.is_open = False
        for redis, push in self._pushes.items():
            redis.drop(push)
        self.inbox.clear()

    def _push(self, redis: RedisDouble) -> Push:
        if redis not in self._pushes:
            self._pushes[redis] = lambda pushed: self.inbox.append((redis.channel, pushed))
        return self._pushes[redis]


class Process:
    """One process of a server: its candidate, and the sockets of its tabs."""

    def __init__(
        self, name: str, channels: list[RedisDouble], protocol: Protocol, has_pattern: bool, ahead: int
    ) -> None:
        self.name = name
        self.redis, self.channels = channels[0], {redis.channel: redis for redis in channels}
        self.server = self.redis.server
        self.ahead = ahead  # milliseconds by which its own clock is ahead; it never goes back
        self.is_alive = self.is_awake = True
        self.has_pattern = has_pattern  # it learns of a channel by its first message
        self.tabs: list[Tab] = []
        self.pending: list[Task] = []  # commands that wait
        self.doubts: list[tuple[int, int]] = []  # losses of the bus to be found: when, and their start
        self.losses: list[tuple[int, int]] = []  # losses found: their start, and when, by the clock of Redis
        self._protocol = protocol
        self._starts = 0
        self.begin()

    @property
    def now(self) -> int:
        return self.server.time + self.ahead

    def begin(self) -> None:
        """Start the process, with a name that was not used before."""
        self._starts += 1
        self._marks = f"{self.name}-{self._starts}"
        self.candidate = self._protocol.candidate(self._marks, self.now, self._protocol.recorder)
        self.covers = set(self.channels)
        self._located: dict[bytes, int] = {}
        self._follows: set[bytes] = set()
        self._connect()

    def _connect(self) -> None:
        self.connection = Connection(self.server)
        # Channels by confirmed subscription: to their messages, and to their announcements.
        self._listens: set[bytes] = set()
        self._announced: set[bytes] = set()
        self.connection.listen_to_beats(self.redis)
        self._do(self.candidate.connected())
        for channel in self.channels:
            if channel in self.covers:
                self._listen(channel)

    def _listen(self, channel: bytes) -> None:
        redis = self.channels[channel]
        is_known = redis.data.position is not None or bool(redis.data.entries)
        is_followed = not self.has_pattern or is_known or channel in self._follows
        if is_followed and not self.has_pattern:
            self.connection.follow(redis)
        self.connection.subscribe(redis)
        if is_followed and self.has_pattern:
            self.connection.follow(redis)

    def cover(self, channel: bytes) -> None:
        """Record the channel, as if another glob or switch were known to this process."""
        if channel not in self.covers:
            self.covers.add(channel)
            if self.connection.is_open:
                self._listen(channel)

    def uncover(self, channel: bytes) -> None:
        self.covers.discard(channel)
        self._listens.discard(channel)
        self._announced.discard(channel)
        self._follows.discard(channel)
        self.candidate.unsubscribed(channel)
        self.connection.leave(self.channels[channel], self.has_pattern)

    def lose_link(self) -> None:
        self.connection.close()
        self.pending.append(lambda: self._do(self.candidate.disconnected(self.now)))

    def lose_link_again(self) -> None:
        """Lose the new connection too, before its first push or soon after."""
        while self.pending:
            self.run_one()
        self.lose_link()
        self.run_one()
        self._connect()
        for _ in range(random.randint(0, 4)):
            self.read_one()
        self.lose_link()

    def kill(self) -> None:
        self.connection.close()
        self.is_alive = False
        self.pending.clear()
        for tab in list(self.tabs):
            tab.drop()

    @property
    def can_act(self) -> bool:
        return self.is_alive and self.is_awake

    # Steps of the scheduler

    def read_one(self) -> None:
        if not self.connection.inbox:
            return
        self._receive(*self.connection.inbox.popleft())
        if not self.connection.inbox or random.random() < 0.3:
            self._do(self.candidate.flush(self.now))

    def _receive(self, channel: bytes, pushed: object) -> None:
        candidate, now = self.candidate, self.now
        if isinstance(pushed, Beat):
            self._do(candidate.beat_received(pushed.token, pushed.at, now))
        elif isinstance(pushed, Left):
            self._listens.discard(channel)
            if not self.has_pattern:
                self._announced.discard(channel)
            candidate.unsubscribed(channel)
        elif channel not in self.covers:
            return  # the push was on its way
        elif isinstance(pushed, Listening):
            self._listens.add(channel)
            self._begin(channel)
        elif isinstance(pushed, Following):
            if channel not in self._announced:
                self._announced.add(channel)
                self._begin(channel)
        elif isinstance(pushed, Raw):
            if channel in self._listens:
                self._do(candidate.received(channel, pushed.data, now))
        elif channel in self._announced:
            self._do(candidate.announced(channel, pushed))  # type: ignore[arg-type]

    def _begin(self, channel: bytes) -> None:
        if channel in self._listens & self._announced:
            self._do(self.candidate.subscribed(channel, self.now))

    def tick(self) -> None:
        """Called a few times a second."""
        if not self.connection.is_open and not self.pending:
            self._connect()
        self._find_losses()
        self._follow_registered()
        self._do(self.candidate.tick(self.now))

    def _follow_registered(self) -> None:
        """Follow channels that pages have registered, though no message has come yet."""
        for channel in sorted(self.covers - self._follows) if self.has_pattern else ():
            if self.channels[channel].is_registered and self.connection.is_open:
                self._follows.add(channel)
                self.connection.follow(self.channels[channel])

    def _find_losses(self) -> None:
        found = [one for one in self.doubts if one[0] <= self.server.time]
        self.doubts = [one for one in self.doubts if one not in found]
        for _, since in found:
            self.losses.append((since, self.server.now))
            for tab in list(self.tabs):
                tab.doubt(since)
            self._do(self.candidate.doubted(since, self.server.now, self.now))

    # Commands: they run later, and their replies come later still, or never

    def _do(self, commands: Sequence[Action]) -> None:
        for command in commands:
            # The lease and its beats have no delay.
            if isinstance(command, OfChannel | Follow):
                self.pending.append(lambda command=command: self._execute(command))  # type: ignore[misc]
            else:
                self._lead(command)

    def _lead(self, command: Action) -> None:
        candidate, redis = self.candidate, self.redis
        if isinstance(command, Claim):
            self._do(candidate.claimed(redis.claim(command.above, command.grace), self.now))
        elif isinstance(command, Release):
            redis.release(command.token)
        elif isinstance(command, Renew):
            try:
                is_recorder = redis.renew(command.token, command.until)
            except PermissionError:
                return  # it stays the recorder: no other process can take the lease either
            self._do(candidate.renewed(command, is_recorder))

    def _execute(self, command: OfChannel | Follow) -> None:
        channel, candidate = command.channel, self.candidate
        redis = self.channels[channel]
        if isinstance(command, Follow):
            self._follows.add(channel)
            self.connection.follow(redis)
            return
        step = command.step
        if isinstance(step, SendMark):
            redis.announce(MarkWord(step.name))
        elif isinstance(step, AnswerMark):
            redis.announce(Marked(step.name, step.position, step.written))
        elif isinstance(step, Stopped):
            redis.announce(step)
        elif isinstance(step, Append):
            many, outcome = redis.append(step.token, step.after, step.messages, command.until)
            why = "" if outcome is Outcome.DONE else "why"
            if random.random() < 0.03:
                many, outcome = 0, Outcome.UNKNOWN
            self.pending.append(
                lambda: self._do(candidate.appended(channel, step, many, outcome, why, self.now))
            )
        elif isinstance(step, Take):
            redis.losses = self.losses  # sent with the command
            try:
                end = redis.take(step.token, step.position, command.until, step.is_first, step.doubt)
            except PermissionError:
                self.pending.append(lambda: self._do(candidate.refused(channel, step, "why")))
            except Fenced as error:
                above = error.token
                self.pending.append(lambda: self._do(candidate.fenced(channel, step, above)))
            else:
                self.pending.append(lambda: self._do(candidate.taken(channel, step, end, self.now)))

    def locate(self, redis: RedisDouble) -> None:
        """Announce a mark, by which tabs find their position in the log."""
        if self._located.get(redis.channel) != self.server.time:
            self._located[redis.channel] = self.server.time
            name = f"{self._marks}.{self.server.time}"
            self.pending.append(lambda: self._announce_mark(redis, name))

    def _announce_mark(self, redis: RedisDouble, name: str) -> None:
        redis.is_registered = True
        redis.announce(MarkWord(name))

    def run_one(self) -> None:
        if self.pending:
            self.pending.pop(0)()


def _id(position: Position) -> tuple[int, int]:
    return position.ms, position.number


class Page:
    """The rows of a page, over all sockets of one tab."""

    def __init__(self) -> None:
        self.rows: list[Show | Gap] = []
        self.position: Position | None = None
        self.since = 0
        self.has_begun = False
        self._known: set[tuple[int, int, bytes]] = set()

    def show(self, step: FeedStep) -> None:
        if isinstance(step, Place):
            self.position = step.position
            if step.position is not None:
                self.since = step.position.ms - LATE if step.since is None else step.since
        elif isinstance(step, Show):
            # A log that takes the place of another may begin with messages that were shown.
            if not (step.ms and step.position and (*_id(step.position), step.data) in self._known):
                self.rows.append(step)
            if step.position is not None:
                self.position = step.position
                self.since = step.position.ms - LATE
        elif isinstance(step, ShowWaiting):
            self.rows += [Show(message.data, copies=message.copies) for message in step.messages]
        elif isinstance(step, Gap):
            if step.reason == "replaced":
                rows = [row for row in self.rows if isinstance(row, Show)]
                self._known = {(*_id(row.position), row.data) for row in rows if row.position}
            self.rows.append(step)


class Tab:
    """A page, with its current socket and feed."""

    def __init__(
        self, name: str, redis: RedisDouble, make: Callable[..., ChannelFeed], asks_for_first: bool = False
    ) -> None:
        self.name = f"{name} of {redis.channel.decode()}"
        self.redis = redis
        self.page = Page()
        self.process: Process | None = None
        self.feed: ChannelFeed | None = None
        self.pending: list[Task] = []
        self.outbox: deque[FeedStep] = deque()
        self._make = make
        self.asks_for_first = asks_for_first  # its address has since=first
        self._waits_until: int | None = None  # until when it waits for a log
        self._gap_from: int | None = None
        self._doubt: int | None = None  # the start of a loss that its process has found

    @property
    def is_open(self) -> bool:
        return self.feed is not None

    @property
    def now(self) -> int:
        return self.process.now if self.process else self.redis.server.time

    def open(self, process: Process) -> None:
        self._returns = self.page.position is None and self._gap_from is not None
        if self._doubt is not None:
            self._gap_from = min(self._doubt, self.page.since if self._gap_from is None else self._gap_from)
            self._returns, self._doubt = True, None
        self.process = process
        process.tabs.append(self)
        self.page.since = self.page.since or self.now
        self.feed = self._make(self.page.position, self.page.since)
        self.connection = Connection(self.redis.server)
        self.connection.follow(self.redis)
        self.connection.subscribe(self.redis)

    def drop(self) -> None:
        """The socket breaks: events on their way are lost."""
        if self.feed is None or self.process is None:
            return
        self._gap_from = self.page.since
        self.process.tabs.remove(self)
        self.connection.close()
        self.pending.clear()
        self.outbox.clear()
        self.feed = self.process = self._waits_until = None

    def doubt(self, since: int) -> None:
        """Its process has found a loss that began at ``since``, and closes the connection."""
        self._doubt = since
        self.drop()

    @property
    def can_act(self) -> bool:
        return self.process is not None and self.process.can_act

    def read_one(self) -> None:
        if self.feed is None or not self.connection.inbox or self._waits_until is not None:
            return
        (_, pushed), now = self.connection.inbox.popleft(), self.now
        if isinstance(pushed, Following):
            return
        if isinstance(pushed, Listening):
            if self._returns and self._gap_from is not None:  # the page's own gap
                self.outbox.append(Gap(self._gap_from, now, "server"))
                self._gap_from = None
            if self.asks_for_first and not self.page.has_begun:
                self._waits_until, self._has_waited = now + BEGINS_WITHIN, False
                self.pending.append(self._look_for_log)
            else:
                self.do(self.feed.subscribed(now))
        else:
            self.do(step_with_another(self.feed, pushed, now))  # type: ignore[arg-type]
        if not self.connection.inbox:
            self.do(self.feed.caught_up(now))

    def _look_for_log(self) -> None:
        """Begin at the first entry of the log. Until it is found, no push is read."""
        if self._waits_until is None or self.process is None:
            return
        try:
            first = self.redis.locate_first()
            is_over = first is not None or self.now >= self._waits_until
        except PermissionError:
            first, is_over = None, True
        if not is_over:
            self._has_waited = True
            self.process.locate(self.redis)
            return
        self._waits_until, self.page.has_begun = None, True
        since = self.now
        if first is not None:
            since = shown_until(first, self.redis.data.until)
            self.outbox.append(place_at(first, since))
        self.feed = self._make(first, since, self._has_waited)
        self.do(self.feed.subscribed(self.now))

    def tick(self) -> None:
        if self._waits_until is not None:
            self.pending.append(self._look_for_log)
        elif self.feed is not None:
            if not self.connection.inbox:
                self.do(self.feed.caught_up(self.now))
            self.do(self.feed.tick(self.now))

    def run_one(self) -> None:
        if self.pending:
            self.pending.pop(0)()

    def deliver(self) -> None:
        while self.outbox:
            self.page.show(self.outbox.popleft())

    def do(self, steps: list[FeedStep]) -> None:
        for step in steps:
            if isinstance(step, Read):
                self.pending.append(lambda step=step: self._read(step))  # type: ignore[misc]
            elif isinstance(step, Locate) and self.process is not None:
                self.process.locate(self.redis)
            else:
                self.outbox.append(step)

    def _read(self, step: Read) -> None:
        feed = self.feed
        if feed is None:
            return
        try:
            pages = self.redis.read(step.after, step.until)
        except PermissionError:
            self.pending.append(lambda: self.do(feed.unreadable(self.now)))
            return
        self.pending.append(lambda: self.do(feed.read(pages, self.now)))
