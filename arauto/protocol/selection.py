"""The channels and patterns of a feed, as Redis gets them (pure)."""

from dataclasses import dataclass

Names = tuple[bytes, ...]


@dataclass(frozen=True)
class Selection:
    """Names as Redis gets them: UTF-8 bytes, each once, in the order given."""

    channels: Names
    patterns: Names


@dataclass(frozen=True)
class Change:
    """What to add to and take from a selection."""

    subscribe: Names = ()
    psubscribe: Names = ()
    unsubscribe: Names = ()
    punsubscribe: Names = ()
