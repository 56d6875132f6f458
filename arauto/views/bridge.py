"""GET /bridge: the state, counters and gaps of the bridge between Redis's channels and Kafka's topics."""

from typing import Any

from flask import Flask, Response, jsonify

from arauto.auth.permissions import readable
from arauto.auth.visitor import current_visitor
from arauto.bridge.bridge_thread import BridgeThread
from arauto.bridge.report import Missed, Progress
from arauto.i18n.gettext import gettext, ngettext
from arauto.kafka_io.connection import Trouble, say
from arauto.protocol.topics import channel_of
from arauto.text.bridge_rules import Rule


def init_bridge(app: Flask, bridge: BridgeThread) -> None:
    """Add the route."""

    @app.get("/bridge")
    def bridge_state() -> Response:
        report = bridge.report
        # A visitor that may read a topic may also know how many messages are bridged to or from it.
        topics = {rule.topic for rule in bridge.rules}
        allowed = readable(current_visitor(), map(channel_of, topics))
        rules = [rule for rule in bridge.rules if channel_of(rule.topic) in allowed]
        names = set(map(str, rules))
        return jsonify(
            bridge.summary()
            | {
                "sentence": _state(bridge),
                "error": _redis(bridge.error) if bridge.error else "",
                "rules": [_rule(rule, report.rules[str(rule)]) for rule in rules],
                "spans": [_span(one) for one in list(report.missed) if one.rule in names],
            }
        )


def _state(bridge: BridgeThread) -> str:
    if not bridge.is_held:
        return gettext("No process runs the bridge now.")
    where = gettext("It runs here.") if bridge.token else gettext("It runs in another process.")
    if waiting := bridge.report.waiting:
        words = ngettext("%(num)s message waits for Kafka.", "%(num)s messages wait for Kafka.", waiting)
        return f"{where} {words}"
    return where


def _rule(rule: Rule, progress: Progress) -> dict[str, Any]:
    many = progress.passed
    sentence = ngettext("%(num)s message has gone over.", "%(num)s messages have gone over.", many)
    members = {**vars(progress), "sentence": sentence, "trouble": _trouble(progress.trouble)}
    return {"rule": str(rule), **members}


def _trouble(trouble: tuple[str, ...]) -> str:
    match trouble:
        case ("kafka", kind, words):
            return say(Trouble(kind, words))  # type: ignore[arg-type]  # the report was written from one
        case ("rules",):
            return gettext(
                "The process at work has no such rule: "
                "give all that use this Redis the same ARAUTO_BRIDGE, and start them again."
            )
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
    if one.many is None:
        return _reason(one)
    missing = ngettext("%(num)s message is missing.", "%(num)s messages are missing.", one.many)
    return f"{missing} {_reason(one)}"


def _reason(one: Missed) -> str:
    match one.why:
        case "unattended":
            return gettext("Nobody listened: messages may be missing.")
        case "full":
            return gettext("More waited for Kafka than is kept: the oldest are missing.")
        case "too large":
            return gettext("Kafka takes none of this size.")
        case "refused":
            return gettext("Kafka does not accept them.")
        case "retention":
            return gettext("Their time in Kafka was over: this is the most that can be missing.")
        case "replaced":
            return gettext("The topic was made anew: what was left of the former one is missing.")
        case _:
            return gettext("Kafka has lost messages that it had.")
