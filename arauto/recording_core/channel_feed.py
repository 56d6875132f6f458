"""One recorded channel of one page: what to show, with which id, and where gaps are (pure).

The log decides: a message is shown when its id is announced, so every page shows the log's order.
What Redis pushes on the channel itself only spares reading it from the log. If no announcement comes in
time, messages are shown as they arrive, and the page has no position until announcements come again.
"""

from bisect import bisect_right
from collections import defaultdict, deque
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
    Stopped,
    digest,
)
from arauto.recording_core.backlog import Backlog, Copy, Received
from arauto.recording_core.feed_steps import (
    FeedStep,
    Gap,
    Halt,
    Locate,
    Pages,
    Place,
    Read,
    Show,
    ShowWaiting,
)
from arauto.recording_core.shared_states import Settled, Unannounced

PATIENCE = 2250  # milliseconds that a message waits for its announcement
MARK_TIMEOUT = 400  # milliseconds until an unanswered mark may be followed by another
LATE = 1500  # milliseconds that a message may be older than its entry before the page is told so
MAX_WAITING = 100_000  # messages; beyond that, only a new epoch ends the fallback


def shown_until(position: Position, until: int) -> int:
    """Up to when a page was shown everything that begins at ``position``, in milliseconds.

    :param until: everything published before is in the log (0: unknown). While Redis refuses writes, messages
        are written much later than they are published.
    """
    return min(position.ms - LATE, until or position.ms)


def place_at(position: Position | None, since: int) -> Place:
    """The place of a page that was shown everything up to ``since``, told if the position does not tell."""
    is_late = position is not None and since < position.ms - LATE
    return Place(position, since if is_late else None)


class State(Enum):
    OPENING = auto()  # the log is being read
    FOLLOWING = auto()  # each message waits for its announcement
    LIVE = auto()  # no announcements: messages are shown as they arrive


