"""One recorded channel of one page: what to show, with which id, and where gaps are (pure).

The log decides: a message is shown when its id is announced, so every page shows the log's order.
Messages that Redis pushes on the channel itself need not be read from the log. If no announcement is received
in time, messages are shown as they arrive, and the page has no position until announcements are received.
"""

from collections import deque
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
from arauto.recording_core.feed_steps import FeedStep, Gap, Halt, Locate, Pages, Place, Show, ShowWaiting
from arauto.recording_core.leftovers import match_leftovers
from arauto.recording_core.log_reading import LogReading, is_beyond
from arauto.recording_core.older_messages import OlderMessages
from arauto.recording_core.page_place import LATE, is_late, place_at, with_since
from arauto.recording_core.pending_mark import PendingMark
from arauto.recording_core.shared_states import Settled, Unannounced

PATIENCE = 2250  # milliseconds that a message waits for its announcement
MAX_WAITING = 100_000  # messages; beyond that, only a new epoch ends the fallback


class State(Enum):
    OPENING = auto()  # the log is being read
    FOLLOWING = auto()  # each message waits for its announcement
    LIVE = auto()  # no announcements: messages are shown as they arrive


class ChannelFeed:
    """Call a method for each event; it returns steps, in order.

    :param start: where the page was; ``None``: it is new, or the messages it was shown are in no log.
    :param since: up to when the page was shown everything, in milliseconds; see :data:`LATE`.
    :param has_waited: the page subscribed before there was a log, which begins at ``start``.
    """

    def __init__(self, start: Position | None, since: int, has_waited: bool = False) -> None:
        self.state = State.LIVE if start is None else State.OPENING
        self.live_since = since  # since when it is live
        self.position = start
        self._has_waited = has_waited and start is not None  # the beginning of the log is unknown yet
        self._older = OlderMessages(0 if start is None else None)
        self._since = since
        self._backlog = Backlog()
        # With the serial of the last message before each.
        self._announcements: deque[tuple[Announcement, int]] = deque()
        self._in_gap = 0  # how many announcements are about messages within a gap that was shown
        self._log = LogReading()
        self._has_place = False
        self._mark = PendingMark()
        self._halt: Halt | None = None  # why nothing is recorded, as shown to the page

    @property
    def since(self) -> int:
        """Up to when the page was shown everything, in milliseconds."""
        return self._since

    @property
    def is_halted(self) -> bool:
        """Whether the page was shown that nothing is recorded."""
        return self._halt is not None

    @property
    def place(self) -> Position | None:
        """Where the page resumes if its connection breaks now; ``None``: unknown."""
        is_exact = self._has_place or (self.state is State.OPENING and not self._log.shown_until)
        return self.position if is_exact and self.state is not State.LIVE else None

    @property
    def settled(self) -> Settled | Unannounced | None:
        """The state that equal feeds share; ``None``: the next step depends on more than that."""
        if self._log.request or self._announcements or self._in_gap or self._has_waited:
            return None
        if self.state is State.LIVE:
            return self._mark.state(tuple(self._backlog), self._backlog.serial, self.is_halted)
        if (
            self.state is not State.FOLLOWING
            or not self._has_place
            or not self._older.are_shown(self.position)
        ):
            return None
        if self.position is None or self.is_halted:
            return None
        since = self._since if is_late(self.position, self._since) else 0
        return Settled(self.position, tuple(self._backlog), since)

    def settle(self, settled: Settled | Unannounced) -> None:
        """Take the state of a feed that was equal to this one."""
        if isinstance(settled, Settled):
            self.position, self._older.until = settled.position, 0
            self._since = settled.since or settled.position.ms - LATE
            self._backlog = Backlog(settled.waiting)
            return
        self._backlog = Backlog(settled.shown)
        if self._backlog.newest is not None:
            self._backlog.show(self._backlog.newest)
        self._mark.settle(settled, self._backlog.serial)
        if not settled.is_halted:
            self._halt = None

    def may_differ(self, announcement: Announcement) -> bool:
        """Whether a feed that is equal to this one may differ from it after ``announcement``."""
        return self.state is State.LIVE and not isinstance(announcement, Appended | Mark | Renewed)

    @property
    def waits_since(self) -> int | None:
        """When the oldest message was received that the page was not shown yet."""
        return next((message.at for message in self._backlog.waiting()), None)

    # Input

    def subscribed(self, now: int) -> list[FeedStep]:
        """The subscription is confirmed: from here on every message and announcement is received."""
        if self.position is None or self._has_waited:
            return [Locate()]
        return [Locate(), self._log.ask(self.position, None, now)]

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
        """Redis pushed the last message once more, by a pattern."""
        newest = self._backlog.newest
        if self.state is State.LIVE or (newest is not None and self._backlog.is_shown(newest)):
            return [copy]
        self._backlog.copy(copy)
        return []

    def announced(self, announcement: Announcement, now: int) -> list[FeedStep]:
        """Redis pushed an announcement about the log."""
        if self._older.until is None and isinstance(announcement, Mark | Marked):
            if not self._begins_anew:
                self._older.count(announcement, self._backlog.serial)
        else:
            self._announcements.append((announcement, self._backlog.serial))
        steps = self._begin_log(now) if self._has_waited and self._announcements else []
        return self._add_since(steps + self._advance(now))

    def read(self, pages: Pages, now: int) -> list[FeedStep]:
        """The reply to :class:`Read`."""
        request = self._log.request
        if request is None or self.state is State.LIVE:
            return []  # too late
        self._log.read_at = now
        if pages.is_other and pages.is_stale:
            return self._fall_back(now, "replaced", is_other=True) + self._advance(now)
        self._log.end()
        steps = self._log.show(request, pages, self._since)
        self._log.note(request, pages)
        self.position = pages.end
        if request.until is None and not pages.has_more:
            self._since = max(self._since, pages.until)
        if self._announcements:
            self._older.skip(self._log.count_skipped(self._announcements[0][0], pages))
        if pages.is_other:
            self._has_place = False
            steps.append(Place(None))
            if self._announcements:
                self._drop_read(request.after, *self._announcements[0])
        if pages.has_more:
            # Entries that a recorder writes meanwhile to another log may be messages that the page was shown.
            until = pages.newest if pages.is_other else request.until
            return [*self._add_since(steps), self._log.ask(self.position, until, now)]
        return self._add_since(steps + self._advance(now))

    def unreadable(self, now: int) -> list[FeedStep]:
        """The log cannot be read: what the page has missed remains unknown."""
        self._log.is_unreadable = self._log.request is not None
        return self._give_up(now)

    def caught_up(self, at: int) -> list[FeedStep]:
        """Everything that Redis had pushed before ``at`` is handled."""
        self._log.caught_up_at = at
        if self.state is State.LIVE:
            self._since = max(self._since, at)
        return self._give_up(at)

    def ended(self, now: int) -> list[FeedStep]:
        """The channel is no longer recorded: show waiting messages as they were received."""
        return [*self._show_early_gap(now), *self._show_backlog()]

    def tick(self, now: int) -> list[FeedStep]:
        """Let nothing wait longer than :data:`PATIENCE`. Call it a few times a second while feeds wait."""
        steps: list[FeedStep] = []
        if self._mark.is_overdue(now, PATIENCE):
            self._forget_mark()
        if self.state is State.LIVE or self._older.until is None:
            steps.append(Locate())
        if self.state is State.LIVE:
            return steps
        oldest = now if self.waits_since is None else self.waits_since
        began = self._log.requested_at if self._log.request is not None else now
        # The recorder is late only if everything that Redis had pushed by then is handled.
        if self._log.caught_up_at < min(oldest, began) + PATIENCE or not self._log.is_caught_up:
            return steps
        return steps + self._fall_back(now, "recorder") + self._advance(now)

    # Progress

    def _begin_log(self, now: int) -> list[FeedStep]:
        """Find out whether the log begins with all messages ever published, or behind some of them."""
        announcement, _ = self._announcements[0]
        if isinstance(announcement, Appended) and self._older.until is None and self.position:
            ours = tuple(digest(message.data) for message in self._backlog)
            is_its_beginning = announcement.first == self.position.number + 1
            if is_its_beginning and ours and ours != announcement.digests[-len(ours) :]:
                return []  # the answer to a mark will show which of our messages are older
        self._has_waited = False
        begins = announcement.begins if isinstance(announcement, Resumed) else -1
        assert self.position is not None  # noqa: S101 - for mypy: a page that has waited has one
        if begins < 0 or self.position.number < begins:
            # Also a log whose head alone was lost.
            return [*self._show_unlogged(), self._log.ask(self.position, None, now)]
        self.position, self._older.until = None, 0
        self._go_live(now)
        return self._show_backlog()

    def _show_unlogged(self) -> list[FeedStep]:
        """Show messages that were received before the first one of the log: they are in no log."""
        oldest, steps = self._backlog.oldest, list[FeedStep]()
        if oldest is None or self._older.until is None or self.position is None:
            return []
        for message in self._backlog.clear(oldest.serial + self.position.number - self._older.until - 1):
            steps += self._show(message, None)
        return steps

    def _advance(self, now: int) -> list[FeedStep]:
        """Handle announcements until one needs a read of the log."""
        steps: list[FeedStep] = []
        while self._announcements and self._log.request is None and not self._has_waited:
            announcement, serial = self._announcements[0]
            end = None if self._in_gap else self._find_end(announcement, serial)
            if self.position and end is not None and not self._log.was_for(announcement, end):
                return [*steps, self._log.ask_for(announcement, self.position, end, now)]
            if self._is_ambiguous(announcement, serial):
                return steps
            self._announcements.popleft()
            steps += self._take(announcement, serial, now)
            self._in_gap = max(0, self._in_gap - 1)
        if self.state is State.OPENING and self._log.request is None and not self._has_waited:
            self.state = State.FOLLOWING
        return steps + self._add_place()

    def _find_end(self, announcement: Announcement, serial: int) -> int | None:
        """Up to which number to read the log before ``announcement`` can be handled; ``None``: it can."""
        if self.state is State.LIVE or self.position is None:
            return None
        return self._log.find_end(announcement, self.position, self._older.until or 0, self._backlog, serial)

    def _drop_read(self, known: Position, announcement: Announcement, serial: int) -> None:
        """Another log was read: drop messages of ``announcement``, which were shown or are within its gap."""
        if not isinstance(announcement, Appended) or known.is_behind(announcement.last):
            return
        if self.position is not None and self.position.is_behind(announcement.last):
            return  # the announcement is about the log that was read, which has more
        self._backlog.clear(self._backlog.find_last(announcement.digests, serial))
        self._announcements.popleft()
        self._since = max(self._since, announcement.until)

    def _is_ambiguous(self, announcement: Announcement, serial: int) -> bool:
        """Whether equal messages could be confused, while it is unknown yet where ours begin in the log."""
        if self._older.until is not None or self.state is State.LIVE:
            return False
        oldest = self._backlog.oldest
        may_be_ours = oldest is not None and oldest.serial <= serial
        return isinstance(announcement, Appended) and may_be_ours and not self._begins_anew

    @property
    def _begins_anew(self) -> bool:
        return any(isinstance(announcement, Resumed | Closed) for announcement, _ in self._announcements)

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
        """Messages received before will never be announced; later ones may be."""
        known = -1 if self.position is None or self.state is State.LIVE else self.position.number
        if known > closed.position.number:
            self._backlog.clear(serial)  # the log was read meanwhile, with the gap that has these messages
            return []
        place: list[FeedStep] = [] if self.state is State.LIVE else [Place(None)]
        steps = self._show_early_gap(now) + place + self._show_backlog()
        self._mark.forget()
        self._backlog.clear(serial)
        self._has_place, self.position = False, None
        self._go_live(now)
        return steps

    def _take_stopped(self, stopped: Stopped, now: int) -> list[FeedStep]:
        """Stop waiting for announcements that cannot come."""
        was, self._halt = self._halt, Halt(stopped.since, stopped.why)
        news: list[FeedStep] = [] if self._halt == was else [self._halt]
        is_sure = self._log.request is None and self._log.is_caught_up
        return news + (self._fall_back(now, "recorder") if self.state is State.FOLLOWING and is_sure else [])

    def _end_halt(self) -> list[FeedStep]:
        was, self._halt = self._halt, None
        return [Halt(0, "")] if was else []

    def _take_appended(self, appended: Appended, serial: int, now: int) -> list[FeedStep]:
        if self.state is State.LIVE:
            self._mark.note(appended, serial)
            return self._locate(appended.last.number, now)
        wanted = appended.digests[max(0, (self._older.until or 0) + 1 - appended.first) :]
        messages = [self._backlog.take(one, serial) for one in wanted]
        if self.position is None or self.position.epoch != appended.epoch:
            return []  # of a log that was deleted
        if None in messages and self.position.is_behind(appended.last) and not self._in_gap:
            return [self._log.ask(self.position, appended.last.number, now)]
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
        was_complete = self._older.end(self.position)
        if known >= resumed.position.number:
            self._backlog.clear(serial)  # the page has the gap, and what is behind it, from the log
            return []
        here = self._backlog.count_last(resumed.left, serial)
        shown: list[Show] = []
        for message, at in match_leftovers(resumed, self._backlog.clear(serial), here, known):
            shown += self._show(message, at)
        self.position, self.state = resumed.position, State.FOLLOWING
        since, self._since, self._has_place = resumed.since or self._since, resumed.at, False
        self._forget_mark()
        # A page that received everything since its last gap was also shown everything.
        lacks_left = not self._in_gap and 0 <= known < resumed.position.number - here - 1
        is_lacking = lacks_left or not was_complete or resumed.is_lossy
        has_gap = resumed.since < resumed.at and is_lacking
        gap = [Gap(since, resumed.at, "recorder")] if has_gap else []
        # Messages may be missing between those in the log and the first one that is not.
        at_gap = next((n for n, step in enumerate(shown) if step.position is None), len(shown))
        return [*shown[:at_gap], *gap, *shown[at_gap:]]

    def _take_renewed(self, renewed: Renewed, serial: int, now: int) -> list[FeedStep]:
        if self.state is State.LIVE:
            self._mark.note(renewed, serial)
            return []
        position, number = self.position, renewed.position.number
        if position is not None and (position.number > number or position.epoch == renewed.position.epoch):
            return []  # the log was read meanwhile
        self.position, self._has_place = renewed.position, False
        if position is None or position.number == number:
            return []
        return [Gap(self._since, now, "replaced")]

    def _take_mark(self, mark: Mark, serial: int, now: int) -> list[FeedStep]:
        if self.state is State.LIVE and not self._mark:
            self._mark.begin(mark, now)
            self._backlog.clear(serial)  # older than the mark, and the page was shown it
        return []

    def _take_marked(self, marked: Marked, now: int) -> list[FeedStep]:
        """Messages after the mark have numbers after the one in this answer."""
        if self.state is not State.LIVE or not self._mark.answer(marked):
            return []
        return self._locate(marked.written, now)

    def _locate(self, written: int, now: int) -> list[FeedStep]:
        """Switch from live to following, once the number of the mark is in the log."""
        located = self._mark.take(written)
        if located is None:
            return []
        self.position, noted = located
        self._older.until, self.state = self.position.number, State.FOLLOWING
        steps = self._end_halt()
        for earlier, serial in noted:
            steps += self._take_appended(earlier, serial, now) if isinstance(earlier, Appended) else []
        return steps

    def _forget_mark(self) -> None:
        self._mark.forget()
        if self.state is State.LIVE:
            self._backlog.clear()

    # Showing

    def _show_backlog(self) -> list[FeedStep]:
        """Show the whole backlog, and keep it, as its messages may still be announced."""
        waiting = tuple(self._backlog.waiting())
        if waiting:
            self._backlog.show(waiting[-1])
        return [ShowWaiting(waiting)] if waiting else []

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
        was_complete = self._older.end(self.position)
        return [] if was_complete else [Gap(self._since, now, "recorder")]

    def _fall_back(self, now: int, reason: str, is_other: bool = False) -> list[FeedStep]:
        """Show messages as they are received.

        :param is_other: the announcements are about a log of which the page knows nothing.
        """
        since = self._since
        steps: list[FeedStep] = [*self._match_by_digest(now), Place(None)]
        if self._log.request is not None:
            steps.append(Gap(since if is_other else self._since, now, reason))
            self._older.until = 0
        steps += self._show_early_gap(now) + self._show_backlog()
        self._forget_mark()
        self._log.end()
        self._has_place = self._has_waited = False
        self._go_live(now)
        self._in_gap = len(self._announcements) if any(isinstance(step, Gap) for step in steps) else 0
        return [*steps, Locate()]

    def _give_up(self, now: int) -> list[FeedStep]:
        """Stop waiting for a log that cannot be read, once all its messages on the way were received."""
        if not self._log.is_unreadable or not self._log.is_caught_up:
            return []
        return self._fall_back(now, "unreadable") + self._advance(now)

    def _match_by_digest(self, now: int) -> list[FeedStep]:
        """Drop announced messages that were shown, as far as their digests identify them."""
        steps: list[FeedStep] = []
        while self._announcements:
            announcement, serial = self._announcements[0]
            # The page seems to have read beyond this log: if it is another log, the gap to come covers that.
            is_behind = self._find_end(announcement, serial) is not None
            if is_behind and not is_beyond(self.position, announcement):
                self._drop_shown(announcement, serial)
                break
            self._announcements.popleft()
            steps += self._take(announcement, serial, now)
        return steps

    def _drop_shown(self, announcement: Announcement, serial: int) -> None:
        """Drop announced messages that were read from the log; the gap to come covers mistakes."""
        if self._log.request is not None and self.position is not None and isinstance(announcement, Appended):
            for wanted in announcement.digests[: max(0, self.position.number + 1 - announcement.first)]:
                self._backlog.take(wanted, serial)

    def _add_place(self) -> list[FeedStep]:
        """The page has a position once no message that it was shown may still be announced."""
        is_exact = self.state is State.FOLLOWING and not any(map(self._backlog.is_shown, self._backlog))
        if self._log.shown_until and self._older.until is None:
            return []  # no recorder has taken this log yet: it may be that of an old master
        if is_exact and not self._has_place and not self._log.request and not self._announcements:
            self._has_place = True
            return [place_at(self.position, self._since)]
        return []

    def _add_since(self, steps: list[FeedStep]) -> list[FeedStep]:
        """Add up to when the page was shown everything, where that is needed."""
        return steps if self.state is State.LIVE else with_since(steps, self.position, self._since)
