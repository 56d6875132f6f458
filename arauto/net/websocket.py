"""WebSocket transport: whole frames, one write lock, heartbeats, a close with a deadline.

wsproto parses incoming frames; outgoing ones are framed here, in one write.
"""

import struct
from base64 import b64encode
from collections.abc import Callable
from enum import IntEnum
from hashlib import sha1
from time import monotonic, time
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from arauto.net.nonblocking_socket import NonblockingSocket, Stuck
from arauto.system.timer_wheel import TimerWheel

BEAT = 20.0  # seconds between heartbeats, by default
PONG_WITHIN = 20.0  # seconds; heartbeats may be more frequent than a round trip to the browser
CLOSE_PATIENCE = 1.0  # seconds for a browser to answer a close
MAX_REASON = 123  # bytes of reason that fit into a close frame
MAX_INCOMING = 65536  # characters: a change of 100 names of 256 bytes, with room
INCOMING_SIZE = 4096  # bytes to read at a time: a page sends little
MAX_FRAMES = 500  # frames, or fragments, accepted from a browser in FRAMES_SPAN
FRAMES_SPAN = 10.0  # seconds; holding a key down on a chip sends 300 messages in it

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_CUT = "…".encode()
_ANSWER = b"\x8a\x80"  # an empty pong, followed by a mask of four bytes


class Code(IntEnum):
    """Why a socket was closed, RFC 6455 section 7.4 and the IANA registry."""

    RESTART = 1001
    NO_STATUS = 1005  # never sent: the peer gave none
    ABNORMAL = 1006  # never sent: the peer has disconnected
    POLICY = 1008
    TOO_BIG = 1009
    FAULT = 1011
    NO_ROOM = 1013


class Upgrade:
    """Answers a handshake that ``request_guards.py`` has checked. Used in place of flask-sock's ``Server``.

    simple-websocket, flask-sock's default, rebuilds the request, parses it a second time and negotiates
    permessage-deflate: a quarter of the cost of a new socket, and twice the time per message. It also writes
    without a lock, loses the rest of a partial write, and hangs a reader on an oversize message.
    """

    connected = True

    def __init__(self, environ: dict[str, Any], **options: Any) -> None:
        self.mode = "gunicorn" if "gunicorn.socket" in environ else "werkzeug"
        self.sock = environ[f"{self.mode}.socket"]
        # RFC 6455 requires SHA-1, and it protects no secret.
        proof = sha1(environ["HTTP_SEC_WEBSOCKET_KEY"].encode() + _GUID).digest()  # noqa: S324 - see above
        try:
            self.sock.sendall(_SWITCHING + b64encode(proof) + b"\r\n\r\n")
        except OSError:
            pass  # it has disconnected; the first read fails

    def close(self) -> None:
        """Do nothing: the transport has been closed."""


