"""The log of a recorded channel: its keys, its markers, its ids and positions (pure).

A log is a Redis Stream. The second half of an id is the entry's number in the log, without
a hole: ``1763879938123-41`` is followed by ``…-42``. So two ids prove that nothing is missing
between them, and an epoch, drawn when the log begins, tells two logs of one channel apart.
"""

import re
from typing import NamedTuple

HEADS = b"arauto:logs"
"""A hash: channel -> the epoch and the last id of its log, and since when it is closed, if it is."""
SWITCHED = b"arauto:recorded"
"""A hash: the channels that were switched on -> since when they are recorded; empty: not yet."""
CLOSED = "closed"
"""Why nothing is written to the log of a channel that was switched off."""
LEASE = b"arauto:recorder"
"""A hash: which recorder is at work, until when, and up to when everything is in the logs."""
TO_RECORDER = b"arauto:ids"
"""The sharded channel on which the recorder hears what is in a log already, and who asks."""
_LOG = b"arauto:log:"
_IDS = b"arauto:ids:"
_TO_FEED = b"arauto:feed:"

INSIDE, OUTSIDE, GAP = b"m", b"o", b"gap"
"""The one field of an entry: a message that was published here, one that was heard, or since
when (Unix milliseconds) nobody listened."""

_MOMENT = re.compile(rb"\d{1,15}")  # Unix milliseconds, of any year that has a date
_ASKER = re.compile(rb"[0-9a-f]+\.\d+")
_MANY = re.compile(r"\d{1,9}", re.ASCII)
_POSITION = re.compile(r"([0-9a-f]{8,32})\.(\d{1,15})-(\d{1,15})", re.ASCII)


class Id(NamedTuple):
    """When an entry was written, in Unix milliseconds by Redis's clock, and its number."""

    ms: int
    n: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.n}"

    @classmethod
    def read(cls, text: str | bytes) -> "Id":
        """:raise ValueError: it is no id."""
        ms, n = (text.decode() if isinstance(text, bytes) else text).split("-")
        return cls(int(ms), int(n))


FIRST = Id(0, 0)


class Position(NamedTuple):
    """Everything up to ``id`` is known, in the log that has this epoch."""

    epoch: str
    id: Id

    def __str__(self) -> str:
        return f"{self.epoch}.{self.id}"

    @classmethod
    def read(cls, text: str | bytes) -> "Position":
        """:raise ValueError: it is no position."""
        match = _POSITION.fullmatch(text.decode() if isinstance(text, bytes) else text)
        if match is None:
            raise ValueError(text)
        return cls(match[1], Id(int(match[2]), int(match[3])))


class Entry(NamedTuple):
    """One message of a log. Its id is kept as Redis wrote it, since few are ever looked into."""

    raw: bytes
    data: bytes
    is_outside: bool = False

    @property
    def id(self) -> Id:
        return Id.read(self.raw)


class Hole(NamedTuple):
    """Something is missing before ``id``, in Unix milliseconds from ``start`` to ``end``.

    ``reason``: ``recorder``, nobody listened; ``log``, it is not kept any more (``missing``
    messages); ``replaced``, it was another log; ``unrecorded``, there is no log that could tell.
    """

    id: Id
    start: int
    end: int
    reason: str
    missing: int | None = None


class Stop(NamedTuple):
    """The word that a channel cannot be recorded any more: since when (Unix milliseconds), and why.

    Where ``why`` is empty, it can.
    """

    since: int
    why: str

    def __bytes__(self) -> bytes:
        return f"stop {self.since} {self.why}".encode()

    @classmethod
    def read(cls, data: bytes) -> "Stop | None":
        """``None``: it is another word."""
        kind, _, rest = data.partition(b" ")
        since, _, why = rest.partition(b" ")
        return (
            cls(int(since), why.decode(errors="backslashreplace"))
            if kind == b"stop" and is_moment(since)
            else None
        )


def is_moment(data: bytes) -> bool:
    """Whether this is a moment as we write it; others may write to Redis what they like."""
    return _MOMENT.fullmatch(data) is not None


def is_position(data: bytes) -> bool:
    """Whether this is a place in a log as we write it."""
    return data.isascii() and _POSITION.fullmatch(data.decode()) is not None


def is_asker(data: bytes) -> bool:
    """Whether this is the name and number under which a feed asks."""
    return _ASKER.fullmatch(data) is not None


def log_of(channel: bytes) -> bytes:
    """The key of the stream."""
    return _LOG + channel


def ids_of(channel: bytes) -> bytes:
    """The sharded channel that says what is being written to the log.

    Sharded, because then nobody hears it who has not asked for it: ``PSUBSCRIBE *`` does not.
    """
    return _IDS + channel


def to_feed(token: str) -> bytes:
    """The sharded channel of one feed alone, on which its questions are answered."""
    return _TO_FEED + token.encode()


def channel_of(ids: bytes) -> bytes:
    """The channel that a marker is about."""
    return ids.removeprefix(_IDS)


def is_ids(name: bytes) -> bool:
    """Whether markers of a channel come by this sharded channel."""
    return name.startswith(_IDS)


class Marker(NamedTuple):
    """What comes by the sharded channel of a log.

    ``next``: the message that follows at once is in the log as ``position``.
    ``late``: the ``many`` oldest messages that have no id yet are in the log, numbered on
    from ``position``. ``gap``: nobody listened; what has no id now will never have one.
    """

    kind: str
    position: Position
    many: int = 1

    @classmethod
    def read(cls, data: bytes) -> "Marker | None":
        """``None``: these are not our words."""
        try:
            kind, position, *many = data.decode().split(" ")
            if not all(map(_MANY.fullmatch, many)):
                return None
            return cls(kind, Position.read(position), *map(int, many[:1]))
        except ValueError:
            return None
