"""One recorded channel of one process: as the recorder, or on stand-by (pure).

Every process that can become the recorder receives the same messages in the same order, and announcements of
those in the log. So each knows which messages the log lacks, and the next recorder appends just these.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import (
    Announcement,
    Appended,
    Closed,
    Mark,
    Marked,
    Renewed,
    Resumed,
)
from arauto.recording_core.backlog import Backlog
from arauto.recording_core.recorder_steps import AnswerMark, Append, Outcome, RecorderStep, SendMark, Take

MAX_BACKLOG = 50_000  # messages
MAX_APPEND = 1 << 20  # bytes at a time, which a slow network carries before the reply times out
MOST_APPENDED = 1000  # messages at a time, so that Redis is never busy for long
REST = 10  # milliseconds between two appends of a busy channel: each is announced to every page
LONGEST_PAUSE = 16  # beats until an unanswered mark is repeated


class Standing(Enum):
    """The state of a channel in one process."""

    UNSYNCED = auto()  # it is unknown where in the log the backlog begins
    STANDBY = auto()  # the backlog is all that the log lacks
    TAKING = auto()  # the process is becoming the writer
    RECORDING = auto()


class ChannelRecorder:
    """Call a method for each event; it returns steps, in order.

    :param name: no process has or had the same: an old reply must not be taken for a new one.
    """

    def __init__(self, name: str) -> None:
        self.standing = Standing.UNSYNCED
        self.position: Position | None = None
        self.token = 0  # with which this process is the recorder; 0: it is not the recorder
        self._name = name
        self._marks_sent = 0
        self._beats = 0  # since the last mark ...
        self._pause = 1  # ... and how many until the next mark
        self._mark = ""  # the unanswered mark ...
        self._since_mark: deque[Announcement] | None = None  # ... and announcements after it
        self._backlog = Backlog()
        self._writing: Append | None = None  # the append under way
        self._taking: Take | None = None  # the take under way
        self._waits = False  # Redis refused to write; tried again at the next beat
        self._rests_until = 0  # messages are frequent: collect them until then
        self._doubt = 0  # since when messages may be missing here, without a gap entry; 0: none are
        self._found = 0  # when that was found
        self._end: Position | None = None  # up to which everything is announced once we may write

    @property
    def waiting(self) -> int:
        """How many messages the log lacks, as far as this process knows."""
        return len(self._backlog)

    @property
    def rests_until(self) -> int | None:
        """When to flush messages that only wait for more."""
        is_free = self.standing is Standing.RECORDING and not self._writing and not self._waits
        return self._rests_until if is_free and self._backlog else None

    @property
    def size(self) -> int:
        """The bytes of the waiting messages."""
        return self._backlog.size

    # Input

    def subscribed(self, first: Sequence[bytes] = (), now: int = 0) -> list[RecorderStep]:
        """A new connection receives the channel; messages before it may be missing.

        :param first: every message ever published to the channel, if known.
        """
        self._desync()
        for data in first:
            self._backlog.add(data, now)
        return self._take(is_first=bool(first)) if self.token else self._send_mark()

    def appointed(self, token: int) -> list[RecorderStep]:
        """This process is the recorder now."""
        self.token = token
        return self._take()

    def doubted(self, since: int, found: int) -> list[RecorderStep]:
        """Messages published after ``since`` may never have reached this Redis, as was found at ``found``.

        Both are Unix milliseconds. The recorder writes a gap entry; so does a process on stand-by if it is
        appointed before one is announced.
        """
        self._doubt, self._found = min(since, self._doubt or since), found
        return self._retake() if self.token else []

    def trust(self) -> None:
        """The recorder has known of every doubt for long."""
        self._doubt = 0

    def dismissed(self) -> None:
        """This process is no longer the recorder."""
        self.token = 0
        self._writing = self._taking = None
        if self.standing in (Standing.RECORDING, Standing.TAKING):
            self.standing = Standing.STANDBY if self.position else Standing.UNSYNCED

    def received(self, data: bytes, now: int) -> list[RecorderStep]:
        """Redis pushed a message of the channel."""
        self._backlog.add(data, now)
        return self.drop_backlog() if len(self._backlog) > MAX_BACKLOG else []

    def drop_backlog(self) -> list[RecorderStep]:
        """Drop all messages that are in no log; a gap entry will say so."""
        if self._taking and not self._taking.position and not self._taking.is_first:
            self._backlog.clear()  # the gap entry is being written
            return []
        return self._retake()

    def flush(self, now: int) -> list[RecorderStep]:
        """Append waiting messages. Call it after each batch, and at :attr:`rests_until`.

        A single message is written at once.
        """
        if self.standing is not Standing.RECORDING or self._writing or self._waits:
            return []
        if not self._backlog or self.position is None or now < self._rests_until:
            return []
        messages, size = list[bytes](), 0
        for message in self._backlog:
            size += len(message.data)
            if messages and (size > MAX_APPEND or len(messages) == MOST_APPENDED):
                break
            messages.append(message.data)
        if len(messages) > 1 and len(messages) == len(self._backlog):
            self._rests_until = now + REST
        self._writing = Append(self.token, self.position, tuple(messages))
        return [self._writing]

    def announced(self, announcement: Announcement) -> list[RecorderStep]:
        """Redis pushed an announcement about the log."""
        if isinstance(announcement, Mark):
            return self._handle_mark(announcement)
        if isinstance(announcement, Marked):
            return self._handle_marked(announcement)
        if self._since_mark is not None:
            self._since_mark.append(announcement)
        return self._note(announcement)

    def appended(self, request: Append, many: int, outcome: Outcome) -> list[RecorderStep]:
        """The reply to ``request``: so ``many`` of its messages were written."""
        if request is not self._writing:
            return []  # the announcement came before the reply
        self._writing = None
        self._backlog.drop(many)
        self.position = Position(request.after.epoch, request.after.number + many, request.after.ms)
        if outcome is Outcome.FENCED:
            self.dismissed()
        elif outcome is Outcome.REFUSED:
            self._waits = True
        elif outcome is not Outcome.DONE:
            return self._take()  # to learn where the log ends; messages that were written are announced
        return []

    def taken(self, request: Take, end: Position | None) -> list[RecorderStep]:
        """The reply to ``request``: the log ends at ``end``, and no other process can write to it.

        ``None``: a new epoch begins, with a :class:`Resumed` that is not received yet.
        """
        if request is self._taking:
            self._taking, self._end = None, end
            known = self.position
            is_level = end is not None and known is not None and end.number == known.number
            if is_level and known and request.position and known.epoch != request.position.epoch:
                self._end = known  # the log was deleted meanwhile, which was announced already
            # The log is empty, and everything received is to be written; or it was deleted before.
            elif request.is_first or is_level:
                self.position = end
            self._record()
        return []

    def refused(self, request: Take) -> list[RecorderStep]:
        """``request`` failed: the process is appointed again later."""
        if request is self._taking:
            self.dismissed()
        return []

    def tick(self) -> list[RecorderStep]:
        """Once a beat: try again what failed."""
        self._waits = False
        if self.token and self.standing in (Standing.UNSYNCED, Standing.STANDBY):
            return self._take()
        if self.standing is not Standing.UNSYNCED:
            return []
        self._beats += 1
        if self._beats < self._pause:
            return []  # with thousands of channels, answers take long
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return self._send_mark()

    # Stand-by

    def _send_mark(self) -> list[RecorderStep]:
        self._marks_sent += 1
        self._beats = 0
        self._mark, self._since_mark = f"{self._name}.{self._marks_sent}", None
        return [SendMark(self._mark)]

    def _handle_mark(self, mark: Mark) -> list[RecorderStep]:
        if mark.name == self._mark:
            self._backlog.clear()  # older than the mark
            self._since_mark = deque()
        elif self.standing is Standing.RECORDING and self.position is not None:
            number = self.position.number + len(self._backlog)
            last = Position(self.position.epoch, number, self.position.ms)
            return [AnswerMark(mark.name, last, self.position.number)]
        return []

    def _handle_marked(self, marked: Marked) -> list[RecorderStep]:
        if marked.name != self._mark or self._since_mark is None or self.standing is not Standing.UNSYNCED:
            return []
        noted, self._since_mark, self._mark = self._since_mark, None, ""
        self.position, self.standing = marked.position, Standing.STANDBY
        for earlier in noted:
            self._note(earlier)
        return []

    # Following the log

    def _note(self, announcement: Announcement) -> list[RecorderStep]:
        if isinstance(announcement, Resumed):
            self._handle_resumed(announcement)
        elif isinstance(announcement, Renewed):
            self._handle_renewed(announcement)
        elif isinstance(announcement, Closed):
            self._desync()
        elif isinstance(announcement, Appended) and self.position is not None:
            return self._handle_appended(announcement)
        return []

    def _handle_resumed(self, resumed: Resumed) -> None:
        self._backlog.clear()
        self._writing = None
        if resumed.is_lossy and resumed.since <= self._doubt and resumed.at >= self._found:
            self._doubt = 0  # any other gap may be about an earlier loss
        self._mark, self._since_mark = "", None
        self.position = resumed.position
        if resumed.token == self.token:
            self.standing, self._taking = Standing.RECORDING, None
        elif self.standing is Standing.TAKING:
            self._record()  # our take came later
        else:
            self.standing = Standing.STANDBY

    def _handle_renewed(self, renewed: Renewed) -> None:
        """The log was deleted. Messages that the recorder had received before may not be in it yet."""
        if self.position is None:
            return
        number = max(self.position.number, renewed.position.number)
        self.position = Position(renewed.position.epoch, number, renewed.position.ms)
        self._writing = None
        self._record()

    def _handle_appended(self, appended: Appended) -> list[RecorderStep]:
        assert self.position is not None  # noqa: S101 - for mypy: the caller has checked
        new = appended.last.number - self.position.number
        if appended.epoch != self.position.epoch or appended.first > self.position.number + 1:
            return self._retake()
        for wanted in appended.digests[len(appended.digests) - max(0, new) :]:
            if self._backlog.take(wanted) is None:
                return self._retake()
        if new > 0:
            self._writing = None
            self.position = appended.last
        self._record()
        return []

    def _record(self) -> None:
        """Begin to write, if all entries of the log were announced to this process."""
        if self.standing is Standing.TAKING and self._end is not None and self._end == self.position:
            self.standing = Standing.RECORDING

    def _desync(self) -> None:
        self.standing, self.position = Standing.UNSYNCED, None
        self._backlog.clear()
        self._writing = self._taking = None
        self._mark, self._since_mark = "", None
        self._pause = 1

    def _retake(self) -> list[RecorderStep]:
        """Our knowledge of the log is wrong: begin a new epoch, or send a mark to learn where it ends."""
        self._desync()
        return self._take() if self.token else self._send_mark()

    def _take(self, is_first: bool = False) -> list[RecorderStep]:
        self.standing, self._end = Standing.TAKING, None
        self._mark, self._since_mark = "", None
        position, has_all = (None, False) if self._doubt else (self.position, is_first)
        self._taking = Take(self.token, position, has_all, self._doubt)
        return [self._taking]
