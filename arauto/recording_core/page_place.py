"""Up to when a page was shown everything, and whether to send it that (pure)."""

from arauto.protocol.log_position import Position
from arauto.recording_core.feed_steps import FeedStep, Place, Read, Show

LATE = 1500  # milliseconds that a message may be older than its entry without the page being informed


def shown_until(position: Position, until: int) -> int:
    """Up to when a page was shown everything that begins at ``position``, in milliseconds.

    :param until: everything published before is in the log (0: unknown). While Redis refuses writes, messages
        are written much later than they are published.
    """
    return min(position.ms - LATE, until or position.ms)


def is_late(position: Position | None, since: int) -> bool:
    """Whether messages published long before the entry at ``position`` may be missing."""
    return position is not None and since < position.ms - LATE


def place_at(position: Position | None, since: int) -> Place:
    """The place of a page that was shown everything up to ``since``, which is included if it is needed."""
    return Place(position, since if is_late(position, since) else None)


def with_since(steps: list[FeedStep], position: Position | None, since: int) -> list[FeedStep]:
    """The page derives its ``since`` from positions of messages; add a place if that would be wrong."""
    if not is_late(position, since) or not any(isinstance(step, Show) and step.position for step in steps):
        return steps
    at = next((i for i, step in enumerate(steps) if isinstance(step, Read)), len(steps))
    return [*steps[:at], Place(position, since), *steps[at:]]
