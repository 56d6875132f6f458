"""Parses the positions from which a page resumes."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from arauto.i18n.gettext import gettext
from arauto.protocol.log_position import Position
from arauto.protocol.log_query import BadPoint, Point, read_point

# Pages of earlier versions add how many messages they were shown after it. The log has these by now.
_AFTER = re.compile(
    r"(?P<epoch>[0-9a-f]{1,32})\.(?P<ms>\d{1,15})-(?P<number>\d{1,15})(\.(\d{1,9}|(?P<since>\d{10,15})))?",
    re.ASCII,
)


class ResumePoint(NamedTuple):
    """Where a page resumes: at a position, or at a point of the past.

    ``since``: up to when it was shown everything, in Unix milliseconds; 0: unknown.
    """

    at: Position | Point
    since: int = 0


def read_resume_points(
    channels: Sequence[str], after: Sequence[str], since: str | None
) -> dict[bytes, ResumePoint]:
    """The n-th ``after``, ``<epoch>.<ms>-<number>[.<since>]`` or empty, is for the n-th channel.

    :param since: a point in the log for the channels that have no ``after``.
    :raise BadPoint: one does not parse.
    """
    points: dict[bytes, ResumePoint] = {}
    if since:
        points = dict.fromkeys((name.encode() for name in channels), ResumePoint(read_point(since)))
    if len(after) > len(channels):
        raise BadPoint(gettext("Give one position for each channel, or none."))
    return points | {name.encode(): _read(text) for name, text in zip(channels, after, strict=False) if text}


def _read(text: str) -> ResumePoint:
    if match := _AFTER.fullmatch(text):
        position = Position(match["epoch"], int(match["number"]), int(match["ms"]))
        return ResumePoint(position, int(match["since"] or 0))
    raise BadPoint(gettext("%(text)s is not a position: leave it out to start from now.", text=text[:50]))
