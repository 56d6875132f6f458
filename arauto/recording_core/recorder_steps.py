"""The steps that a channel recorder returns, and the outcomes of an append or a take (pure)."""

from dataclasses import dataclass
from enum import Enum, auto

from arauto.protocol.log_position import Position


@dataclass(frozen=True, slots=True)
class SendMark:
    """Publish :class:`Mark` with this name to all followers of the channel."""

    name: str


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """Publish :class:`Marked`."""

    name: str
    position: Position
    written: int


@dataclass(frozen=True, slots=True)
class Append:
    """Add these messages to the log, if it ends at ``after`` and ``token`` may write to it."""

    token: int
    after: Position
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """Become the writer; ``position``: all messages behind it are here; ``None``: unknown.

    ``is_first``: every message ever published is here, so that nothing is missing if there never was a log.
    ``doubt``: since when messages may never have reached this Redis (Unix milliseconds; 0: all have). Then
    ``position`` is ``None``.
    """

    token: int
    position: Position | None
    is_first: bool = False
    doubt: int = 0


RecorderStep = SendMark | AnswerMark | Append | Take


class Outcome(Enum):
    """How an :class:`Append` ended."""

    DONE = auto()
    MOVED = auto()  # the log ends elsewhere
    FENCED = auto()  # another process is the writer
    REFUSED = auto()  # Redis accepts nothing now
    UNKNOWN = auto()  # no reply


class Fenced(Exception):
    """Another recorder has the channel, with this token, which is greater than ours."""

    def __init__(self, token: int) -> None:
        super().__init__(f"the recorder {token} has the channel")
        self.token = token


class Unwanted(Exception):
    """The channel is switched off."""
