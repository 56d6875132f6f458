"""The severity of a message, by its usual names: see ``static/js/message/alert_parser.js``."""

import re
from typing import Any

from arauto.filter.filtered_message import FilteredMessage

RANKS = ("debug", "info", "warning", "error", "critical")
READ_LIMIT = 32_768  # characters; a longer message is no alert

_LEVELS = {
    "critical": "critical crit fatal emergency emerg alert panic disaster max urgent",
    "error": "error err severe high major failure",
    "warning": "warning warn medium moderate minor",
    "info": "info information informational notice default low ok resolved none",
    "debug": "debug trace verbose min",
}
_BY_WORD = {word: level for level, words in _LEVELS.items() for word in words.split()}
_BY_PRIORITY = {1: "debug", 2: "info", 3: "info", 4: "error", 5: "critical"}  # ntfy's
_BY_TEN = {10: "debug", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "critical"}  # Node's loggers
_ITEMS = ("pull_request", "issue", "discussion", "release", "workflow_run", "check_run", "check_suite")
_HINT = re.compile(r'"(?:severity|level|priority|alerts|repository)\\?"')


def rank_of(message: FilteredMessage) -> int:
    """The place in :data:`RANKS`; -1: the message has no severity. It never raises."""
    if len(message.data) > READ_LIMIT or not _HINT.search(message.data):
        return -1
    return RANKS.index(level) if (level := _level_in(message.json)) else -1


def level_of(word: Any) -> str:
    """The severity that a word stands for, or empty."""
    return _BY_WORD.get(word.lower(), "") if isinstance(word, str) else ""


def _level_in(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    alerts = value.get("alerts")
    if isinstance(alerts, list) and _are_objects(alerts) and isinstance(value.get("status"), str):
        return "info" if value["status"] == "resolved" else _highest(alerts)
    if _is_text(_member(value.get("repository"), "full_name")):
        return "error" if _member(_item(value), "conclusion") == "failure" else ""
    words = [level_of(value.get(name)) for name in ("severity", "level", "priority")]
    numbers = [_by_number(value.get("level"), _BY_TEN), _by_number(value.get("priority"), _BY_PRIORITY)]
    return next(filter(None, words + numbers), "")


def _highest(alerts: list[Any]) -> str:
    """For Alertmanager and Grafana. A firing alert is at least a warning."""
    levels = [level_of(_member(_member(alert, "labels"), "severity")) for alert in alerts]
    return max(filter(None, levels), key=RANKS.index, default="warning")


def _item(value: dict[str, Any]) -> Any:
    """The object that an event of GitHub is about."""
    items = [value.get(name) for name in _ITEMS]
    found = next((item for item in items if isinstance(item, dict | list)), None)
    return value.get("head_commit") if found is None else found


def _by_number(given: Any, levels: dict[int, str]) -> str:
    if isinstance(given, str) and re.fullmatch("[0-9]+", given):
        given = float(given)
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return levels.get(given, "") if is_number else ""  # a float is found as the same number


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _are_objects(given: list[Any]) -> bool:
    return all(isinstance(one, dict | list) for one in given)


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and given != ""
