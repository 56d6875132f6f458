"""Locks, waiting for sockets, turns and name resolution, under gevent and under threads.

Under gevent a wait lets other greenlets run; under threads it is poll(2).
"""

import select
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol


def under_gevent() -> bool:
    """Whether gevent has patched this process, so that threads are greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


def unpatched(module: str, name: str, found: Any) -> Any:
    """``found``, which is ``module.name``, as it is without gevent."""
    if not under_gevent():
        return found
    from gevent.monkey import get_original

    return get_original(module, name)


class Lock(Protocol):
    """A lock for the threads of this process."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *exc: Any) -> None: ...


def make_lock() -> Lock:
    """A lock that is faster under gevent than ``threading.Lock``, which is ten lines of Python there."""
    if not under_gevent():
        return threading.Lock()
    from gevent.lock import Semaphore

    lock: Lock = Semaphore(1)
    return lock


class Readiness(Protocol):
    """Waits until one socket can be read or written."""

    wait_readable: Callable[[], object]

    def writable(self, timeout: float) -> bool: ...
    def close(self) -> None: ...


class _PollReadiness:
    """Waits with poll(2). A closed or broken socket counts as ready: the next call raises."""

    __slots__ = ("_fileno", "wait_readable")

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno
        reading = select.poll()
        reading.register(fileno, select.POLLIN)
        self.wait_readable: Callable[[], object] = reading.poll

    def writable(self, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._fileno, select.POLLOUT)
        return bool(poll.poll(timeout * 1000))

    def close(self) -> None:
        pass


class _GeventReadiness:
    """Waits on libev. The read watcher is made once: a wait then costs no system call."""

    __slots__ = ("_fileno", "_hub", "_read", "_timeout", "wait_readable")

    def __init__(self, fileno: int) -> None:
        import gevent

        self._timeout = gevent.Timeout
        self._hub = gevent.get_hub()
        self._fileno = fileno
        self._read = self._hub.loop.io(fileno, 1)
        self.wait_readable: Callable[[], object] = partial(self._hub.wait, self._read)

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


def readiness(fileno: int) -> Readiness:
    """The way to wait for this descriptor in this process."""
    return _GeventReadiness(fileno) if under_gevent() else _PollReadiness(fileno)


def is_readable(fileno: int) -> bool:
    """Whether the descriptor has something to read, or has ended. Under gevent no greenlet runs meanwhile."""
    poll = unpatched("select", "poll", select.poll)()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(0))


def let_others_run() -> None:
    """Let other greenlets run during a long computation; threads take turns by themselves."""
    if under_gevent():
        import gevent

        gevent.sleep(0)


def find_addresses_at_once() -> None:
    """Let gevent resolve IP addresses by itself.

    It uses a pool of native threads for every address, even for 127.0.0.1: a thousand tabs that connect at
    once would queue there, while the threads compete for the interpreter.
    """
    if not under_gevent():
        return
    import gevent
    from gevent.resolver.thread import Resolver

    native = gevent.monkey.get_original("socket", "getaddrinfo")

    class QuickResolver(Resolver):  # type: ignore[misc]  # gevent carries no types
        def getaddrinfo(
            self, host: Any, port: Any, family: int = 0, kind: int = 0, proto: int = 0, flags: int = 0
        ) -> Any:
            try:
                return native(host, port, family, kind, proto, flags | socket.AI_NUMERICHOST)
            except socket.gaierror:
                pass
            try:
                return super().getaddrinfo(host, port, family, kind, proto, flags)
            except RuntimeError as error:  # no thread can be started
                raise socket.gaierror(socket.EAI_AGAIN, str(error)) from None

    hub = gevent.get_hub()
    hub.resolver = QuickResolver(hub)
