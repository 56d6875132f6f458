"""GET /channels/keyspace-events: whether and which keyspace events Redis publishes."""

from flask import Flask, Response, jsonify

from arauto.auth.permissions import check_subscribing
from arauto.auth.visitor import current_visitor
from arauto.protocol.selection import Selection
from arauto.redis_io.keyspace_events import ANY, keyspace_events


def init_keyspace_events(app: Flask) -> None:
    """Add the route."""

    @app.get("/channels/keyspace-events")
    def events() -> Response:
        visitor = current_visitor()
        check_subscribing(visitor, Selection((), (ANY,)))
        return jsonify(keyspace_events(visitor.link))
