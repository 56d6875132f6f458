"""Channels, patterns, sharded channels and topics of a feed, as bytes (pure)."""

from dataclasses import dataclass

Names = tuple[bytes, ...]


@dataclass(frozen=True)
class Selection:
    """Names as sent to Redis: UTF-8 bytes, each once, in the given order."""

    channels: Names = ()
    patterns: Names = ()
    shards: Names = ()
    topics: Names = ()

    @property
    def size(self) -> int:
        """How many names it has."""
        return sum(map(len, (self.channels, self.patterns, self.shards, self.topics)))


@dataclass(frozen=True)
class Change:
    """Names to add to and remove from a selection."""

    subscribe: Names = ()
    psubscribe: Names = ()
    ssubscribe: Names = ()
    tsubscribe: Names = ()
    unsubscribe: Names = ()
    punsubscribe: Names = ()
    sunsubscribe: Names = ()
    tunsubscribe: Names = ()

    @property
    def added(self) -> Selection:
        """The names to subscribe to."""
        return Selection(self.subscribe, self.psubscribe, self.ssubscribe, self.tsubscribe)

    @property
    def removed(self) -> Selection:
        """The names to unsubscribe from."""
        return Selection(self.unsubscribe, self.punsubscribe, self.sunsubscribe, self.tunsubscribe)
