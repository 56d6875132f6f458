"""POST /publish: a channel, or a sharded one, and a message, as a form or as JSON."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, abort, request
from werkzeug.exceptions import UnsupportedMediaType

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight, Permissions
from arauto.auth.request_guards import RateGuard
from arauto.auth.visitor import current_visitor
from arauto.i18n.gettext import gettext, ngettext
from arauto.protocol.validation import check_name, check_shard
from arauto.settings import Settings
from arauto.sources.source import PublishError, Receipt, Source
from arauto.text.glob import matches
from arauto.web.request_encoding import read_json
from arauto.web.responses import answer


def init_publish(
    app: Flask, settings: Settings, source: Source, rate: RateGuard, permissions: Permissions, audit: Audit
) -> None:
    """Add the route."""

    @app.post("/publish")
    def publish_message() -> Response:
        rate.check(current_visitor())
        try:
            kind, channel, message = _read(settings)
            is_sharded = kind == "shard"
            permissions.check_publishing(current_visitor(), channel, is_sharded)
            receipt = source.publish(current_visitor(), channel, message, is_sharded)
        except (NoRight, PublishError):
            _note(audit, "publish refused", kind, channel, message)
            raise
        _note(audit, "published", kind, channel, message)
        body = {kind: channel.decode(), "receivers": receipt.receivers, "tabs": receipt.tabs}
        if receipt.is_at_least:
            body["at_least"] = True
        if receipt.is_promised:
            body["recorded"] = True
        elif receipt.unrecorded:
            body["unrecorded"] = receipt.unrecorded
        return answer(200, gettext("Published"), _sentence(receipt), body)


def _note(audit: Audit, event: str, kind: str, channel: bytes, message: bytes) -> None:
    """Where people have names, or where the audit has a channel."""
    if current_visitor().name or audit.channel:
        facts: dict[str, str | int] = {kind: channel.decode(), "bytes": len(message)}
        audit.note(event, Actor.of(current_visitor()), content=message.decode(), **facts)


def _sentence(receipt: Receipt) -> str:
    if receipt.is_at_least and not receipt.receivers:
        return gettext("Nobody was counted, but not all of the cluster could be.")
    if receipt.is_at_least:
        return ngettext(
            "At least %(num)s subscriber received it.",
            "At least %(num)s subscribers received it.",
            receipt.receivers,
        )
    if receipt.receivers or receipt.is_promised:
        return ngettext(
            "%(num)s subscriber received it.", "%(num)s subscribers received it.", receipt.receivers
        )
    return gettext("Nobody was listening: this message is gone.")


def _read(settings: Settings) -> tuple[str, bytes, bytes]:
    """``channel`` or ``shard``, its name, and the message of a publish request, from JSON or a form.

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
    kind, channel = _read_name(given)
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
    return kind, channel, message


def _read_name(given: Mapping[str, Any]) -> tuple[str, bytes]:
    # A form cannot change the name of its field without scripts, so it says beside it of which kind that is.
    kind = "shard" if "shard" in given or given.get("kind") == "shard" else "channel"
    if "shard" in given and "channel" in given:
        abort(400, gettext("Give a channel or a shard, not both: nothing was published."))
    name = _text(given, "shard" if "shard" in given else "channel")
    return kind, check_shard(name) if kind == "shard" else check_name(name)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        abort(400, gettext("Channel and message must be text."))
    return value
