"""docs/logging.md has each event that the program logs, and no other."""

import ast
import re
from collections.abc import Iterator

from tests.support.servers import ROOT

PAGE = (ROOT / "docs" / "logging.md").read_text(encoding="utf-8")
PROGRAM = [ROOT / "app.py", *(ROOT / "arauto").rglob("*.py")]
LEVELS = {"info", "warning", "error", "exception"}
TEMPLATE = re.compile(r"(?P<event>[^%=]*?)(?P<pairs>( \w+=%\S+|%s)*)")

Call = tuple[str, set[str]]
"""The text that a call logs, and its keys."""


def calls() -> Iterator[Call]:
    for path in PROGRAM:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                yield from logged(node)
            elif isinstance(node, ast.Assign) and "event" in map(ast.unparse, node.targets):
                yield from ((text, set()) for text in texts(node.value))


def logged(call: ast.Call) -> Iterator[Call]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    if name in ("note", "_note"):
        keys = {keyword.arg for keyword in call.keywords if keyword.arg} - {"content"}
        yield from ((text, keys) for arg in call.args for text in texts(arg))
    elif name in LEVELS and ast.unparse(call.func).endswith(f"log.{name}"):
        yield from ((text, set()) for text in texts(call.args[0]) if text != "%s")


def texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def documented() -> dict[str, set[str]]:
    """Each event of the page, and its keys."""
    rows = re.findall(r"^\| `([a-z][A-Za-z ]+)` \|([^|]*)\|", PAGE, re.MULTILINE)
    return {event: set(re.findall(r"\w+", keys)) for event, keys in rows}


def test_the_page_has_each_event_with_its_keys_and_no_other() -> None:
    events: dict[str, set[str]] = {}
    for text, keys in calls():
        if text[0].islower():
            match = TEMPLATE.fullmatch(text)
            assert match, f"{text!r} is not: event key=value"
            named = set(re.findall(r"(\w+)=", match["pairs"]))
            events.setdefault(match["event"].strip(), set()).update(named | keys)
    assert events.keys() == documented().keys()
    for event, keys in events.items():
        assert keys <= documented()[event], event


def test_the_page_has_each_sentence_and_no_other() -> None:
    sentences = {text.replace("%s", "…") for text, _ in calls() if text[0].isupper()}
    assert sentences == set(re.findall(r"^\| `([A-Z][^`]+)` \|$", PAGE, re.MULTILINE))
