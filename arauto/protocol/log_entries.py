"""Entries of a log: messages with their ids, and holes (pure)."""

from typing import NamedTuple


class Id(NamedTuple):
    """When an entry was written, in Unix milliseconds by Redis's clock, and its number in the log."""

    ms: int
    n: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.n}"

    @classmethod
    def read(cls, text: str | bytes) -> "Id":
        """:raise ValueError: it is not an id."""
        ms, n = (text.decode() if isinstance(text, bytes) else text).split("-")
        return cls(int(ms), int(n))


FIRST = Id(0, 0)


class Message(NamedTuple):
    """One message of a log. Its id is parsed only when needed, which is rare."""

    raw: bytes
    data: bytes

    @property
    def id(self) -> Id:
        return Id.read(self.raw)


class Hole(NamedTuple):
    """Messages are missing before ``id``, in Unix milliseconds from ``start`` to ``end``.

    ``reason``: ``recorder``, no process recorded; ``log``, they were trimmed (``missing`` is how many, if
    known); ``replaced``, another log has replaced theirs; ``unrecorded``, there is no log.
    """

    id: Id
    start: int
    end: int
    reason: str
    missing: int | None = None


class Volume(NamedTuple):
    """How many messages each part of a span of time has, and where some may be missing.

    All times are Unix milliseconds.
    """

    start: int
    end: int
    counts: list[int]
    holes: list[tuple[int, int]]


LogEntry = Message | Hole
"""An item that reading a log yields."""
