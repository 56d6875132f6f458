"""The page of tokens for programs: who may sees them, makes one, revokes one."""

from datetime import datetime
from time import time

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
from flask_babel import format_date
from werkzeug.wrappers import Response as BaseResponse

from arauto.auth.api_tokens import DAY, MAX_NAME, NameTaken, NoToken, Tokens, is_name
from arauto.auth.audit import Audit, Who
from arauto.auth.permissions import check_let_in
from arauto.auth.visitor import SHARED, Visitor, visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.validation import MAX_SELECTION, BadSelection, check_name
from arauto.refusal import Refusal
from arauto.settings import Settings
from arauto.text.cleanup import trimmed
from arauto.text.user_globs import is_named
from arauto.web.locale import switch

DAYS = (7, 30, 90, 365)  # that a token can be made for
USUAL_DAYS = 90


class BadToken(Refusal):
    """A token that cannot be made so; the text is a sentence for people."""


def init_api_tokens(app: Flask, settings: Settings, tokens: Tokens, audit: Audit) -> None:
    """Add the pages."""

    @app.route("/tokens", endpoint="tokens", methods=["GET", "POST"])
    def show_or_make() -> BaseResponse:
        if request.method != "POST" and (switched := switch()) is not None:
            return switched
        _admit(settings)
        return _make(tokens, audit) if request.method == "POST" else _page(tokens)

    @app.post("/tokens/revoke")
    def revoke() -> BaseResponse:
        _admit(settings)
        name = request.form.get("name", "")
        try:
            tokens.revoke(name)
            audit.note("token revoked", Who.of(visitor()), token=name)
        except NoToken:
            pass  # somebody was quicker
        return redirect(url_for("tokens"), 303)


def may_make(asked: Visitor, settings: Settings) -> bool:
    """Whether the page is for this visitor: it has the shared token, or a setting names it."""
    if not settings.tokens or not asked.csrf:  # a program makes no others
        return False
    if asked.way == "token":
        return asked.name == SHARED
    return is_named(asked.name, settings.token_makers)


def _admit(settings: Settings) -> None:
    asked = visitor()
    if not may_make(asked, settings):
        abort(403, gettext("You may not make tokens: ARAUTO_TOKEN_MAKERS names who may."))
    check_let_in(asked)


def _make(tokens: Tokens, audit: Audit) -> Response:
    try:
        name, reads, publishes, days = _read()
        token = tokens.create(name, reads, publishes, time() + days * DAY)
    except (BadToken, BadSelection) as error:
        return _page(tokens, 400, str(error))
    except NameTaken:
        sentence = gettext("There is a token of this name: revoke it first, or choose another name.")
        return _page(tokens, 409, sentence)
    audit.note("token made", Who.of(visitor()), token=name)
    return _page(tokens, made=name, token=token)


def _read() -> tuple[str, list[str], list[str], int]:
    name = request.form.get("name", "").strip()
    if not is_name(name):
        raise BadToken(gettext("A name has 1 to %(n)s bytes and no control characters.", n=MAX_NAME))
    reads, publishes = _globs("reads"), _globs("publishes")
    if not reads and not publishes:
        raise BadToken(gettext("Say what the token may subscribe or publish to, such as news.*"))
    days = request.form.get("days", "")
    if days not in map(str, DAYS):
        raise BadToken(gettext("Choose for how long the token works."))
    return name, reads, publishes, int(days)


def _globs(field: str) -> list[str]:
    globs = [*filter(None, map(trimmed, request.form.get(field, "").split(",")))]
    if len(globs) > MAX_SELECTION:
        raise BadToken(gettext("Give at most %(n)s channels.", n=MAX_SELECTION))
    for glob in globs:
        check_name(glob)
    return globs


def _page(tokens: Tokens, status: int = 200, sentence: str = "", made: str = "", token: str = "") -> Response:
    page = render_template(
        "tokens.html",
        sentence=sentence,
        made=made,
        token=token,
        tokens=tokens.list(),
        given={} if token else request.form,
        csrf=visitor().csrf,
        day=_day,
        days=DAYS,
        usual_days=str(USUAL_DAYS),
    )
    return make_response(page, status)


def _day(moment: datetime) -> str:
    return str(format_date(moment, "medium"))
