"""Where a page wants to go on, read from the address of its feed and checked."""

import re
from collections.abc import Sequence

from arauto.asking import BadPoint, read_point
from arauto.following import Start
from arauto.logs import Position
from arauto.words import gettext

_AFTER = re.compile(r"([0-9a-f]{1,32}\.[0-9]{1,15}-[0-9]{1,15})\.([0-9]{1,9})")


def read_starts(channels: Sequence[str], after: Sequence[str], since: str | None) -> dict[bytes, Start]:
    """The n-th ``after``, ``<position>.<pending>`` or nothing, is for the n-th channel.

    :param since: a point in the log for the channels that have no ``after``.
    :raise BadPoint: one cannot be read.
    """
    starts = {}
    if since:
        point = read_point(since)
        starts = {name.encode(): Start(point) for name in channels}
    if len(after) > len(channels):
        raise BadPoint(gettext("Give one place to go on from for each channel, or none at all."))
    return starts | {name.encode(): _read(text) for name, text in zip(channels, after, strict=False) if text}


def _read(text: str) -> Start:
    match = _AFTER.fullmatch(text)
    try:
        if match is not None:
            return Start(Position.read(match[1]), int(match[2]))
    except ValueError:
        pass
    raise BadPoint(
        gettext("%(text)s is no place to go on from: leave it out, and start from now.", text=text[:50])
    )
