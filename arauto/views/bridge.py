"""GET /bridge: what the bridge between Redis's channels and Kafka's topics does, and what it has missed."""

from typing import Any

from flask import Flask, Response, jsonify

from arauto.auth.permissions import readable
from arauto.auth.visitor import current_visitor
from arauto.bridge.bridge_thread import BridgeThread
from arauto.bridge.report import Missed, Progress
from arauto.i18n.gettext import gettext
from arauto.kafka_io.connection import Trouble, say
from arauto.protocol.topics import channel_of
from arauto.text.bridge_rules import Rule


def init_bridge(app: Flask, bridge: BridgeThread) -> None:
    """Add the route."""

    @app.get("/bridge")
    def bridge_state() -> Response:
        report = bridge.report
        # What goes through a topic can be read there: no other right is needed to know how much it is.
        topics = {rule.topic for rule in bridge.rules}
        allowed = readable(current_visitor(), map(channel_of, topics))
        rules = [rule for rule in bridge.rules if channel_of(rule.topic) in allowed]
        names = set(map(str, rules))
        return jsonify(
            bridge.summary()
            | {
                "error": _redis(bridge.error) if bridge.error else "",
                "rules": [_rule(rule, report.rules[str(rule)]) for rule in rules],
                "spans": [_span(one) for one in list(report.missed) if one.rule in names],
            }
        )


def _rule(rule: Rule, progress: Progress) -> dict[str, Any]:
    told = vars(progress) | {"trouble": _trouble(progress.trouble)}
    return {"rule": str(rule), **told}


def _trouble(trouble: tuple[str, ...]) -> str:
    match trouble:
        case ("kafka", kind, words):
            return say(Trouble(kind, words))  # type: ignore[arg-type]  # it was one before it was written
        case (_, words):
            return _redis(words)
        case _:
            return ""


def _redis(words: str) -> str:
    return gettext("Redis refuses or does not answer: %(words)s", words=words)


def _span(one: Missed) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "from": one.start / 1000,
        "to": one.end / 1000,
        "messages": one.many,
        "reason": one.why,
        "sentence": _sentence(one),
    }


def _sentence(one: Missed) -> str:
    match one.why:
        case "unattended":
            return gettext("Nobody listened: messages may be missing.")
        case "full":
            return gettext("Kafka was away for longer than messages are kept: the oldest are missing.")
        case "too large":
            return gettext("Larger than Kafka takes.")
        case "refused":
            return gettext("Kafka does not accept them.")
        case "retention":
            return gettext("Their time in Kafka was over: at most so many are missing.")
        case "replaced":
            return gettext("The topic was made anew: what was left of the former one is missing.")
        case _:
            return gettext("Kafka has lost messages that it had.")
