"""Checks before every request: Host, Origin, rate, WebSocket handshake; and the security headers."""

import base64
import binascii
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, request
from werkzeug.exceptions import HTTPException

from arauto.auth.audit import Actor, Audit
from arauto.auth.visitor import Visitor
from arauto.i18n.gettext import gettext, ngettext
from arauto.net.ip_addresses import is_fixed, is_loopback
from arauto.refusal import Refusal
from arauto.settings import Settings
from arauto.workers.rate_limits import RateLimit, by_address

# A page may frame itself: its panes are frames.
_CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types arauto 'allow-duplicates'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: then a browser sends "Origin: null" with our own form.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class UpgradeRequired(HTTPException):
    """426: the feed is for WebSockets."""

    code = 426

    def get_headers(self, *args: object, **kwargs: object) -> list[tuple[str, str]]:
        wanted = ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")
        return [*super().get_headers(), *wanted]


def init_guards(app: Flask, settings: Settings) -> None:
    """Check every request, and add the security headers to every response."""
    app.before_request(lambda: _check_host(settings))
    app.before_request(lambda: _check_origin(settings.origins))
    app.after_request(_add_headers)


def _check_host(settings: Settings) -> None:
    """Refuse host names that are not ours.

    A page of another site can make its own name resolve to our address (DNS rebinding). To the
    browser it then has our origin, and only the name reveals it. An IP address cannot be
    rebound; if we listen on loopback only, it must be a loopback address. Health checks
    accept any name, since monitors use many.
    """
    if request.endpoint in ("healthz", "readyz"):
        return
    host = (urlsplit(f"//{request.host}").hostname or "").lower()
    if is_loopback(host) or any(urlsplit(origin).hostname == host for origin in settings.origins):
        return
    if is_loopback(settings.host) or not is_fixed(host):
        abort(400, gettext("Host not allowed. Add its origin to ARAUTO_ORIGINS."))


def _check_origin(allowed: frozenset[str]) -> None:
    if request.method in SAFE_METHODS and not is_websocket(request):
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        if not _is_ours(origin, allowed):
            abort(403, gettext("Pages of another origin may not publish or listen here."))
    elif request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        # Browsers send Sec-Fetch-Site, programs such as curl do not.
        abort(403, gettext("Pages of another origin may not publish or listen here."))


def _is_ours(origin: str, allowed: frozenset[str]) -> bool:
    own = f"{request.scheme.replace('ws', 'http')}://{request.host}"
    return origin.lower() == own.lower() or origin.lower() in allowed


def is_websocket(request: Request) -> bool:
    """Whether the request asks for an upgrade to a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


class RateGuard:
    """Refuses too frequent requests, by address and by user."""

    def __init__(self, rate: RateLimit, audit: Audit) -> None:
        self._rate = rate
        self._audit = audit

    def check(self, visitor: Visitor, counts: bool = True) -> None:
        """:param counts: whether this request counts.
        :raise Refusal: 429, with Retry-After.
        """
        names = by_address(request.remote_addr or "") + visitor.rate_names
        wait = self._rate.take(*names) if counts else self._rate.wait(*names)
        if not wait:
            return
        if self._rate.should_log():
            self._audit.note("too often", Actor.of(visitor), path=request.path)
        seconds = int(wait) + 1
        sentence = ngettext(
            "Too many requests from you or your address: try again in %(num)s second.",
            "Too many requests from you or your address: try again in %(num)s seconds.",
            seconds,
        )
        raise Refusal(sentence, 429, retry_after=seconds)


def check_handshake() -> None:
    """Refuse a broken WebSocket handshake with a status, before the protocol is switched."""
    if not is_websocket(request):
        raise UpgradeRequired(gettext("The feed is a WebSocket: connect with ws:// or wss://."))
    if request.method != "GET" or request.environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        abort(400, gettext("A WebSocket handshake is a GET with HTTP/1.1."))
    if request.content_length or "Transfer-Encoding" in request.headers:
        abort(
            400, gettext("A WebSocket handshake has no body.")
        )  # gunicorn would wait for it, then cut the connection
    if "upgrade" not in request.headers.get("Connection", "").lower():
        abort(400, gettext("A WebSocket handshake needs the header Connection: Upgrade."))
    if request.headers.get("Sec-WebSocket-Version") != "13":
        raise UpgradeRequired(
            gettext("Unsupported WebSocket version: use 13."),
        )
    if not _is_key(request.headers.get("Sec-WebSocket-Key", "")):
        abort(400, gettext("Sec-WebSocket-Key must be 16 bytes in base64."))


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
