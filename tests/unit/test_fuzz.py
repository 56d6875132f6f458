"""Random bytes of a browser: the reader ends, raises nothing, and writes only whole frames."""

import socket
import struct
import threading
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from wsproto.connection import Connection

from arauto.net.websocket import MAX_INCOMING, Transport
from arauto.system.timer_wheel import TimerWheel
from tests.support.raw import CLOSE, PING, PONG, TEXT, close_frame, frame

PERMITTED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}

frames = st.builds(
    frame,
    st.sampled_from([0, TEXT, PING, PONG, 0, TEXT, 2, CLOSE, 3, 15]),
    st.one_of(st.binary(max_size=140), st.text(max_size=60).map(str.encode)),
    fin=st.booleans(),
    rsv=st.sampled_from([0] * 20 + [1, 7]),
    mask=st.one_of([st.binary(min_size=4, max_size=4)] * 9 + [st.none()]),
    length=st.sampled_from([b""] * 20 + [b"\x7e\x00\x05", b"\x7f" + struct.pack(">Q", 1 << 62), b"\x05"]),
)
closes = st.builds(close_frame, st.integers(0, 65535), st.binary(max_size=123))
streams = st.lists(st.one_of(frames, frames, frames, closes, st.binary(max_size=30)), max_size=40).map(
    b"".join
)


def converse(sent: bytes, cuts: list[int] | None = None) -> tuple[list[str], bytes]:
    """The texts that a transport reads from ``sent``, written in pieces, and its answer."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(60)
        transport = Transport(ours, TimerWheel())
        texts: list[str] = []

        def read() -> None:
            while (text := transport.receive()) is not None:
                texts.append(text)
            transport.release()

        reader = threading.Thread(target=read)
        reader.start()
        edges = [0, *sorted(cut % (len(sent) + 1) for cut in cuts or []), len(sent)]
        try:
            for start, end in pairwise(edges):
                theirs.sendall(sent[start:end])
            theirs.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the transport has closed already
        answered = b""
        while chunk := _recv(theirs):
            answered += chunk
        reader.join(10)
        assert not reader.is_alive(), "the reader hangs"
        return texts, answered


def _recv(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1 << 20)
    except ConnectionResetError:
        return b""


def frames_in(answered: bytes) -> list[Frame]:
    """The frames in the bytes, by the parser of ``websockets``, which refuses broken ones."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=OPEN, max_size=None)
    client.receive_data(answered)
    assert client.parser_exc is None, client.parser_exc
    return [event for event in client.events_received() if isinstance(event, Frame)]


@pytest.fixture(autouse=True)
def _no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example makes a timer wheel; without pending calls its thread never starts."""
    monkeypatch.setattr(TimerWheel, "after", lambda *_: None)


@given(st.one_of(st.binary(max_size=2000), streams), st.lists(st.integers(0, 5000), max_size=5))
@example(frame(TEXT, b"", rsv=1) + b"\0" * 20_000, [])
@example(close_frame() + frame(TEXT, b"late") * 5000, [])
def test_any_bytes_end_and_are_answered_in_whole_frames(sent: bytes, cuts: list[int]) -> None:
    texts, answered = converse(sent, cuts)
    assert all(len(text) <= MAX_INCOMING for text in texts)
    got = frames_in(answered)
    assert all(frame.opcode in (Opcode.PONG, Opcode.CLOSE) for frame in got)
    assert [frame.opcode for frame in got].count(Opcode.CLOSE) <= 1
    if got and got[-1].opcode == Opcode.CLOSE and got[-1].data:
        (code,) = struct.unpack(">H", got[-1].data[:2])
        assert code in PERMITTED or 3000 <= code < 5000
        bytes(got[-1].data[2:]).decode()


@given(
    st.lists(st.tuples(st.text(max_size=300), st.lists(st.integers(0, 900), max_size=4)), max_size=8),
    st.lists(st.integers(0, 5000), max_size=5),
)
def test_texts_come_whole_however_they_are_cut(
    messages: list[tuple[str, list[int]]], cuts: list[int]
) -> None:
    sent = b"".join(_fragmented(text.encode(), where) for text, where in messages)
    texts, answered = converse(sent + close_frame(), cuts)
    assert texts == [text for text, _ in messages]
    got = frames_in(answered)
    assert [frame.opcode for frame in got[:-1]] == [Opcode.PONG] * (len(got) - 1)
    assert got[-1] == Frame(Opcode.CLOSE, struct.pack(">H", 1000))


def _fragmented(payload: bytes, where: list[int]) -> bytes:
    """One message in fragments with a ping after each."""
    edges = [0, *sorted(cut % (len(payload) + 1) for cut in where), len(payload)]
    pieces = [payload[start:end] for start, end in pairwise(edges)]
    last = len(pieces) - 1
    return b"".join(
        frame(0 if n else TEXT, piece, fin=n == last) + frame(PING, b"%d" % n)
        for n, piece in enumerate(pieces)
    )


def test_control_without_its_end_a_transport_reads_on_after_a_broken_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The defence is ``_has_left``: without it the parser gets bytes after the ones it refused."""
    fed = []
    feed = Connection.receive_data

    def note(self: Connection, data: bytes | None) -> None:
        fed.append(data)
        feed(self, data)

    monkeypatch.setattr(Connection, "receive_data", note)
    broken = frame(TEXT, b"", rsv=1) + b"\0" * 20_000
    converse(broken)
    with_it = len(fed)
    fed.clear()
    monkeypatch.setattr(
        Transport, "_has_left", property(lambda self: False, lambda self, value: None), raising=False
    )
    converse(broken)
    assert with_it <= 2
    assert len(fed) > with_it
