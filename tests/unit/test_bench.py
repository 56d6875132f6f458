"""The load client of the benchmark notices losses and errors, so its figures are valid."""

import itertools
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import scale
from bench.client import Broken, Crowd, message
from tests.support.servers import ROOT

COMMANDS = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if "if __name__" in path.read_text())


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with closing(Crowd()) as crowd:
        yield crowd


def subscribe(crowd: Crowd) -> socket.socket:
    ours, theirs = socket.socketpair()
    crowd.add(ours)
    return theirs


@given(st.lists(st.integers(1, 600), max_size=8), st.sets(st.integers(0, 5)))
def test_numbers_are_found_whatever_the_cuts(cuts: list[int], marked: set[int]) -> None:
    """The byte of a frame's length may be a hash mark."""
    stream = b"".join((b"fr#me" if n in marked else b"frame") + message(n) for n in range(6))
    places = [0, *sorted(cuts), len(stream)]
    with closing(Crowd()) as crowd, subscribe(crowd) as server:
        for start, end in itertools.pairwise(places):
            server.sendall(stream[start:end])
            crowd.read(0.1 if stream[start:end] else 0)
        assert crowd.delivered == 6
        assert crowd.slowest() == 6


@pytest.mark.parametrize("numbers", [(0, 2), (0, 1, 1), (1, 0)], ids=["loss", "duplicate", "order"])
def test_what_is_wrong_stops_the_run(crowd: Crowd, numbers: tuple[int, ...]) -> None:
    with subscribe(crowd) as server:
        server.sendall(b"".join(map(message, numbers)))
        with pytest.raises(Broken, match="expected 0"):
            crowd.read(1)


def test_a_closed_subscriber_stops_the_run(crowd: Crowd) -> None:
    subscribe(crowd).close()
    with pytest.raises(Broken, match="closed"):
        crowd.read(1)


def test_the_plan_in_the_documents_is_that_of_the_figures_there() -> None:
    page = scale.PAGE.read_text(encoding="utf-8")
    one, *_ = scale.read_figures(page)
    assert one[scale.NUMBER] == 1
    assert scale.write_section(page, "plan", scale.list_columns(scale.plan(one))) == page
    dearer = scale.plan(one | {scale.EACH: 10 * one[scale.EACH]})
    assert all(more["servers"] >= less["servers"] for more, less in zip(dearer, scale.plan(one), strict=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_explains_itself_instead_of_running(name: str) -> None:
    asked = [sys.executable, "-m", f"bench.{name}", "--help"]
    run = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.startswith("usage: ")
