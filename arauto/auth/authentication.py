"""Authentication by session, bearer token or trusted proxy header."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from hmac import compare_digest
from time import time
from typing import Any
from unicodedata import normalize
from urllib.parse import urlencode

import redis
from flask import Flask, Request, abort, g, redirect, request, url_for
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, TooManyRequests, Unauthorized

from arauto.auth.api_tokens import Token, Tokens, TokensError
from arauto.auth.audit import Actor, Audit
from arauto.auth.login_throttle import LoginThrottle, TooSoon
from arauto.auth.request_guards import SAFE_METHODS
from arauto.auth.sessions import PREFIX as SESSION
from arauto.auth.sessions import Session, Sessions
from arauto.auth.visitor import ALL, SHARED, SHARED_READ, Globs, Visitor, current_visitor
from arauto.i18n.gettext import gettext, ngettext
from arauto.net.ip_addresses import counted_address
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.expiring_store import (
    CannotStore,
    ExpiringStore,
    MemoryStore,
    RedisStore,
    StoreUnavailable,
    check_can_store,
)
from arauto.settings import Settings
from arauto.text.user_globs import user_may_match
from arauto.web.cookies import get_cookie
from arauto.web.forwarded import PROXIED
from arauto.web.headers import BadHeader, bearer_in, user_in
from arauto.web.responses import wants_page
from arauto.workers.rate_limits import RateLimit

COOKIE = "session"
_PROGRAM = "program:"  # before the hash of a program's token, as a visitor's key
_OPEN = ("login", "static", "healthz", "readyz")  # endpoints without a login

log = logging.getLogger("arauto")


class WrongCredentials(Exception):
    """The credentials are wrong; the text is empty."""


class Authentication:
    """Identifies the visitor of a request by session, bearer token or trusted proxy."""

    def __init__(
        self,
        settings: Settings,
        link: RedisLink,
        tokens: Tokens | None,
        audit: Audit,
        extra_tokens: RateLimit,
    ) -> None:
        """:param extra_tokens: the limit of wrong bearer tokens of visitors identified in another way."""
        self.settings = settings
        self._audit = audit
        self.tokens = tokens
        self.link = link
        store = _store(link)
        self.sessions = Sessions(store, settings.secret, settings.session_hours * 3600)
        self.attempts = LoginThrottle(store)
        self._extra_token_rate = extra_tokens

    def identify(self, request: Request) -> Visitor | None:
        """The visitor who sends ``request``; ``None``: not logged in.

        A valid bearer token takes precedence over a cookie, and a cookie over a proxy header. A wrong token
        is ignored if the visitor is identified in another way: it may be the proxy's own.

        :raise StoreUnavailable: sessions cannot be read now.
        :raise TooSoon: too many wrong tokens came from this address.
        :raise BadHeader: the header of a proxy cannot be read.
        """
        token = bearer_in(request)
        other, unknown = None, None
        try:
            other = self._of_session(get_cookie(COOKIE)) or self._proxied(request)
        except (BadHeader, StoreUnavailable) as error:
            unknown = error
        found = self._bearer(token, request.remote_addr or "", other) if token else other
        if found is None and unknown is not None:
            raise unknown
        return found

    def log_in(self, address: str, user: str, password: str) -> Session:
        """Begin a session for a Redis user, or without ``user`` for a shared token.

        :raise WrongCredentials: the user, password or token is wrong.
        :raise TooSoon: too many attempts; this one was not checked.
        :raise StoreUnavailable: sessions cannot be stored now.
        :raise redis.RedisError: Redis does not answer.
        """
        names = f"address {counted_address(address)}", f"user {user}"
        self.attempts.begin(*(names if user else names[:1]))
        if user:
            if not self.settings.redis_login or not self._is_redis_user(user, password):
                raise WrongCredentials
            session = self.sessions.begin("redis", user, password)
        else:
            name = self._shared(password)
            session = self.sessions.begin("token", name, self.sessions.sign("token", self._token(name)))
        self.attempts.succeed(*names)
        return session

    def end_session(self, visitor: Visitor) -> None:
        """End the session of a Redis user that Redis no longer accepts."""
        self.sessions.drop(visitor.key)
        self._audit.note("shut out", Actor(visitor.name, visitor.way))

    def csrf_of(self, binding: str) -> str:
        """The CSRF token of a session's key, or of a proxy's user."""
        return self.sessions.sign("csrf", binding)

    def _token(self, name: str) -> str:
        """The shared token of this name, or nothing."""
        return self.settings.token if name == SHARED else self.settings.read_token

    def _shared(self, given: str) -> str:
        name = ""
        for kind in (SHARED, SHARED_READ):
            if self._token(kind) and compare_digest(_plain(given), _plain(self._token(kind))):
                name = kind
        if not name:
            raise WrongCredentials
        return name

    def _is_redis_user(self, user: str, password: str) -> bool:
        # Both are always tried: else the time of a refusal would reveal users without a password.
        can_log_in = self.link.as_user(user, password).can_log_in()
        takes_any = self.link.as_user(user, self.sessions.sign("nobody's password", password)).can_log_in()
        if takes_any:
            log.warning("user without password user=%r", user)
        return can_log_in and not takes_any

    def _bearer(self, token: str, address: str, other: Visitor | None) -> Visitor | None:
        """The visitor of ``token``, else ``other``, identified in another way."""
        try:
            program = self.tokens.find(token) if self.tokens else None
        except TokensError:
            if other is None:
                raise
            program = None
        if program is not None:
            return self._of_program(program)
        return self._try_token(token, address) if other is None else self._try_extra_token(token, other)

    def _try_token(self, token: str, address: str) -> Visitor | None:
        names = f"bearer {counted_address(address)}"
        self.attempts.check(names)
        try:
            return self._by_shared_token(token)
        except WrongCredentials:
            self._audit.note("token refused", Actor("", "bearer", address))
            self.attempts.begin(names)
            return None

    def _try_extra_token(self, token: str, other: Visitor) -> Visitor:
        """A wrong token is ignored; after too many, none is checked for a while."""
        if self._extra_token_rate.wait(*other.rate_names):
            return other
        try:
            return self._by_shared_token(token)
        except WrongCredentials:
            self._extra_token_rate.take(*other.rate_names)
            return other

    def _by_shared_token(self, token: str) -> Visitor:
        name = self._shared(token)
        return Visitor(link=self.link, name=name, way="bearer", publishes=_publishes(name))

    def _of_program(self, token: Token) -> Visitor:
        return Visitor(
            link=self.link,
            name=token.name,
            way="bearer",
            reads=tuple(glob.encode() for glob in token.reads),
            publishes=tuple(glob.encode() for glob in token.publishes),
            until=token.until,
            key=_PROGRAM + token.digest,
        )

    def find_ended(self, keys: Iterable[str]) -> set[str]:
        """Keys of visitors that may no longer be logged in; without those for which that is unknown now."""
        wanted = set(keys)
        sessions = {key for key in wanted if key.startswith(SESSION)}
        digests = [key.removeprefix(_PROGRAM) for key in wanted if key.startswith(_PROGRAM)]
        ended: set[str] = set()
        with suppress(StoreUnavailable):
            ended |= self.sessions.find_ended(sessions)
        with suppress(TokensError):
            ended |= {
                _PROGRAM + digest for digest in (self.tokens.find_ended(digests) if self.tokens else ())
            }
        return ended

    def _of_session(self, id: str) -> Visitor | None:
        """The visitor of a session; ``None``: none, or its shared token was changed."""
        session = self.sessions.find(id)
        if session is None:
            return None
        common: dict[str, Any] = {
            "name": session.name,
            "way": session.way,
            "until": session.until,
            "key": session.key,
            "csrf": self.csrf_of(session.key),
        }
        if session.way == "redis":
            return Visitor(link=self.link.as_user(session.name, session.secret), **common)
        token = self._token(session.name)
        if not token or not self.sessions.is_signature(session.secret, "token", token):
            return None
        return Visitor(link=self.link, publishes=_publishes(session.name), **common)

    def _proxied(self, request: Request) -> Visitor | None:
        if not self.settings.proxy_user or PROXIED not in request.environ:
            return None
        name = user_in(request, self.settings.proxy_user)
        if not name:
            return None
        reads_only = user_may_match(name, self.settings.proxy_readers)
        # A proxy does not report logouts, so open sockets are closed after some hours.
        until = time() + self.settings.session_hours * 3600
        return Visitor(
            link=self.link,
            name=name,
            way="proxy",
            publishes=() if reads_only else ALL,
            until=until,
            key=f"proxy:{name} {until}",
            csrf=self.csrf_of(f"proxy {name}"),
        )


def _plain(token: str) -> bytes:
    """The same bytes in whichever Unicode form the token was typed."""
    return normalize("NFC", token).encode("utf-8", "surrogatepass")


def _publishes(name: str) -> Globs:
    return () if name == SHARED_READ else ALL


def _store(link: RedisLink) -> ExpiringStore:
    """Sessions are for all processes, so they are in Redis; or without permission for that, in this process.

    At start it was checked that there is only one process then.
    """
    try:
        check_can_store(link)
    except CannotStore:
        return MemoryStore()
    except redis.RedisError:
        pass  # it may come back
    return RedisStore(link)


def init_authentication(app: Flask, authentication: Authentication) -> None:
    """Require a login of every request, except to open endpoints."""
    app.before_request(lambda: _require_login(authentication))
    app.before_request(_check_csrf)
    app.teardown_request(_close)


def _require_login(authentication: Authentication) -> Any:
    if request.endpoint in _OPEN:
        return None
    try:
        found = authentication.identify(request)
    except TooSoon as error:
        raise too_soon(error) from None
    if found is not None:
        g.visitor = found
        return None
    if request.method in SAFE_METHODS and wants_page():
        here = request.full_path.rstrip("?")
        return redirect(url_for("login") + ("" if here == "/" else "?" + urlencode({"next": here})), 303)
    raise not_logged_in()


def not_logged_in() -> HTTPException:
    """401, for programs and for the page's script."""
    return Unauthorized(
        gettext("You are not logged in: log in, or send a token as Authorization: Bearer."),
        www_authenticate=WWWAuthenticate("bearer", {"realm": "arauto"}),
    )


def _check_csrf() -> None:
    """A browser sends its cookie with every request; only our own pages know the CSRF token."""
    visitor = current_visitor()
    if not visitor.csrf or request.method in SAFE_METHODS:
        return
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    if not compare_digest(given.encode(), visitor.csrf.encode()):
        abort(403, gettext("This page is older than your login: reload it. Nothing was done."))


def _close(error: BaseException | None) -> None:
    found: Visitor | None = g.get("visitor")
    if found is not None and found.redis_user:
        found.link.close()


def too_soon(error: TooSoon) -> HTTPException:
    """429, with the seconds."""
    seconds = int(error.seconds) + 1
    sentence = ngettext(
        "Too many attempts: try again in %(num)s second.",
        "Too many attempts: try again in %(num)s seconds.",
        seconds,
    )
    return TooManyRequests(sentence, retry_after=seconds)
