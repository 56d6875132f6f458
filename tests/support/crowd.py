"""Thousands of tabs in one thread: raw sockets on one selector."""

import os
import selectors
import socket
import struct
from base64 import b64encode
from time import monotonic
from typing import Any

import orjson

from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE


class _Member:
    """One socket, and the events received on it."""

    def __init__(self, server: ArautoServer, channel: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        key = b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /feed?channel={channel} HTTP/1.1\r\nHost: {server.host}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self.events: list[dict[str, Any]] = []
        self._bytes = b""
        self._upgraded = False

    def read(self) -> None:
        self._bytes += self.socket.recv(1 << 18)
        if not self._upgraded:
            head, end, rest = self._bytes.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101 "), head
            self._upgraded, self._bytes = True, rest
        while (frame := self._next_frame()) is not None:
            self.events += orjson.loads(frame)

    def _next_frame(self) -> bytes | None:
        if len(self._bytes) < 2:
            return None
        start, length = 2, self._bytes[1]
        if length == 126:
            start, length = 4, struct.unpack_from(">H", self._bytes + b"\0\0", 2)[0]
        elif length == 127:
            start, length = 10, struct.unpack_from(">Q", self._bytes + b"\0" * 8, 2)[0]
        if len(self._bytes) < start + length:
            return None
        opcode, frame = self._bytes[0], self._bytes[start : start + length]
        self._bytes = self._bytes[start + length :]
        return frame if opcode == 0x81 and b'"heartbeat"' not in frame[:20] else b"[]"


class Crowd:
    """``n`` tabs on one channel."""

    def __init__(self, server: ArautoServer, n: int, channel: str) -> None:
        self._selector = selectors.DefaultSelector()
        self.members = []
        for _ in range(n):
            member = _Member(server, channel)
            self._selector.register(member.socket, selectors.EVENT_READ, member)
            self.members.append(member)

    def until_each_has(self, n: int, within: float = PATIENCE) -> None:
        """Read until every tab has ``n`` events."""
        deadline = monotonic() + within
        while any(len(member.events) < n for member in self.members):
            assert monotonic() < deadline, sorted(len(member.events) for member in self.members)[:10]
            for key, _ in self._selector.select(1):
                key.data.read()

    def close(self) -> None:
        for member in self.members:
            member.socket.close()
        self._selector.close()
