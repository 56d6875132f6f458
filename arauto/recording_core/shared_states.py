"""States of channel feeds in which equal feeds go on alike, so what one has worked out serves all (pure)."""

from dataclasses import dataclass, field

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Appended, Marked, Renewed
from arauto.recording_core.backlog import Received


@dataclass(frozen=True, slots=True)
class Settled:
    """The whole state of a feed that waits for announcements only: equal feeds share it.

    :param since: up to when the page was shown everything, where ``position`` does not tell; else 0.
    """

    position: Position
    waiting: tuple[Received, ...]
    since: int


@dataclass(frozen=True, slots=True)
class Unannounced:
    """What a live feed knows: equal feeds show the same, and go on with the same.

    :param shown: what may still be announced, after ``mark``.
    :param since_mark: what was announced after it, each with the serial of the message before, less that of
        the newest.
    """

    mark: str
    marked: Marked | None
    marked_at: int = field(compare=False)
    shown: tuple[Received, ...]
    since_mark: tuple[tuple[Appended | Renewed, int], ...]
    is_halted: bool


def are_alike(before: Settled | Unannounced, after: Settled | Unannounced) -> bool:
    """Whether a feed that was ``before`` has neither begun nor ended to be live: when it did is its own."""
    return type(before) is type(after)
