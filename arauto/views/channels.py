"""GET /channels: the channels with subscribers, by ``?match=<glob>``.

GET /channels/listeners?channel=<name>, or ?shard=<name>: how many subscribers one has.
"""

from flask import Flask, Response, jsonify

from arauto.auth.visitor import current_visitor
from arauto.protocol.validation import check_name
from arauto.sources.source import Source
from arauto.web.arguments import arguments
from arauto.web.channel_argument import requested_channel, requested_shard


def init_channels(app: Flask, source: Source) -> None:
    """Add the routes."""

    @app.get("/channels")
    def channels() -> Response:
        (match,) = arguments("match")
        wanted = check_name(match or "*")
        return jsonify(source.channels(current_visitor(), wanted))

    @app.get("/channels/listeners")
    def listeners() -> Response:
        arguments()
        shard = requested_shard()
        name = requested_channel("") if shard is None else shard
        return jsonify(source.listeners(current_visitor(), name, shard is not None))
