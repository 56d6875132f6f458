"""Names of keys and channels in Redis; those for one channel have it as their hash tag (pure)."""

LEASE = b"arauto:lease"
"""A hash: which process is the recorder, and until when."""

NAMES = b"arauto:logs:names"
"""A set: the channels that have a log."""

SWITCHED = b"arauto:logs:switched"
"""A set: the channels that are switched on."""

GLOBS = b"arauto:logs:globs"
"""A sorted set: the globs of all servers on the database, by the time until which they are valid."""


def tagged(name: bytes, tag: bytes) -> bytes:
    """A name with the hash tag ``tag``, and so in its slot."""
    return b"%b:{%b}" % (name, tag)


def is_recordable(channel: bytes, is_cluster: bool = False) -> bool:
    """Our own channels and keyspace notifications are not: recording them would publish more, without end.

    Redis 8.8 has four more kinds, such as ``__subkeyspace@0__:key``. In a cluster, a log has to have one
    slot: the keys of a name that begins with ``}`` have no hash tag.
    """
    if is_cluster and channel.startswith(b"}"):
        return False
    return not channel.startswith((b"arauto:", b"__keyspace@", b"__keyevent@", b"__subkey"))


def stream_of(channel: bytes) -> bytes:
    """The key of the log's entries. An entry's id is its time and its number, ``1763879938123-41``."""
    return b"arauto:stream:{%b}" % channel


def head_of(channel: bytes) -> bytes:
    """The key of the head, a hash. See ``lua/log.lua``."""
    return b"arauto:head:{%b}" % channel


def promised_of(channel: bytes) -> bytes:
    """The key of a list: messages published here that are not in the log yet."""
    return b"arauto:promised:{%b}" % channel


def acknowledgements_of(channel: bytes) -> bytes:
    """The key of a sorted set: acknowledgements, by the message's number. See ``lua/acknowledge.lua``."""
    return b"arauto:acknowledged:{%b}" % channel


def announcements_of(channel: bytes, database: int) -> bytes:
    """The sharded channel of announcements; Pub/Sub is the same in all databases of a server."""
    return b"arauto:words:%d:{%b}" % (database, channel)


def beats_of(database: int) -> bytes:
    """The sharded channel of the recorder's beats."""
    return b"arauto:beats:%d" % database
