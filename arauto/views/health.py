"""GET /healthz and /readyz: whether the process runs, and whether Redis answers."""

from flask import Flask, Response, jsonify

from arauto.sources.source import Source


def init_health(app: Flask, source: Source) -> None:
    """Add the routes."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @app.get("/readyz")
    def readyz() -> Response:
        source.check_answers()
        return jsonify(status="ready")
