"""The language of a request: from a cookie, else from ``Accept-Language``."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from babel import Locale
from flask import Flask, Response, redirect, request, url_for
from flask_babel import Babel
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from arauto.web.cookies import get_cookie, set_cookie

TRANSLATIONS = Path(__file__).parents[1] / "translations"
_FOUND = sorted(path.parents[1].name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo"))
LANGUAGES = {
    name.replace("_", "-"): str(Locale.parse(name).get_language_name()).capitalize()
    for name in ("en", *_FOUND)
}
"""English, and each language that has a compiled catalogue: its code, and its name in itself."""
COOKIE = "language"
COOKIE_AGE = 365 * 24 * 3600  # seconds

_MATCHES = {code.split("-")[0]: code for code in LANGUAGES} | {code.lower(): code for code in LANGUAGES}


def init_language(app: Flask) -> None:
    """Select the language of every request, and pass it, all languages and their links to templates."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=lambda: chosen().replace("-", "_"))
    app.context_processor(lambda: {"language": chosen(), "languages": LANGUAGES, "language_url": url})


def chosen() -> str:
    """The language of this request: a code of :data:`LANGUAGES`."""
    cookie = get_cookie(COOKIE)
    return cookie if cookie in LANGUAGES else _accepted(request.headers.get("Accept-Language", ""))


@lru_cache(maxsize=256)  # few different headers are sent, and parsing is slow
def _accepted(header: str) -> str:
    for tag, quality in parse_accept_header(header, LanguageAccept):
        tag = tag.lower()
        if quality and (match := _MATCHES.get(tag) or _MATCHES.get(tag.split("-")[0])):
            return match
    return "en"


def switch() -> Response | None:
    """Store ``?lang=…`` in a cookie, and redirect to the same view without it."""
    language = request.args.get("lang")
    if language is None:
        return None
    view = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    response = redirect(url_for(request.endpoint or "index") + ("?" + urlencode(view) if view else ""))
    if language in LANGUAGES:
        set_cookie(response, COOKIE, language, max_age=COOKIE_AGE)
    return response  # type: ignore[return-value]  # flask's redirect is typed by werkzeug


def url(code: str) -> str:
    """The link that switches this view to the language ``code``."""
    view = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return "?" + urlencode([("lang", code), *view])
