"""Announcements about a channel's log (pure)."""

from dataclasses import dataclass, field
from zlib import crc32

from arauto.protocol.log_position import Position


@dataclass(frozen=True, slots=True)
class Appended:
    """The log has these messages now, in this order; ``first`` is the number of the first."""

    epoch: str
    first: int
    digests: tuple[int, ...]
    token: int  # of the recorder that wrote them
    until: int  # everything published before (Unix milliseconds) is in the log
    ms: int = field(default=0, compare=False)  # when they were written

    @property
    def last(self) -> Position:
        return Position(self.epoch, self.first + len(self.digests) - 1, self.ms)


@dataclass(frozen=True, slots=True)
class Resumed:
    """Recording begins at this point of the channel.

    What was published before and is not in the log never will be: the entry at ``position`` is a gap, from
    ``since`` (0: unknown) to ``at`` (Unix milliseconds). Directly before it are the messages that were
    promised and not written yet, with the digests ``left``.

    ``is_lossy``: messages may never have come to this Redis, so whoever has all that did lacks them, too.
    """

    position: Position
    since: int
    at: int
    token: int
    left: tuple[int, ...] = ()
    is_lossy: bool = False

    @property
    def begins(self) -> int:
        """The number before the first of its epoch."""
        return self.position.number - len(self.left) - 1


@dataclass(frozen=True, slots=True)
class Renewed:
    """The log was deleted, and another one begins, empty up to ``position``."""

    position: Position


@dataclass(frozen=True, slots=True)
class Closed:
    """From this point of the channel on nothing is recorded; the log ends at ``position``."""

    position: Position


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing can be written to the log, for the reason ``why`` of Redis; its last entry is of ``since``."""

    since: int
    why: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A request to the recorder: which number has the last message before this point?"""

    name: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The recorder's answer to :class:`Mark`: the number that the last message before it will have.

    ``written`` is the last number in the log by now. A number after it may never get there.
    """

    name: str
    position: Position
    written: int


Announcement = Appended | Resumed | Renewed | Closed | Stopped | Mark | Marked


def digest(data: bytes) -> int:
    """A checksum that tells messages apart well enough to detect a mistake; it does not prevent forgery."""
    return crc32(data)
