"""The channels and patterns that one feed listens to: read from a request and checked."""

import unicodedata
from collections.abc import Iterable

import orjson
from werkzeug.routing import BaseConverter

from arauto.i18n.gettext import gettext
from arauto.protocol.selection import Change, Names, Selection
from arauto.protocol.tab_counting import PREFIX, is_shadow
from arauto.refusal import Refusal
from arauto.text.utf8 import has_half_characters

MAX_NAME = 256  # bytes of UTF-8
MAX_SELECTION = 100  # channels and patterns together
_CHANGES = ("subscribe", "psubscribe", "unsubscribe", "punsubscribe")


class ChannelName(BaseConverter):
    """A channel's name within an address, whatever slashes it has."""

    regex = r"[\s\S]+?"
    part_isolating = False


class BadSelection(Refusal):
    """A selection or a name that cannot be used; its text is a sentence for people."""


class BadChange(ValueError):
    """What the page sent is not a change of selection at all."""


def check_name(name: str) -> bytes:
    """Return ``name`` as Redis gets it.

    Redis itself takes any bytes; what is refused here is what nobody means and what would
    spoil a log line.

    :raise BadSelection: it is empty, too long, has control characters or is one of our own.
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


def select(channels: Iterable[str], patterns: Iterable[str]) -> Selection:
    """The selection that a feed starts with.

    :raise BadSelection: there is no name at all, too many, or one that cannot be used.
    """
    selection = Selection(_names(channels), _names(patterns))
    if not selection.channels and not selection.patterns:
        raise BadSelection(gettext("Choose a channel or a pattern: /feed?channel=news"))
    check_size(len(selection.channels) + len(selection.patterns))
    return selection


def check_size(size: int) -> None:
    """:raise BadSelection: a feed cannot listen to so many names."""
    if size > MAX_SELECTION:
        raise BadSelection(
            gettext("A feed can listen to at most %(n)s channels and patterns.", n=MAX_SELECTION)
        )


def read_change(text: str) -> Change:
    """Read what the page sends: ``{"subscribe": ["a"], "punsubscribe": ["b.*"]}``.

    :raise BadChange: it is not such an object.
    :raise BadSelection: a name in it cannot be used.
    """
    return Change(**{kind: _names(names) for kind, names in read_lists(text, _CHANGES).items()})


def read_lists(text: str, known: Iterable[str]) -> dict[str, list[str]]:
    """Read an object that has lists of texts under some of the ``known`` keys.

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
    return tuple(dict.fromkeys(check_name(name) for name in names))
