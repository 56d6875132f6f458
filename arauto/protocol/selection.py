"""Channels, patterns and sharded channels of a feed, as bytes (pure)."""

from dataclasses import dataclass

Names = tuple[bytes, ...]


@dataclass(frozen=True)
class Selection:
    """Names as Redis gets them: UTF-8 bytes, each once, in the order given."""

    channels: Names = ()
    patterns: Names = ()
    shards: Names = ()

    @property
    def size(self) -> int:
        """How many names it has."""
        return len(self.channels) + len(self.patterns) + len(self.shards)


@dataclass(frozen=True)
class Change:
    """What to add to and remove from a selection."""

    subscribe: Names = ()
    psubscribe: Names = ()
    ssubscribe: Names = ()
    unsubscribe: Names = ()
    punsubscribe: Names = ()
    sunsubscribe: Names = ()

    @property
    def added(self) -> Selection:
        """The names to subscribe to."""
        return Selection(self.subscribe, self.psubscribe, self.ssubscribe)

    @property
    def removed(self) -> Selection:
        """The names to unsubscribe from."""
        return Selection(self.unsubscribe, self.punsubscribe, self.sunsubscribe)
