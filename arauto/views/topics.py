"""GET /topics: the topics of Kafka and their partitions, by ``?match=<glob>``.

GET /topics/<topic>/messages: what one keeps, as NDJSON.
"""

from collections.abc import Iterator
from itertools import chain

import orjson
from flask import Flask, Response, jsonify, request

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight
from arauto.auth.visitor import current_visitor
from arauto.protocol.log_query import DEFAULT_LIMIT, read_limit
from arauto.protocol.topics import Record, channel_of, check_topic, read_partition, read_place, write_places
from arauto.protocol.validation import check_name
from arauto.refusal import Refusal
from arauto.sources.kafka_source import KafkaSource
from arauto.sources.topic_reading import TopicReading
from arauto.system.concurrency import let_others_run
from arauto.views.history import MIMETYPE
from arauto.views.topic_lines import write_lines

TURN = 500  # messages, after whose writing others have their turn


def init_topics(app: Flask, kafka: KafkaSource, audit: Audit) -> None:
    """Add the routes."""

    @app.get("/topics")
    def topics() -> Response:
        wanted = check_name(request.args.get("match") or "*")
        return jsonify(kafka.topics(current_visitor(), wanted))

    @app.get("/topics/<topic>/messages")
    def topic_messages(topic: str) -> Response:
        given = request.args
        check_topic(topic)
        since = read_place(given.get("since") or "first")
        until = read_place(given["until"]) if given.get("until") else None
        limit = read_limit(given["limit"]) if given.get("limit") else None
        partition = read_partition(given["partition"]) if given.get("partition") else None
        _check_reading(kafka, audit, topic)
        lines = _lines(kafka.read(topic, since, until, partition), topic, limit)
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
    except Refusal as error:
        if not has_begun:
            raise
        yield orjson.dumps({"error": str(error)}) + b"\n"
        return
    if not reading.is_over and not limit:
        yield orjson.dumps({"more": write_places(reading.places)}) + b"\n"
