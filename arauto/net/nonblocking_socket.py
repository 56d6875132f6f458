"""A connected socket that one thread reads and any thread writes, every write with a deadline."""

import socket
import ssl
from collections.abc import Callable
from typing import Any

from arauto.system.concurrency import Lock, make_lock, readiness, under_gevent

WRITE_PATIENCE = 5.0  # seconds without a byte taken, after which a peer counts as stuck
READ_SIZE = 65536  # bytes


class Stuck(TimeoutError):
    """The peer has taken no byte for :data:`WRITE_PATIENCE` seconds."""


class NonblockingSocket:
    """Takes over a connected socket (plain or TLS) and makes it non-blocking.

    ``recv`` is for one thread, ``send`` for any; ``shutdown`` wakes both from any thread.
    """

    # A thousand wires pass through the processor's caches with each message: small is quick.
    __slots__ = ("_ended", "_lock", "_readiness", "_recv", "_sock", "_tls", "_wait_readable", "_write")

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._lock = make_lock()
        self._readiness = readiness(sock.fileno())
        self._wait_readable = self._readiness.wait_readable
        # gevent wraps each call to wait where we never let it wait.
        quick: Any = sock._sock if under_gevent() and not self._tls else sock  # type: ignore[attr-defined]
        self._recv, self._write = quick.recv, quick.send
        if self._tls:
            # OpenSSL's state of one connection is not for two threads at once.
            one_at_a_time = make_lock()
            self._recv = _guarded(one_at_a_time, quick.recv)
            self._write = _guarded(one_at_a_time, quick.send)
        self._ended = False

    def recv(self, size: int = READ_SIZE) -> bytes:
        """Wait for data and read what has come, at most ``size`` bytes. Less means: that was all.

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
        # TLS may hold bytes that the kernel no longer shows as readable, so it is asked first;
        # it gives one record at a time.
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
                    break  # the next call tells
                raise
            if not record:
                break
            data += record
        return data

    def send(self, data: bytes, patience: float = WRITE_PATIENCE, last: bool = False) -> None:
        """Write all of ``data`` before anyone else writes.

        :param patience: seconds to wait for another writer, and for the peer to take a byte.
        :param last: nobody may write after this.
        :raise Stuck: the time is up. Where a part was written the stream is broken, and the
            wire has been shut down.
        :raise OSError: the connection broke, or the last word was said.
        """
        if not self._lock.acquire(False) and not self._lock.acquire(True, patience):
            raise Stuck("another writer is at it")
        try:
            if self._ended:
                raise BrokenPipeError("the last word was said")
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
                # gevent's TLS socket answers 0 where others raise.
                sent += self._write(view[sent:])
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass

    def shutdown(self) -> None:
        """End the connection at once, both ways; whoever waits on it wakes."""
        try:
            # SSLSocket.shutdown would drop the TLS state under a reader's feet.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            pass  # it is down already

    def release(self) -> None:
        """Let go of the socket without closing it: somebody else owns its descriptor."""
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
