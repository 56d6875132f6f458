"""A feed on a bare socket: the test chooses every byte it sends, and reads frame by frame."""

import json
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.support.http import HANDSHAKE
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80


class Frame(NamedTuple):
    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """The code of a close frame; 1005 if it has none."""
        return int(struct.unpack(">H", self.payload[:2])[0]) if self.payload else 1005

    @property
    def reason(self) -> str:
        return self.payload[2:].decode()


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = b"\1\2\3\4",
    length: bytes = b"",
) -> bytes:  # fmt: skip
    """One frame of a client; ``length`` replaces the payload's own length."""
    first = bytes((fin << 7 | rsv << 4 | opcode,))
    masked = 0x80 if mask is not None else 0
    if length:
        size = bytes((masked | length[0],)) + length[1:]
    elif len(payload) < 126:
        size = bytes((masked | len(payload),))
    elif len(payload) < 65536:
        size = struct.pack(">BH", masked | 126, len(payload))
    else:
        size = struct.pack(">BQ", masked | 127, len(payload))
    return first + size + (mask or b"") + (apply_mask(payload, mask) if mask else payload)


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big")


def close_frame(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def change(**names: list[str]) -> bytes:
    """A change of the selection, as the page sends it in a text frame."""
    return json.dumps(names).encode()


HEARTBEAT = b'[{"type":"heartbeat"'


class RawFeed:
    """One connection. :meth:`next` skips heartbeats, which come at any time."""

    def __init__(
        self, server: ArautoServer, channel: str = "raw", *, receive_buffer: int = 0, extra: bytes = b"",
        headers: str = "", address: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        given = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items()) + headers
        self.send(
            f"GET /feed?channel={channel} HTTP/1.1\r\nHost: {server.host}\r\n{given}\r\n".encode() + extra
        )
        self._bytes = bytearray()
        self.head = self._read_head()

    @property
    def status(self) -> int:
        return int(self.head.split(b" ")[1])

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, **names: list[str]) -> None:
        self.send(frame(TEXT, change(**names)))

    def next(self) -> Frame | None:
        """The next frame that is not a heartbeat, or ``None`` at the end of the stream."""
        while (got := self.frame()) is not None:
            if got != Frame(PING, b"") and not got.payload.startswith(HEARTBEAT):
                return got
        return None

    def frame(self) -> Frame | None:
        """The next frame, or ``None`` at the end of the stream."""
        opcode, length = self._exactly(2) or (0, 0)
        if not opcode:
            return None
        assert not length & 0x80, "a server does not mask"
        if length == 126:
            (length,) = struct.unpack(">H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._exactly(8))
        payload = self._exactly(length)
        assert len(payload) == length, "the stream ended in mid-frame"
        assert opcode & 0xF0 == FIN, "a whole frame without reserved bits"
        return Frame(opcode & 0xF, payload)

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of the next text frames; any other frame fails the test."""
        while (got := self.next()) is not None:
            assert got.opcode == TEXT, got
            yield from json.loads(got.payload)

    def confirmed(self) -> "RawFeed":
        """Wait until Redis has confirmed the channel of the handshake."""
        assert self.status == 101, self.head
        assert next(self.events())["type"] == "subscribe"
        return self

    def ending(self) -> Frame | None:
        """The close frame of the server, which is answered; nothing may come after it."""
        while (got := self.next()) is not None and got.opcode != CLOSE:
            pass
        if got is not None:
            self.send_if_open(close_frame())
            assert self.next() is None, "something came after a close"
        return got

    def send_if_open(self, data: bytes) -> None:
        try:
            self.send(data)
        except OSError:
            pass

    def rest(self) -> bytes:
        """All remaining bytes of the stream."""
        data = bytes(self._bytes)
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
        return data

    def refusal(self) -> str:
        """The error of a refused handshake."""
        (length,) = re.findall(rb"content-length: (\d+)", self.head.lower())
        return str(json.loads(self._exactly(int(length)))["error"])

    def reset(self) -> None:
        """Close the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def _read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._bytes:
            chunk = self.socket.recv(65536)
            if not chunk:
                break
            self._bytes += chunk
        head, _, rest = bytes(self._bytes).partition(b"\r\n\r\n")
        self._bytes = bytearray(rest)
        return head

    def _exactly(self, n: int) -> bytes:
        """``n`` bytes, or fewer at the end of the stream."""
        while len(self._bytes) < n:
            try:
                chunk = self.socket.recv(1 << 20)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                break
            self._bytes += chunk
        data = bytes(self._bytes[:n])
        del self._bytes[:n]
        return data


@contextmanager
def raw_feed(server: ArautoServer, channel: str = "raw", **options: Any) -> Iterator[RawFeed]:
    """A feed whose channel Redis has confirmed."""
    feed = RawFeed(server, channel, **options)
    try:
        yield feed.confirmed()
    finally:
        feed.close()
