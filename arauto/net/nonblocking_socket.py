"""A connected socket with one reader and any number of writers, each write with a deadline."""

import socket
import ssl
from collections.abc import Callable
from typing import Any

from arauto.system.concurrency import Lock, make_lock, readiness, under_gevent

WRITE_PATIENCE = 5.0  # seconds without progress, after which the peer counts as stuck
READ_SIZE = 65536  # bytes


class Stuck(TimeoutError):
    """The peer has read nothing for :data:`WRITE_PATIENCE` seconds."""


class NonblockingSocket:
    """Takes over a connected socket (plain or TLS) and makes it non-blocking.

    ``recv`` is for one thread, ``send`` for any; ``shutdown`` wakes both from any thread.
    """

    # There are thousands of these in the processor's caches: keep them small.
    __slots__ = ("_ended", "_lock", "_readiness", "_recv", "_sock", "_tls", "_wait_readable", "_write")

    doubted_since: float | None = None
    """Since when messages may be missing on this connection, although it works; ``None``: none are."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._lock = make_lock()
        self._readiness = readiness(sock.fileno())
        self._wait_readable = self._readiness.wait_readable
        # gevent wraps each call to wait, and these never wait.
        quick: Any = sock._sock if under_gevent() and not self._tls else sock  # type: ignore[attr-defined]
        self._recv, self._write = quick.recv, quick.send
        if self._tls:
            # OpenSSL's state of one connection must not be used by two threads at once.
            one_at_a_time = make_lock()
            self._recv = _guarded(one_at_a_time, quick.recv)
            self._write = _guarded(one_at_a_time, quick.send)
        self._ended = False

    def recv(self, size: int = READ_SIZE) -> bytes:
        """Wait for data and read at most ``size`` bytes. Fewer bytes mean that no more has arrived.

        :return: the bytes, or ``b""`` at the end of the stream.
        :raise OSError: the connection broke.
        """
        if self._tls:
            return self._recv_records(size)
        self._wait_readable()
        while True:
            try:
                data: bytes = self._recv(size)
                return data
            except BlockingIOError:
                self._wait_readable()

    def _recv_records(self, size: int) -> bytes:
        # TLS may hold bytes that the kernel no longer shows as readable, so ask it first.
        # It returns one record at a time.
        data = b""
        while len(data) < size:
            try:
                record = self._recv(size - len(data))
            except (BlockingIOError, ssl.SSLWantReadError):
                if data:
                    break
                self._wait_readable()
                continue
            except OSError:
                if data:
                    break  # the next call raises it
                raise
            if not record:
                break
            data += record
        return data

    def send(self, data: bytes, patience: float = WRITE_PATIENCE, last: bool = False) -> None:
        """Write all of ``data`` before any other writer.

        :param patience: seconds to wait for another writer, and for the peer to read.
        :param last: no write is allowed after this one.
        :raise Stuck: the time is up. After a partial write the connection has been shut down.
        :raise OSError: the connection broke, or the last write was done.
        """
        if not self._lock.acquire(False) and not self._lock.acquire(True, patience):
            raise Stuck("another writer is at it")
        try:
            if self._ended:
                raise BrokenPipeError("the close frame was sent")
            try:
                sent = self._write(data)
            except (BlockingIOError, ssl.SSLWantWriteError):
                sent = 0
            if sent < len(data):
                self._send_rest(data, sent, patience)
            self._ended = last
        finally:
            self._lock.release()

    def _send_rest(self, data: bytes, sent: int, patience: float) -> None:
        view = memoryview(data)
        while sent < len(data):
            if not self._readiness.writable(patience):
                if sent:
                    self.shutdown()
                raise Stuck("the peer takes nothing")
            try:
                # gevent's TLS socket returns 0 where others raise.
                sent += self._write(view[sent:])
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass

    def shutdown(self) -> None:
        """End the connection in both directions; a waiting reader or writer wakes."""
        try:
            # SSLSocket.shutdown would drop the TLS state under a reader's feet.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            pass  # already shut down

    def release(self) -> None:
        """Detach from the socket without closing it: its descriptor has another owner."""
        self._readiness.close()

    def close(self) -> None:
        """Shut down and close. Only the reading thread may call this."""
        self.shutdown()
        self.release()
        self._sock.close()


def _guarded(lock: Lock, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def guarded(argument: Any) -> Any:
        with lock:
            return call(argument)

    return guarded
