"""The page's help with the filter: suggestions, corrections, and severities read and written."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import ROOT

NODE = Path(sys.executable).with_name("node")
MESSAGES = [
    ("svc.payments", {"severity": "error", "service": "payments", "ms": 3001, "level": "error"}),
    ("svc.payments", {"severity": "critical", "service": "payments", "user": {"name": "Ana Souza"}}),
    ("svc.search", {"severity": "info", "service": "search", "ms": 41, "hits": [{"id": 7}], "a b": 1}),
    ("news", "INFO cache miss ratio level=info"),
    ("news", "timeout of the card processor"),
]

SUGGESTS = [
    ("serv", {"service:": "service:^"}),
    ("-serv", {"service:": "-service:^"}),
    ("service=", {"payments": "service=payments^", "search": "service=search^"}),
    ("service=search|pay", {"payments": "service=search|payments^"}),
    ("service:(search OR pay", {"payments": "service:(search OR payments^"}),
    ("service:pay^ disk", {"payments": "service:payments^ disk"}),
    ("name:", {}),
    ("user.name:", {'"Ana Souza"': 'user.name:"Ana Souza"^'}),
    ('user.name="an', {'"Ana Souza"': 'user.name="Ana Souza"^'}),
    ("hits.", {"hits.id>": "hits.id>^"}),
    ("ms", {"ms>": "ms>^", "ms<": "ms<^", "ms=": "ms=^"}),
    ("severity >= cr", {"critical": "severity >= critical^"}),
    ("channel:sea", {"svc.search": "channel:svc.search^"}),
    ("level=inf", {"info": "level=info^"}),
    ("has:us", {"user": "has:user^", "user.name": "has:user.name^"}),
    ("has:ms|lev", {"level": "has:ms|level^"}),
    ("disk or", {"OR ": "disk OR ^"}),
    ("not", {"NOT ": "NOT ^"}),
    ("service:search", {}),  # it exists
    ("se^rv", {}),
    ("service:s*", {}),
    ("/serv", {}),
    ('"serv', {}),
    ("a/b serv", {"service:": "a/b service:^"}),
    ("/a serv/ serv", {"service:": "/a serv/ service:^"}),
]

MEANS = [
    ("servce:payments", "service:payments"),
    ("sevrity>=error", "severity>=error"),
    ("severity:eror", "severity:error"),
    ("severity:error,info", "severity:error|info"),
    ("disk OR severity>=hihg", None),
    ("level>=error", "severity>=error"),
    ("ms>3s", "ms>3000"),
    ("ms>3constructor", "ms>3"),
    ("ms>3,000", "ms>3000"),
    ("SERVICE=payments", "service=payments"),
    ("service=paymets -ratio", "service=payments -ratio"),
    ("service=pay", "service:pay"),
    ("name=ana", "user.name:ana"),
    ("service: search", "service:search"),
    ("has:usr", "has:user"),
    ("chanel:news", "channel:news"),
    ("timeuot", "timeout"),
    ("timeout or payments", "timeout OR payments"),
    ("'card processor'", '"card processor"'),
    ("/ratio(/", '"ratio("'),
    ("nothing.like:this", None),
    ("service:payments", None),
]

LEVELS = [
    ("", []),
    ("severity>=error", ["error", "critical"]),
    ("disk severity:warn|info", ["info", "warning"]),
    ("severity<info", ["debug"]),
    ("severity:error OR severity:info", ["info", "error"]),
    ("severity!=error", []),
    ("severity:error OR disk", []),
    ("severity>awful", []),
]

TOGGLES = [
    ("", "error", "severity:error"),
    ("severity:error", "critical", "severity>=error"),
    ("severity>=error", "error", "severity:critical"),
    ("severity:critical", "critical", ""),
    ("disk severity>=error full", "info", "disk severity:info|error|critical full"),
    ("disk severity:(error OR info) full", "error", "disk severity:info full"),
    ("disk severity:error", "error", "disk"),
    ("severity:error disk", "error", "disk"),
    ("disk OR full", "debug", "(disk OR full) severity:debug"),
    ("(severity:info OR disk)", "error", "(severity:info OR disk) severity:error"),
    ("severity>=info", "debug", ""),
    ('"severity:info" severity:info', "error", '"severity:info" severity:info|error'),
]


@cache
def answers() -> dict[tuple[str, ...], Any]:
    """The results by call; one process makes all of them."""
    calls: list[tuple[str, ...]] = [
        *(("suggest", given) for given, _ in SUGGESTS),
        *(("correct", given) for given, _ in MEANS),
        *(("levels", given) for given, _ in LEVELS),
        *(("toggle", given, level) for given, level, _ in TOGGLES),
        ("examples",),
    ]
    messages = [(channel, data if isinstance(data, str) else json.dumps(data)) for channel, data in MESSAGES]
    ran = subprocess.run(
        [NODE, "--no-warnings", Path(__file__).with_name("page_help.mjs")],
        input=json.dumps({"folder": str(ROOT), "messages": messages, "calls": calls}),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(calls, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize(("given", "expected"), SUGGESTS)
def test_suggestions_fit_where_the_caret_stands(given: str, expected: dict[str, str]) -> None:
    assert dict(answers()["suggest", given]) == expected


@pytest.mark.parametrize(("given", "expected"), MEANS)
def test_what_is_near_and_finds_something_was_meant(given: str, expected: str | None) -> None:
    assert answers()["correct", given] == expected


@pytest.mark.parametrize(("given", "expected"), LEVELS)
def test_severities_are_read_from_the_text(given: str, expected: list[str]) -> None:
    assert answers()["levels", given] == expected


@pytest.mark.parametrize(("given", "level", "expected"), TOGGLES)
def test_severities_are_written_into_the_text(given: str, level: str, expected: str) -> None:
    assert answers()["toggle", given, level] == expected


def test_examples_are_made_of_what_was_seen() -> None:
    assert {"severity>=error", "service=payments", "channel:news", "NOT service=payments"} <= set(
        answers()[("examples",)]
    )
