"""Shadow channels, by which Redis counts our tabs: one beside each name of a feed.

Nothing is published to them. A tab's own connection subscribes to them, so no registration is needed, and
none is left behind.
"""

PREFIX = b"arauto:tabs:"
_OF_CHANNELS = PREFIX + b"channel:"
_OF_PATTERNS = PREFIX + b"pattern:"
_OF_SHARDS = PREFIX + b"shard:"
ALL_OF_PATTERNS = _OF_PATTERNS + b"*"


def of_channel(channel: bytes) -> bytes:
    """The shadow channel that every tab with ``channel`` subscribes to."""
    return _OF_CHANNELS + channel


def of_pattern(pattern: bytes) -> bytes:
    """The shadow channel of a pattern, because ``PUBSUB NUMSUB`` does not count patterns."""
    return _OF_PATTERNS + pattern


def of_shard(shard: bytes) -> bytes:
    """The shadow channel of a sharded channel. It is not sharded itself: one permission is enough for all."""
    return _OF_SHARDS + shard


def pattern_of(shadow: bytes) -> bytes:
    """The pattern that the shadow channel ``shadow`` is for."""
    return shadow.removeprefix(_OF_PATTERNS)


def is_shadow(name: bytes) -> bool:
    """Whether ``name`` is a shadow channel."""
    return name.startswith(PREFIX)
