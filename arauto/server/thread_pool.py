"""A thread pool for gunicorn's gthread worker that answers 503 when no thread can be started."""

import select
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import _DEFER

from arauto.server.unread_body import end_connection

_ERROR = b'{"error":"The server can start no thread more: try again when a page has left."}'
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\n" + (
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_ERROR), _ERROR)
)


class ThreadPool(ThreadPoolExecutor):
    """A connection for which no thread can be started gets 503, as soon as its request has arrived.

    Earlier the response would be lost: a client that is still sending sees only the closed connection.
    """

    _lacks_thread = False

    def submit(self, handle: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        self._lacks_thread = False
        future = super().submit(handle, *given, **named)
        if self._lacks_thread and future.cancel():
            future = Future()
            future.set_result(_refuse(given[0]))
        return future

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            self._lacks_thread = True


def _refuse(connection: Any) -> object:
    """Return as gunicorn's own handler does: wait for the request, or close."""
    if not connection.data_ready and not connection.initialized:
        return _DEFER
    with suppress(OSError):
        connection.sock.send(_FULL, socket.MSG_DONTWAIT)
    end_connection(connection.sock)
    return False


def wait_for_data(connection: Any, timeout: float) -> bool:
    """As gunicorn's own method, but without an extra file descriptor."""
    with suppress(OSError, ValueError):
        if not connection.data_ready:
            poll = select.poll()
            poll.register(connection.sock, select.POLLIN)
            connection.data_ready = bool(poll.poll(timeout * 1000))
    return bool(connection.data_ready)
