"""The steps that a channel feed returns, and the reply to one that reads (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from arauto.protocol.log_position import Position
from arauto.recording_core.backlog import Copy, Received


@dataclass(frozen=True, slots=True)
class Show:
    """Show a message; without a position, it is in no known log.

    ``ms``: when it was written, if it was read from the log. ``copies``: the same message by patterns.
    """

    data: bytes
    position: Position | None = None
    ms: int | None = field(default=None, compare=False)
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowWaiting:
    """Show messages as they were received: they are in no known log."""

    messages: tuple[Received, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Show a gap: between the rows before and after, messages may be missing. Milliseconds."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page resumes if its connection breaks now; ``None``: unknown, it will have a gap.

    ``since``: up to when it was shown everything, if that does not follow from the position.
    """

    position: Position | None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing is recorded since then, with Redis's error ``why``; an empty ``why``: recording has resumed."""

    since: int
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """Read the log behind ``after``, up to the number ``until`` or to its end."""

    after: Position
    until: int | None


@dataclass(frozen=True, slots=True)
class Locate:
    """Publish a :class:`Mark`, once for all feeds of the process that want one now."""


FeedStep = Show | ShowWaiting | Copy | Gap | Place | Halt | Read | Locate


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log; a gap has no ``data``, but ``since`` when nothing was recorded (0: unknown).

    ``missing``: why entries between the one before and this one are missing; empty: none are.
    """

    number: int
    ms: int
    data: bytes | None
    since: int = 0
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """The result of :class:`Read`, and up to where the log is known with it.

    ``is_other``: the log does not contain the position; ``entries`` are all entries of the log.
    ``is_stale``: Redis was restarted and recording has not begun again. ``has_more``: there are more entries,
    so ``end`` is the position of the last one read, and ``newest`` is the number of the newest in the log.
    ``missing``: why entries between the last one and ``end`` are missing; empty: none are. ``skipped``: how
    many numbers no entry ever had.
    """

    entries: Sequence[Entry]
    end: Position
    at: int  # when it was read, by Redis's clock
    until: int  # everything published before is in the log
    is_other: bool = False
    is_stale: bool = False
    has_more: bool = False
    newest: int = 0
    missing: str = ""
    skipped: int = 0
