"""Channels and patterns of a feed, as bytes (pure)."""

from dataclasses import dataclass

Names = tuple[bytes, ...]


@dataclass(frozen=True)
class Selection:
    """Names as Redis gets them: UTF-8 bytes, each once, in the order given."""

    channels: Names
    patterns: Names


@dataclass(frozen=True)
class Change:
    """What to add to and remove from a selection."""

    subscribe: Names = ()
    psubscribe: Names = ()
    unsubscribe: Names = ()
    punsubscribe: Names = ()
