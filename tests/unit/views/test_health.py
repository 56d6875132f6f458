"""The answer of /readyz for a proxy or an orchestrator that decides where new pages go."""

from typing import Any

import pytest
from flask import Flask

from arauto.views import health
from arauto.workers.drain import Drain
from arauto.workers.worker_states import WorkerStates


def test_who_stops_is_not_ready_though_redis_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "gettext", str)
    source: Any = type("Whole", (), {"missing": lambda self: []})()
    states, app = WorkerStates(), Flask(__name__)
    health.init_health(app, source, Drain(states), None)
    client = app.test_client()
    assert client.get("/readyz").json == {"status": "ready"}
    states.replace_all()  # as the master does before it signals its workers
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json == {
        "status": "stopping",
        "error": "The server is restarting: try again in a moment.",
    }
    assert client.get("/healthz").json == {"status": "alive"}
