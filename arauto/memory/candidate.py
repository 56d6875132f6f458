"""One process of a deployment: the recorder of all its channels, or ready to become it (pure).

The recorder is the process that has the lease. It gives a sign of life twice a second, which all
processes hear; where none is heard for :data:`SILENCE`, or it says that it goes, the others claim the lease.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from arauto.memory.recorder import MAX_BACKLOG, Append, ChannelRecorder, Outcome, Standing, Take
from arauto.memory.recorder import Step as ChannelStep
from arauto.memory.words import Appended, Mark, Position, Resumed, Stopped, Word

BEAT = 500  # milliseconds
SILENCE = 1000  # milliseconds without a sign of life, then another one tries
DEAF = 2000  # milliseconds without a connection, then the recorder makes room for who has one


@dataclass(frozen=True, slots=True)
class Claim:
    """Become the recorder, with a token greater than ``above``."""

    above: int


@dataclass(frozen=True, slots=True)
class Renew:
    """Give a sign of life: everything that was published before ``until`` is in the logs."""

    token: int
    until: int


@dataclass(frozen=True, slots=True)
class Release:
    """Let another one become the recorder."""

    token: int


@dataclass(frozen=True, slots=True)
class OfChannel:
    """What is to be said to Redis about one channel's log.

    ``until``: up to when the log is known to lack nothing (0: unknown).
    """

    channel: bytes
    step: ChannelStep | Stopped
    until: int


@dataclass(frozen=True, slots=True)
class Follow:
    """Hear what is announced about this channel's log; then it is :meth:`Candidate.subscribed`."""

    channel: bytes


Command = Claim | Renew | Release | Follow | OfChannel


@dataclass
class _Log:
    recorder: ChannelRecorder
    until: int = 0  # all that was published before is in it
    is_ours: bool = False  # those who follow it believe our signs of life
    why: str = ""  # nothing can be written to it
    points: deque[tuple[int, Position]] = field(default_factory=deque)  # (moment, what came before it)

    def note(self) -> None:
        """Notice what is in the log by now."""
        position = self.recorder.position
        if position is None or self.recorder.standing is not Standing.RECORDING:
            return
        self.is_ours = True
        while self.points:
            at, point = self.points[0]
            if point.epoch == position.epoch:
                if point.number > position.number:
                    break
                self.until = at
            self.points.popleft()

    def mark(self, at: int) -> None:
        """What was received until now was published before ``at``."""
        if position := self.recorder.position:
            self.points.append((at, Position(position.epoch, position.number + self.recorder.waiting)))


