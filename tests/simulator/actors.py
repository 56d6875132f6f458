"""Processes, tabs and publishers: everything between the protocol's machines and the scheduler."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arauto.memory.candidate import Candidate, Claim, Command, Follow, OfChannel, Release, Renew
from arauto.memory.feed import ChannelFeed, Gap, Known, Locate, Place, Read, Show
from arauto.memory.feed import Step as FeedStep
from arauto.memory.recorder import Answer, Append, Ask, ChannelRecorder, Fenced, Outcome, Take
from arauto.memory.words import Mark as MarkWord
from arauto.memory.words import Marked, Position, Stopped
from tests.simulator.redis_double import Beat, Raw, RedisDouble

CHANNEL = b"news.a"

Task = Callable[[], None]


@dataclass(frozen=True)
class Confirmed:
    """Redis's answer to SUBSCRIBE."""


class Connection:
    """What Redis pushes, until somebody reads it."""

    def __init__(self, redis: RedisDouble) -> None:
        self.inbox: deque[object] = deque()
        self.push = self.inbox.append
        self._redis = redis

    def subscribe(self) -> None:
        self._redis.follow(self.push)
        self._redis.subscribe(self.push)
        self.push(Confirmed())

    def subscribe_to_pattern(self) -> None:
        """Of the logs of channels that the pattern has, nothing is heard yet."""
        self._redis.subscribe(self.push)

    def follow(self) -> None:
        self._redis.follow(self.push)
        self.push(Confirmed())

    def close(self) -> None:
        self._redis.drop(self.push)
        self.inbox.clear()


class Process:
    """One process of a server: its candidate, and the sockets of its tabs."""

    def __init__(
        self, name: str, redis: RedisDouble, make: Callable[[str], ChannelRecorder], has_pattern: bool
    ) -> None:
        self.name = name
        self.redis = redis
        self.is_alive = self.is_awake = True
        self.has_pattern = has_pattern  # it hears of a channel by its first message
        self.tabs: list[Tab] = []
        self.pending: list[Task] = []  # commands whose turn has not come
        self._make = make
        self._starts = 0
        self.begin()

    def begin(self) -> None:
        """Like a process that is started, whose name nobody had before."""
        self._starts += 1
        self._marks = f"{self.name}-{self._starts}"
        self.candidate = Candidate(self._marks, self.redis.now, self._make)
        self._located = 0
        self._connect()

    def _connect(self) -> None:
        self.connection = Connection(self.redis)
        self.is_connected = True
        self.candidate.disconnected(self.redis.now)
        self.redis.listen_to_beats(self.connection.push)
        self.candidate.connected()
        if not self.has_pattern:
            self.connection.subscribe()
            return
        self.connection.subscribe_to_pattern()
        is_known = self.redis.data.position is not None or bool(self.redis.data.entries)
        if is_known or CHANNEL in self.candidate.channels:
            self.connection.follow()

    def lose_link(self) -> None:
        self.connection.close()
        self.is_connected = False

    def kill(self) -> None:
        self.lose_link()
        self.is_alive = False
        self.pending.clear()
        for tab in list(self.tabs):
            tab.drop()

    @property
    def can_act(self) -> bool:
        return self.is_alive and self.is_awake

    # What the scheduler has it do

    def read_one(self) -> None:
        if not self.connection.inbox:
            return
        self._hear(self.connection.inbox.popleft())
        if not self.connection.inbox or random.random() < 0.3:
            self._do(self.candidate.flush())

    def _hear(self, pushed: object) -> None:
        candidate, now = self.candidate, self.redis.now
        if isinstance(pushed, Confirmed):
            self._do(candidate.subscribed(CHANNEL, now))
        elif isinstance(pushed, Raw):
            self._do(candidate.received(CHANNEL, pushed.data, now))
        elif isinstance(pushed, Beat):
            self._do(candidate.beaten(pushed.token, pushed.at, now))
            for tab in self.tabs:
                if tab.feed is not None:
                    tab.do(tab.feed.complete(pushed.token, pushed.until, pushed.at))
        else:
            self._do(candidate.announced(CHANNEL, pushed))  # type: ignore[arg-type]

    def tick(self) -> None:
        """A few times a second."""
        if not self.is_connected:
            self._connect()
        self._do(self.candidate.tick(self.redis.now))

    # Commands: they happen later, and their answers later still, if at all

    def _do(self, commands: Sequence[Command]) -> None:
        for command in commands:
            # Signs of life, and who gives them, are quicker than all else.
            if isinstance(command, OfChannel | Follow):
                self.pending.append(lambda command=command: self._execute(command))  # type: ignore[misc]
            else:
                self._lead(command)

    def _lead(self, command: Command) -> None:
        candidate, redis = self.candidate, self.redis
        if isinstance(command, Claim):
            self._do(candidate.claimed(redis.claim(command.above), redis.now))
        elif isinstance(command, Release):
            redis.release(command.token)
        elif isinstance(command, Renew):
            try:
                is_recorder = redis.renew(command.token, command.until)
            except PermissionError:
                return  # it remains the recorder as long as nobody else can become it
            self._do(candidate.renewed(command, is_recorder))

    def _execute(self, command: OfChannel | Follow) -> None:
        if isinstance(command, Follow):
            self.connection.follow()
            return
        redis, candidate, step = self.redis, self.candidate, command.step
        if isinstance(step, Ask):
            redis.announce(MarkWord(step.name))
        elif isinstance(step, Answer):
            redis.announce(Marked(step.name, step.position, step.written))
        elif isinstance(step, Stopped):
            redis.announce(step)
        elif isinstance(step, Append):
            many, outcome = redis.append(step.token, step.after, step.messages, command.until)
            why = "" if outcome is Outcome.DONE else "why"
            if random.random() < 0.03:
                many, outcome = 0, Outcome.UNKNOWN
            self.pending.append(lambda: self._do(candidate.appended(CHANNEL, step, many, outcome, why)))
        elif isinstance(step, Take):
            try:
                end = redis.take(step.token, step.position, command.until, step.is_first)
            except PermissionError:
                self.pending.append(lambda: self._do(candidate.refused(CHANNEL, step, "why")))
            except Fenced as error:
                above = error.token
                self.pending.append(lambda: self._do(candidate.fenced(CHANNEL, step, above)))
            else:
                self.pending.append(lambda: self._do(candidate.taken(CHANNEL, step, end)))

    def locate(self) -> None:
        """One of the tabs wants to know where in the log it is."""
        if self._located != self.redis.now:
            self._located = self.redis.now
            name = f"{self._marks}.{self.redis.now}"
            self.pending.append(lambda: self.redis.announce(MarkWord(name)))

    def run_one(self) -> None:
        if self.pending:
            self.pending.pop(0)()


