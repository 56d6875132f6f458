"""What is read in a log: messages with their ids, and holes (pure)."""

from typing import NamedTuple


class Id(NamedTuple):
    """When an entry was written, in Unix milliseconds by Redis's clock, and its number in the log."""

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


class Message(NamedTuple):
    """One message of a log. Its id is kept as Redis wrote it, since few are ever looked into."""

    raw: bytes
    data: bytes

    @property
    def id(self) -> Id:
        return Id.read(self.raw)


class Hole(NamedTuple):
    """Something is missing before ``id``, in Unix milliseconds from ``start`` to ``end``.

    ``reason``: ``recorder``, nobody listened; ``log``, it is not kept any more (``missing``
    messages, where that is known); ``replaced``, it was another log; ``unrecorded``, there is no
    log that could tell.
    """

    id: Id
    start: int
    end: int
    reason: str
    missing: int | None = None
