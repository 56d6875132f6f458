"""GET /healthz and /readyz: for what watches whether the program lives, and whether it can work."""

from flask import Flask, Response, jsonify

from arauto.redis_io.connection import RedisLink


def init_health(app: Flask, link: RedisLink) -> None:
    """Add the routes."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @app.get("/readyz")
    def readyz() -> Response:
        link.client.ping()
        return jsonify(status="ready")
