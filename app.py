"""Arauto's Flask application: :func:`create_app`, and ``app`` for gunicorn and flask."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from arauto.assets.serve import init_assets
from arauto.auth.audit import Audit, Who, audit
from arauto.auth.permissions import NoRight, check_publishing
from arauto.auth.request_guards import check_rate, init_guards
from arauto.auth.visitor import Visitor, visitor
from arauto.cli.token_commands import init_token_commands
from arauto.feed.session import Feeds, init_feed
from arauto.i18n.gettext import gettext, ngettext
from arauto.protocol.validation import ChannelName, check_name
from arauto.recording.recorded_channels import Recording
from arauto.recording.recorder_thread import RecorderThread
from arauto.recording.shared_queries import SharedQueries
from arauto.redis_io import embedded
from arauto.redis_io.channel_list import list_channels
from arauto.redis_io.connection import RedisLink, Tls
from arauto.server import bind_policy
from arauto.server.shared_state import SharedState
from arauto.settings import Settings, SettingsError, read
from arauto.system.concurrency import find_addresses_at_once
from arauto.system.timer_wheel import TimerWheel
from arauto.text.glob import matches
from arauto.views.history import init_history
from arauto.views.page import init_page
from arauto.views.publish import Heard, PublishError, publish
from arauto.views.recording import init_recording
from arauto.web import locale
from arauto.web.forwarded import Proxies
from arauto.web.request_encoding import init_request_encoding, read_json
from arauto.web.responses import answer, init_answers
from arauto.workers.drain import Drain
from arauto.workers.rate_limits import RateLimit

BODY_FACTOR = 6  # JSON may write one byte of a message as six, "\u0001"
BODY_EXTRA = 65536  # bytes for the channel, the field names and multipart boundaries


def create_app(settings: Settings | None = None, shared: SharedState | None = None) -> Flask:
    """Wire the application: settings, Redis, guards, routes, error answers.

    :param settings: what to use instead of the environment.
    :param shared: what a server with several processes has made for all of them.
    :raise SystemExit: a setting or the Redis cannot be used; carries the sentence why.
    """
    try:
        settings = settings or read(os.environ)
        shared = shared or SharedState.for_one_process(settings, _host())
    except (SettingsError, bind_policy.Exposed, embedded.NoRedis) as error:
        raise SystemExit(str(error)) from None
    find_addresses_at_once()
    settings = replace(
        settings, token=settings.token or shared.token, secret=settings.secret or shared.secret
    )
    link = RedisLink(shared.found.url, Tls.of(settings))
    app = Flask(__name__)
    app.config["SETTINGS"] = settings
    app.config["MAX_CONTENT_LENGTH"] = BODY_FACTOR * settings.max_message + BODY_EXTRA
    app.config["MAX_FORM_MEMORY_SIZE"] = app.config["MAX_CONTENT_LENGTH"]
    app.url_map.merge_slashes = False  # a channel's name may have two in a row
    app.url_map.converters["channel"] = ChannelName
    app.json.sort_keys = False  # type: ignore[attr-defined]
    locale.init_language(app)
    if settings.proxies:
        app.wsgi_app = Proxies(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]
    init_request_encoding(app)  # before all others, which may answer with a page
    init_guards(app)
    init_answers(app)
    app.extensions["visitor"] = Visitor(link=link)
    app.extensions["audit"] = Audit(link, settings)
    init_token_commands(app, settings.tokens)
    rates = shared.rates
    if settings.has_login:
        _add_doors(app, settings, link, rates.beside)
    init_assets(app, shared.assets)
    recording = Recording(link, settings)
    drain, watch, timers = Drain(shared.worker_states), app.extensions.get("watch"), TimerWheel()
    recorder = None
    if recording.is_allowed:
        recorder = RecorderThread(recording, timers, lambda: feeds.reconcile(), shared.worker_states)
    app.extensions["recorder"] = recorder
    queries = SharedQueries(recording, timers, recorder.why_not if recorder else lambda channel: "")
    feeds = Feeds(
        queries, shared.capacity, rates.connect, settings.max_message, settings.heartbeat, drain, watch
    )
    init_feed(app, feeds)
    init_history(app, recording)
    init_recording(app, recording, recorder, rates.publish)
    init_page(app, settings, shared.found)
    _add_routes(app, settings, recording, rates.publish)
    return app


def _host() -> str:
    """What Flask's own server listens on, where that is what runs."""
    running = click.get_current_context(silent=True)
    return (running and running.params.get("host")) or "127.0.0.1"


