"""The load client: many subscribers in one thread, which check every message.

Every message carries its number between two hash marks, ``#00000042#``. A subscriber finds
the numbers with one ``split`` a read and compares them with the numbers that must come next,
so loss, duplicates and wrong order are found at C speed whatever wraps the message.
"""

import os
import re
import select
import socket
from base64 import b64encode
from collections.abc import Callable
from time import monotonic, perf_counter

OUTSTANDING = 128  # messages under way to the slowest subscriber at saturation
SATURATION_SECONDS = 4.0
READ_SIZE = 1 << 15  # bytes; larger reads cost a fresh mapping each
NUMBERS = [b"%08d" % n for n in range(4_000_000)]
_NUMBER = re.compile(rb"#(\d{8})#")
PADDING = b'"host":"web-03","severity":"critical","title":"CPU em 99% - Perigo!"'


_PING = b"\x89\x00"
_PONG = b"\x8a\x80\0\0\0\0"


class Broken(Exception):
    """A subscriber was closed, or received a wrong message."""


def message(number: int) -> bytes:
    """An alert of 90 bytes with ``number`` in it."""
    return b"{" + PADDING + b',"n":"#%08d#"}' % number


class Subscriber:
    """One connection; ``received`` is the number that it must receive next."""

    __slots__ = ("fileno", "received", "rest", "socket")

    def __init__(self, sock: socket.socket, first: bytes) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.fileno = sock.fileno()
        self.received = 0
        self.rest = first


class Crowd:
    """All subscribers on one epoll. ``on_complete(number, seconds)`` is for latencies."""

    def __init__(self) -> None:
        self.subscribers: dict[int, Subscriber] = {}
        self._epoll = select.epoll()
        self.delivered = self.read_bytes = 0

    def add(self, sock: socket.socket, first: bytes = b"") -> None:
        subscriber = Subscriber(sock, first)
        self.subscribers[subscriber.fileno] = subscriber
        self._epoll.register(subscriber.fileno, select.EPOLLIN)

    def start_again(self) -> None:
        """Expect the number 0 next."""
        for subscriber in self.subscribers.values():
            subscriber.received = 0
        self.delivered = self.read_bytes = 0

    def read(self, timeout: float) -> list[tuple[Subscriber, int]]:
        """Read from all that are readable; return which subscribers received how many."""
        news = []
        for fileno, _ in self._epoll.poll(timeout, 512):
            subscriber = self.subscribers[fileno]
            try:
                data = os.read(fileno, READ_SIZE)
            except BlockingIOError:
                continue
            if not data:
                raise Broken("a subscriber was closed")
            self.read_bytes += len(data)
            if _PING in data:
                os.write(fileno, _PONG)
            data = subscriber.rest + data
            parts = data.split(b"#")
            # An odd number of marks means that a number was cut by the end of the read.
            subscriber.rest = b"" if len(parts) % 2 else b"#" + parts.pop()
            numbers = parts[1::2]
            start = subscriber.received
            end = start + len(numbers)
            if numbers != NUMBERS[start:end]:
                numbers, subscriber.rest = _look_closely(data)
                end = start + len(numbers)
            if numbers != NUMBERS[start:end]:
                raise Broken(f"expected {start}…{end}, received {numbers[:5]}…{numbers[-5:]}")
            subscriber.received = end
            self.delivered += len(numbers)
            if numbers:
                news.append((subscriber, len(numbers)))
        return news

    def idle(self, seconds: float) -> None:
        """Act as a browser with a silent socket: answer pings."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            for fileno, _ in self._epoll.poll(left, 512):
                if _PING in os.read(fileno, READ_SIZE):
                    os.write(fileno, _PONG)

    def slowest(self) -> int:
        return min(subscriber.received for subscriber in self.subscribers.values())

    def close(self) -> None:
        for subscriber in self.subscribers.values():
            subscriber.socket.close()
        self._epoll.close()
        self.subscribers.clear()


def _look_closely(data: bytes) -> tuple[list[bytes], bytes]:
    """The numbers, and the beginning of a cut one: a frame's header may contain a hash mark too."""
    found = list(_NUMBER.finditer(data))
    tail = data[max(len(data) - 9, found[-1].end() if found else 0) :]
    return [match[1] for match in found], tail[tail.index(b"#") :] if b"#" in tail else b""


class RedisPublisher:
    """Publishes on one raw connection, many in one write, and reads the replies."""

    def __init__(self, port: int, channel: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._channel = channel

    def publish(self, numbers: range) -> None:
        head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(self._channel), self._channel)
        body = b"".join(head + b"$%d\r\n%b\r\n" % (len(data), data) for data in (message(n) for n in numbers))
        self._socket.sendall(body)
        drain(self._socket)

    def close(self) -> None:
        self._socket.close()


