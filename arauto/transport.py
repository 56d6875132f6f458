"""The browser's socket made safe: whole frames, one lock, a deadline, a real close.

simple-websocket has done the handshake. From there on it is not used: it writes without a
lock, loses the rest of a partial write, and hangs a reader on an oversize message. wsproto
parses what comes in; what goes out is framed here, in one write.
"""

import struct
import threading
from enum import IntEnum
from time import monotonic
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from arauto.wire import Stuck, Wire

BEAT = 20.0  # seconds between heartbeats; proxies cut an idle socket after 60
CLOSE_PATIENCE = 1.0  # seconds that a browser has to answer a close
MAX_INCOMING = 65536  # bytes: a change of 100 names of 256 bytes, with room
INCOMING_SIZE = 4096  # bytes read at a time: a page says little

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_HEARTBEAT = b"\x81\x02[]"


class Code(IntEnum):
    """Why a socket was closed, RFC 6455 section 7.4 and the IANA registry."""

    NORMAL = 1000
    RESTART = 1001
    ABNORMAL = 1006  # never on the wire: the peer is gone
    POLICY = 1008
    TOO_BIG = 1009
    FAULT = 1011


class NeverStarted(threading.Thread):
    """Stands in for simple-websocket's reader thread: the feed's own thread reads."""

    def start(self) -> None:
        pass


class Transport:
    """Sends text frames from any thread; one thread calls :meth:`receive`.

    :param sock: the browser's socket after the handshake. Its descriptor belongs to the
        web server, so it is shut down here and never closed.
    """

    def __init__(self, sock: Any) -> None:
        self._wire = Wire(sock)
        self._parser = Connection(ConnectionType.SERVER)
        self._incoming = ""
        self._next_beat = monotonic() + BEAT
        self._answered = True
        self._deadline: float | None = None  # set once we have said goodbye
        self.code: int = Code.ABNORMAL  # why it ended, for the log

    def send_text(self, text: bytes) -> None:
        """Send ``text`` (UTF-8) as one frame.

        :raise OSError: the browser is gone, is leaving or has stopped reading.
        """
        self._write(_header(_TEXT, len(text)) + text)

    def close(self, code: Code, reason: str = "", patience: float = CLOSE_PATIENCE) -> bool:
        """Say goodbye, once, from any thread; nothing is sent after it.

        The receiving thread sees the end when the browser answers, or after a second when
        it said the goodbye itself; another thread that cannot wait calls :meth:`abort`.

        :return: whether it could be said within ``patience`` seconds.
        """
        if self._deadline is None:
            said = reason.encode()[:123].decode(errors="ignore").encode()
            frame = _header(_CLOSE, 2 + len(said)) + struct.pack(">H", code) + said
            try:
                self._wire.send(frame, patience)
            except Stuck:
                return False
            except OSError:
                pass  # it left first
            self.code = code
            self._deadline = monotonic() + CLOSE_PATIENCE
        return True

    def abort(self) -> None:
        """End the connection without a word, from any thread."""
        self._wire.shutdown()

    def receive(self) -> str | None:
        """Wait for the browser's next text message; keep the connection alive meanwhile.

        :return: the text, or ``None`` when the connection has come to its end.
        """
        while True:
            for event in self._parser.events():
                text = self._handle(event)
                if text is not None:
                    return text
            try:
                data = self._wire.recv(self._patience(), INCOMING_SIZE)
            except OSError:
                return None
            if data:
                self._answered = True
                self._parser.receive_data(data)
            elif data is not None or not self._beat():
                return None

    def release(self) -> None:
        """End the connection and let go of the socket; only the receiving thread may."""
        self._wire.shutdown()
        self._wire.release()

    def _write(self, frame: bytes) -> None:
        if self._deadline is not None:
            raise BrokenPipeError("the socket is closing")
        self._wire.send(frame)

    def _patience(self) -> float:
        return (self._deadline or self._next_beat) - monotonic()

    def _beat(self) -> bool:
        """The wait was in vain: send the heartbeat. False: the browser does not answer."""
        if self._deadline is not None or not self._answered:
            return False
        self._answered = False
        self._next_beat = monotonic() + BEAT
        try:
            self._write(_HEARTBEAT + _header(_PING, 0))
        except OSError:
            return False
        return True

    def _handle(self, event: Event) -> str | None:
        if isinstance(event, TextMessage):
            return self._collect(event)
        if isinstance(event, BytesMessage):
            self.close(Code.POLICY, "Only text messages are understood.")
        elif isinstance(event, Ping):
            self._pong(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self._farewell(event)
        return None

    def _collect(self, event: TextMessage) -> str | None:
        self._incoming += event.data
        if len(self._incoming) > MAX_INCOMING:
            self._incoming = ""
            self.close(Code.TOO_BIG, f"A message may have at most {MAX_INCOMING} bytes.")
            return None
        if not event.message_finished:
            return None
        text, self._incoming = self._incoming, ""
        return text if self._deadline is None else None

    def _pong(self, payload: bytes) -> None:
        try:
            self._write(_header(_PONG, len(payload)) + payload)
        except OSError:
            pass  # the next read tells

    def _farewell(self, event: CloseConnection) -> None:
        """The browser closes, or answers our close, or broke the protocol."""
        if self._deadline is None:
            self.code = event.code
            try:
                self._write(self._parser.send(event.response()))
            except OSError:
                pass
        self.abort()


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((opcode, length))
    if length < 65536:
        return struct.pack(">BBH", opcode, 126, length)
    return struct.pack(">BBQ", opcode, 127, length)
