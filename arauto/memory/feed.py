"""One recorded channel of one page: what is shown, with which id, and where a gap is (pure).

The log decides: a message is shown when its id is announced, so every page shows the log's order.
What Redis pushes on the channel itself only spares reading it from the log. Where no announcement
comes in time, messages are shown as they arrive and the page has no position until that is over.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from arauto.memory.backlog import Backlog
from arauto.memory.words import (
    Appended,
    Closed,
    Mark,
    Marked,
    Position,
    Renewed,
    Resumed,
    Stopped,
    Word,
    digest,
)

PATIENCE = 2500  # milliseconds that a message waits for its announcement
MAX_WAITING = 100_000  # messages; then only the recorder's next beginning ends the fallback


@dataclass(frozen=True, slots=True)
class Show:
    """A message for the page; without a position, it is in no log that is known."""

    data: bytes
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A row: between the one before and the one after, messages may be missing. Milliseconds."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page goes on if it is cut off now; ``None``: nobody knows, it will have a gap."""

    position: Position | None


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing is recorded since then, and why in Redis's words; an empty ``why``: it is again."""

    since: int
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """A command: read the log behind ``after``, up to the number ``until`` or to its end."""

    after: Position
    until: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """The page was shown everything that was published before this moment, or a gap."""

    until: int


@dataclass(frozen=True, slots=True)
class Locate:
    """A command: publish a :class:`Mark`, once for all feeds of the process that want one now."""