class HttpPublisher:
    """Publishes with POST on one persistent connection, many in one write."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ".encode()

    def publish(self, numbers: range) -> None:
        bodies = (message(number) for number in numbers)
        self._socket.sendall(b"".join(self._head + b"%d\r\n\r\n" % len(body) + body for body in bodies))
        drain(self._socket)

    def close(self) -> None:
        self._socket.close()


def drain(sock: socket.socket) -> None:
    """Discard a publisher's replies."""
    try:
        sock.recv(1 << 16, socket.MSG_DONTWAIT)
    except BlockingIOError:
        pass


Publish = Callable[[range], None]


def saturate(crowd: Crowd, publish: Publish) -> float:
    """Messages a second delivered, with at most ``OUTSTANDING`` under way to the slowest."""
    crowd.start_again()
    sent = 0
    began = perf_counter()
    end = began + SATURATION_SECONDS
    while perf_counter() < end:
        room = OUTSTANDING - (sent - crowd.slowest())
        if room > OUTSTANDING // 4:
            publish(range(sent, sent + room))
            sent += room
        crowd.read(1.0)
    delivered, took = crowd.delivered, perf_counter() - began
    _finish(crowd, sent)
    return delivered / took


def fan_out_latencies(crowd: Crowd, publish: Publish, rate: float, messages: int) -> list[float]:
    """Seconds from publishing to arrival, for each message and subscriber."""
    crowd.start_again()
    latencies: list[float] = []
    for number in range(messages):
        published = perf_counter()
        publish(range(number, number + 1))
        missing = len(crowd.subscribers)
        while missing:
            news = crowd.read(1.0)  # may bring nothing but heartbeats
            now = perf_counter()
            if now - published > 5:
                raise Broken(f"{missing} did not receive message {number} within 5 s")
            latencies += [now - published] * len(news)
            missing -= len(news)
        pause = published + 1 / rate - perf_counter()
        if pause > 0:
            select.select([], [], [], pause)
    return latencies


def _finish(crowd: Crowd, sent: int) -> None:
    deadline = monotonic() + 30
    while crowd.slowest() < sent:
        if monotonic() > deadline:
            raise Broken(f"the slowest has {crowd.slowest()} of {sent}")
        crowd.read(1.0)


class Handshake:
    """How a subscriber of one server connects: its path, and when it is subscribed."""

    def __init__(
        self,
        path: str,
        ready: bytes,
        ask: bytes = b"",
        then: bytes = b"",
        check: Callable[[bytes], None] | None = None,
    ) -> None:
        self.path = path
        self.ready = ready  # seen when it is subscribed
        self.ask, self.then = ask, then  # when ``ask`` is seen, the text ``then`` is sent
        self.check = check  # is given everything that was read until then


def connect_websockets(crowd: Crowd, port: int, n: int, handshake: Handshake, within: float = 120) -> float:
    """Open ``n`` WebSockets, at most 256 handshakes at a time; return the seconds it took."""
    request = (
        f"GET {handshake.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}\r\n\r\n"
    ).encode()
    began = perf_counter()
    epoll = select.epoll()
    waiting: dict[int, tuple[socket.socket, bytes]] = {}
    opened = 0
    while opened < n or waiting:
        while opened < n and len(waiting) < 256:
            sock = socket.socket()
            # One pair of addresses has 28,000 ports, and closed ones rest for a minute.
            sock.bind((f"127.0.{1 + opened // 1000}.1", 0))
            sock.connect(("127.0.0.1", port))
            sock.sendall(request)
            epoll.register(sock.fileno(), select.EPOLLIN)
            waiting[sock.fileno()] = (sock, b"")
            opened += 1
        events = epoll.poll(10)
        if not events or perf_counter() - began > within:
            raise Broken(f"{len(waiting)} of {n} sockets were not ready in time")
        for fileno, _ in events:
            sock, seen = waiting[fileno]
            data = sock.recv(4096)
            if not data or not b"HTTP/1.1 101 ".startswith((seen + data)[:13]):
                raise Broken(f"a socket was refused: {(seen + data)[:200]!r}")
            if handshake.ask and handshake.ask in seen + data and handshake.ask not in seen:
                sock.sendall(bytes((0x81, 0x80 | len(handshake.then))) + b"\0\0\0\0" + handshake.then)
            seen += data
            waiting[fileno] = (sock, seen)
            if handshake.ready in seen:
                epoll.unregister(fileno)
                del waiting[fileno]
                if handshake.check is not None:
                    handshake.check(seen)
                crowd.add(sock)
    epoll.close()
    return perf_counter() - began


def connect_redis(crowd: Crowd, port: int, channel: bytes, n: int) -> None:
    """Open ``n`` raw Redis subscribers: the limit of what any program could reach."""
    for _ in range(n):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(b"*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%b\r\n" % (len(channel), channel))
        assert sock.recv(1024)
        crowd.add(sock)
