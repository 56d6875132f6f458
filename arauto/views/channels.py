"""GET /channels: the channels with subscribers, by ``?match=<glob>``."""

from flask import Flask, Response, jsonify, request

from arauto.auth.visitor import current_visitor
from arauto.protocol.validation import check_name
from arauto.sources.source import Source


def init_channels(app: Flask, source: Source) -> None:
    """Add the route."""

    @app.get("/channels")
    def channels() -> Response:
        wanted = check_name(request.args.get("match") or "*")
        return jsonify(source.channels(current_visitor(), wanted))
