"""GET /: the page, rendered once for each language and view."""

import gzip
import json
from functools import lru_cache
from secrets import token_hex
from typing import Any

from flask import Flask, render_template, request
from markupsafe import escape
from werkzeug.wrappers import Response

from arauto.assets.html_minifier import compact
from arauto.auth.visitor import current_visitor, display_name
from arauto.i18n.client_strings import later_strings, page_strings, topic_strings
from arauto.i18n.gettext import gettext
from arauto.i18n.topic_strings import topic_later_strings
from arauto.protocol.validation import MAX_NAME, MAX_SELECTION
from arauto.redis_io.discovery import DiscoveredRedis
from arauto.redis_io.redis_url import Tls, redis_cli
from arauto.settings import Settings
from arauto.web.locale import LANGUAGES, chosen, switch

# Placeholders for what differs by visitor, replaced when a page is sent. They cannot be guessed, and with "="
# in them an attribute keeps its quotes.
_PERSON, _CSRF = f"={token_hex(16)}", f"={token_hex(16)}"
_COMPACT = {"ensure_ascii": False, "separators": (",", ":")}  # saves two kilobytes

KEPT = 64  # pages of twenty kilobytes; rendering one looks up three hundred sentences


def later_words(app: Flask) -> dict[str, str]:
    """The strings of scripts that are loaded later, for each language, by path in ``static``."""
    texts = {}
    for code in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": code}):
            for name, words in (("words", later_strings()), ("topic_words", topic_later_strings())):
                texts[f"page/{name}.{code}.json"] = json.dumps(words, **_COMPACT)  # type: ignore[arg-type]
    return texts


def init_page(app: Flask, settings: Settings, redis: DiscoveredRedis) -> None:
    """Add the route of the page, and render the usual pages now: the first visitor does not wait."""
    config = {
        "channels": settings.channels,
        "delete_logs": settings.delete_logs,
        "protected": bool(settings.protected),
        "heartbeat": settings.heartbeat,
        "max_message": settings.max_message,
        "max_selection": MAX_SELECTION,
        "max_name": MAX_NAME,
        "redis_cli": redis_cli(redis.url, Tls.of(settings), redis.master),
    }
    if settings.kafka_url:
        config["kafka"] = True
    if settings.bridge:
        config["bridge"] = True

    def words() -> dict[str, str]:
        return page_strings() | (topic_strings() if settings.kafka_url else {})

    has_login = settings.has_login
    app.jinja_env.policies["json.dumps_kwargs"] = _COMPACT

    @lru_cache(maxsize=KEPT)
    def page(language: str, root: str, query: bytes, reads_only: bool) -> str:
        html = render_template(
            "index.html",
            person=_PERSON if has_login else "",
            csrf=_CSRF if has_login else "",
            reads_only=reads_only,
            config=config | {"words": words(), "recording": settings.recording and not reads_only},
            redis_name=gettext("embedded %(name)s", name=redis.name) if redis.is_embedded else redis.name,
        )
        return compact(html)

    @lru_cache(maxsize=KEPT)
    def packed(*view: Any) -> bytes:
        return gzip.compress(page(*view).encode(), mtime=0)

    @app.get("/")
    def index() -> Response | str:
        if (switched := switch()) is not None:
            return switched
        visitor = current_visitor()
        view = (chosen(), request.script_root, request.query_string, visitor.is_reader)
        # With a login, the page has a secret beside text from its URL: its compressed size would reveal it.
        if not has_login:
            is_packed = request.accept_encodings.quality("gzip") > 0
            response = Response(packed(*view) if is_packed else page(*view), mimetype="text/html")
            if is_packed:
                response.headers["Content-Encoding"] = "gzip"
            response.headers["Vary"] = "Accept-Encoding"
            return response
        kept = page(*view)
        return kept.replace(_CSRF, visitor.csrf).replace(_PERSON, str(escape(display_name(visitor))))

    for code in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": code}):
            page(chosen(), "", b"", False)
