"""GET /channels: the channels with subscribers, by ``?match=<glob>``.

GET /channels/listeners?channel=<name>: how many listen to one.
"""

from flask import Flask, Response, jsonify, request

from arauto.auth.visitor import current_visitor
from arauto.protocol.validation import check_name
from arauto.sources.source import Source
from arauto.web.channel_argument import requested_channel


def init_channels(app: Flask, source: Source) -> None:
    """Add the routes."""

    @app.get("/channels")
    def channels() -> Response:
        wanted = check_name(request.args.get("match") or "*")
        return jsonify(source.channels(current_visitor(), wanted))

    @app.get("/channels/listeners")
    def listeners() -> Response:
        return jsonify(source.listeners(current_visitor(), requested_channel("")))
