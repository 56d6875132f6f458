"""/tokens: list, create and revoke API tokens."""

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

from arauto.auth.api_tokens import DAY, MAX_NAME, NameTaken, NoToken, Tokens, is_valid_name
from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import check_redis_user
from arauto.auth.visitor import SHARED, Visitor, current_visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.validation import MAX_SELECTION, BadSelection, check_name
from arauto.refusal import Refusal
from arauto.settings import Settings
from arauto.text.cleanup import trimmed
from arauto.text.user_globs import user_matches
from arauto.web.locale import switch

DAYS = (7, 30, 90, 365)  # that a token can be made for
USUAL_DAYS = 90


class BadToken(Refusal):
    """The form for a token is not valid; the text is a sentence to be shown."""


def init_api_tokens(app: Flask, settings: Settings, tokens: Tokens, audit: Audit) -> None:
    """Add the pages."""

    @app.route("/tokens", endpoint="tokens", methods=["GET", "POST"])
    def show_or_create() -> BaseResponse:
        if request.method != "POST" and (switched := switch()) is not None:
            return switched
        _check_may_create(settings)
        return _create(tokens, audit) if request.method == "POST" else _page(tokens)

    @app.post("/tokens/revoke")
    def revoke() -> BaseResponse:
        _check_may_create(settings)
        name = request.form.get("name", "")
        try:
            tokens.revoke(name)
            audit.note("token revoked", Actor.of(current_visitor()), token=name)
        except NoToken:
            pass  # it was revoked meanwhile
        return redirect(url_for("tokens"), 303)


def may_create_tokens(visitor: Visitor, settings: Settings) -> bool:
    """Whether this visitor may use the page: it has the shared token, or a setting names it."""
    if not settings.tokens or not visitor.csrf:  # not for visitors with an API token
        return False
    if visitor.way == "token":
        return visitor.name == SHARED
    return user_matches(visitor.name, settings.token_makers)


def _check_may_create(settings: Settings) -> None:
    visitor = current_visitor()
    if not may_create_tokens(visitor, settings):
        abort(403, gettext("You may not create tokens: ARAUTO_TOKEN_MAKERS names who may."))
    check_redis_user(visitor)


def _create(tokens: Tokens, audit: Audit) -> Response:
    try:
        name, reads, publishes, days = _read()
        token = tokens.create(name, reads, publishes, time() + days * DAY)
    except (BadToken, BadSelection) as error:
        return _page(tokens, 400, str(error))
    except NameTaken:
        sentence = gettext("There is a token of this name: revoke it first, or choose another name.")
        return _page(tokens, 409, sentence)
    audit.note("token made", Actor.of(current_visitor()), token=name)
    return _page(tokens, made=name, token=token)


def _read() -> tuple[str, list[str], list[str], int]:
    name = request.form.get("name", "").strip()
    if not is_valid_name(name):
        raise BadToken(gettext("A name has 1 to %(n)s bytes and no control characters.", n=MAX_NAME))
    reads, publishes = _globs("reads"), _globs("publishes")
    if not reads and not publishes:
        raise BadToken(gettext("Say what the token may subscribe or publish to, such as news.*"))
    days = request.form.get("days", "")
    if days not in map(str, DAYS):
        raise BadToken(gettext("Choose for how long the token is valid."))
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
        csrf=current_visitor().csrf,
        day=_day,
        days=DAYS,
        usual_days=str(USUAL_DAYS),
    )
    return make_response(page, status)


def _day(moment: datetime) -> str:
    return str(format_date(moment, "medium"))
