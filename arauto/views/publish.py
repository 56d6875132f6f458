"""POST /publish: publishes a message to a channel or a sharded channel, from a form or JSON.

With a topic, it is for Kafka: see :mod:`arauto.views.produce`.
"""

from collections.abc import Callable, Mapping
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

_KINDS = ("channel", "shard", "topic")
_OF_TOPIC = ("key", "headers", "partition", "tombstone")


def init_publish(
    app: Flask,
    settings: Settings,
    source: Source,
    rate: RateGuard,
    permissions: Permissions,
    audit: Audit,
    produce: Callable[[Mapping[str, Any]], Response] | None,
) -> None:
    """Add the route.

    :param produce: handles a message to a topic; ``None``: there is no Kafka.
    """

    @app.post("/publish")
    def publish_message() -> Response:
        rate.check(current_visitor())
        given = _read_fields()
        kind = _read_kind(given)
        if kind == "topic":
            if produce is None:
                abort(400, gettext("There is no Kafka here: set KAFKA_URL. Nothing was published."))
            return produce(given)
        try:
            channel, message = _read(settings, given, kind)
            is_sharded = kind == "shard"
            permissions.check_publishing(current_visitor(), channel, is_sharded)
            receipt = source.publish(current_visitor(), channel, message, is_sharded)
        except (NoRight, PublishError):
            note(audit, "publish refused", kind, channel, message)
            raise
        note(audit, "published", kind, channel, message)
        body = {kind: channel.decode(), "receivers": receipt.receivers, "tabs": receipt.tabs}
        if receipt.is_at_least:
            body["at_least"] = True
        if receipt.is_promised:
            body["recorded"] = True
        elif receipt.unrecorded:
            body["unrecorded"] = receipt.unrecorded
        return answer(200, gettext("Published"), _sentence(receipt), body)


def note(audit: Audit, event: str, kind: str, channel: bytes, message: bytes) -> None:
    """Audit a message, if visitors have names or the audit trail has a channel."""
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


def _read_fields() -> Mapping[str, Any]:
    """The fields of a publish request, from JSON or a form."""
    if request.is_json:
        given = read_json()
        if not isinstance(given, dict):
            abort(400, gettext('The body must be a JSON object: {"channel": "news", "message": "hello"}'))
        return given
    if request.mimetype in ("", "application/x-www-form-urlencoded", "multipart/form-data"):
        return request.form
    raise UnsupportedMediaType(gettext("Send a form or JSON."))


def _read_kind(given: Mapping[str, Any]) -> str:
    """``channel``, ``shard`` or ``topic``; aborts if that is not clear."""
    named = [name for name in _KINDS if name in given] or ["channel"]
    if len(named) > 1:
        abort(400, gettext("Give one of channel, shard and topic: nothing was published."))
    # A form cannot rename its field without scripts, so it has another field for the kind.
    kind = given.get("kind")
    if kind in (None, ""):
        return named[0]
    if kind not in (("channel", "shard") if named == ["channel"] else named):
        abort(
            400,
            gettext(
                "kind says what channel names: channel or shard. Beside shard or topic leave it out."
                " Nothing was published."
            ),
        )
    return str(kind)


def _read(settings: Settings, given: Mapping[str, Any], kind: str) -> tuple[bytes, bytes]:
    """The name of the channel, and the message.

    :raise BadSelection: the channel cannot be used.
    """
    if any(given.get(name) not in (None, "", []) for name in _OF_TOPIC):
        abort(
            400,
            gettext(
                "Only a message to a topic has a key, headers or a partition, or is a tombstone:"
                " leave them out, or give topic."
                " Nothing was published."
            ),
        )
    name = read_text(given, kind if kind in given else "channel")
    channel = check_shard(name) if kind == "shard" else check_name(name)
    message = read_message(settings, given)
    check_confirmed(settings, given, channel)
    return channel, message


def read_message(settings: Settings, given: Mapping[str, Any]) -> bytes:
    """The message; aborts if it is missing or too large."""
    if "message" not in given:
        abort(400, gettext("Message is required; it may be empty."))
    message = read_text(given, "message").encode()
    newlines = given.get("newlines", "")
    if newlines not in ("", "lf"):
        abort(400, gettext("newlines is lf, or left out: nothing was published."))
    if newlines:  # our page without its scripts: a browser sends every line end as CRLF
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
    return message


def check_confirmed(settings: Settings, given: Mapping[str, Any], channel: bytes) -> None:
    """Abort if the channel is protected and the request is not confirmed."""
    confirmed = str(given.get("confirmed")).lower() in ("1", "true")
    if not confirmed and any(matches(glob, channel) for glob in settings.protected):
        abort(
            409, gettext("The channel is protected: send confirmed=1 if you mean it. Nothing was published.")
        )


def read_text(given: Mapping[str, Any], name: str) -> str:
    """A text field; empty if it is missing."""
    value = given.get(name, "")
    if not isinstance(value, str):
        abort(400, gettext("Channel and message must be text."))
    return value
