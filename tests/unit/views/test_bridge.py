"""GET /bridge shows the topics that the visitor may read, and no other."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from arauto.auth.visitor import Visitor, init_visitor
from arauto.bridge.report import Report
from arauto.text.bridge_rules import read_rules
from arauto.views import bridge as view


def test_what_one_may_not_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "gettext", lambda sentence, **values: sentence % values)
    monkeypatch.setattr(view, "ngettext", lambda one, many, n: many % {"num": n})
    rules = read_rules("a.* -> kafka:open, kafka:secret -> b")
    report = Report.of(rules)
    report.set_trouble(rules[0], "redis", "NOPERM")
    report.miss(rules[0], "unattended", 1000, 2500)
    report.miss(rules[1], "retention", 1000, 1000, 7)
    bridge: Any = SimpleNamespace(
        rules=rules, report=report, error="", is_held=True, token=0, summary=lambda: {"state": "waiting"}
    )
    link: Any = None
    app = Flask(__name__)
    init_visitor(app, Visitor(link=link, name="backup", way="bearer", reads=(b"kafka:open",)))
    view.init_bridge(app, bridge)
    assert app.test_client().get("/bridge").json == {
        "state": "waiting",
        "sentence": "It runs in another process.",
        "error": "",
        "rules": [
            {
                "rule": "a.* -> kafka:open", "passed": 0, "own": 0, "empty": 0, "missed": 0,
                "sentence": "0 messages have gone over.",
                "trouble": "Redis refuses or does not answer: NOPERM",
            }
        ],
        "spans": [
            {
                "rule": "a.* -> kafka:open", "from": 1.0, "to": 2.5, "messages": None,
                "reason": "unattended", "sentence": "Nobody listened: messages may be missing.",
            }
        ],
    }  # fmt: skip