def _add_doors(app: Flask, settings: Settings, link: RedisLink, beside: RateLimit) -> None:
    from arauto.auth.authentication import (
        init_authentication,  # not above: their cryptography takes memory, even unused
    )
    from arauto.views.api_tokens import init_api_tokens
    from arauto.views.login import init_login

    init_authentication(app, settings, link, beside)
    init_login(app)
    if settings.tokens:
        init_api_tokens(app)


def _add_routes(app: Flask, settings: Settings, recording: Recording, rate: RateLimit) -> None:
    link = recording.link

    @app.post("/publish")
    def publish_message() -> Response:
        check_rate(rate, visitor())
        try:
            channel, message = _read_publication(settings)
            asked = visitor()
            check_publishing(asked, channel)
            heard = publish(recording, channel, message, asked)
        except (NoRight, PublishError):
            _note("publish refused", channel, message)
            raise
        _note("published", channel, message)
        body = {"channel": channel.decode(), "receivers": heard.receivers, "tabs": heard.tabs}
        if heard.is_promised:
            body["recorded"] = True
        elif heard.unrecorded:
            body["unrecorded"] = heard.unrecorded
        return answer(200, gettext("Published"), _told(heard), body)

    @app.get("/channels")
    def channels() -> Response:
        wanted = check_name(request.args.get("match") or "*")
        return jsonify(list_channels(visitor().link, wanted, visitor().may_read))

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @app.get("/readyz")
    def readyz() -> Response:
        link.client.ping()
        return jsonify(status="ready")


def _note(event: str, channel: bytes, message: bytes) -> None:
    """For the audit: where people have names, or where it is asked for."""
    asked = visitor()
    if asked.name or audit().channel:
        facts: dict[str, str | int] = {"channel": channel.decode(), "bytes": len(message)}
        audit().note(event, Who.of(asked), content=message.decode(), **facts)


def _told(heard: Heard) -> str:
    if heard.receivers or heard.is_promised:
        return ngettext(
            "%(num)s subscriber received it.", "%(num)s subscribers received it.", heard.receivers
        )
    return gettext("Nobody was listening: this message is gone.")


def _read_publication(settings: Settings) -> tuple[bytes, bytes]:
    """Channel and message of a publish request, from JSON or a form.

    :raise BadSelection: the channel cannot be used.
    """
    if request.is_json:
        given = read_json()
        if not isinstance(given, dict):
            abort(400, gettext('The body must be a JSON object: {"channel": "news", "message": "hello"}'))
    elif request.mimetype in ("", "application/x-www-form-urlencoded", "multipart/form-data"):
        given = request.form
    else:
        raise UnsupportedMediaType(gettext("Send a form or JSON."))
    channel = check_name(_text(given, "channel"))
    if "message" not in given:
        abort(400, gettext("Message is required; it may be empty."))
    message = _text(given, "message").encode()
    if given.get("newlines") == "lf":  # our page without its scripts: a browser sends every line end as CRLF
        message = message.replace(b"\r\n", b"\n")
    if len(message) > settings.max_message:
        abort(
            413,
            gettext(
                "The message has %(size)s bytes, more than the %(limit)s allowed: nothing was published.",
                size=len(message),
                limit=settings.max_message,
            ),
        )
    confirmed = str(given.get("confirmed")).lower() in ("1", "true")
    if not confirmed and any(matches(glob, channel) for glob in settings.protected):
        abort(
            409, gettext("The channel is protected: send confirmed=1 if you mean it. Nothing was published.")
        )
    return channel, message


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        abort(400, gettext("Channel and message must be text."))
    return value


def __getattr__(name: str) -> Flask:
    # ``app`` is made when a server asks for it, so that importing create_app() has no effect.
    if name != "app":
        raise AttributeError(name)
    from arauto.server.hooks import master

    globals()["app"] = create_app(shared=master.made)
    return globals()["app"]  # type: ignore[no-any-return]


if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "app:app"])  # noqa: S606 - no shell is wanted
