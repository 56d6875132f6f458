"""GET /topics: the topics of Kafka and their partitions, by ``?match=<glob>``.

GET /topics/<topic>: one of them, with its brokers and how long it keeps a message.
GET /topics/<topic>/groups: who consumes it, and how far behind.
GET /topics/<topic>/messages: what it keeps, as NDJSON.
"""

import logging
from collections.abc import Iterator
from itertools import chain

import orjson
from flask import Flask, Response, jsonify

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight
from arauto.auth.visitor import current_visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.log_query import DEFAULT_LIMIT, read_limit
from arauto.protocol.topics import Record, channel_of, check_topic, read_partition, read_place, write_places
from arauto.protocol.validation import check_name
from arauto.refusal import Refusal
from arauto.sources.kafka_source import KafkaSource
from arauto.sources.topic_reading import TopicReading
from arauto.system.concurrency import let_others_run
from arauto.views.history import MIMETYPE
from arauto.views.topic_lines import write_lines
from arauto.web.arguments import arguments

log = logging.getLogger("arauto")

TURN = 500  # messages, after whose writing others have their turn


def init_topics(app: Flask, kafka: KafkaSource, audit: Audit) -> None:
    """Add the routes."""

    def check_named(topic: str) -> None:
        check_topic(topic)
        arguments()
        _check_reading(kafka, audit, topic)

    @app.get("/topics")
    def topics() -> Response:
        (match,) = arguments("match")
        wanted = check_name(match or "*")
        return jsonify(kafka.topics(current_visitor(), wanted))

    @app.get("/topics/<topic>")
    def topic_facts(topic: str) -> Response:
        check_named(topic)
        return jsonify(kafka.topic(topic))

    @app.get("/topics/<topic>/groups")
    def topic_groups(topic: str) -> Response:
        check_named(topic)
        return jsonify(kafka.groups(topic))

    @app.get("/topics/<topic>/messages")
    def topic_messages(topic: str) -> Response:
        check_topic(topic)
        since, until, limit, partition = arguments("since", "until", "limit", "partition")
        start = read_place(since or "first")
        end = read_place(until) if until else None
        most = read_limit(limit) if limit else None
        one = read_partition(partition) if partition else None
        _check_reading(kafka, audit, topic)
        lines = _lines(kafka.read(topic, start, end, one), topic, most)
        return Response(chain([next(lines, b"")], lines), mimetype=MIMETYPE)


def _check_reading(kafka: KafkaSource, audit: Audit, topic: str) -> None:
    try:
        kafka.check_reading(current_visitor(), topic)
    except NoRight:
        audit.note("reading refused", Actor.of(current_visitor()), channel=channel_of(topic).decode())
        raise


def _lines(reading: TopicReading, topic: str, limit: int | None) -> Iterator[bytes]:
    """A chunk of lines for each page; what ends early, and was not asked to, says where it goes on."""
    left = limit or DEFAULT_LIMIT
    has_begun = False
    try:
        while left and not reading.is_over:
            page = reading.page(left)
            left -= sum(isinstance(entry, Record) for entry in page)
            for start in range(0, len(page), TURN):
                yield write_lines(topic, page[start : start + TURN])
                has_begun = True
                let_others_run()
    except Exception as error:
        if not has_begun:
            raise
        if isinstance(error, Refusal):
            sentence = str(error)
        else:
            log.exception("topic failed topic=%r", topic)
            sentence = gettext("Internal error. See the server log.")
        yield orjson.dumps({"error": sentence}) + b"\n"
        return
    if not reading.is_over and not limit:
        yield orjson.dumps({"more": write_places(reading.places)}) + b"\n"
