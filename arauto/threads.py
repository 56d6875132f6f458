"""What gthread does where the machine gives no thread or descriptor any more: it tells, or waits."""

import errno
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from time import sleep
from typing import Any

from gunicorn.workers.gthread import _DEFER

from arauto.lingering import part

PAUSE = 0.1  # seconds until it is looked again whether there is a descriptor
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_ERROR = b'{"error":"The server can start no thread more: try again when a page has left."}'
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\n" + (
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_ERROR), _ERROR)
)


class Threads(ThreadPoolExecutor):
    """A connection for which no thread can be started gets 503, as soon as its request is there.

    Earlier the answer would be lost: who is still sending sees only that the connection is closed.
    """

    _is_short = False

    def submit(self, handle: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        self._is_short = False
        future = super().submit(handle, *given, **named)
        if self._is_short and future.cancel():
            future = Future()
            future.set_result(_turn_away(given[0]))
        return future

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            self._is_short = True


def _turn_away(connection: Any) -> object:
    """What gunicorn's own handling would return: wait for the request, or close."""
    if not connection.data_ready and not connection.initialized:
        return _DEFER
    with suppress(OSError):
        connection.sock.send(_FULL, socket.MSG_DONTWAIT)
    part(connection.sock)
    return False


def patient(accept: Callable[[Any], None]) -> Callable[[Any], None]:
    """``accept``, which gives the machine a moment where it has no descriptor."""

    def accept_or_wait(listener: Any) -> None:
        try:
            accept(listener)
        except OSError as error:
            if error.errno not in _SHORT:
                raise
            sleep(PAUSE)

    return accept_or_wait
