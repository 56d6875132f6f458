"""Typed gettext functions: Flask-Babel has no types."""

from flask_babel import get_locale
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext


def gettext(sentence: str, **values: object) -> str:
    """``sentence`` in the language of this request, with ``%(name)s`` filled from ``values``."""
    return str(_gettext(sentence, **values))


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """The form for ``n``, with ``%(num)s`` as ``n``."""
    return str(_ngettext(one, many, n, **values))


def language() -> str:
    """The current language: that of the request; empty outside a request, which means English."""
    return str(get_locale() or "")
