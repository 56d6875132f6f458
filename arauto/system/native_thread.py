"""Native threads for a library that blocks in C, and calls from them back into gevent's loop."""

import _thread
import time
from collections import deque
from collections.abc import Callable

from arauto.system.concurrency import under_gevent, unpatched
from arauto.system.resource_errors import NoThread

_MOMENT = 0.001  # seconds


def start_native(function: Callable[[], None]) -> None:
    """Run ``function``, which must not raise, in a daemon thread of its own.

    :raise NoThread: the machine cannot start another thread.
    """
    begin = unpatched("_thread", "start_new_thread", _thread.start_new_thread)
    try:
        begin(_without_traces(function) if under_gevent() else function, ())
    except RuntimeError as error:
        raise NoThread from error


def check_room(threads: int) -> None:
    """In a native thread: check that so many threads can be started, by starting them.

    :raise NoThread: they cannot.
    """
    begin = unpatched("_thread", "start_new_thread", _thread.start_new_thread)
    gate = unpatched("_thread", "allocate_lock", _thread.allocate_lock)()
    sleep = native_sleep()
    begun, ended = 0, deque[None]()

    def run() -> None:
        with gate:
            ended.append(None)

    try:
        with gate:  # so that all run at the same time
            while begun < threads:
                begin(run, ())
                begun += 1
    except RuntimeError as error:
        raise NoThread from error
    finally:
        while len(ended) < begun:
            sleep(_MOMENT)
        sleep(_MOMENT)  # until the last ones have ended


def _without_traces(function: Callable[[], None]) -> Callable[[], None]:
    """Destroy gevent's loop in the thread, which any wait for a lock creates and which has descriptors."""
    import gevent

    def run() -> None:
        try:
            function()
        finally:
            gevent.get_hub().destroy(destroy_loop=True)

    return run


def native_sleep() -> Callable[[float], None]:
    """``time.sleep``, not patched by gevent."""
    found: Callable[[float], None] = unpatched("time", "sleep", time.sleep)
    return found


class Handover:
    """Passes calls of a native thread on, in order: to gevent's loop if there is one, else they run at once.

    The called functions must not block. Make and close it in the loop's thread.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._send: Callable[[], None] = self._run
        self.close: Callable[[], None] = lambda: None
        """End it: no function is called any more."""
        if under_gevent():
            import gevent

            watcher = gevent.get_hub().loop.async_()
            watcher.start(self._run)
            self._send, self.close = watcher.send, watcher.close

    @property
    def waiting(self) -> int:
        """How many calls are pending."""
        return len(self._waiting)

    def soon(self, function: Callable[[], None]) -> None:
        """Call ``function``, perhaps after this has returned."""
        self._waiting.append(function)
        self._send()

    def _run(self) -> None:
        while self._waiting:
            self._waiting.popleft()()