class ChannelFeed:
    """Call it with what happens; each call returns steps, in order.

    :param start: where the page was; ``None``: it is new, or what it was shown is in no log.
    :param since: up to when the page was shown everything, in milliseconds; see :data:`LATE`.
    :param has_waited: it subscribed before there was a log, which begins at ``start``.
    """

    def __init__(self, start: Position | None, since: int, has_waited: bool = False) -> None:
        self.state = State.LIVE if start is None else State.OPENING
        self.live_since = since  # since when it is live
        self.position = start
        self._has_waited = has_waited and start is not None  # it is not known yet how the log begins
        # Messages from before our subscription have numbers up to this; ``None``: not known yet.
        self._older: int | None = 0 if start is None else None
        self._since = since
        self._backlog = Backlog()
        # With the serial of the last message before each.
        self._announcements: deque[tuple[Announcement, int]] = deque()
        self._in_gap = 0  # how many of them are about messages within a gap that was shown
        self._read: Read | None = None
        self._read_for: Announcement | None = None  # the announcement that the log was read for ...
        self._read_until = 0  # ... up to this number
        # An old master that comes back has what the page was shown before another took its place:
        self._shown_until = 0  # milliseconds
        self._ended: set[str] = set()  # epochs that another follows, as was read
        self._is_unreadable = False
        self._requested_at = since
        self._read_at = 0
        self._has_place = False
        self._mark = ""  # the mark whose number is not known yet ...
        self._marked: Marked | None = None  # ... or it is known, but not in the log
        self._marked_at = 0
        self._marks: dict[str, int] = {}  # marks received while opening -> how many messages came before
        self._since_mark: list[tuple[Appended | Renewed, int]] = []  # what was announced after the mark
        self._halt: Halt | None = None  # why nothing is recorded, as the page was told
        self._caught_up = 0

    @property
    def _is_complete(self) -> bool:
        """Whether nothing from before our subscription can be missing any more."""
        if self._older is None:
            return False
        return self._older == 0 or (self.position is not None and self.position.number >= self._older)

    @property
    def _is_caught_up(self) -> bool:
        """Whether every message has come that the page may have been shown from the log already."""
        return self._caught_up >= self._read_at

    @property
    def since(self) -> int:
        """Up to when the page was shown everything, in milliseconds."""
        return self._since

    @property
    def is_halted(self) -> bool:
        """Whether the page was told that nothing is recorded."""
        return self._halt is not None

    @property
    def place(self) -> Position | None:
        """Where the page resumes if its connection breaks now; ``None``: unknown."""
        is_exact = self._has_place or (self.state is State.OPENING and not self._shown_until)
        return self.position if is_exact and self.state is not State.LIVE else None

    @property
    def settled(self) -> Settled | Unannounced | None:
        """``None``: what it does next depends on more than others may share."""
        if self._read or self._announcements or self._in_gap or self._has_waited:
            return None
        if self.state is State.LIVE:
            return self._unannounced
        if self.state is not State.FOLLOWING or not self._has_place or not self._is_complete:
            return None
        if self.position is None or self.is_halted:
            return None
        return Settled(self.position, tuple(self._backlog), self._since if self._is_late else 0)

    @property
    def _unannounced(self) -> Unannounced:
        newest = self._backlog.serial
        since_mark = tuple([(one, serial - newest) for one, serial in self._since_mark])
        shown = tuple(self._backlog)
        return Unannounced(self._mark, self._marked, self._marked_at, shown, since_mark, self.is_halted)

    def settle(self, settled: Settled | Unannounced) -> None:
        """Take the state of a feed that was equal to this one."""
        if isinstance(settled, Settled):
            self.position, self._older = settled.position, 0
            self._since = settled.since or settled.position.ms - LATE
            self._backlog = Backlog(settled.waiting)
            return
        self._backlog = Backlog(settled.shown)
        if self._backlog.newest is not None:
            self._backlog.show(self._backlog.newest)
        self._mark, self._marked, self._marked_at = settled.mark, settled.marked, settled.marked_at
        self._since_mark = [(one, serial + self._backlog.serial) for one, serial in settled.since_mark]
        if not settled.is_halted:
            self._halt = None

    def may_differ(self, announcement: Announcement) -> bool:
        """Whether a feed that is equal to this one may go on otherwise after ``announcement``."""
        return self.state is State.LIVE and not isinstance(announcement, Appended | Mark | Renewed)

    @property
    def waits_since(self) -> int | None:
        """When the oldest message was received that the page was not shown yet."""
        return next((message.at for message in self._backlog if not self._backlog.is_shown(message)), None)

    # Input

    def subscribed(self, now: int) -> list[FeedStep]:
        """The subscription is confirmed: from here on every message and announcement comes."""
        if self.position is None or self._has_waited:
            return [Locate()]
        return [Locate(), self._request_read(None, now)]

    def received(self, data: bytes, now: int) -> list[FeedStep]:
        """Redis pushed a message of the channel."""
        message = self._backlog.add(data, now)
        if self.state is not State.LIVE:
            return []
        self._backlog.show(message)
        if not self._mark or len(self._backlog) > MAX_WAITING:
            self._forget_mark()
        return [Show(data)]

    def copied(self, copy: Copy) -> list[FeedStep]:
        """The last message came again, by a pattern."""
        newest = self._backlog.newest
        if self.state is State.LIVE or (newest is not None and self._backlog.is_shown(newest)):
            return [copy]
        self._backlog.copy(copy)
        return []

    def announced(self, announcement: Announcement, now: int) -> list[FeedStep]:
        """An announcement about the log."""
        if self._older is None and isinstance(announcement, Mark | Marked):
            self._count_before_mark(announcement)
        else:
            self._announcements.append((announcement, self._backlog.serial))
        steps = self._begin_log(now) if self._has_waited and self._announcements else []
        return self._add_since(steps + self._advance(now))

    def read(self, pages: Pages, now: int) -> list[FeedStep]:
        """The reply to :class:`Read`."""
        request, self._read, self._is_unreadable = self._read, None, False
        if request is None or self.state is State.LIVE:
            return []  # too late
        self._read_at = now
        if pages.is_other and pages.is_stale:
            self._read = request
            return self._fall_back(now, "replaced") + self._advance(now)
        steps = self._show_pages(request, pages)
        self._note_ended(request, pages)
        self._skip_numbers(pages)
        if pages.is_other:
            self._has_place = False
            steps.append(Place(None))
            if self._announcements:
                self._drop_read(request.after, *self._announcements[0])
        if pages.has_more:
            # What a recorder writes meanwhile to another log may be leftovers that the page was shown.
            until = pages.newest if pages.is_other else request.until
            return [*self._add_since(steps), self._request_read(until, now)]
        return self._add_since(steps + self._advance(now))

    def unreadable(self, now: int) -> list[FeedStep]:
        """The log cannot be read: what the page has missed remains unknown."""
        self._is_unreadable = self._read is not None
        return self._give_up(now)

    def caught_up(self, at: int) -> list[FeedStep]:
        """Everything that Redis had pushed before ``at`` is handled."""
        self._caught_up = at
        if self.state is State.LIVE:
            self._since = max(self._since, at)
        return self._give_up(at)

    def ended(self, now: int) -> list[FeedStep]:
        """The channel is no longer recorded: show what waits as it came."""
        return [*self._show_early_gap(now), *self._show_backlog()]

    def tick(self, now: int) -> list[FeedStep]:
        """Let nothing wait longer than :data:`PATIENCE`. Call it a few times a second while feeds wait."""
        steps: list[FeedStep] = []
        if self._mark and now - self._marked_at > (PATIENCE if self._marked else MARK_TIMEOUT):
            self._forget_mark()  # sent before a recorder had the channel, say
        if self.state is State.LIVE or self._older is None:
            steps.append(Locate())
        if self.state is State.LIVE:
            return steps
        oldest = now if self.waits_since is None else self.waits_since
        began = self._requested_at if self._read is not None else now
        # The recorder is late only if everything that Redis had pushed by then is handled.
        if self._caught_up < min(oldest, began) + PATIENCE or not self._is_caught_up:
            return steps
        return steps + self._fall_back(now, "recorder") + self._advance(now)

    # Progress

    def _begin_log(self, now: int) -> list[FeedStep]:
        """The log begins with all messages ever published, or behind those that are published already."""
        announcement, _ = self._announcements[0]
        if isinstance(announcement, Appended) and self._older is None and self.position:
            ours = tuple(digest(message.data) for message in self._backlog)
            is_its_beginning = announcement.first == self.position.number + 1
            if is_its_beginning and ours and ours != announcement.digests[-len(ours) :]:
                return []  # the answer to a mark will tell which of ours are older
        self._has_waited = False
        begins = -1
        if isinstance(announcement, Resumed):
            begins = announcement.position.number - 1 - len(announcement.left)
        if begins < 0 or self.position is None or self.position.number < begins:
            # Also a log whose head alone was lost.
            return [*self._show_unlogged(), self._request_read(None, now)]
        self.position, self._older = None, 0
        self._go_live(now)
        return self._show_backlog()

    def _show_unlogged(self) -> list[FeedStep]:
        """What was received before the message that the log begins with is in no log."""
        oldest, steps = self._backlog.oldest, list[FeedStep]()
        if oldest is None or self._older is None or self.position is None:
            return []
        for message in self._backlog.clear(oldest.serial + self.position.number - self._older - 1):
            steps += self._show(message, None)
        return steps

    def _request_read(self, until: int | None, now: int) -> Read:
        assert self.position is not None  # noqa: S101 - for mypy: without one nothing is asked
        self._requested_at = now
        self._read = Read(self.position, until)
        return self._read

    def _advance(self, now: int) -> list[FeedStep]:
        """Handle announcements, as far as that is possible without reading."""
        steps: list[FeedStep] = []
        while self._announcements and self._read is None and not self._has_waited:
            announcement, serial = self._announcements[0]
            before = None if self._in_gap else self._before(announcement, serial)
            if before is not None and not self._was_read_for(announcement, before):
                self._read_for, self._read_until = announcement, before
                return [*steps, self._request_read(before, now)]
            if self._is_ambiguous(announcement, serial):
                return steps
            self._announcements.popleft()
            steps += self._take(announcement, serial, now)
            self._in_gap = max(0, self._in_gap - 1)
        if self.state is State.OPENING and self._read is None and not self._has_waited:
            self.state = State.FOLLOWING
        return steps + self._add_place()

    def _before(self, announcement: Announcement, serial: int) -> int | None:
        """Up to which number to read the log before ``announcement`` can be handled; ``None``: it can."""
        if self.state is State.LIVE or self.position is None:
            return None
        if isinstance(announcement, Appended):
            if announcement.last.number <= self.position.number:
                # Numbers rise from epoch to epoch, but not if all was lost and the clock went back.
                is_known = announcement.epoch in self._ended | {self.position.epoch}
                return None if is_known else self.position.number
            if announcement.epoch != self.position.epoch:
                return announcement.last.number  # the log was read meanwhile, and another epoch had begun
            behind = max(announcement.first - 1, min(self._older or 0, announcement.last.number))
            return behind if self.position.number < behind else None
        if isinstance(announcement, Resumed):
            if self._is_beyond(announcement):
                # It was read meanwhile; or all was lost, and the clock went back.
                return announcement.position.number
            left = len(announcement.left)
            if not self._shown_until:  # or the other log may have had them too, and the page was shown them
                left = self._count_left_here(announcement, serial)
            end = announcement.position.number - left - 1
            return end if self.position.number < end else None
        return None

    def _was_read_for(self, announcement: Announcement, number: int) -> bool:
        """Up to ``number``: the answer to a mark may have told that more of it is older than ours."""
        return announcement is self._read_for and number <= self._read_until

    def _skip_numbers(self, pages: Pages) -> None:
        """What the recorder before had not written has no number that the next one skipped."""
        announcement = self._announcements[0][0] if self._announcements else None
        if self._older is not None and isinstance(announcement, Resumed) and announcement is self._read_for:
            self._older += pages.skipped

    def _note_ended(self, request: Read, pages: Pages) -> None:
        """Of an epoch that has ended, one announcement has the log read, and not each."""
        epochs = {request.after.epoch}
        if isinstance(self._read_for, Appended) and not pages.is_other:
            epochs.add(self._read_for.epoch)
        self._ended |= epochs - {pages.end.epoch}

    def _drop_read(self, known: Position, announcement: Announcement, serial: int) -> None:
        """A log with lower numbers was read: what is announced is shown, and the rest is in its gap."""
        if not isinstance(announcement, Appended) or known.is_behind(announcement.last):
            return
        if self.position is not None and self.position.is_behind(announcement.last):
            return  # it is of the log that was read, which has more
        serials = defaultdict[int, list[int]](list)
        for message in self._backlog:
            if message.serial <= serial:
                serials[digest(message.data)].append(message.serial)
        last = 0
        for wanted in announcement.digests:  # in their order, each behind the one before
            at = bisect_right(serials[wanted], last)
            last = serials[wanted][at] if at < len(serials[wanted]) else last
        self._backlog.clear(last)
        self._announcements.popleft()
        self._since = max(self._since, announcement.until)

    def _is_beyond(self, announcement: Announcement) -> bool:
        """Whether the position is behind what this is about, in another epoch."""
        at, end = self.position, None
        if isinstance(announcement, Appended):
            end = announcement.last
        elif isinstance(announcement, Resumed):
            end = announcement.position
        return at is not None and end is not None and at.number >= end.number and at.epoch != end.epoch

    def _is_ambiguous(self, announcement: Announcement, serial: int) -> bool:
        """Whether equal messages could be confused: it is not known where ours begin, but soon will be."""
        if self._older is not None or self.state is State.LIVE:
            return False
        oldest = self._backlog.oldest
        may_be_ours = oldest is not None and oldest.serial <= serial
        return isinstance(announcement, Appended) and may_be_ours and not self._begins_anew

    @property
    def _begins_anew(self) -> bool:
        return any(isinstance(announcement, Resumed | Closed) for announcement, _ in self._announcements)

    def _count_left_here(self, resumed: Resumed, serial: int) -> int:
        """How many of the leftover messages we have; the others are older than ours."""
        before = [message for message in self._backlog if message.serial <= serial]
        ours = iter([digest(message.data) for message in reversed(before)])
        found = 0
        for wanted in reversed(resumed.left):
            if wanted not in ours:
                break
            found += 1
        return found

    def _take(self, announcement: Announcement, serial: int, now: int) -> list[FeedStep]:
        if isinstance(announcement, Appended):
            return self._end_halt() + self._take_appended(announcement, serial, now)
        if isinstance(announcement, Resumed):
            return self._end_halt() + self._take_resumed(announcement, serial)
        if isinstance(announcement, Stopped):
            return self._take_stopped(announcement, now)
        if isinstance(announcement, Renewed):
            return self._take_renewed(announcement, serial, now)
        if isinstance(announcement, Mark):
            return self._take_mark(announcement, serial, now)
        if isinstance(announcement, Marked):
            return self._take_marked(announcement, now)
        return self._take_closed(announcement, serial, now)

    # Announcements

    def _take_closed(self, closed: Closed, serial: int, now: int) -> list[FeedStep]:
        """Nothing received before will be announced; later messages may be."""
        known = -1 if self.position is None or self.state is State.LIVE else self.position.number
        if known > closed.position.number:
            self._backlog.clear(serial)  # the log was read meanwhile, with the gap that these are in
            return []
        place: list[FeedStep] = [] if self.state is State.LIVE else [Place(None)]
        steps = self._show_early_gap(now) + place + self._show_backlog()
        self._mark, self._marked, self._since_mark = "", None, []
        self._backlog.clear(serial)
        self._has_place, self.position = False, None
        self._go_live(now)
        return steps

    def _take_stopped(self, stopped: Stopped, now: int) -> list[FeedStep]:
        """Stop waiting for announcements that cannot come."""
        was, self._halt = self._halt, Halt(stopped.since, stopped.why)
        told: list[FeedStep] = [] if self._halt == was else [self._halt]
        is_sure = self._read is None and self._is_caught_up
        return told + (self._fall_back(now, "recorder") if self.state is State.FOLLOWING and is_sure else [])

    def _end_halt(self) -> list[FeedStep]:
        was, self._halt = self._halt, None
        return [Halt(0, "")] if was else []

    def _take_appended(self, appended: Appended, serial: int, now: int) -> list[FeedStep]:
        if self.state is State.LIVE:
            self._since_mark.append((appended, serial))
            return self._locate(appended.last.number, now)
        wanted = appended.digests[max(0, (self._older or 0) + 1 - appended.first) :]
        messages = [self._backlog.take(one, serial) for one in wanted]
        if self.position is None or self.position.epoch != appended.epoch:
            return []  # of a log that is gone
        if None in messages and self.position.is_behind(appended.last) and not self._in_gap:
            return [self._request_read(appended.last.number, now)]
        steps: list[FeedStep] = []
        for number, message in enumerate(messages, appended.last.number - len(messages) + 1):
            if message is not None and number > self.position.number:
                self.position = Position(appended.epoch, number, appended.ms)
                steps += self._show(message, self.position)
        if self.position.is_behind(appended.last):
            self.position = appended.last  # the rest is within a gap
        self._since = max(self._since, appended.until)
        return steps

    def _take_resumed(self, resumed: Resumed, serial: int) -> list[FeedStep]:
        known = -1 if self.position is None or self.state is State.LIVE else self.position.number
        was_complete, self._older = self._is_complete, 0
        if known >= resumed.position.number:
            self._backlog.clear(serial)  # the page has the gap, and what is behind it, from the log
            return []
        here = self._count_left_here(resumed, serial)
        numbers = range(resumed.position.number - here, resumed.position.number)
        left = list(zip(numbers, resumed.left[len(resumed.left) - here :], strict=True))
        waited: list[tuple[Received, Position | None]] = []
        for message in reversed(self._backlog.clear(serial)):  # newest first
            at = None
            if left and left[-1][1] == digest(message.data):
                at = Position(resumed.position.epoch, left.pop()[0], resumed.position.ms)
            if at is not None and at.number <= known:
                break  # everything before it is older than what the page was shown from the log
            waited.append((message, at))
        shown: list[Show] = []
        for message, at in reversed(waited):
            shown += self._show(message, at)
        self.position, self.state = resumed.position, State.FOLLOWING
        self._since, self._has_place = resumed.at, False
        self._forget_mark()
        # A page that received everything since its last gap was shown it, too.
        lacks_left = not self._in_gap and 0 <= known < resumed.position.number - here - 1
        has_gap = resumed.since < resumed.at and (lacks_left or not was_complete)
        gap = [Gap(resumed.since, resumed.at, "recorder")] if has_gap else []
        # Between what is in the log and the first message that is not, others may be missing.
        at_gap = next((n for n, step in enumerate(shown) if step.position is None), len(shown))
        return [*shown[:at_gap], *gap, *shown[at_gap:]]

    def _take_renewed(self, renewed: Renewed, serial: int, now: int) -> list[FeedStep]:
        if self.state is State.LIVE:
            self._since_mark.append((renewed, serial))
            return []
        position, number = self.position, renewed.position.number
        if position is not None and (position.number > number or position.epoch == renewed.position.epoch):
            return []  # the log was read meanwhile
        self.position, self._has_place = renewed.position, False
        if position is None or position.number == number:
            return []
        return [Gap(self._since, now, "replaced")]

    def _count_before_mark(self, announcement: Mark | Marked) -> None:
        """What was received here before the mark has numbers up to the one in its answer."""
        if self._begins_anew:
            return
        if isinstance(announcement, Mark):
            self._marks.setdefault(announcement.name, self._backlog.serial)
        elif announcement.name in self._marks:
            self._older = announcement.position.number - self._marks[announcement.name]

    def _take_mark(self, mark: Mark, serial: int, now: int) -> list[FeedStep]:
        if self.state is State.LIVE and not self._mark:
            self._mark, self._marked_at, self._since_mark = mark.name, now, []
            self._backlog.clear(serial)  # older than the mark, and the page was shown it
        return []

    def _take_marked(self, marked: Marked, now: int) -> list[FeedStep]:
        """Messages after the mark have numbers after the one in its answer."""
        if self.state is not State.LIVE or marked.name != self._mark:
            return []
        self._marked = marked
        return self._locate(marked.written, now)

    def _locate(self, written: int, now: int) -> list[FeedStep]:
        """Switch from live to following, once the number of the mark is in the log."""
        marked = self._marked
        if marked is None or written < marked.position.number:
            return []
        said = self._since_mark
        self._mark, self._marked, self._since_mark = "", None, []
        steps = self._end_halt()
        renewed = [other.position.epoch for other, _ in said if isinstance(other, Renewed)]
        self._older = marked.position.number
        self.position = Position([marked.position.epoch, *renewed][-1], self._older, marked.position.ms)
        self.state = State.FOLLOWING
        for earlier, serial in said:
            steps += self._take_appended(earlier, serial, now) if isinstance(earlier, Appended) else []
        return steps

    def _forget_mark(self) -> None:
        self._mark, self._marked, self._since_mark = "", None, []
        if self.state is State.LIVE:
            self._backlog.clear()

    # Showing

    def _show_pages(self, request: Read, pages: Pages) -> list[FeedStep]:
        steps: list[FeedStep] = []
        if pages.is_other:
            self._shown_until = max(self._since, request.after.ms)
            end = next((entry.ms for entry in pages.entries if entry.ms > self._shown_until), pages.at)
            steps.append(Gap(self._since, end, "replaced"))
        is_in_gap = pages.is_other  # which goes up to the first that is shown
        for entry in pages.entries:
            if entry.ms <= self._shown_until:
                continue
            if entry.missing and not is_in_gap:
                steps.append(Gap(self._since, entry.ms, entry.missing))
            is_in_gap = False
            at = Position(pages.end.epoch, entry.number, entry.ms)
            if entry.data is None:
                steps.append(Gap(entry.since, entry.ms, "recorder"))
            else:
                steps.append(Show(entry.data, at, entry.ms))
        if pages.missing and not is_in_gap:
            steps.append(Gap(self._since, pages.at, pages.missing))
        self.position = pages.end
        if request.until is None and not pages.has_more:
            self._since = max(self._since, pages.until)
        return steps

    def _show_backlog(self) -> list[FeedStep]:
        """Show all of it, and keep it for what may still be announced."""
        waiting = tuple([message for message in self._backlog if not self._backlog.is_shown(message)])
        if not waiting:
            return []
        self._backlog.show(waiting[-1])
        return [ShowWaiting(waiting)]

    def _show(self, message: Received, position: Position | None) -> list[Show]:
        if self._backlog.is_shown(message):
            return []
        self._backlog.show(message)
        return [Show(message.data, position, copies=message.copies)]

    def _go_live(self, now: int) -> None:
        if self.state is not State.LIVE:
            self.state, self.live_since = State.LIVE, now

    def _show_early_gap(self, now: int) -> list[FeedStep]:
        """Show a gap if messages from before our subscription may be missing."""
        was_complete, self._older = self._is_complete, 0
        return [] if was_complete else [Gap(self._since, now, "recorder")]

    def _fall_back(self, now: int, reason: str) -> list[FeedStep]:
        since = self._since
        steps: list[FeedStep] = [*self._match_by_digest(now), Place(None)]
        if self._read is not None:
            # What is announced is about a log of which the page knows nothing, if that is another one.
            steps.append(Gap(since if reason == "replaced" else self._since, now, reason))
            self._older = 0
        steps += self._show_early_gap(now) + self._show_backlog()
        self._forget_mark()
        self._read, self._is_unreadable, self._has_waited = None, False, False
        self._has_place = False
        self._go_live(now)
        self._in_gap = len(self._announcements) if any(isinstance(step, Gap) for step in steps) else 0
        return [*steps, Locate()]

    def _give_up(self, now: int) -> list[FeedStep]:
        """Stop waiting for a log that cannot be read, once it is known what of it has been shown."""
        if not self._is_unreadable or not self._is_caught_up:
            return []
        self._is_unreadable = False
        return self._fall_back(now, "unreadable") + self._advance(now)

    def _match_by_digest(self, now: int) -> list[FeedStep]:
        """Do not show again what was announced of the messages that we have, as far as digests tell."""
        steps: list[FeedStep] = []
        while self._announcements:
            announcement, serial = self._announcements[0]
            # A log that the page seems to have read beyond: if it is another one, the gap to come says so.
            if self._before(announcement, serial) is not None and not self._is_beyond(announcement):
                self._drop_shown(announcement, serial)
                break
            self._announcements.popleft()
            steps += self._take(announcement, serial, now)
        return steps

    def _drop_shown(self, announcement: Announcement, serial: int) -> None:
        """The log was read up to within what is announced; what this has wrong is in the gap to come."""
        if self._read is not None and self.position is not None and isinstance(announcement, Appended):
            for wanted in announcement.digests[: max(0, self.position.number + 1 - announcement.first)]:
                self._backlog.take(wanted, serial)

    def _add_place(self) -> list[FeedStep]:
        """The page has a position once it was shown nothing that may still be announced."""
        is_exact = self.state is State.FOLLOWING and not any(map(self._backlog.is_shown, self._backlog))
        if self._shown_until and self._older is None:
            return []  # no recorder has taken this log yet: it may be an old master's, with leftovers
        if is_exact and not self._has_place and self._read is None and not self._announcements:
            self._has_place = True
            return [place_at(self.position, self._since)]
        return []

    @property
    def _is_late(self) -> bool:
        """Whether messages published long before the newest entry may be missing."""
        return self.position is not None and self._since < self.position.ms - LATE

    def _add_since(self, steps: list[FeedStep]) -> list[FeedStep]:
        """The page derives from a message's position what it knows; tell it if that would be wrong."""
        if self.state is State.LIVE or not self._is_late:
            return steps
        if not any(isinstance(step, Show) and step.position for step in steps):
            return steps
        at = next((i for i, step in enumerate(steps) if isinstance(step, Read)), len(steps))
        return [*steps[:at], Place(self.position, self._since), *steps[at:]]
