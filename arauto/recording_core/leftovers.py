"""Leftovers: messages that one recorder did not write but the next one did, matched for a page (pure)."""

from collections.abc import Sequence

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Resumed, digest
from arauto.recording_core.backlog import Received


def match_leftovers(
    resumed: Resumed, received: Sequence[Received], here: int, known: int
) -> list[tuple[Received, Position | None]]:
    """Messages that the page was not shown from the log yet, with the position of each that is in the log.

    :param here: how many of the last leftovers are among ``received``.
    :param known: the number up to which the page was shown the log.
    """
    numbers = range(resumed.position.number - here, resumed.position.number)
    left = list(zip(numbers, resumed.left[len(resumed.left) - here :], strict=True))
    matched: list[tuple[Received, Position | None]] = []
    for message in reversed(received):  # newest first
        at = None
        if left and left[-1][1] == digest(message.data):
            at = Position(resumed.position.epoch, left.pop()[0], resumed.position.ms)
        if at is not None and at.number <= known:
            break  # everything before it is older than the entries that the page was shown
        matched.append((message, at))
    return matched[::-1]
