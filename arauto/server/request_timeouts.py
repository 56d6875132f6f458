"""Time limits for the head and the body of a request."""

import _socket
import socket
import ssl
import struct
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

from arauto.system.timer_wheel import TimerWheel

HEAD_PATIENCE = 10.0  # seconds for a request's first line and headers
BODY_PATIENCE = 30.0  # seconds for its body: a megabyte over 300 kbit/s
REST_PATIENCE = 5.0  # seconds for the rest of a body after the response
STOP_PATIENCE = 1.0  # seconds for a head, once the worker stops
_ROUND = 0.5  # seconds between two checks
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time

_ERROR = b'{"error":"The request did not arrive in time: send it again, faster."}'
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n" + (
    b"Content-Length: %d\r\n\r\n%s" % (len(_ERROR), _ERROR)
)


class RequestTimeouts:
    """The connections whose requests are still arriving. Safe for all threads."""

    def __init__(self, timers: TimerWheel) -> None:
        self._head_patience = HEAD_PATIENCE
        self._due: dict[Any, float] = {}
        self._heads: set[Any] = set()
        self._answered: set[Any] = set()
        self._lock = threading.Lock()
        timers.after(_ROUND, self._cut_late)

    def begin_head(self, sock: Any) -> None:
        """Expect a request's head on ``sock`` from now on."""
        self._heads.add(sock)
        self._due[sock] = monotonic() + self._head_patience

    def begin_body(self, sock: Any) -> None:
        """The head has arrived; a body follows."""
        self._heads.discard(sock)
        self._due[sock] = monotonic() + BODY_PATIENCE

    def begin_rest(self, sock: Any) -> None:
        """The response was sent, but the body is still arriving."""
        self._answered.add(sock)
        self._due[sock] = monotonic() + REST_PATIENCE

    def end(self, sock: Any) -> None:
        """The request has arrived, or is given up; ``sock`` is not used afterwards."""
        with self._lock:
            self._due.pop(sock, None)
            self._heads.discard(sock)
            self._answered.discard(sock)

    def hurry(self) -> None:
        """The worker stops: wait no longer for connections that may never send a request."""
        self._head_patience = STOP_PATIENCE  # of those that are accepted meanwhile
        with self._lock:
            soon = monotonic() + STOP_PATIENCE
            for sock in self._heads.copy():
                if sock in self._due:
                    self._due[sock] = min(soon, self._due[sock])

    def _cut_late(self) -> float:
        now = monotonic()
        with self._lock:
            for sock in [sock for sock, due in self._due.copy().items() if due < now]:
                del self._due[sock]
                if sock in self._answered:
                    reset(sock)
                else:
                    cut(sock, _LATE)
        return _ROUND


def reset(sock: Any) -> None:
    """Reset the connection of a client that is still sending.

    If its window was full, it would otherwise wait up to a minute for another one.
    """
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    cut(sock)


def cut(sock: Any, last: bytes = b"") -> None:
    """Send ``last`` if that does not block, and shut the connection down, which wakes its reader."""
    try:
        plain = getattr(sock, "_sock", sock)  # gevent's own would block, and fail threads that wait for it
        if last and not isinstance(sock, ssl.SSLSocket):
            plain.send(last, socket.MSG_DONTWAIT)
        _socket.socket.shutdown(plain, socket.SHUT_RDWR)  # SSLSocket's own would drop the TLS state
    except OSError:
        pass  # the client has disconnected, or reads nothing
