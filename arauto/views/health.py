"""GET /healthz and /readyz: whether the process runs, and whether it can serve."""

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, make_response

from arauto.i18n.gettext import gettext
from arauto.sources.source import Source
from arauto.workers.drain import Drain

if TYPE_CHECKING:
    from arauto.bridge.bridge_thread import BridgeThread  # which loads Kafka's library


def init_health(app: Flask, source: Source, drain: Drain, bridge: "BridgeThread | None") -> None:
    """Add the routes. A blocked bridge makes no process unready: it would be blocked in the others too."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @app.get("/readyz")
    def readyz() -> Response:
        if not drain.is_accepting:
            return _unready(
                status="stopping", error=gettext("The server is restarting: try again in a moment.")
            )
        if missing := source.missing():
            return _unready(status="unready", missing=missing, error=gettext("Redis does not answer."))
        return jsonify(status="ready", **({"bridge": bridge.summary()} if bridge else {}))


def _unready(**why: Any) -> Response:
    response = make_response(jsonify(**why), 503)
    response.headers["Retry-After"] = "1"
    return response
