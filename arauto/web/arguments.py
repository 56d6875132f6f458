"""What a query says by name: nothing of it is ignored in silence."""

from flask import request
from werkzeug.datastructures import MultiDict

from arauto.i18n.gettext import gettext
from arauto.refusal import Refusal

_KNOWN = {"filter", "limit", "match", "message", "partition", "parts", "since", "until"}


class BadArgument(Refusal):
    """What a query says that would be ignored; the text is a sentence for people."""


def arguments(*names: str) -> list[str]:
    """What the query says by each of these names, empty where nothing.

    :raise BadArgument: it says one twice, or another of ours, which would not change what is done here.
    """
    for other in sorted(_KNOWN.intersection(request.args) - set(names)):
        raise BadArgument(gettext("%(name)s changes nothing here: leave it out.", name=other))
    return [only(request.args, name) for name in names]


def only(given: MultiDict[str, str], name: str) -> str:
    """What a query says by this name, empty where nothing.

    :raise BadArgument: it says that twice.
    """
    found = given.getlist(name)
    if len(found) > 1:
        raise BadArgument(gettext("Give %(name)s once.", name=name))
    return found[0] if found else ""
