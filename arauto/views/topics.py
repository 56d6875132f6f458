"""GET /topics: the topics of Kafka and their partitions, by ``?match=<glob>``."""

from flask import Flask, Response, jsonify, request

from arauto.auth.visitor import current_visitor
from arauto.protocol.validation import check_name
from arauto.sources.kafka_source import KafkaSource


def init_topics(app: Flask, kafka: KafkaSource) -> None:
    """Add the routes."""

    @app.get("/topics")
    def topics() -> Response:
        wanted = check_name(request.args.get("match") or "*")
        return jsonify(kafka.topics(current_visitor(), wanted))
