"""GET /metrics: figures of this server for Prometheus, for example for an autoscaler."""

from flask import Flask, Response

from arauto.workers.connection_limits import ConnectionLimits


def init_metrics(app: Flask, capacity: ConnectionLimits) -> None:
    """Add the route."""

    @app.get("/metrics")
    def metrics() -> Response:
        figures = (
            ("arauto_sockets", "Browser sockets open, over all workers of this server.", capacity.taken()),
            ("arauto_sockets_limit", "How many there may be: ARAUTO_MAX_SOCKETS.", capacity.limit),
        )
        lines = (
            f"# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n" for name, help, value in figures
        )
        return Response("".join(lines), content_type="text/plain; version=0.0.4; charset=utf-8")
