"""The steps that a channel feed returns, and the reply to one that reads (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from arauto.protocol.log_position import Position
from arauto.recording_core.backlog import Copy, Received


@dataclass(frozen=True, slots=True)
class Show:
    """Show a message; without a position, it is in no known log.

    ``ms``: when it was written, if it was read from the log. ``copies``: the same message, by patterns.
    """

    data: bytes
    position: Position | None = None
    ms: int | None = field(default=None, compare=False)
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowWaiting:
    """Show messages as they came: no log is known that they are in."""

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

    ``since``: up to when it was shown everything, if the position does not tell.
    """

    position: Position | None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing is recorded since then, and why in Redis's words; an empty ``why``: recording has resumed."""

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
    """An entry of the log; a gap has no ``data``, but since when nobody recorded (0: unknown).

    ``missing``: why entries before it are missing, behind the one before; empty: none are.
    """

    number: int
    ms: int
    data: bytes | None
    since: int = 0
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """The result of :class:`Read`, and up to where the log is known then.

    ``is_other``: the log does not contain the position; these are all of its entries.
    ``is_stale``: Redis was restarted and recording has not begun again. ``has_more``: there are more entries,
    so ``end`` is that of the last one, and ``newest`` is the number of the newest of all. ``missing``: why
    entries before ``end`` are missing, behind the last one; empty: none are. ``skipped``: how many numbers no
    entry ever had.
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
