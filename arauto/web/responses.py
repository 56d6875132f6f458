"""Responses: JSON for programs, a page for browsers, also for errors."""

import logging

import redis
from flask import Flask, Response, jsonify, make_response, render_template, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)
from werkzeug.wrappers import Response as BaseResponse

from arauto.i18n.gettext import gettext
from arauto.redis_io.expiring_store import StoreUnavailable
from arauto.refusal import Refusal
from arauto.system.resource_errors import sentence

RETRY_AFTER = 10  # seconds, if the server is full or short of resources

log = logging.getLogger("arauto")


def init_answers(app: Flask) -> None:
    """Give every error one shape: ``{"error": "A sentence."}`` or a page."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ParseException, _broken_body)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(redis.RedisError, _redis_away)
    app.register_error_handler(StoreUnavailable, _redis_away)
    app.register_error_handler(Exception, _fault)


def answer(status: int, title: str, sentence: str, body: dict[str, object]) -> Response:
    """``body`` as JSON, or a page with ``title`` and ``sentence`` for a browser."""
    if wants_page():
        typed = _typed() if status >= 400 else ""
        page = render_template("answer.html", title=title, sentence=sentence, typed=typed)
        return make_response(page, status)
    return make_response(jsonify(body), status)


def wants_page() -> bool:
    """Whether the client prefers HTML to JSON, as browsers do for a page and a form."""
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return best == "text/html" and "text/html" in request.headers.get("Accept", "")


def _typed() -> str:
    """The message of a form sent without scripts, so that an error page can show it again."""
    try:
        return request.form.get("message", "")
    except (HTTPException, ParseException):
        return ""  # the body cannot be parsed


def _http_error(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < 400:
        return error.get_response()  # a redirect
    response = _error(error.code, _sentence(error))
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _refusal(error: Refusal) -> BaseResponse:
    response = _error(error.status, str(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = error.retry_after
    return response


def _redis_away(error: Exception) -> BaseResponse:
    if isinstance(error, redis.ResponseError):  # an error that no view handles
        log.warning("unexpected reply from Redis path=%r why=%r", request.path, str(error))
    response = _error(503, gettext("Redis does not answer."))
    if not isinstance(error, redis.AuthenticationError):  # a retry would not help
        response.headers["Retry-After"] = 1
    return response


def _error(status: int, sentence: str) -> Response:
    return answer(status, gettext("Error %(status)s", status=status), sentence, {"error": sentence})


def _sentence(error: HTTPException) -> str:
    """The error's own sentence; else one for its status."""
    if error.description and error.description != type(error).description:
        return error.description
    if isinstance(error, NotFound):
        return gettext("There is nothing at this address: go to the start page.")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return gettext(
            "This address does not take %(method)s: use %(allowed)s.", method=request.method, allowed=allowed
        )
    if isinstance(error, RequestEntityTooLarge):
        return gettext("The request is too large: nothing was published.")
    return gettext("The request cannot be understood.")


def _broken_body(error: Exception) -> BaseResponse:
    """Handle broken chunks of a body, which are parsed only when it is read."""
    return _http_error(BadRequest(gettext("The request cannot be understood.")))


def _fault(error: Exception) -> BaseResponse:
    if why := sentence(error):
        log.warning("request refused method=%s path=%r why=%r", request.method, request.path, why)
        refusal = gettext("The server is short of memory, threads or files: try again in a moment.")
        return make_response(
            jsonify(error=refusal), 503, {"Retry-After": RETRY_AFTER}
        )  # not a page, which needs a file
    log.exception("request failed method=%s path=%r", request.method, request.path)
    return _http_error(InternalServerError(gettext("Internal error. See the server log.")))
