"""GET /channels: the channels that somebody subscribes to now, by ``?match=<glob>``."""

from flask import Flask, Response, jsonify, request

from arauto.auth.visitor import visitor
from arauto.protocol.validation import check_name
from arauto.redis_io.channel_list import list_channels


def init_channels(app: Flask) -> None:
    """Add the route."""

    @app.get("/channels")
    def channels() -> Response:
        wanted = check_name(request.args.get("match") or "*")
        return jsonify(list_channels(visitor().link, wanted, visitor().may_read))
