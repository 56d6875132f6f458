"""A bad network: a TCP proxy that delays, slices, stops and cuts its connections."""

import selectors
import socket
import struct
import threading
from collections import deque
from time import monotonic

_READ = 65536


class Proxy:
    """Forwards connections to ``target`` on loopback, with faults.

    ``latency`` (seconds) and ``slice_size`` (bytes a write; 0: no slices) may be set at any
    time; after :meth:`freeze` it forwards nothing and closes nothing, like a cable that was pulled.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.latency = 0.0
        self.slice_size = 0
        self._frozen = False
        self._links: list[_Link] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def freeze(self) -> None:
        self._frozen = True

    def thaw(self) -> None:
        self._frozen = False

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            for link in self._links:
                link.doomed = True

    def cut_after(self, size: int) -> None:
        """Reset each connection when ``size`` more bytes have come from the target on it."""
        with self._lock:
            for link in self._links:
                link.left = size

    def close(self) -> None:
        self._ended = True
        self._thread.join(5)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._ended:
                busy = any(link.waiting for link in self._links)
                events = selector.select(0.001 if busy else 0.02)
                if self._frozen:
                    self._bury(selector)
                    threading.Event().wait(0.02)
                    continue
                for key, _ in events:
                    if key.data is None:
                        self._accept(selector)
                    else:
                        key.data.read(key.fileobj, self.latency)
                for link in self._links:
                    link.write(self.slice_size)
                self._bury(selector)
            for link in self._links:
                link.doomed = True
            self._bury(selector)
        self._listener.close()

    def _accept(self, selector: selectors.BaseSelector) -> None:
        try:
            near, _ = self._listener.accept()
        except BlockingIOError:
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.target), timeout=2)
        except OSError:
            _reset(near)
            return
        link = _Link(near, far)
        with self._lock:
            self._links.append(link)
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(end, selectors.EVENT_READ, link)

    def _bury(self, selector: selectors.BaseSelector) -> None:
        with self._lock:
            for link in [link for link in self._links if link.doomed]:
                self._links.remove(link)
                for end in (link.near, link.far):
                    selector.unregister(end)
                    _reset(end)


class _Link:
    """One connection through the proxy, and the data on its way."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self.waiting: deque[tuple[float, socket.socket, bytes]] = deque()
        self.doomed = False
        self.left: int | None = None  # bytes from the far end until it is cut

    def read(self, end: socket.socket, latency: float) -> None:
        if len(self.waiting) > 64:
            return
        try:
            data = end.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.doomed = True
            return
        if end is self.far and self.left is not None:
            data, self.left = data[: self.left], max(0, self.left - len(data))
        self.waiting.append((monotonic() + latency, self.near if end is self.far else self.far, data))

    def write(self, slice_size: int) -> None:
        now = monotonic()
        budget = 2000  # slices in one go
        while self.waiting and self.waiting[0][0] <= now and budget and not self.doomed:
            due, end, data = self.waiting.popleft()
            budget -= 1
            try:
                sent = end.send(data[:slice_size] if slice_size else data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.doomed = True
                return
            if sent < len(data):
                self.waiting.appendleft((due, end, data[sent:]))
                if not sent:
                    return
        if self.left == 0 and not self.waiting:
            self.doomed = True


def _reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
