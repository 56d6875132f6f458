"""Threads for a library that waits in C, which gevent cannot see, and their way back to everybody else."""

import _thread
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from arauto.system.concurrency import under_gevent
from arauto.system.resource_errors import NoThread

_MOMENT = 0.001  # seconds


def start_native(function: Callable[[], None]) -> None:
    """Run ``function``, which raises nothing, in a thread of its own that does not keep the process.

    :raise NoThread: the machine cannot start another.
    """
    begin = _original("_thread", "start_new_thread", _thread.start_new_thread)
    try:
        begin(_without_traces(function) if under_gevent() else function, ())
    except RuntimeError as error:
        raise NoThread from error


def check_room(threads: int) -> None:
    """In a native thread: start so many others and wait for their end. No limit of a system need be known.

    :raise NoThread: the machine cannot start them.
    """
    begin = _original("_thread", "start_new_thread", _thread.start_new_thread)
    gate = _original("_thread", "allocate_lock", _thread.allocate_lock)()
    sleep = native_sleep()
    begun, ended = 0, deque[None]()

    def run() -> None:
        with gate:
            ended.append(None)

    try:
        with gate:  # they are there at the same time
            while begun < threads:
                begin(run, ())
                begun += 1
    except RuntimeError as error:
        raise NoThread from error
    finally:
        while len(ended) < begun:
            sleep(_MOMENT)
        sleep(_MOMENT)  # the last ones are about to end


def _without_traces(function: Callable[[], None]) -> Callable[[], None]:
    """A lock that it waits for gives a thread a loop of gevent's, which has descriptors."""
    import gevent

    def run() -> None:
        try:
            function()
        finally:
            gevent.get_hub().destroy(destroy_loop=True)

    return run


def native_sleep() -> Callable[[float], None]:
    """``time.sleep``, as it is without gevent."""
    found: Callable[[float], None] = _original("time", "sleep", time.sleep)
    return found


def _original(module: str, name: str, found: Any) -> Any:
    if not under_gevent():
        return found
    from gevent.monkey import get_original

    return get_original(module, name)


class Handover:
    """Calls from a native thread, in their order: in gevent's loop where there is one, else at once.

    What is called must not wait. Make it and close it where the loop runs.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._send: Callable[[], None] = self._run
        self.close: Callable[[], None] = lambda: None
        """Nothing is called any more."""
        if under_gevent():
            import gevent

            watcher = gevent.get_hub().loop.async_()
            watcher.start(self._run)
            self._send, self.close = watcher.send, watcher.close

    @property
    def waiting(self) -> int:
        """How many calls have not begun."""
        return len(self._waiting)

    def soon(self, function: Callable[[], None]) -> None:
        """Call ``function``, perhaps after this has returned."""
        self._waiting.append(function)
        self._send()

    def _run(self) -> None:
        while self._waiting:
            self._waiting.popleft()()
