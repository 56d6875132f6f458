"""The browser's socket made safe: whole frames, one lock, a deadline, a real close.

wsproto parses what comes in; what goes out is framed here, in one write.
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

BEAT = 20.0  # seconds between heartbeats, unless it is said otherwise
PONG_WITHIN = 20.0  # seconds; a heartbeat may be quicker than the way to a browser and back
CLOSE_PATIENCE = 1.0  # seconds that a browser has to answer a close
MAX_REASON = 123  # bytes that a close frame has room for
MAX_INCOMING = 65536  # characters: a change of 100 names of 256 bytes, with room
INCOMING_SIZE = 4096  # bytes read at a time: a page says little
MAX_FRAMES = 500  # frames, or pieces of long ones, taken from a browser in FRAMES_SPAN
FRAMES_SPAN = 10.0  # seconds; whoever holds a key down on a chip says 300 things in it

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_CUT = "…".encode()
_ANSWER = b"\x8a\x80"  # an empty pong, which a mask of four bytes follows


class Code(IntEnum):
    """Why a socket was closed, RFC 6455 section 7.4 and the IANA registry."""

    RESTART = 1001
    NO_STATUS = 1005  # never on the wire: the peer gave none
    ABNORMAL = 1006  # never on the wire: the peer is gone
    POLICY = 1008
    TOO_BIG = 1009
    FAULT = 1011
    NO_ROOM = 1013


class Upgrade:
    """Answers a handshake that request_guards.py has checked. For flask-sock this is its ``Server``.

    simple-websocket, which flask-sock would use, rebuilds the request, parses it a second
    time and negotiates permessage-deflate: a quarter of what a new socket costs, and twice
    the time for each message. Afterwards it writes without a lock, loses the rest of a
    partial write, and hangs a reader on an oversize message.
    """

    connected = True

    def __init__(self, environ: dict[str, Any], **options: Any) -> None:
        self.mode = "gunicorn" if "gunicorn.socket" in environ else "werkzeug"
        self.sock = environ[f"{self.mode}.socket"]
        # RFC 6455 wants SHA-1; what it proves is no secret.
        proof = sha1(environ["HTTP_SEC_WEBSOCKET_KEY"].encode() + _GUID).digest()  # noqa: S324 - see above
        try:
            self.sock.sendall(_SWITCHING + b64encode(proof) + b"\r\n\r\n")
        except OSError:
            pass  # it has left already, as the feed's first look at the socket will tell

    def close(self) -> None:
        """Do nothing: the transport has closed already."""


class Transport:
    """Sends text frames from any thread; one thread calls :meth:`receive`.

    :param sock: the browser's socket after the handshake. Its descriptor belongs to the
        web server, so it is shut down here and never closed.
    :param pulse: sends the heartbeats, and cuts who does not answer.
    :param beat: seconds between them.
    """

    def __init__(self, sock: Any, timers: TimerWheel, beat: float = BEAT) -> None:
        self._wire = NonblockingSocket(sock)
        self.send: Callable[[bytes], None] = self._wire.send
        """Send a frame that :func:`text_frame` has made. Raises ``OSError`` when the browser is
        gone, is leaving or has stopped reading."""
        self._timers = timers
        self._parser: Connection | None = None  # most pages never say anything but pong
        self._incoming = ""
        self._frames, self._counted_since = 0, 0.0
        self._beat_every = beat
        self._unanswered: float | None = None  # since when, by the monotonic clock
        self._goodbye_said = False
        self._left = False
        self._over = False
        self.code: int = Code.ABNORMAL  # why it ended, for the log
        timers.after(beat, self._beat)

    def close(self, code: Code, reason: str = "", patience: float = CLOSE_PATIENCE) -> bool:
        """Say goodbye, once, from any thread; nothing is sent after it.

        :meth:`receive` ends when the browser answers, or is made to a second later.

        :return: whether it could be said within ``patience`` seconds.
        """
        if not self._goodbye_said:
            try:
                self._wire.send(_close_frame(code, reason), patience, last=True)
                self.code = code
            except Stuck:
                return False
            except OSError:
                pass  # it left first, or another thread has just said it
            self._goodbye_said = True
            self._timers.after(CLOSE_PATIENCE, self.abort)
        return True

    def abort(self) -> None:
        """End the connection without a word, from any thread."""
        self._wire.shutdown()

    def receive(self) -> str | None:
        """Wait for the browser's next text message.

        :return: the text, or ``None`` when the connection has come to its end.
        """
        while True:
            if self._parser is not None:
                for event in self._parser.events():
                    text = self._handle(event)
                    if text is not None:
                        return text
            if self._left:  # what it may have sent after its goodbye says nothing
                return None
            try:
                data = self._wire.recv(INCOMING_SIZE)
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
        """End the connection and let go of the socket; only the receiving thread may."""
        self._over = True
        self._wire.shutdown()
        self._wire.release()

    def _beat(self) -> float | None:
        """Send the heartbeat, and cut a browser that has answered none for too long."""
        if self._over or self._goodbye_said:
            return None
        asked = self._unanswered
        if asked is not None and monotonic() - asked >= PONG_WITHIN:
            self.abort()
            return None
        if asked is None:
            self._unanswered = monotonic()  # before the ping is sent: its answer may be quicker than we
        try:
            self._wire.send(_heartbeat(time()), patience=0)
        except OSError:
            self._unanswered = None  # a message is being written, which has a deadline of its own
        return self._beat_every

    def _count(self) -> None:
        """One more frame; whoever sends too many of them is sent away."""
        now = monotonic()
        if now - self._counted_since > FRAMES_SPAN:
            self._frames, self._counted_since = 0, now
        self._frames += 1
        if self._frames > MAX_FRAMES:
            self._send_away(
                Code.POLICY,
                f"Over {MAX_FRAMES} frames in {FRAMES_SPAN:.0f} seconds: say several names in one message.",
            )

    def _handle(self, event: Event) -> str | None:
        self._count()
        if isinstance(event, TextMessage):
            return self._collect(event)
        if isinstance(event, BytesMessage):
            self._send_away(Code.POLICY, "Only text messages are understood.")
        elif isinstance(event, Ping):
            self._pong(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self._farewell(event)
        return None

    def _collect(self, event: TextMessage) -> str | None:
        self._incoming += event.data
        if len(self._incoming) > MAX_INCOMING:
            self._incoming = ""
            self._send_away(Code.TOO_BIG, f"A message may have at most {MAX_INCOMING} characters.")
            return None
        if not event.message_finished:
            return None
        text, self._incoming = self._incoming, ""
        return None if self._goodbye_said else text

    def _pong(self, payload: bytes) -> None:
        try:
            self.send(_header(_PONG, len(payload)) + payload)
        except Stuck:
            self.abort()  # it asks and asks, and reads no answer
        except OSError:
            pass  # the next read tells

    def _send_away(self, code: Code, reason: str) -> None:
        if not self.close(code, reason):
            self.abort()  # it does not read, so it cannot be told

    def _farewell(self, event: CloseConnection) -> None:
        """The browser closes, or answers our close, or broke the protocol."""
        if not self._goodbye_said:
            self.code = event.code
            try:
                self._wire.send(_close_frame(event.code, event.reason or ""), last=True)
            except OSError:
                pass
        self._left = True
        self.abort()


def text_frame(text: bytes) -> bytes:
    """``text`` (UTF-8) as one frame."""
    return _header(_TEXT, len(text)) + text


def _heartbeat(at: float) -> bytes:
    """A ping for the browser, and for the page an event that says when: it may be read much later."""
    return text_frame(b'[{"type":"heartbeat","at":%a}]' % at) + bytes((_PING, 0))


def _close_frame(code: int, reason: str) -> bytes:
    if code == Code.NO_STATUS:  # it is not for the wire
        return _header(_CLOSE, 0)
    said = reason.encode()
    if len(said) > MAX_REASON:
        said = said[: MAX_REASON - len(_CUT)].decode(errors="ignore").encode() + _CUT
    return _header(_CLOSE, 2 + len(said)) + struct.pack(">H", code) + said


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((opcode, length))
    if length < 65536:
        return struct.pack(">BBH", opcode, 126, length)
    return struct.pack(">BBQ", opcode, 127, length)
