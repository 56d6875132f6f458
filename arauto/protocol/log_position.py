"""A position in the log of a channel: everything up to one entry (pure)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Position:
    """Everything up to entry ``number`` of the log that has this ``epoch``."""

    epoch: str
    number: int
    ms: int = field(default=0, compare=False)
    """When the entry was written, or earlier, in Unix milliseconds: where to look for it."""

    @property
    def id(self) -> str:
        """The id of the entry in Redis."""
        return f"{self.ms}-{self.number}"

    def is_behind(self, other: "Position") -> bool:
        """Whether ``other`` is later in the same log."""
        return self.epoch == other.epoch and self.number < other.number
