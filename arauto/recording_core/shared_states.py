"""States of channel feeds that equal feeds share, so that the next step is computed once for all (pure)."""

from dataclasses import dataclass, field

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Appended, Marked, Renewed
from arauto.recording_core.backlog import Received


@dataclass(frozen=True, slots=True)
class Settled:
    """The whole state of a feed that waits for announcements only: equal feeds share it.

    :param since: up to when the page was shown everything, if it does not follow from ``position``; else 0.
    """

    position: Position
    waiting: tuple[Received, ...]
    since: int


@dataclass(frozen=True, slots=True)
class Unannounced:
    """The state of a live feed: equal feeds show the same, and take the same steps.

    :param shown: messages after ``mark`` that may still be announced.
    :param since_mark: announcements after the mark, each with the serial of the message before it, less that
        of the newest.
    """

    mark: str
    marked: Marked | None
    marked_at: int = field(compare=False)
    shown: tuple[Received, ...]
    since_mark: tuple[tuple[Appended | Renewed, int], ...]
    is_halted: bool


def are_alike(before: Settled | Unannounced, after: Settled | Unannounced) -> bool:
    """Whether the step between both keeps a feed live or not live: the time of a change differs by feed."""
    return type(before) is type(after)


def is_as_early(one: Settled | Unannounced, other: Settled | Unannounced) -> bool:
    """Whether no message that waits was received later than in ``other``, an equal state."""
    if not isinstance(one, Settled) or not isinstance(other, Settled):
        return True
    return all(ours.at <= theirs.at for ours, theirs in zip(one.waiting, other.waiting, strict=True))
