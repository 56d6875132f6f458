"""A connected socket that one thread reads and any thread writes, every wait with a deadline.

This is the one place that knows which worker runs us: under gevent a wait gives way to
other greenlets, under real threads it is poll(2).
"""

import select
import socket
import ssl
import sys
import threading
from typing import Any, Protocol

WRITE_PATIENCE = 5.0  # seconds without a byte taken, after which a peer counts as stuck
READ_SIZE = 65536  # bytes


class Stuck(TimeoutError):
    """The peer has taken no byte for :data:`WRITE_PATIENCE` seconds."""


class _Readiness(Protocol):
    def wait_readable(self) -> None: ...
    def writable(self, timeout: float) -> bool: ...
    def close(self) -> None: ...


class _PollReadiness:
    """Waits with poll(2). A closed or broken socket counts as ready: the next call tells."""

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno
        self._read = select.poll()
        self._read.register(fileno, select.POLLIN)

    def wait_readable(self) -> None:
        self._read.poll()

    def writable(self, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._fileno, select.POLLOUT)
        return bool(poll.poll(timeout * 1000))

    def close(self) -> None:
        pass


class _GeventReadiness:
    """Waits on libev. The read watcher is made once: a wait then costs no system call."""

    def __init__(self, fileno: int) -> None:
        import gevent

        self._timeout = gevent.Timeout
        self._hub = gevent.get_hub()
        self._fileno = fileno
        self._read = self._hub.loop.io(fileno, 1)

    def wait_readable(self) -> None:
        self._hub.wait(self._read)

    def writable(self, timeout: float) -> bool:
        watcher = self._hub.loop.io(self._fileno, 2)
        timer = self._timeout.start_new(timeout)
        try:
            self._hub.wait(watcher)
        except self._timeout as expired:
            if expired is not timer:
                raise
            return False
        finally:
            timer.close()
            watcher.close()
        return True

    def close(self) -> None:
        self._read.close()


def _under_gevent() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


class Wire:
    """Takes over a connected socket (plain or TLS) and makes it non-blocking.

    ``recv`` is for one thread, ``send`` for any; ``shutdown`` wakes both from any thread.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._lock = threading.Lock()
        gevent = _under_gevent()
        self._readiness: _Readiness = (_GeventReadiness if gevent else _PollReadiness)(sock.fileno())
        # gevent wraps each call to wait where we never let it wait.
        quick: Any = sock._sock if gevent and not self._tls else sock  # type: ignore[attr-defined]
        self._recv, self._write = quick.recv, quick.send

    def recv(self, size: int = READ_SIZE) -> bytes:
        """Wait for data and read what has come, at most ``size`` bytes.

        :return: the bytes, or ``b""`` at the end of the stream.
        :raise OSError: the connection broke.
        """
        # TLS may hold bytes that the kernel no longer shows as readable, so ask it first.
        if not self._tls:
            self._readiness.wait_readable()
        while True:
            try:
                data: bytes = self._recv(size)
                return data
            except (BlockingIOError, ssl.SSLWantReadError):
                self._readiness.wait_readable()

    def send(self, data: bytes, patience: float = WRITE_PATIENCE) -> None:
        """Write all of ``data`` before anyone else writes.

        :param patience: seconds to wait for another writer, and for the peer to take a byte.
        :raise Stuck: the time is up. Where a part was written the stream is broken, and the
            wire has been shut down.
        :raise OSError: the connection broke.
        """
        if not self._lock.acquire(blocking=False) and not self._lock.acquire(timeout=patience):
            raise Stuck("another writer is at it")
        try:
            self._send(data, patience)
        finally:
            self._lock.release()

    def _send(self, data: bytes, patience: float) -> None:
        view = memoryview(data)
        while view:  # nearly always once
            try:
                view = view[self._write(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if not self._readiness.writable(patience):
                    if len(view) < len(data):
                        self.shutdown()
                    raise Stuck("the peer takes nothing") from None

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
