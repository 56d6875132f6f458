"""Calls of a library that blocks in C, outside gevent's loop, a few at a time."""

from collections.abc import Callable
from functools import partial
from threading import BoundedSemaphore
from typing import Any, TypeVar

from arauto.system.concurrency import under_gevent

T = TypeVar("T")
Outcome = tuple[Any, BaseException | None]


class Busy(Exception):
    """All calls that may run at a time are running."""


class NativeCalls:
    """Runs functions that return by themselves, without blocking the rest of the process.

    :param most: how many at a time.
    """

    def __init__(self, most: int) -> None:
        self._turns = BoundedSemaphore(most)
        self._apply: Callable[[Callable[[], Outcome]], Outcome] = lambda function: function()
        if under_gevent():
            from gevent.threadpool import ThreadPool

            # Not the hub's pool, which resolves host names.
            self._apply = ThreadPool(most).apply

    def run(self, function: Callable[[], T], wait: float) -> T:
        """Return or raise what ``function`` does. Under gevent it runs in a native thread.

        :param wait: seconds to wait for a free place.
        :raise Busy: there was none.
        """
        if not self._turns.acquire(timeout=wait):
            raise Busy
        try:
            answer, error = self._apply(partial(_outcome, function))
        finally:
            self._turns.release()
        if error is not None:
            raise error
        found: T = answer
        return found


def _outcome(function: Callable[[], Any]) -> Outcome:
    """The result or the error, not raised in the pool: gevent would print it."""
    try:
        return function(), None
    except Exception as error:
        return None, error
