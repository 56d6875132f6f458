"""Parses and validates channel names, selections and changes of a selection."""

import unicodedata
from collections.abc import Iterable

import orjson
from werkzeug.routing import BaseConverter

from arauto.i18n.gettext import gettext
from arauto.protocol.selection import Change, Names, Selection
from arauto.protocol.tab_counting import PREFIX, is_shadow
from arauto.protocol.topic_names import read_name
from arauto.refusal import Refusal
from arauto.text.utf8 import has_half_characters

MAX_NAME = 256  # bytes of UTF-8
MAX_SELECTION = 100  # names of all kinds together
OWN_SHARDS = b"arauto:"  # the prefix of our own sharded channels


class ChannelName(BaseConverter):
    """URL converter for a channel's name, with any slashes."""

    regex = r"[\s\S]+?"
    part_isolating = False


class BadSelection(Refusal):
    """A selection or a name that cannot be used; the text is a sentence to be shown."""


class BadChange(ValueError):
    """A message of the page that is no change of its selection."""


def check_name(name: str) -> bytes:
    """Validate ``name``, and return it as sent to Redis.

    Redis accepts any bytes; names that are surely mistakes, or would spoil a log line, are refused here.

    :raise BadSelection: it is empty, too long, has control characters or is reserved.
    """
    if not name:
        raise BadSelection(gettext("Channel is required."))
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise BadSelection(gettext("A channel name cannot have control characters."))
    encoded = name.encode()
    if len(encoded) > MAX_NAME:
        raise BadSelection(gettext("A channel name can have at most %(n)s bytes.", n=MAX_NAME))
    if is_shadow(encoded):
        raise BadSelection(
            gettext(
                "Names that begin with %(prefix)s are reserved for counting pages.", prefix=PREFIX.decode()
            )
        )
    return encoded


def check_shard(name: str) -> bytes:
    """Validate the name of a sharded channel, as :func:`check_name` does.

    :raise BadSelection: it cannot be used, or is one of our own.
    """
    encoded = check_name(name)
    if is_own_shard(encoded):
        raise BadSelection(
            gettext(
                "Sharded channels that begin with %(prefix)s are reserved for recordings.",
                prefix=OWN_SHARDS.decode(),
            )
        )
    return encoded


def is_own_shard(name: bytes) -> bool:
    """Whether a sharded channel is one of our own, which are hidden."""
    return name.startswith(OWN_SHARDS)


def select(
    channels: Iterable[str], patterns: Iterable[str], shards: Iterable[str] = (), topics: Iterable[str] = ()
) -> Selection:
    """Make the first selection of a feed.

    :raise BadSelection: it has no name, too many, or one that cannot be used.
    :raise BadTopic: no topic can have one of these names.
    """
    selection = Selection(_names(channels), _names(patterns), _shards(shards), _topics(topics))
    if not selection.size:
        raise BadSelection(gettext("Choose a channel or a pattern: /feed?channel=news"))
    check_size(selection.size)
    return selection


def check_size(size: int) -> None:
    """:raise BadSelection: too many names for one feed."""
    if size > MAX_SELECTION:
        raise BadSelection(
            gettext("A feed can listen to at most %(n)s channels and patterns.", n=MAX_SELECTION)
        )


def read_change(text: str) -> Change:
    """Parse ``{"subscribe": ["a"], "punsubscribe": ["b.*"]}``.

    :raise BadChange: it is not such an object.
    :raise BadSelection: a name in it cannot be used.
    :raise BadTopic: no topic can have one of its names.
    """
    return Change(**{kind: _CHANGES[kind](names) for kind, names in read_lists(text, _CHANGES).items()})


def read_lists(text: str, known: Iterable[str]) -> dict[str, list[str]]:
    """Parse an object with lists of strings under some of the ``known`` keys.

    :raise BadChange: it is not such an object.
    :raise BadSelection: a name in it cannot be used.
    """
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        if has_half_characters(text):
            raise BadSelection(gettext("A name has an unpaired surrogate: send whole characters.")) from None
        raise BadChange from None
    if not isinstance(given, dict) or not given or not given.keys() <= set(known):
        raise BadChange
    for names in given.values():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadChange
    return given


def _names(names: Iterable[str]) -> Names:
    return tuple(dict.fromkeys(map(check_name, names)))


def _shards(names: Iterable[str]) -> Names:
    return tuple(dict.fromkeys(map(check_shard, names)))


def _topics(names: Iterable[str]) -> Names:
    return tuple(dict.fromkeys(read_name(name).text.encode() for name in names))


_CHANGES = {
    "subscribe": _names,
    "psubscribe": _names,
    "ssubscribe": _shards,
    "tsubscribe": _topics,
    "unsubscribe": _names,
    "punsubscribe": _names,
    "sunsubscribe": _shards,
    "tunsubscribe": _topics,
}