class Transport:
    """Sends text frames from any thread; one thread calls :meth:`receive`.

    :param sock: the browser's socket after the handshake. The web server owns its descriptor, so it is shut
        down here and never closed.
    :param timers: sends heartbeats, and drops a browser that does not answer.
    :param beat: seconds between heartbeats.
    """

    def __init__(self, sock: Any, timers: TimerWheel, beat: float = BEAT) -> None:
        self._socket = NonblockingSocket(sock)
        self.send: Callable[[bytes], None] = self._socket.send
        """Send a frame made by :func:`text_frame`. Raises ``OSError`` if the browser has disconnected, is
        closing or has stopped reading.
        """
        self._timers = timers
        self._parser: Connection | None = None  # most pages only ever send pongs
        self._incoming = ""
        self._frames, self._counted_since = 0, 0.0
        self._beat_every = beat
        self._unanswered: float | None = None  # since when no pong was received, by the monotonic clock
        self._is_closing = False
        self._has_left = False
        self._is_released = False
        self.code: int = Code.ABNORMAL  # why it was closed, for the log
        timers.after(beat, self._beat)

    def close(self, code: Code, reason: str = "", patience: float = CLOSE_PATIENCE) -> bool:
        """Send a close frame, once, from any thread; nothing is sent after it.

        :meth:`receive` ends when the browser answers, or after a second.

        :return: whether it could be sent within ``patience`` seconds.
        """
        if not self._is_closing:
            try:
                self._socket.send(_close_frame(code, reason), patience, last=True)
                self.code = code
            except Stuck:
                return False
            except OSError:
                pass  # the browser left first, or another thread has closed it
            self._is_closing = True
            self._timers.after(CLOSE_PATIENCE, self.abort)
        return True

    def abort(self) -> None:
        """End the connection without a close frame, from any thread."""
        self._socket.shutdown()

    def receive(self) -> str | None:
        """Wait for the browser's next text message.

        :return: the text, or ``None`` at the end of the connection.
        """
        while True:
            if self._parser is not None:
                for event in self._parser.events():
                    text = self._handle(event)
                    if text is not None:
                        return text
            if self._has_left:  # frames after a close are ignored
                return None
            try:
                data = self._socket.recv(INCOMING_SIZE)
            except OSError:
                return None
            if not data:
                return None
            self._unanswered = None
            if self._parser is None:
                if len(data) == 6 and data.startswith(_ANSWER):
                    self._count()
                    continue
                self._parser = Connection(ConnectionType.SERVER)
            self._parser.receive_data(data)

    def release(self) -> None:
        """End the connection and detach from the socket; only the receiving thread may."""
        self._is_released = True
        self._socket.shutdown()
        self._socket.release()

    def _beat(self) -> float | None:
        """Send a heartbeat, and drop a browser that has not answered for too long."""
        if self._is_released or self._is_closing:
            return None
        pinged_at = self._unanswered
        if pinged_at is not None and monotonic() - pinged_at >= PONG_WITHIN:
            self.abort()
            return None
        if pinged_at is None:
            self._unanswered = monotonic()  # before the ping is sent: its answer may come first
        try:
            self._socket.send(_heartbeat(time()), patience=0)
        except OSError:
            self._unanswered = None  # a message is being written, which has its own deadline
        return self._beat_every

    def _count(self) -> None:
        """Count a frame; close the connection after too many."""
        now = monotonic()
        if now - self._counted_since > FRAMES_SPAN:
            self._frames, self._counted_since = 0, now
        self._frames += 1
        if self._frames > MAX_FRAMES:
            self._close_or_abort(
                Code.POLICY,
                f"Over {MAX_FRAMES} frames in {FRAMES_SPAN:.0f} seconds: say several names in one message.",
            )

    def _handle(self, event: Event) -> str | None:
        self._count()
        if isinstance(event, TextMessage):
            return self._collect(event)
        if isinstance(event, BytesMessage):
            self._close_or_abort(Code.POLICY, "Only text messages are understood.")
        elif isinstance(event, Ping):
            self._pong(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self._handle_close(event)
        return None

    def _collect(self, event: TextMessage) -> str | None:
        self._incoming += event.data
        if len(self._incoming) > MAX_INCOMING:
            self._incoming = ""
            self._close_or_abort(Code.TOO_BIG, f"A message may have at most {MAX_INCOMING} characters.")
            return None
        if not event.message_finished:
            return None
        text, self._incoming = self._incoming, ""
        return None if self._is_closing else text

    def _pong(self, payload: bytes) -> None:
        try:
            self.send(_header(_PONG, len(payload)) + payload)
        except Stuck:
            self.abort()  # it sends pings and reads no answer
        except OSError:
            pass  # the next read raises it

    def _close_or_abort(self, code: Code, reason: str) -> None:
        if not self.close(code, reason):
            self.abort()  # it does not read, so it gets no close frame

    def _handle_close(self, event: CloseConnection) -> None:
        """Handle a close frame, the answer to ours, or a protocol error."""
        if not self._is_closing:
            self.code = event.code
            try:
                self._socket.send(_close_frame(event.code, event.reason or ""), last=True)
            except OSError:
                pass
        self._has_left = True
        self.abort()


def text_frame(text: bytes) -> bytes:
    """``text`` (UTF-8) as one frame."""
    return _header(_TEXT, len(text)) + text


def _heartbeat(at: float) -> bytes:
    """A ping for the browser, and for the page an event with the time: it may be read much later."""
    return text_frame(b'[{"type":"heartbeat","at":%a}]' % at) + bytes((_PING, 0))


def _close_frame(code: int, reason: str) -> bytes:
    if code == Code.NO_STATUS:  # it must not be sent
        return _header(_CLOSE, 0)
    text = reason.encode()
    if len(text) > MAX_REASON:
        text = text[: MAX_REASON - len(_CUT)].decode(errors="ignore").encode() + _CUT
    return _header(_CLOSE, 2 + len(text)) + struct.pack(">H", code) + text


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((opcode, length))
    if length < 65536:
        return struct.pack(">BBH", opcode, 126, length)
    return struct.pack(">BBQ", opcode, 127, length)
