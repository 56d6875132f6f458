"""The shadow channels by which Redis counts our tabs: one beside each name that a feed listens to.

Nobody publishes to them. A tab's connection holds its own, so nothing has to be registered
and nothing is left behind.
"""

PREFIX = b"arauto:tabs:"
_OF_CHANNELS = PREFIX + b"channel:"
_OF_PATTERNS = PREFIX + b"pattern:"
ALL_OF_PATTERNS = _OF_PATTERNS + b"*"


def of_channel(channel: bytes) -> bytes:
    """What every tab subscribes to that listens to ``channel``."""
    return _OF_CHANNELS + channel


def of_pattern(pattern: bytes) -> bytes:
    """The same for a pattern, because ``PUBSUB NUMSUB`` does not count patterns."""
    return _OF_PATTERNS + pattern


def pattern_of(shadow: bytes) -> bytes:
    """The pattern beside which ``shadow`` stands."""
    return shadow.removeprefix(_OF_PATTERNS)


def is_shadow(name: bytes) -> bool:
    """Whether ``name`` belongs to us and to nobody who publishes."""
    return name.startswith(PREFIX)
