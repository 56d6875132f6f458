"""What the logs are called in Redis. All of one channel's names have the channel as their hash tag (pure)."""

LEASE = b"arauto:lease"
"""A hash: which recorder is at work, and until when."""

NAMES = b"arauto:logs:names"
"""A set: the channels that have a log."""

SWITCHED = b"arauto:logs:switched"
"""A set: the channels that were switched on."""

GLOBS = b"arauto:logs:globs"
"""A sorted set: what all servers of the database record -> until when that holds."""


def is_recordable(channel: bytes) -> bool:
    """Not what we say ourselves, and not what Redis says of keys: it would go on without end."""
    return not channel.startswith((b"arauto:", b"__keyspace@", b"__keyevent@"))


def stream_of(channel: bytes) -> bytes:
    """The key of the log's entries. An entry's id is its moment and its number, ``1763879938123-41``."""
    return b"arauto:stream:{%b}" % channel


def head_of(channel: bytes) -> bytes:
    """The key of a hash: what is known of the log. See ``lua/log.lua``."""
    return b"arauto:head:{%b}" % channel


def promised_of(channel: bytes) -> bytes:
    """The key of a list: what was published here and is not in the log yet."""
    return b"arauto:promised:{%b}" % channel


def words_of(channel: bytes, database: int) -> bytes:
    """The sharded channel of announcements; Pub/Sub is the same in all databases of a server."""
    return b"arauto:words:%d:{%b}" % (database, channel)


def beats_of(database: int) -> bytes:
    """The sharded channel on which the recorder gives its signs of life."""
    return b"arauto:beats:%d" % database
