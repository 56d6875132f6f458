"""/login, /logout and /account."""

import secrets

from flask import (
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from arauto.auth.audit import Actor, Audit
from arauto.auth.authentication import COOKIE, Authentication, WrongCredentials, too_soon
from arauto.auth.login_throttle import TooSoon
from arauto.auth.visitor import current_visitor, display_name
from arauto.i18n.gettext import gettext
from arauto.text.cleanup import trimmed
from arauto.views.api_tokens import may_create_tokens
from arauto.web.cookies import delete_cookie, get_cookie, set_cookie
from arauto.web.locale import switch

FORM_COOKIE = "login"  # the login form's CSRF token is made from it
MAX_FIELD = 1024  # characters of a user, a password, a token


def init_login(app: Flask, authentication: Authentication, audit: Audit) -> None:
    """Add the pages."""

    @app.route("/login", methods=["GET", "POST"])
    def login() -> BaseResponse:
        if request.method == "POST":
            return _log_in(authentication, audit)
        return switch() or _form(authentication)

    @app.get("/account")
    def account() -> BaseResponse:
        return switch() or _account(authentication)

    @app.post("/logout")
    def logout() -> BaseResponse:
        return _log_out(authentication, audit)


def _log_in(authentication: Authentication, audit: Audit) -> BaseResponse:
    user, password = request.form.get("user", "").strip(), request.form.get("password", "")
    if not user:  # a token is pasted, so trim it; not a password
        password = trimmed(password)
    address = request.remote_addr or ""
    nobody = Actor("", "redis" if user else "token", address)
    nonce = get_cookie(FORM_COOKIE)
    if not nonce or not authentication.sessions.is_signature(request.form.get("csrf", ""), "login", nonce):
        return _form(
            authentication, gettext("The form has expired: try again. Cookies must be allowed."), 403
        )
    try:
        if not password or len(user) > MAX_FIELD or len(password) > MAX_FIELD:
            raise WrongCredentials
        session = authentication.log_in(address, user, password)
    except WrongCredentials:
        audit.note("login refused", nobody)  # no name: it may be a password
        return _form(authentication, _wrong(user), 401)
    except TooSoon as error:
        audit.note("login delayed", nobody)
        return _form(authentication, too_soon(error).description or "", 429, int(error.seconds) + 1)
    audit.note("login", Actor(session.name, session.way, address))
    response = redirect(request.script_root + _inside(request.form.get("next", "")), 303)
    _end_old_session(authentication)
    set_cookie(response, COOKIE, session.id, expires=session.until)
    return response


def _wrong(user: str) -> str:
    if user:
        return gettext("Wrong user or password.")
    return gettext("Wrong token.")


def _form(
    authentication: Authentication, sentence: str = "", status: int = 200, retry_after: int = 0
) -> Response:
    nonce = get_cookie(FORM_COOKIE) or secrets.token_urlsafe(16)
    settings = authentication.settings
    page = render_template(
        "login.html",
        sentence=sentence,
        csrf=authentication.sessions.sign("login", nonce),
        next=_inside(request.values.get("next", "")),
        user=request.form.get("user", ""),
        by_token=bool(settings.token or settings.read_token),
        by_redis=settings.redis_login,
        by_proxy=bool(settings.proxy_user),
    )
    response = make_response(page, status)
    set_cookie(response, FORM_COOKIE, nonce)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _inside(address: str) -> str:
    """``address`` if it is a page of ours, else the start page."""
    # A browser reads a backslash as a slash, and two slashes as the name of another server.
    is_ours = address.startswith("/") and address.isprintable() and address[1:2] not in ("/", "\\")
    return address if is_ours else "/"


def _account(authentication: Authentication) -> BaseResponse:
    visitor = current_visitor()
    page = render_template(
        "account.html",
        visitor=visitor,
        name=display_name(visitor),
        makes_tokens=may_create_tokens(visitor, authentication.settings),
    )
    return make_response(page)


def _log_out(authentication: Authentication, audit: Audit) -> BaseResponse:
    session = authentication.sessions.find(get_cookie(COOKIE))
    if session is None:
        abort(400, gettext("There is no session to end: log out where you have logged in."))
    if request.form.get("everywhere"):
        authentication.sessions.end_all(session)
    else:
        authentication.sessions.end(session)
    event = "logout everywhere" if request.form.get("everywhere") else "logout"
    audit.note(event, Actor(session.name, session.way, request.remote_addr or ""))
    response = redirect(url_for("login"), 303)
    delete_cookie(response, COOKIE)
    return response


def _end_old_session(authentication: Authentication) -> None:
    """A new login ends the session before it."""
    if old := authentication.sessions.find(get_cookie(COOKIE)):
        authentication.sessions.end(old)