class Candidate:
    """Feed it with what happens; each call returns what is to be said to Redis, in order.

    ``now`` is the time of this process, all other moments are Redis's, both in milliseconds.

    :param name: hexadecimal; no process has or had the same.
    :param make: what follows one channel.
    """

    def __init__(self, name: str, now: int, make: Callable[[str], ChannelRecorder] = ChannelRecorder) -> None:
        self._make = make
        self.token = 0  # with which the process is the recorder; 0: it is not
        self._name = name
        self._logs: dict[bytes, _Log] = {}
        self._news: dict[bytes, list[bytes]] = {}  # of channels whose announcements are not heard yet
        self._deaf_since: int | None = now
        self._heard_at = now
        self._beat_at = 0  # the moment of the last sign of life that this connection heard
        self._renewed_at = 0
        self._above = 0
        self._may_try = False  # once a tick, or whoever is refused all the time does nothing else

    @property
    def until(self) -> int:
        """Everything that was published before is in those logs that can be written."""
        return min((log.until for log in self._logs.values() if log.is_ours and not log.why), default=0)

    @property
    def channels(self) -> set[bytes]:
        """Of whose logs it hears; a new connection has to ask for them again."""
        return set(self._logs)

    @property
    def is_ready(self) -> bool:
        """Whether it knows of all logs what they lack."""
        return all(log.recorder.standing is not Standing.UNSYNCED for log in self._logs.values())

    # The connection

    def disconnected(self, now: int) -> None:
        """Nothing is heard for now. Redis may come back with less than it had."""
        self._deaf_since = now
        self._beat_at = 0
        self._news.clear()
        for log in self._logs.values():
            log.until = 0
            log.points.clear()

    def connected(self) -> None:
        """From here on signs of life are heard."""
        self._deaf_since = None

    def subscribed(self, channel: bytes, now: int) -> list[Command]:
        """From here on all messages of the channel come, and all that is announced about its log."""
        log = self._logs.setdefault(channel, _Log(self._make(self._name)))
        if self.token and not log.recorder.token:
            log.recorder.token = self.token
        log.until = 0  # signs of life that came before this told nothing of it
        log.points.clear()
        news = self._news.pop(channel, [])
        if news and self._beat_at and self.token:
            log.until = self._beat_at
            if len(news) <= MAX_BACKLOG:
                return self._tell(channel, log.recorder.subscribed(news, now))
        return self._tell(channel, log.recorder.subscribed())

    def unsubscribed(self, channel: bytes) -> None:
        """The channel is not recorded any more."""
        self._logs.pop(channel, None)
        self._news.pop(channel, None)

    # What is heard

    def received(self, channel: bytes, data: bytes, now: int) -> list[Command]:
        """Redis pushed a message."""
        if log := self._logs.get(channel):
            return self._tell(channel, log.recorder.received(data, now))
        news = self._news.setdefault(channel, [])
        if len(news) <= MAX_BACKLOG:  # one more tells that they are not all
            news.append(data)
        return [Follow(channel)] if len(news) == 1 else []

    def announced(self, channel: bytes, word: Word) -> list[Command]:
        """Something was announced about the channel's log."""
        log = self._logs.get(channel)
        if log is None:
            return []  # what was on its way when the channel was unsubscribed
        if isinstance(word, Resumed):
            log.until = max(log.until, word.at)
        elif isinstance(word, Appended):
            log.until = max(log.until, word.until)
        commands = self._tell(channel, log.recorder.announced(word))
        log.note()
        if isinstance(word, Mark) and self.token and log.why:
            commands.append(OfChannel(channel, Stopped(log.until, log.why), log.until))
        return commands

    def beaten(self, token: int, at: int, now: int) -> list[Command]:
        """The recorder gave a sign of life at ``at``; 0: there is none any more."""
        self._heard_at, self._beat_at = now, at
        if not token:
            return [] if self.token else [Claim(self._above)]
        if token == self.token:
            for log in self._logs.values():
                log.mark(at)
                log.note()
        return []

    def flush(self) -> list[Command]:
        """Append what waits; call it when all that came at once was handed in."""
        return [
            command
            for channel, log in self._logs.items()
            for command in self._tell(channel, log.recorder.flush())
        ]

    # The time

    def tick(self, now: int) -> list[Command]:
        """Call it about four times a second."""
        self._may_try = True
        commands: list[Command] = []
        if self.token and self._deaf_since is not None and now - self._deaf_since > DEAF:
            commands.append(Release(self.token))
            self._resign()
        commands += self.beat(now)
        if not self.token and self._deaf_since is None and now - self._heard_at > SILENCE:
            commands.append(Claim(self._above))
        for channel, log in self._logs.items():
            commands += self._tell(channel, log.recorder.tick())
        return commands + self.flush()

    def beat(self, now: int) -> list[Renew]:
        """A sign of life if it is time for one; call it while there is much else to do."""
        if not self.token or now - self._renewed_at < BEAT:
            return []
        self._renewed_at = now
        return [Renew(self.token, self.until)]

    # Answers

    def claimed(self, token: int, now: int) -> list[Command]:
        """The answer to :class:`Claim`; 0: another one is the recorder."""
        if not token:
            return []
        self.token, self._renewed_at = token, now
        return [Renew(token, 0), *self._appoint()]

    def renewed(self, request: Renew, is_recorder: bool) -> list[Command]:
        """The answer to :class:`Renew`."""
        if request.token != self.token:
            return []
        if not is_recorder:
            self._resign()
            return []
        may_try, self._may_try = self._may_try, False
        return self._appoint() if may_try else []

    def appended(
        self, channel: bytes, request: Append, many: int, outcome: Outcome, why: str
    ) -> list[Command]:
        """The answer to :class:`Append`."""
        log = self._logs.get(channel)
        if log is None:
            return []
        commands = self._tell(channel, log.recorder.appended(request, many, outcome))
        log.note()
        if outcome is Outcome.DONE:
            log.why = ""
            commands += self._tell(channel, log.recorder.flush())
        return commands + (self._stop(channel, why) if outcome is Outcome.REFUSED else [])

    def taken(self, channel: bytes, request: Take, end: Position | None) -> list[Command]:
        """The answer to :class:`Take`."""
        log = self._logs.get(channel)
        if log is None:
            return []
        log.why = ""
        commands = self._tell(channel, log.recorder.taken(request, end))
        log.note()
        return commands + self._tell(channel, log.recorder.flush())

    def refused(self, channel: bytes, request: Take, why: str) -> list[Command]:
        """:class:`Take` was refused, in these words of Redis; empty: it is not wanted any more."""
        log = self._logs.get(channel)
        if log is None:
            return []
        commands = self._tell(channel, log.recorder.refused(request))
        return commands + (self._stop(channel, why) if why else [])

    def fenced(self, channel: bytes, request: Take, token: int) -> list[Command]:
        """Another one has the channel, with this token, which is greater than ours."""
        log = self._logs.get(channel)
        commands: list[Command] = [Release(self.token)] if self.token else []
        self._above = max(self._above, token)
        if log is not None:
            commands += self._tell(channel, log.recorder.refused(request))
        self._resign()
        return commands

    # Within

    def _appoint(self) -> list[Command]:
        """Those channels too that were refused, or have come since."""
        commands: list[Command] = []
        for channel, log in self._logs.items():
            if log.recorder.token != self.token:
                commands += self._tell(channel, log.recorder.appointed(self.token))
        return commands

    def _resign(self) -> None:
        self.token = 0
        for log in self._logs.values():
            log.points.clear()
            log.is_ours = False
            log.recorder.dismissed()

    def _stop(self, channel: bytes, why: str) -> list[Command]:
        """Say so once; and to each who asks where it is."""
        log = self._logs[channel]
        was, log.why = log.why, why
        return [] if was == why else [OfChannel(channel, Stopped(log.until, why), log.until)]

    def _tell(self, channel: bytes, steps: list[ChannelStep]) -> list[Command]:
        until = self._logs[channel].until
        return [OfChannel(channel, step, until) for step in steps]
