"""Waiting on conditions, never on time."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

PATIENCE = 60.0  # seconds; a wait ends with its condition, this limit is for a busy machine

T = TypeVar("T")


def eventually(condition: Callable[[], T | None], within: float = PATIENCE, why: str = "") -> T:
    """Poll until the condition is true, and return its value.

    If ``condition`` raises an ``AssertionError``, polling goes on; the last one is raised when
    the time is up.
    """
    deadline = monotonic() + within
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            failure = AssertionError(f"not within {within} s: {why or condition}, last {answer!r}")
        except AssertionError as error:
            failure = error
        if monotonic() > deadline:
            raise failure
        sleep(0.01)  # the pause of a poll, not a wait for time
