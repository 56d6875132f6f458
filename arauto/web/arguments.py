"""Query arguments, none of which is silently ignored."""

from flask import request
from werkzeug.datastructures import MultiDict

from arauto.i18n.gettext import gettext
from arauto.refusal import Refusal

_KNOWN = {"filter", "limit", "match", "message", "partition", "parts", "since", "until"}


class BadArgument(Refusal):
    """A query argument that would be ignored; the text is a sentence to be shown."""


def arguments(*names: str) -> list[str]:
    """The values of these query arguments; empty if missing.

    :raise BadArgument: one is given twice, or another one is given that has no effect here.
    """
    for other in sorted(_KNOWN.intersection(request.args) - set(names)):
        raise BadArgument(gettext("%(name)s changes nothing here: leave it out.", name=other))
    return [only(request.args, name) for name in names]


def only(given: MultiDict[str, str], name: str) -> str:
    """The value of a query argument; empty if missing.

    :raise BadArgument: it is given twice.
    """
    found = given.getlist(name)
    if len(found) > 1:
        raise BadArgument(gettext("Give %(name)s once.", name=name))
    return found[0] if found else ""
