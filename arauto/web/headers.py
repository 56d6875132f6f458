"""What the headers say that decide who somebody is: text in UTF-8, which WSGI hands over as Latin-1."""

from unicodedata import normalize

from flask import Request

from arauto.i18n.gettext import gettext
from arauto.refusal import Refusal
from arauto.text.cleanup import trimmed


class BadHeader(Refusal):
    """Such a header cannot be read in one way only; the text is a sentence for people."""


def user_in(request: Request, header: str) -> str:
    """The user whom a proxy names there; empty where it names none.

    :raise BadHeader: that is not one name. Two headers of one name arrive with a comma between them.
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
    """The token that is sent as ``Authorization: Bearer``; empty where there is none."""
    try:
        scheme, _, token = _text(request, "Authorization").partition(" ")
    except UnicodeError:
        return ""  # no token of ours
    return trimmed(token) if scheme.lower() == "bearer" else ""


def _text(request: Request, header: str) -> str:
    return request.headers.get(header, "").encode("latin-1").decode().strip(" \t")
