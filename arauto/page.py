"""The page: rendered once for each language and view that is asked for."""

import re
from functools import lru_cache

from flask import Flask, render_template, request
from werkzeug.wrappers import Response

from arauto.embedded import Found
from arauto.language import LANGUAGES, chosen, switch
from arauto.language import url as language_url
from arauto.page_words import page_words
from arauto.redis_link import redis_cli
from arauto.selection import MAX_NAME, MAX_SELECTION
from arauto.settings import Settings
from arauto.words import gettext

_INDENTATION = re.compile(r"\n\s+")  # two of the page's kilobytes; no text of it is preformatted

KEPT = 64  # pages of twenty kilobytes; three hundred sentences are looked up for one


def init_page(app: Flask, settings: Settings, found: Found) -> None:
    """Add the route of the page, and make the usual ones now: the first reader waits for none."""
    config = {
        "channels": settings.channels,
        "recording": settings.recording,
        "delete_logs": settings.delete_logs,
        "protected": bool(settings.protected),
        "max_message": settings.max_message,
        "max_selection": MAX_SELECTION,
        "max_name": MAX_NAME,
        "redis_cli": redis_cli(found.url),
    }

    @lru_cache(maxsize=KEPT)
    def page(language: str, root: str, query: bytes) -> str:
        html = render_template(
            "index.html",
            config=config | {"words": page_words()},
            redis_name=gettext("embedded %(name)s", name=found.name) if found.binary else found.name,
            languages=LANGUAGES,
            language_url=language_url,
        )
        return _INDENTATION.sub("\n", html)

    @app.get("/")
    def index() -> Response | str:
        return switch() or page(chosen(), request.script_root, request.query_string)

    for code, _ in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": code}):
            index()
