"""Headers that identify a visitor, as UTF-8: WSGI passes them as Latin-1."""

from unicodedata import normalize

from flask import Request

from arauto.i18n.gettext import gettext
from arauto.refusal import Refusal
from arauto.text.cleanup import trimmed


class BadHeader(Refusal):
    """An ambiguous header; the text is a sentence to be shown."""


def user_in(request: Request, header: str) -> str:
    """The user that a proxy names; empty: none.

    :raise BadHeader: it is not one name. Two headers of one name arrive joined by a comma.
    """
    try:
        name = normalize("NFC", _text(request, header))
    except UnicodeError:
        name = ","
    if "," in name or not name.isprintable():
        raise BadHeader(
            gettext(
                "%(header)s has to be one name in UTF-8, without commas or invisible characters: "
                "look at how the proxy sets it.",
                header=header,
            )
        )
    return name


def bearer_in(request: Request) -> str:
    """The token in ``Authorization: Bearer``; empty: none."""
    try:
        scheme, _, token = _text(request, "Authorization").partition(" ")
    except UnicodeError:
        return ""  # not one of our tokens
    return trimmed(token) if scheme.lower() == "bearer" else ""


def _text(request: Request, header: str) -> str:
    return request.headers.get(header, "").encode("latin-1").decode().strip(" \t")
