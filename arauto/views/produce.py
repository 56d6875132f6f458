"""POST /publish with a topic: produces a message to Kafka, with its key, headers and partition."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from flask import Response, abort

from arauto.auth.audit import Audit
from arauto.auth.permissions import NoRight, Permissions
from arauto.auth.visitor import current_visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.topics import Headers, Outgoing, channel_of, check_topic, read_partition
from arauto.settings import Settings
from arauto.sources.kafka_source import KafkaSource, TopicReceipt
from arauto.sources.source import PublishError
from arauto.views.publish import check_confirmed, note, read_message
from arauto.web.responses import answer

KIND = "topic"

Produce = Callable[[Mapping[str, Any]], Response]
"""Handles the fields of a publish request."""


def make_produce(settings: Settings, kafka: KafkaSource, permissions: Permissions, audit: Audit) -> Produce:
    """Make the handler for :func:`~arauto.views.publish.init_publish`."""

    def produce(given: Mapping[str, Any]) -> Response:
        topic = check_topic(_text(given, "topic"))
        message = _read(settings, given)
        check_confirmed(settings, given, channel_of(topic))
        try:
            permissions.check_producing(current_visitor(), channel_of(topic))
            receipt = kafka.publish(topic, message)
        except (NoRight, PublishError):
            note(audit, "publish refused", KIND, topic.encode(), message.data or b"")
            raise
        note(audit, "published", KIND, topic.encode(), message.data or b"")
        sentence = gettext(
            "Kafka has it: partition %(partition)s, offset %(offset)s.",
            partition=receipt.partition,
            offset=receipt.offset,
        )
        return answer(200, gettext("Published"), sentence, _body(topic, receipt))

    return produce


def _body(topic: str, receipt: TopicReceipt) -> dict[str, Any]:
    body: dict[str, Any] = {"topic": topic, "partition": receipt.partition, "offset": receipt.offset}
    if receipt.ms is not None:
        body["at"] = receipt.ms / 1000
    if (kept := receipt.retention) is not None:
        body["cleanup"] = kept.cleanup
        has_end = kept.ms is not None and receipt.ms is not None
        body["kept_until"] = ((receipt.ms or 0) + (kept.ms or 0)) / 1000 if has_end else None
        if kept.size is not None:
            body["kept_bytes"] = kept.size
    return body


def _read(settings: Settings, given: Mapping[str, Any]) -> Outgoing:
    is_empty = _is_tombstone(given) or given.get("message", "") is None
    data = None if is_empty else read_message(settings, given)
    key = None if given.get("key") is None else _text(given, "key").encode()
    partition = given.get("partition")
    return Outgoing(
        data,
        key,
        _headers(given.get("headers")),
        None if partition in (None, "") else read_partition(str(partition)),
    )


def _is_tombstone(given: Mapping[str, Any]) -> bool:
    """Whether there is no message: a form has no ``null``, so it has a field for that."""
    value = given.get("tombstone")
    if value not in (None, "", "1", True, False):
        abort(400, gettext("tombstone is 1, or left out. Nothing was published."))
    if value and given.get("message") not in (None, ""):
        abort(400, gettext("A tombstone has no message: leave it out. Nothing was published."))
    return bool(value)


def _text(given: Mapping[str, Any], name: str) -> str:
    if not isinstance(given[name], str):
        abort(400, gettext("Topic and key must be text."))
    return str(given[name])


def _headers(given: Any) -> Headers:
    """Read ``[{"name": "trace", "value": "a1"}]``, in a form as JSON text; a value may be ``null``."""
    if isinstance(given, str) and given:
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            given = False
    if given in (None, ""):
        return []
    if not isinstance(given, list) or not all(map(_is_header, given)):
        abort(400, gettext('Headers are a list: [{"name": "trace", "value": "a1"}]. Nothing was published.'))
    return [(one["name"], None if one["value"] is None else one["value"].encode()) for one in given]


def _is_header(one: Any) -> bool:
    """Whether it is a header; a NUL is refused, at which Kafka's library would cut the name."""
    return (
        isinstance(one, dict)
        and one.keys() == {"name", "value"}
        and isinstance(one["name"], str)
        and one["name"] != ""
        and "\0" not in one["name"]
        and isinstance(one["value"], str | None)
    )
