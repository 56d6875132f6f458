"""The lines that a search of a log returns, and the position to continue from."""

import json
from typing import Any

import pytest

from arauto.filter.query import read_filter
from arauto.protocol.log_entries import Hole, Id, LogEntry, Message
from arauto.views import history_lines
from arauto.views.history_lines import found_lines

HOLE = Hole(Id(5_000, 5), 3_000, 5_000, "log", 1)


def log(*texts: str, first: int = 1) -> list[LogEntry]:
    return [Message(b"%d-%d" % (1000 * n, n), text.encode()) for n, text in enumerate(texts, first)]


def find(pages: list[list[LogEntry]], wanted: str = "yes", limit: int | None = None) -> list[dict[str, Any]]:
    chunks = list(found_lines(iter(pages), b"a", read_filter(wanted), limit))
    assert all(chunks)  # an empty chunk would end the response
    return [json.loads(line) for line in b"".join(chunks).splitlines()]


def test_what_passes_and_each_gap() -> None:
    *lines, last = find([log("yes", "no"), log("no", first=3), [HOLE, *log("yes", first=5)]])
    assert [line.get("data", line.get("reason")) for line in lines] == ["yes", "log", "yes"]
    assert lines[0] == {"id": "1000-1", "channel": "a", "data": "yes", "at": 1}
    assert last == {"searched": 4, "at": 5}


def test_an_empty_log_was_searched_too() -> None:
    assert find([]) == [{"searched": 0}]


def test_the_limit_counts_what_is_found() -> None:
    *lines, last = find([log("no", "yes", "no", "yes"), log("yes", first=5)], limit=2)
    assert [line["id"] for line in lines] == ["2000-2", "4000-4"]
    assert last == {"searched": 4, "at": 4, "more": "4000-4"}


def test_an_answer_has_about_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_lines, "BYTES", 150)
    *lines, last = find([log(*["yes " + "x" * 60] * 5)])
    assert (len(lines), last["searched"], last["more"]) == (2, 2, "2000-2")


def test_an_answer_takes_about_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_lines, "SECONDS", 0)
    assert find([[HOLE, *log("no", "yes")]])[1:] == [{"searched": 1, "at": 1, "more": "1000-1"}]


def test_others_have_their_turn_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[bool] = []
    monkeypatch.setattr(history_lines, "TURN", 0)
    monkeypatch.setattr(history_lines, "let_others_run", lambda: turns.append(True))
    find([log("no", "no", "yes")])
    assert len(turns) == 3
