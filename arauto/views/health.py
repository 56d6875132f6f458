"""GET /healthz and /readyz: whether the process runs, and whether it has all that it needs."""

from flask import Flask, Response, jsonify, make_response

from arauto.i18n.gettext import gettext
from arauto.sources.source import Source


def init_health(app: Flask, source: Source) -> None:
    """Add the routes."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @app.get("/readyz")
    def readyz() -> Response:
        missing = source.missing()
        if not missing:
            return jsonify(status="ready")
        error = gettext("Redis does not answer.")
        response = make_response(jsonify(status="unready", missing=missing, error=error), 503)
        response.headers["Retry-After"] = "1"
        return response
