"""Announcements about a channel's log (pure)."""

from dataclasses import dataclass, field
from zlib import crc32

from arauto.protocol.log_position import Position


@dataclass(frozen=True, slots=True)
class Appended:
    """These messages were appended to the log, in this order; ``first`` is the number of the first."""

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

    Messages published before that are not in the log never will be: the entry at ``position`` is a gap, from
    ``since`` (0: unknown) to ``at`` (Unix milliseconds). Directly before it are the messages that were
    promised and not written yet, with the digests ``left``.

    ``is_lossy``: messages may never have reached this Redis, so every subscriber lacks them, too.
    """

    position: Position
    since: int
    at: int
    token: int
    left: tuple[int, ...] = ()
    is_lossy: bool = False

    @property
    def begins(self) -> int:
        """The number before the first one of its epoch."""
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
    """Redis refuses writes to the log with the error ``why``; the log is complete up to ``since``."""

    since: int
    why: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A request to the recorder for the number of the last message before this point of the channel."""

    name: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The recorder's answer to :class:`Mark`: the number that the last message before it has or will have.

    ``written`` is the last number in the log now. Numbers after it may never be written.
    """

    name: str
    position: Position
    written: int


Announcement = Appended | Resumed | Renewed | Closed | Stopped | Mark | Marked


def digest(data: bytes) -> int:
    """A checksum that is good enough to detect a mistake; it does not prevent forgery."""
    return crc32(data)
