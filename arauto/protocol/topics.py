"""Topics of Kafka: their names, places in them, and their entries (pure)."""

import re
from typing import NamedTuple

from arauto.i18n.gettext import gettext
from arauto.protocol.log_entries import FIRST
from arauto.protocol.log_query import BadPoint, Point, read_moment
from arauto.refusal import Refusal

MAX_NAME = 249  # characters, Kafka's limit
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_OFFSET = r"\d{1,9}:\d{1,18}"
OFFSETS = rf"{_OFFSET}(,{_OFFSET})*"
_OFFSETS = re.compile(OFFSETS, re.ASCII)
_MOST_PARTITION = 2**31 - 1

Offsets = dict[int, int]
"""An offset for each partition."""

NONE: Offsets = {}
"""It must not be changed."""

Headers = list[tuple[str, bytes | None]]


class BadTopic(Refusal):
    """Not the name of a topic or of a partition; the text is a sentence to be shown."""


class Record(NamedTuple):
    """One message of a topic.

    :param headers: ``None``: they cannot be decoded.
    :param data: ``None``: a tombstone, which in a compacted topic deletes messages with the same key.
    :param ms: Unix milliseconds; ``None``: it has no time.
    :param is_broker_time: the time is the broker's, when it was stored; else the producer's.
    """

    partition: int
    offset: int
    key: bytes | None
    headers: Headers | None
    data: bytes | None
    ms: int | None
    is_broker_time: bool


class Outgoing(NamedTuple):
    """A message to publish.

    :param data: ``None``: a tombstone.
    :param partition: ``None``: that of its key, or any.
    """

    data: bytes | None
    key: bytes | None
    headers: Headers
    partition: int | None


class Trimmed(NamedTuple):
    """Messages of a partition from ``offset`` up to ``low`` were deleted by retention."""

    partition: int
    offset: int
    low: int


class TopicPlace(NamedTuple):
    """Where a page was in a topic.

    :param epoch: the topic's id, as a topic created again has another one; empty: unknown.
    :param leaders: the epochs of leaders then, of some partitions.
    """

    epoch: str
    offsets: Offsets
    leaders: Offsets = NONE


BEGINNING = TopicPlace("", {})
"""Before the first message of each partition, as for a topic that was created later."""

Start = TopicPlace | Point | Offsets
"""Where a page begins in a topic."""


def check_topic(name: str) -> str:
    """:raise BadTopic: no topic can have this name."""
    if not name:
        raise BadTopic(gettext("Topic is required."))
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise BadTopic(
            gettext(
                "A topic's name has letters and digits of ASCII, dots, _ and -, at most %(n)s in all.",
                n=MAX_NAME,
            )
        )
    return name


TopicEntry = Record | Trimmed
"""An item that reading a topic yields."""


def channel_of(topic: str) -> bytes:
    """The name of the channel whose permissions count for a topic."""
    return b"kafka:" + topic.encode()


def read_partition(text: str) -> int:
    """:raise BadTopic: it is not the number of a partition."""
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or int(text) > _MOST_PARTITION:
        raise BadTopic(gettext("The partition is a whole number from 0 on."))
    return int(text)


def write_places(places: Offsets) -> str:
    """Places as text, for :func:`read_place`."""
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(places.items()))


def read_place(text: str, now: float | None = None) -> Point | Offsets:
    """Parse ``first``, ``10m``, a Unix time, a number of messages from the end, or ``3:4711,4:815``.

    :raise BadPoint: it is none of these, or a time in the future.
    """
    if _OFFSETS.fullmatch(text):
        pairs = [one.split(":") for one in text.split(",")]
        places: Offsets = {}
        for partition, offset in pairs:
            if int(partition) in places:
                raise BadPoint(gettext("Give one offset for partition %(partition)s.", partition=partition))
            places[int(partition)] = int(offset)
        return places
    point = Point(id=FIRST) if text == "first" else read_moment(text, now)
    if point is None:
        raise BadPoint(
            gettext(
                "%(text)s is not a place in a topic: write 10m, 100 (messages of each partition), first, "
                "a Unix time such as 1763879938.5 or 3:4711 for partition and offset.",
                text=text[:50],
            )
        )
    return point


def check_order(since: Point | Offsets, until: Point | Offsets | None) -> None:
    """:raise BadPoint: ``until`` is before ``since``."""
    if isinstance(since, dict) and isinstance(until, dict):
        is_before = any(at < since.get(one, at) for one, at in until.items())
    elif isinstance(since, Point) and isinstance(until, Point):
        is_before = None not in (since.ms, until.ms) and (until.ms or 0) < (since.ms or 0)
    else:
        return
    if is_before:
        raise BadPoint(gettext("until is before since: exchange the two."))