Step = Show | Gap | Place | Known | Halt | Read | Locate


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log; a gap has no ``data``, but since when nobody recorded."""

    number: int
    ms: int
    data: bytes | None
    since: int = 0


@dataclass(frozen=True, slots=True)
class Pages:
    """What :class:`Read` found, and up to where all of the log is known then.

    ``is_other``: the log does not go back to the position; all of it that there is, is here.
    ``is_stale``: Redis was restarted and nobody has begun to record since. ``has_more``: there is
    more than one answer holds, so ``end`` is that of the entries.
    """

    entries: Sequence[Entry]
    end: Position
    at: int  # when that was, by Redis's clock
    until: int  # all that was published before is in the log
    owner: int  # the token of the recorder
    is_other: bool = False
    is_stale: bool = False
    has_more: bool = False


class State(Enum):
    OPENING = auto()  # the log is being read
    FOLLOWING = auto()  # each message waits for its announcement
    LIVE = auto()  # none comes: messages are shown as they arrive


class ChannelFeed:
    """Feed it with what happens; each call returns what is to be done, in order.

    :param start: where the page was; ``None``: it is new here, or what it was shown is in no log.
    :param since: up to when the page was shown everything, in milliseconds.
    """

    def __init__(self, start: Position | None, since: int) -> None:
        self.state = State.LIVE if start is None else State.OPENING
        self.position = start
        # What was published before we subscribed has numbers up to this; ``None``: that is not known yet.
        self._older: int | None = 0 if start is None else None
        self._since = since
        self._backlog = Backlog()
        self._words: deque[tuple[Word, int]] = deque()  # and the serial of the last message before it
        self._in_gap = 0  # how many of them are about what lies in a gap that was told
        self._read: Read | None = None
        self._read_for: Word | None = None  # the announcement that the log was read for
        self._is_unreadable = False
        self._asked_at = since
        self._read_at = 0
        self._has_place = False
        self._mark = ""  # the one whose number is not known yet ...
        self._marked: Marked | None = None  # or it is known, but not in the log
        self._marked_at = 0
        self._marks: dict[str, int] = {}  # those heard while opening -> how many messages came before
        self._since_mark: list[tuple[Appended | Renewed, int]] = []  # ... and what was announced after it
        self._owner = 0
        self._is_halted = False
        self._complete = 0, 0
        self._caught_up = 0

    @property
    def _is_complete(self) -> bool:
        """Whether nothing can be missing any more that was published before we subscribed."""
        if self._older is None:
            return False
        return self._older == 0 or (self.position is not None and self.position.number >= self._older)

    @property
    def _is_level(self) -> bool:
        """Whether all has come by now that the page may have been shown from the log already."""
        return self._caught_up >= self._read_at

    @property
    def waits_since(self) -> int | None:
        """When the oldest message was received that the page was not shown yet."""
        return next((message.at for message in self._backlog if not message.is_shown), None)

    # What happens

    def subscribed(self, now: int) -> list[Step]:
        """Redis has confirmed: from here on every message and every announcement comes."""
        return [Locate()] if self.position is None else [Locate(), self._ask(None, now)]

    def received(self, data: bytes, now: int) -> list[Step]:
        """Redis pushed a message of the channel."""
        message = self._backlog.add(data, now)
        if self.state is not State.LIVE:
            return []
        message.is_shown = True
        if not self._mark or len(self._backlog) > MAX_WAITING:
            self._forget_mark()
        return [Show(data)]

    def announced(self, word: Word, now: int) -> list[Step]:
        """Something was announced about the log."""
        if self._older is None and isinstance(word, Mark | Marked):
            self._count(word)
        else:
            self._words.append((word, self._backlog.serial))
        return self._go_on(now)

    def read(self, pages: Pages, now: int) -> list[Step]:
        """The answer to :class:`Read`."""
        asked, self._read, self._is_unreadable = self._read, None, False
        if asked is None or self.state is State.LIVE:
            return []  # it came too late
        self._owner, self._read_at = pages.owner, pages.at
        if pages.is_other and pages.is_stale:
            self._read = asked
            return self._fall_back(now, "replaced") + self._go_on(now)
        steps = self._show_pages(asked, pages)
        if pages.has_more:
            return [*steps, self._ask(asked.until, now)]
        return steps + self._go_on(now)

    def unreadable(self, now: int) -> list[Step]:
        """The log cannot be read: what the page has missed remains unknown."""
        self._is_unreadable = self._read is not None
        return self._give_up(now)

    def complete(self, token: int, until: int, at: int) -> list[Step]:
        """The recorder with this token said at ``at``: what was published before ``until`` is in its logs."""
        if token != self._owner:
            return []
        self._complete = until, at
        return self._know()

    def caught_up(self, at: int) -> list[Step]:
        """All that Redis had pushed before ``at`` was handed in."""
        self._caught_up = at
        return self._know() + self._give_up(at)

    def tick(self, now: int) -> list[Step]:
        """Nothing waits longer than :data:`PATIENCE`. Call it about once a second."""
        steps: list[Step] = []
        if self._mark and now - self._marked_at > PATIENCE:
            self._forget_mark()
        if self.state is State.LIVE or self._older is None:
            steps.append(Locate())
        if self.state is State.LIVE:
            return steps
        oldest = now if self.waits_since is None else self.waits_since
        began = self._asked_at if self._read is not None else now
        # Only when all has been read that Redis had pushed by then is it the recorder that is late.
        if self._caught_up < min(oldest, began) + PATIENCE or not self._is_level:
            return steps
        return steps + self._fall_back(now, "recorder") + self._go_on(now)

    # Going on

    def _ask(self, until: int | None, now: int) -> Read:
        assert self.position is not None  # noqa: S101 - for mypy: without one nothing is asked
        self._asked_at = now
        self._read = Read(self.position, until)
        return self._read

    def _go_on(self, now: int) -> list[Step]:
        """Do what the announcements say, as far as that is possible without reading."""
        steps: list[Step] = []
        while self._words and self._read is None:
            word, serial = self._words[0]
            before = None if self._in_gap else self._before(word, serial)
            if before is not None and word is not self._read_for:
                self._read_for = word
                return [*steps, self._ask(before, now)]
            if self._is_unclear(word, serial):
                return steps
            self._words.popleft()
            steps += self._take(word, serial, now)
            self._in_gap = max(0, self._in_gap - 1)
        if self.state is State.OPENING and self._read is None:
            self.state = State.FOLLOWING
        return steps + self._tell_place()

    def _before(self, word: Word, serial: int) -> int | None:
        """Up to which number the log has to be read before ``word`` can be taken; ``None``: it can."""
        if self.state is State.LIVE or self.position is None:
            return None
        if isinstance(word, Appended):
            if word.last.number <= self.position.number:
                return None  # numbers rise from epoch to epoch
            behind = max(word.first - 1, min(self._older or 0, word.last.number))
            is_next = word.epoch == self.position.epoch and behind <= self.position.number
            return None if is_next else behind
        if isinstance(word, Resumed):
            end = word.position.number - self._left_here(word, serial) - 1
            return end if self.position.number < end else None
        return None

    def _is_unclear(self, word: Word, serial: int) -> bool:
        """Whether equal messages could be mistaken: it is not known where ours begin, but soon will be."""
        if self._older is not None or self.state is State.LIVE:
            return False
        oldest = self._backlog.oldest
        may_be_ours = oldest is not None and oldest.serial <= serial
        return isinstance(word, Appended) and may_be_ours and not self._begins_anew

    @property
    def _begins_anew(self) -> bool:
        return any(isinstance(word, Resumed | Closed) for word, _ in self._words)

    def _left_here(self, word: Resumed, serial: int) -> int:
        """How many of the messages that were left over we have; the others are older than ours."""
        before = [message for message in self._backlog if message.serial <= serial]
        ours = iter([digest(message.data) for message in reversed(before)])
        found = 0
        for wanted in reversed(word.left):
            if wanted not in ours:
                break
            found += 1
        return found

    def _take(self, word: Word, serial: int, now: int) -> list[Step]:
        if isinstance(word, Appended):
            return self._go_on_again() + self._take_appended(word, serial, now)
        if isinstance(word, Resumed):
            return self._go_on_again() + self._take_resumed(word, serial)
        if isinstance(word, Stopped):
            return self._take_stopped(word, now)
        if isinstance(word, Renewed):
            return self._take_renewed(word, serial, now)
        if isinstance(word, Mark):
            return self._take_mark(word, serial, now)
        if isinstance(word, Marked):
            return self._take_marked(word, now)
        return self._take_closed(serial, now)

    # Announcements

    def _take_closed(self, serial: int, now: int) -> list[Step]:
        """Nothing that was received before will be announced; what came since may be."""
        place: list[Step] = [] if self.state is State.LIVE else [Place(None)]
        steps = self._admit(now) + place + self._show_backlog()
        self._mark, self._marked, self._since_mark = "", None, []
        self._backlog.clear(serial)
        self._has_place, self.position, self.state = False, None, State.LIVE
        return steps

    def _take_stopped(self, word: Stopped, now: int) -> list[Step]:
        """Nobody waits for what cannot come."""
        self._is_halted, self._owner = True, 0
        halt = Halt(word.since, word.why)
        is_sure = self._read is None and self._is_level
        return (
            [halt, *self._fall_back(now, "recorder")] if self.state is State.FOLLOWING and is_sure else [halt]
        )

    def _go_on_again(self) -> list[Step]:
        was_halted, self._is_halted = self._is_halted, False
        return [Halt(0, "")] if was_halted else []

    def _take_appended(self, word: Appended, serial: int, now: int) -> list[Step]:
        self._owner = word.token
        if self.state is State.LIVE:
            self._since_mark.append((word, serial))
            return self._locate(word.last.number, now)
        wanted = word.digests[max(0, (self._older or 0) + 1 - word.first) :]
        messages = [self._backlog.take(one, serial) for one in wanted]
        if self.position is None or self.position.epoch != word.epoch:
            return []  # of a log that is gone
        if None in messages and self.position.is_behind(word.last) and not self._in_gap:
            return [self._ask(word.last.number, now)]
        steps: list[Step] = []
        for number, message in enumerate(messages, word.last.number - len(messages) + 1):
            if message is not None and number > self.position.number:
                self.position = Position(word.epoch, number, word.ms)
                steps += [] if message.is_shown else [Show(message.data, self.position)]
        if self.position.is_behind(word.last):
            self.position = word.last  # the rest lies in a gap
        return steps + self._note_known(word.until)

    def _take_resumed(self, word: Resumed, serial: int) -> list[Step]:
        known = -1 if self.position is None or self.state is State.LIVE else self.position.number
        self._older = 0
        if known >= word.position.number:
            self._backlog.clear(serial)  # the page has the gap, and what is behind it, from the log
            return []
        here = self._left_here(word, serial)
        numbers = range(word.position.number - here, word.position.number)
        left = list(zip(numbers, word.left[len(word.left) - here :], strict=True))
        shown: list[Show] = []
        for message in reversed(self._backlog.clear(serial)):  # as they were found
            at = None
            if left and left[-1][1] == digest(message.data):
                at = Position(word.position.epoch, left.pop()[0], word.position.ms)
            if not message.is_shown and (at is None or at.number > known):
                shown.append(Show(message.data, at))
        shown.reverse()
        self.position, self.state = word.position, State.FOLLOWING
        self._owner, self._since, self._has_place = word.token, word.at, False
        self._forget_mark()
        gap = [Gap(word.since, word.at, "recorder")] if word.since < word.at else []
        # Between what is in the log and the first that is not, others may be missing.
        at_gap = next((n for n, step in enumerate(shown) if step.position is None), len(shown))
        return [*shown[:at_gap], *gap, *shown[at_gap:]]

    def _take_renewed(self, word: Renewed, serial: int, now: int) -> list[Step]:
        if self.state is State.LIVE:
            self._since_mark.append((word, serial))
            return []
        position, number = self.position, word.position.number
        if position is not None and (position.number > number or position.epoch == word.position.epoch):
            return []  # the log was read since
        self.position, self._has_place = word.position, False
        if position is None or position.number == number:
            return []
        return [Gap(self._since, now, "replaced")]

    def _count(self, word: Mark | Marked) -> None:
        """What was received here before the mark has the numbers up to that which is told of it."""
        if self._begins_anew:
            return
        if isinstance(word, Mark):
            self._marks.setdefault(word.name, self._backlog.serial)
        elif word.name in self._marks:
            self._older = word.position.number - self._marks[word.name]

    def _take_mark(self, word: Mark, serial: int, now: int) -> list[Step]:
        if self.state is State.LIVE and not self._mark:
            self._mark, self._marked_at, self._since_mark = word.name, now, []
            self._backlog.clear(serial)  # it is older than the mark, and the page has it
        return []

    def _take_marked(self, word: Marked, now: int) -> list[Step]:
        """What comes after the mark has the numbers after the one that is told now."""
        if self.state is not State.LIVE or word.name != self._mark:
            return []
        self._marked = word
        return self._locate(word.written, now)

    def _locate(self, written: int, now: int) -> list[Step]:
        """Go over from live to following, once the number of the mark is in the log."""
        marked = self._marked
        if marked is None or written < marked.position.number:
            return []
        said = self._since_mark
        self._mark, self._marked, self._since_mark = "", None, []
        renewed = [word.position.epoch for word, _ in said if isinstance(word, Renewed)]
        self._older = marked.position.number
        self.position = Position([marked.position.epoch, *renewed][-1], self._older, marked.position.ms)
        self.state = State.FOLLOWING
        steps: list[Step] = []
        for earlier, serial in said:
            steps += self._take_appended(earlier, serial, now) if isinstance(earlier, Appended) else []
        return steps

    def _forget_mark(self) -> None:
        self._mark, self._marked, self._since_mark = "", None, []
        if self.state is State.LIVE:
            self._backlog.clear()

    # Showing

    def _show_pages(self, asked: Read, pages: Pages) -> list[Step]:
        steps: list[Step] = []
        known = asked.after.number
        if pages.is_other:
            end = pages.entries[0].ms if pages.entries else pages.at
            steps.append(Gap(self._since, end, "replaced"))
        for entry in pages.entries:
            if not pages.is_other and entry.number > known + 1:
                steps.append(Gap(self._since, entry.ms, "log"))
            known = entry.number
            at = Position(pages.end.epoch, entry.number, entry.ms)
            if entry.data is None:
                steps.append(Gap(entry.since, entry.ms, "recorder"))
            else:
                steps.append(Show(entry.data, at))
        if not pages.is_other and pages.end.number > known:
            steps.append(Gap(self._since, pages.at, "log"))
        self.position = pages.end
        if asked.until is None and not pages.has_more:
            steps += self._note_known(pages.until)
        return steps

    def _show_backlog(self) -> list[Step]:
        """All of it stays, for what may still be announced of it."""
        shown: list[Step] = []
        for message in self._backlog:
            shown += [] if message.is_shown else [Show(message.data)]
            message.is_shown = True
        return shown

    def _admit(self, now: int) -> list[Step]:
        """Say that what was published before we subscribed may be missing, if that may be."""
        was_complete, self._older = self._is_complete, 0
        return [] if was_complete else [Gap(self._since, now, "recorder")]

    def _fall_back(self, now: int, reason: str) -> list[Step]:
        steps: list[Step] = [*self._guess(now), Place(None)]
        if self._read is not None:
            steps.append(Gap(self._since, now, reason))
            self._older = 0
        steps += self._admit(now) + self._show_backlog()
        self._forget_mark()
        self._read, self._is_unreadable = None, False
        self._has_place, self.state = False, State.LIVE
        self._in_gap = len(self._words) if any(isinstance(step, Gap) for step in steps) else 0
        return [*steps, Locate()]

    def _give_up(self, now: int) -> list[Step]:
        """What cannot be read is not waited for, once it is known what of it has been shown."""
        if not self._is_unreadable or not self._is_level:
            return []
        self._is_unreadable = False
        return self._fall_back(now, "unreadable") + self._go_on(now)

    def _guess(self, now: int) -> list[Step]:
        """What was announced of what the page has is not shown again, as far as digests tell."""
        steps: list[Step] = []
        while self._words:
            word, serial = self._words[0]
            if self._before(word, serial) is not None:
                break
            self._words.popleft()
            steps += self._take(word, serial, now)
        return steps

    def _tell_place(self) -> list[Step]:
        """The page has a position once it was shown nothing that may still be announced."""
        is_exact = self.state is State.FOLLOWING and not any(message.is_shown for message in self._backlog)
        if is_exact and not self._has_place and self._read is None and not self._words:
            self._has_place = True
            return [Place(self.position)]
        return []

    def _know(self) -> list[Step]:
        until, at = self._complete
        if self.state is State.LIVE:
            return self._note_known(self._caught_up)
        if self.state is State.FOLLOWING and self._caught_up >= at and self._read is None and not self._words:
            return self._note_known(until)
        return []

    def _note_known(self, until: int) -> list[Step]:
        if until <= self._since:
            return []
        self._since = until
        return [Known(until)]
