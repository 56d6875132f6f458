"""GET /topics: the topics of Kafka and their partitions, by ``?match=<glob>``.

GET /topics/<topic>: one topic, with its brokers and its retention.
GET /topics/<topic>/groups: its consumer groups and their lag.
GET /topics/<topic>/messages: its stored messages as NDJSON, or what a filter finds in them.
GET /topics/<name>/volume: how many messages it has, over time; the name may be any topic name of a feed.
"""

from itertools import chain

from flask import Flask, Response, jsonify

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight
from arauto.auth.visitor import current_visitor
from arauto.filter.query import read_filter
from arauto.protocol.log_query import Point, read_limit, read_parts, read_time
from arauto.protocol.topic_names import read_name
from arauto.protocol.topics import channel_of, check_order, check_topic, read_partition, read_place
from arauto.protocol.validation import check_name
from arauto.sources.kafka_source import KafkaSource
from arauto.views.history import MIMETYPE, NO_VOLUME, volume_members
from arauto.views.topic_lines import all_lines, found_lines, to_the_end
from arauto.web.arguments import arguments


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
        since, until, limit, partition, filter = arguments("since", "until", "limit", "partition", "filter")
        start = read_place(since or "first")
        end = read_place(until) if until else None
        most = read_limit(limit) if limit else None
        one = read_partition(partition) if partition else None
        wanted = read_filter(filter) if filter else None
        _check_reading(kafka, audit, topic)
        reading = kafka.read(topic, start, end, one)
        found = found_lines(reading, topic, wanted, most) if wanted else all_lines(reading, topic, most)
        lines = to_the_end(found, topic)
        return Response(chain([next(lines, b"")], lines), mimetype=MIMETYPE)

    @app.get("/topics/<topic>/volume")
    def topic_volume(topic: str) -> Response:
        name = read_name(topic)
        since, until, parts = arguments("since", "until", "parts")
        start, end = (read_time(text) if text else None for text in (since, until))
        check_order(Point(ms=start), Point(ms=end))
        many = read_parts(parts or "1")
        if not name.is_glob:
            _check_reading(kafka, audit, name.topic)
        topics = kafka.topics_of(current_visitor(), name)
        found = kafka.volume(topics, name.partition, start, end, many)
        return jsonify({"topic": topic, **volume_members(found or NO_VOLUME)})


def _check_reading(kafka: KafkaSource, audit: Audit, topic: str) -> None:
    try:
        kafka.check_reading(current_visitor(), topic)
    except NoRight:
        audit.note("reading refused", Actor.of(current_visitor()), channel=channel_of(topic).decode())
        raise
