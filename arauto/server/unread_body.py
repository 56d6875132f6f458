"""Reads the rest of a request after its response, for a while: else the response may be lost.

A connection that is closed with unread data is reset, and a client that is still sending sees that instead of
the response.
"""

import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

from arauto.server.request_timeouts import RequestTimeouts, cut, reset

MOST = 16 * 1024 * 1024  # bytes to read and discard
AT_ONCE = 32  # connections of a process that are read so; each holds a thread
_PIECE = 16384  # bytes
_PIECES = 4  # read from a client that has sent more than a request


class UnreadBodies:
    """Reads the rest of unread bodies, within limits."""

    def __init__(self, timeouts: RequestTimeouts) -> None:
        self._timeouts = timeouts
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def read_rest(self, req: Any) -> None:
        """Call it after the response to ``req``, gunicorn's request."""
        sock = req.unreader.sock
        if not self._places.acquire(blocking=False):
            reset(sock)
            return
        self._timeouts.begin_rest(sock)
        try:
            left = MOST
            while left > 0 and (piece := req.body.read(_PIECE)):
                left -= len(piece)
            if left <= 0:
                reset(sock)
        except Exception:
            cut(sock)  # the client has left, or its chunks are broken
        finally:
            self._timeouts.end(sock)
            self._places.release()


def end_connection(sock: Any) -> None:
    """End a connection before gthread closes it, which would wait for the client and accept no other."""
    if isinstance(sock, ssl.SSLSocket):
        return
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        with suppress(BlockingIOError):
            for _ in range(_PIECES):
                if not sock.recv(_PIECE, socket.MSG_DONTWAIT):
                    break
        sock.shutdown(socket.SHUT_RDWR)
