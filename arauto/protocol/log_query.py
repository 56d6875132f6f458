"""Parses points of a log, limits and parts in a request."""

import re
from dataclasses import dataclass
from time import time

from arauto.i18n.gettext import gettext
from arauto.protocol.log_entries import FIRST, Id
from arauto.refusal import Refusal

MOST_LAST = 1_000_000  # messages; a greater number is a Unix time
MAX_LIMIT = 100_000  # messages in one response
DEFAULT_LIMIT = 10_000
MAX_PARTS = 500  # of a span of time; each needs a lookup in Redis
AHEAD = 2.0  # seconds by which another clock may be ahead of ours

_SPAN = re.compile(r"(\d{1,9})(s|m|h|d)", re.ASCII)
_ID = re.compile(r"(\d{1,15})-(\d{1,15})", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class BadPoint(Refusal):
    """Not a point in a log; the text is a sentence to be shown."""


@dataclass(frozen=True)
class Point:
    """A place in a log: behind an entry, at a time, or that many messages from the end."""

    id: Id | None = None
    ms: int | None = None
    last: int | None = None


def read_point(text: str, now: float | None = None) -> Point:
    """Parse ``first``, an id, ``10m``, a Unix time or, up to a million, a number of messages from the end.

    :raise BadPoint: it is none of these, or a time in the future.
    """
    if text == "first":
        return Point(id=FIRST)
    if match := _ID.fullmatch(text):
        return Point(id=Id(int(match[1]), int(match[2])))
    if point := read_moment(text, now):
        return point
    raise BadPoint(
        gettext(
            "%(text)s is not a point in time: write 10m, 100 (messages), first, "
            "a Unix time such as 1763879938.5 or the id of a message.",
            text=text[:50],
        )
    )


def read_moment(text: str, now: float | None = None) -> Point | None:
    """Parse ``10m``, a Unix time or, up to a million, a number of messages from the end.

    :return: ``None``: it is none of these.
    :raise BadPoint: it is a time in the future.
    """
    now = time() if now is None else now
    if match := _SPAN.fullmatch(text):
        return Point(ms=max(0, round(1000 * (now - int(match[1]) * _SECONDS[match[2]]))))
    if _NUMBER.fullmatch(text):
        if "." not in text and 1 <= int(text) <= MOST_LAST:
            return Point(last=int(text))
        if float(text) > now + AHEAD:
            raise BadPoint(gettext("That time has not come yet."))
        return Point(ms=round(1000 * float(text)))
    return None


def read_time(text: str) -> int:
    """Parse ``10m`` or a Unix time, into Unix milliseconds.

    :raise BadPoint: it is neither, or a time in the future.
    """
    point = read_moment(text)
    if point is None or point.ms is None:
        raise BadPoint(
            gettext("%(text)s is no time: write 10m or a Unix time such as 1763879938.5.", text=text[:50])
        )
    return point.ms


def read_limit(text: str) -> int:
    """:raise BadPoint: it is not a number from 1 to :data:`MAX_LIMIT`."""
    if not _is_number(text, MAX_LIMIT):
        raise BadPoint(gettext("The limit is a whole number from 1 to %(most)s.", most=MAX_LIMIT))
    return int(text)


def read_parts(text: str) -> int:
    """:raise BadPoint: it is not a number from 1 to :data:`MAX_PARTS`."""
    if not _is_number(text, MAX_PARTS):
        raise BadPoint(gettext("The parts are a whole number from 1 to %(most)s.", most=MAX_PARTS))
    return int(text)


def _is_number(text: str, most: int) -> bool:
    return bool(re.fullmatch(r"\d{1,9}", text, re.ASCII)) and 1 <= int(text) <= most
