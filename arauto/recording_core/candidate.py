"""One process that is the recorder of all channels, or on stand-by (pure).

The recorder is the process that has the lease. It sends a beat twice a second, which all processes receive;
after :data:`SILENCE` without one, or when it releases the lease, the others claim it. It resigns as soon as
its connection is lost: then the others know which messages the logs lack, and it does not.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Announcement, Appended, Mark, Resumed, Stopped
from arauto.recording_core.backlog import OVERHEAD, Backlog
from arauto.recording_core.candidate_actions import Action, Claim, Follow, OfChannel, Release, Renew
from arauto.recording_core.channel_recorder import MAX_BACKLOG, ChannelRecorder, Standing
from arauto.recording_core.recorder_steps import Append, Outcome, RecorderStep, Take

BEAT = 500  # milliseconds
SILENCE = 1000  # milliseconds without a beat until another process claims the lease
GRACE = 1000  # milliseconds for which a process that does not know what the logs lack lets others claim
NEVER = 10**14  # milliseconds of grace: claim a lease only if it is of another run of Redis
RESIGN_AFTER = 2000  # milliseconds without receiving anything, its own beats included
DOUBT_LASTS = 10_000  # milliseconds after which the recorder knows of a doubt, too
MAX_SIZE = 1 << 26  # bytes of all messages that are in no log yet


@dataclass
class _Log:
    recorder: ChannelRecorder
    until: int = 0  # everything published before is in it
    is_ours: bool = False  # its followers trust our beats
    why: str = ""  # why nothing can be written to it
    points: deque[tuple[int, Position]] = field(default_factory=deque)  # (time, position before it)

    def note(self) -> None:
        """Update up to when the log is complete."""
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
        """Note that everything received until now was published before ``at``."""
        if position := self.recorder.position:
            self.points.append((at, Position(position.epoch, position.number + self.recorder.waiting)))


@dataclass
class _EarlyMessages:
    """Messages of a channel before its announcements are confirmed."""

    since: int  # the time of the last beat before it
    kept: Backlog | None = field(default_factory=Backlog)  # None: there were too many


class Candidate:
    """Call a method for each event; it returns actions, in order.

    ``now`` is the time of this process, all other times are Redis's, both in milliseconds.

    :param name: hexadecimal; no process has or had the same.
    :param make: makes the state of one channel.
    """

    def __init__(self, name: str, now: int, make: Callable[[str], ChannelRecorder] = ChannelRecorder) -> None:
        self.token = 0  # with which this process is the recorder; 0: it is not
        self.rests_until: int | None = None  # when to flush, if not before: a busy channel collects messages
        self.other_is_recorder = False  # another process sent the last beat
        self.is_blocked = False  # Redis refuses it a subscription: other processes take precedence
        self._make = make
        self._name = name
        self._made = 0
        self._logs: dict[bytes, _Log] = {}  # channels whose announcements are confirmed
        self._waiting: dict[bytes, None] = {}  # channels with messages that may be in no log yet
        self._early: dict[bytes, _EarlyMessages] = {}  # channels whose announcements are not confirmed yet
        self._size = 0  # at least the bytes of these messages
        self._receives_nothing = True
        self._beat_received_at = now
        self._beat_at = 0  # the time of the last beat on this connection
        self._silent_since = 0  # since when nothing is received, not even our own beats; 0: all were
        self._renewed_at = 0
        self._above = 0
        self._doubt = self._found = 0  # since when messages may be missing, and when that was found ...
        self._doubted_at = 0  # ... by the time of this process
        self._may_try = False  # once a tick: else a process that is refused would do nothing else

    @property
    def until(self) -> int:
        """Everything published before is in the logs, except for those that cannot be written."""
        return min((log.until for log in self._logs.values() if log.is_ours and not log.why), default=0)

    @property
    def channels(self) -> set[bytes]:
        """The channels whose logs it follows; a new connection has to subscribe again."""
        return set(self._logs)

    @property
    def is_ready(self) -> bool:
        """Whether it knows of each log which messages it lacks."""
        return all(log.recorder.standing is not Standing.UNSYNCED for log in self._logs.values())

    # The connection

    def disconnected(self, now: int) -> list[Action]:
        """The connection was lost: messages may be missed, and Redis may return with less data."""
        actions = self._step_down()
        if actions:
            self._beat_received_at = now - SILENCE // 2  # processes on stand-by take precedence
        self._beat_at = 0
        self.other_is_recorder = False
        self._logs.clear()
        self._waiting.clear()
        self._early.clear()
        self._receives_nothing = True
        return actions

    def connected(self) -> list[Action]:
        """The subscription to the beats is confirmed. If Redis was replaced, no process is the recorder."""
        self._receives_nothing = False
        return [] if self.token or self.is_blocked else [Claim(self._above, NEVER)]

    def set_blocked(self, is_blocked: bool) -> list[Action]:
        """Set whether Redis refuses this process a subscription that recording needs."""
        was, self.is_blocked = self.is_blocked, is_blocked
        if was or not is_blocked or not self.token:
            return []
        actions: list[Action] = [Release(self.token)]
        self._resign()
        return actions

    def doubted(self, since: int, found: int, now: int) -> list[Action]:
        """Messages published after ``since`` may never have reached this Redis, as was found at ``found``."""
        self._doubt, self._found, self._doubted_at = min(since, self._doubt or since), found, now
        actions = self.flush(now)
        for channel, log in self._logs.items():
            log.until = min(log.until, since)
            log.points.clear()
            actions += self._of_channel(channel, log.recorder.doubted(since, found))
        return actions

    def subscribed(self, channel: bytes, now: int) -> list[Action]:
        """From here on all messages of the channel are received, and all announcements about its log."""
        log = self._logs.get(channel) or self._begin(channel)
        log.recorder.token = self.token
        log.until = 0  # earlier beats were not about it
        log.points.clear()
        early = self._early.pop(channel, None)
        if early is None or not early.since or not self.token:
            return self._of_channel(channel, log.recorder.subscribed())
        log.until = early.since
        self._waiting[channel] = None
        first = [message.data for message in early.kept or ()]
        return self._of_channel(channel, log.recorder.subscribed(first, now))

    def unsubscribed(self, channel: bytes) -> None:
        """The channel is not recorded any more."""
        self._logs.pop(channel, None)
        self._early.pop(channel, None)
        self._waiting.pop(channel, None)

    # Pushes

    def received(self, channel: bytes, data: bytes, now: int) -> list[Action]:
        """Redis pushed a message."""
        actions: list[Action] = []
        if self._silent_since:
            self._silent_since = now  # our beats are behind this message
        if log := self._logs.get(channel):
            self._waiting[channel] = None
            actions = self._of_channel(channel, log.recorder.received(data, now))
        elif channel in self._early:
            self._add_early(channel, data, now)
        else:
            self._early[channel] = _EarlyMessages(self._beat_at)
            self._add_early(channel, data, now)
            actions = [Follow(channel)]
        self._size += len(data) + OVERHEAD
        return actions + self._drop_largest() if self._size > MAX_SIZE else actions

    def announced(self, channel: bytes, announcement: Announcement) -> list[Action]:
        """Redis pushed an announcement about the channel's log."""
        log = self._logs.get(channel)
        if log is None:
            return []  # sent before the channel was unsubscribed
        if isinstance(announcement, Resumed):
            log.until = max(log.until, announcement.at)
        elif isinstance(announcement, Appended):
            log.until = max(log.until, announcement.until)
        actions = self._of_channel(channel, log.recorder.announced(announcement))
        log.note()
        if isinstance(announcement, Mark) and self.token and log.why:
            actions.append(OfChannel(channel, Stopped(log.until, log.why), log.until))
        return actions

    def beat_received(self, token: int, at: int, now: int) -> list[Action]:
        """The recorder sent a beat at ``at``; token 0: it has released the lease."""
        self._beat_received_at, self._beat_at, self._silent_since, self._receives_nothing = now, at, 0, False
        self.other_is_recorder = token not in (0, self.token)
        if not token:
            return [] if self.token or self.is_blocked or not self.is_ready else [Claim(self._above)]
        if token == self.token:
            for log in self._logs.values():
                log.mark(at)
                log.note()
        return []

    def flush(self, now: int) -> list[Action]:
        """Append waiting messages. Call it after each batch, and at :attr:`rests_until`."""
        self.rests_until = None
        actions: list[Action] = []
        for channel in list(self._waiting) if self.token else ():
            recorder = self._logs[channel].recorder
            actions += self._of_channel(channel, recorder.flush(now))
            if not recorder.waiting:
                self._waiting.pop(channel, None)
            elif (until := recorder.rests_until) is not None:
                self.rests_until = min(until, self.rests_until or until)
        return actions

    # Time

    def tick(self, now: int) -> list[Action]:
        """Call it about four times a second."""
        self._may_try = True
        has_recorder = self.other_is_recorder or self.token
        if self._doubt and has_recorder and now - self._doubted_at > DOUBT_LASTS:
            self._doubt = 0
            for log in self._logs.values() if self.other_is_recorder else ():
                log.recorder.trust()  # not on the recorder itself, which has to write the gap first
        self._waiting = {one: None for one in self._waiting if self._logs[one].recorder.waiting}
        actions: list[Action] = []
        if self._silent_since and now - self._silent_since > RESIGN_AFTER:
            actions += self._step_down()
        actions += self.beat(now)
        patience = 2 * SILENCE if self.is_blocked else SILENCE
        if not self.token and not self._receives_nothing and now - self._beat_received_at > patience:
            self.other_is_recorder = False
            actions.append(Claim(self._above, 0 if self.is_ready else GRACE))
        for channel, log in self._logs.items():
            actions += self._of_channel(channel, log.recorder.tick())
        return actions + self.flush(now)

    def beat(self, now: int) -> list[Renew]:
        """A beat, if one is due; call it during long work."""
        if not self.token or now - self._renewed_at < BEAT:
            return []
        self._renewed_at = now
        return [Renew(self.token, self.until)]

    # Replies

    def claimed(self, token: int, now: int) -> list[Action]:
        """The reply to :class:`Claim`; 0: another process is the recorder."""
        if not token:
            return []
        self.token, self._renewed_at, self._silent_since = token, now, 0
        return [Renew(token, 0), *self._appoint()]

    def renewed(self, request: Renew, is_recorder: bool) -> list[Action]:
        """The reply to :class:`Renew`."""
        if request.token != self.token:
            return []
        if not is_recorder:
            self._resign()
            return []
        self._silent_since = self._silent_since or self._renewed_at
        may_try, self._may_try = self._may_try, False
        return self._appoint() if may_try else []

    def appended(
        self, channel: bytes, request: Append, many: int, outcome: Outcome, why: str, now: int
    ) -> list[Action]:
        """The reply to :class:`Append`."""
        log = self._logs.get(channel)
        if log is None:
            return []
        actions = self._of_channel(channel, log.recorder.appended(request, many, outcome))
        log.note()
        if outcome is Outcome.DONE:
            log.why = ""
            actions += self._of_channel(channel, log.recorder.flush(now))
        return actions + (self._stop(channel, why) if outcome is Outcome.REFUSED else [])

    def taken(self, channel: bytes, request: Take, end: Position | None, now: int) -> list[Action]:
        """The reply to :class:`Take`."""
        log = self._logs.get(channel)
        if log is None:
            return []
        log.why = ""
        actions = self._of_channel(channel, log.recorder.taken(request, end))
        log.note()
        return actions + self._of_channel(channel, log.recorder.flush(now))

    def refused(self, channel: bytes, request: Take, why: str) -> list[Action]:
        """:class:`Take` was refused, with this error of Redis; empty: the channel is switched off."""
        log = self._logs.get(channel)
        if log is None:
            return []
        actions = self._of_channel(channel, log.recorder.refused(request))
        return actions + (self._stop(channel, why) if why else [])

    def fenced(self, channel: bytes, request: Take, token: int) -> list[Action]:
        """Another process has the channel, with this token, which is greater than ours."""
        log = self._logs.get(channel)
        actions: list[Action] = [Release(self.token)] if self.token else []
        self._above = max(self._above, token)
        if log is not None:
            actions += self._of_channel(channel, log.recorder.refused(request))
        self._resign()
        return actions

    # Internals

    def _begin(self, channel: bytes) -> _Log:
        self._made += 1  # a reply to an earlier object must not be taken for one to this object
        log = self._logs[channel] = _Log(self._make(f"{self._name}{self._made:x}"))
        if self._doubt:
            log.recorder.doubted(self._doubt, self._found)  # it has no token yet
        return log

    def _add_early(self, channel: bytes, data: bytes, now: int) -> None:
        early = self._early[channel]
        if early.kept is not None:
            early.kept.add(data, now)
            if len(early.kept) > MAX_BACKLOG:
                early.kept = None

    def _drop_largest(self) -> list[Action]:
        """Drop the backlog of the channel with the most bytes, if all are too many."""
        sizes = {channel: self._logs[channel].recorder.size for channel in self._waiting}
        sizes |= {channel: early.kept.size for channel, early in self._early.items() if early.kept}
        self._size = sum(sizes.values())
        if self._size <= MAX_SIZE:
            return []
        channel = max(sizes, key=sizes.__getitem__)
        self._size -= sizes[channel]
        if channel in self._early:
            self._early[channel].kept = None
            return []
        return self._of_channel(channel, self._logs[channel].recorder.drop_backlog())

    def _step_down(self) -> list[Action]:
        """A process that receives nothing must not be the recorder."""
        if not self.token:
            return []
        actions: list[Action] = [Release(self.token)]
        self._resign()
        self._receives_nothing = True
        return actions

    def _appoint(self) -> list[Action]:
        """Take all channels that are not taken yet."""
        actions: list[Action] = []
        for channel, log in self._logs.items():
            if log.recorder.token != self.token:
                actions += self._of_channel(channel, log.recorder.appointed(self.token))
        return actions

    def _resign(self) -> None:
        self.token = 0
        for log in self._logs.values():
            log.points.clear()
            log.is_ours = False
            log.recorder.dismissed()

    def _stop(self, channel: bytes, why: str) -> list[Action]:
        """Announce once that nothing can be written. Each mark is answered with it again."""
        log = self._logs[channel]
        was, log.why = log.why, why
        return [] if was == why else [OfChannel(channel, Stopped(log.until, why), log.until)]

    def _of_channel(self, channel: bytes, steps: list[RecorderStep]) -> list[Action]:
        until = self._logs[channel].until
        return [OfChannel(channel, step, until) for step in steps]