class Page:
    """What a person sees, over all sockets of one tab."""

    def __init__(self) -> None:
        self.rows: list[Show | Gap] = []
        self.position: Position | None = None
        self.since = 0
        self.was_live = False

    def show(self, step: FeedStep) -> None:
        if isinstance(step, Place):
            self.position = step.position
            self.was_live = True
        elif isinstance(step, Show):
            self.rows.append(step)
            if step.position is not None:
                self.position = step.position
        elif isinstance(step, Gap):
            self.rows.append(step)
        elif isinstance(step, Known):
            self.since = step.until


class Tab:
    """A page, and the socket and feed that it has at a time."""

    def __init__(self, name: str, redis: RedisDouble, make: Callable[..., ChannelFeed]) -> None:
        self.name = name
        self.redis = redis
        self.page = Page()
        self.process: Process | None = None
        self.feed: ChannelFeed | None = None
        self.pending: list[Task] = []
        self.outbox: deque[FeedStep] = deque()
        self._make = make
        self._gap_from: int | None = None

    @property
    def is_open(self) -> bool:
        return self.feed is not None

    def open(self, process: Process) -> None:
        now = self.redis.now
        self._returns = self.page.position is None and self._gap_from is not None
        self.process = process
        process.tabs.append(self)
        self.page.since = self.page.since or now
        self.feed = self._make(self.page.position, self.page.since)
        self.connection = Connection(self.redis)
        self.connection.subscribe()

    def drop(self) -> None:
        """The socket breaks: what was under way is lost."""
        if self.feed is None or self.process is None:
            return
        self._gap_from = self.page.since
        self.process.tabs.remove(self)
        self.connection.close()
        self.pending.clear()
        self.outbox.clear()
        self.feed = self.process = None

    @property
    def can_act(self) -> bool:
        return self.process is not None and self.process.can_act

    def read_one(self) -> None:
        if self.feed is None or not self.connection.inbox:
            return
        pushed, now = self.connection.inbox.popleft(), self.redis.now
        if isinstance(pushed, Confirmed):
            if self._returns and self._gap_from is not None:  # the page's own gap
                self.outbox.append(Gap(self._gap_from, now, "server"))
                self._gap_from = None
            self.do(self.feed.subscribed(now))
        elif isinstance(pushed, Raw):
            self.do(self.feed.received(pushed.data, now))
        else:
            self.do(self.feed.announced(pushed, now))  # type: ignore[arg-type]
        if not self.connection.inbox:
            self.do(self.feed.caught_up(now))

    def tick(self) -> None:
        if self.feed is not None:
            if not self.connection.inbox:
                self.do(self.feed.caught_up(self.redis.now))
            self.do(self.feed.tick(self.redis.now))

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
                self.process.locate()
            else:
                self.outbox.append(step)

    def _read(self, step: Read) -> None:
        feed = self.feed
        if feed is None:
            return
        try:
            pages = self.redis.read(step.after, step.until)
        except PermissionError:
            self.pending.append(lambda: self.do(feed.unreadable(self.redis.now)))
            return
        self.pending.append(lambda: self.do(feed.read(pages, self.redis.now)))
