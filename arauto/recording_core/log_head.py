"""The head of a log: where it ends, its epochs, its writer (pure). Written by ``lua/log.lua``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arauto.protocol.log_position import Position

FIELDS = ("epoch", "ms", "number", "begins_ms", "begins", "epochs", "until", "run", "owner", "closed")
"""The fields of the hash, in the order of :meth:`Head.read`."""

_NUMBER = re.compile(rb"\d{1,15}")
_EPOCHS = re.compile(rb"([0-9a-f]+):(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log, and its beginning."""

    end: Position
    begins: Position
    """Everything before is of an epoch that was trimmed."""
    epochs: tuple[tuple[str, int], ...]
    """The name of each epoch and the number before it; oldest first."""
    until: int
    """Unix milliseconds; everything published before is in the log."""
    run: str
    """The run id of Redis when a recorder last took the log."""
    is_taken: bool
    """Whether a recorder has, or had, the log."""
    is_closed: bool

    @classmethod
    def read(cls, fields: Sequence[bytes | None]) -> "Head | None":
        """``None``: there is no log."""
        epoch, ms, number, begins_ms, begins, epochs, until, run, owner, closed = (
            field or b"" for field in fields
        )
        if not (epoch and _NUMBER.fullmatch(ms) and _NUMBER.fullmatch(number)):
            return None
        name = epoch.decode(errors="replace")
        return cls(
            Position(name, int(number), int(ms)),
            Position(name, _whole(begins), _whole(begins_ms)),
            tuple((known.decode(), int(first)) for known, first in _EPOCHS.findall(epochs)),
            _whole(until),
            run.decode(errors="replace"),
            owner not in (b"", b"0"),
            bool(closed),
        )

    @property
    def starts(self) -> tuple[int, ...]:
        """The number before each epoch, oldest first."""
        return tuple(first for _, first in self.epochs)

    def goes_back_to(self, place: Position) -> bool:
        """Whether the log has the same entries up to ``place`` as when the place was noted."""
        is_found, most = False, self.end.number
        for name, first in self.epochs:
            if is_found:
                most = min(most, first)
            is_found = is_found or name == place.epoch
        return is_found and place.number <= most


def _whole(number: bytes) -> int:
    return int(number) if _NUMBER.fullmatch(number) else 0
