"""The nonblocking socket and the transport on a pair of sockets, with real threads."""

import json
import select
import socket
import struct
import threading
from collections.abc import Iterator
from time import monotonic, time

import pytest

from arauto.net import nonblocking_socket as wire_module
from arauto.net import websocket as transport_module
from arauto.net.nonblocking_socket import NonblockingSocket, Stuck
from arauto.net.websocket import Code, Transport, text_frame
from arauto.system.timer_wheel import Callback, TimerWheel
from tests.support.waiting import PATIENCE


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(PATIENCE)
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def receive_all(sock: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        chunk = sock.recv(n - len(data))
        assert chunk
        data += chunk
    return data


def test_recv_distinguishes_data_and_the_end(pair: Pair) -> None:
    wire = NonblockingSocket(pair[0])
    pair[1].sendall(b"x")
    assert wire.recv() == b"x"
    pair[1].close()
    assert wire.recv() == b""


def test_two_writers_never_mix(pair: Pair) -> None:
    wire = NonblockingSocket(pair[0])
    size = 3_000_000
    writers = [threading.Thread(target=wire.send, args=(letter * size,)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    data = receive_all(pair[1], 2 * size)
    for writer in writers:
        writer.join()
    assert data in (b"a" * size + b"b" * size, b"b" * size + b"a" * size)


def test_a_peer_that_takes_nothing_is_stuck(pair: Pair) -> None:
    wire = NonblockingSocket(pair[0])
    began = monotonic()
    with pytest.raises(Stuck):
        wire.send(b"x" * 10_000_000, patience=0.2)
    assert 0.2 <= monotonic() - began < wire_module.WRITE_PATIENCE
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        wire.send(b"more")


def test_a_second_writer_does_not_wait_for_ever_and_breaks_nothing(pair: Pair) -> None:
    wire = NonblockingSocket(pair[0])
    first = threading.Thread(target=wire.send, args=(b"x" * 5_000_000,))
    first.start()
    receive_all(pair[1], 1)
    with pytest.raises(Stuck):
        wire.send(b"y", patience=0.05)
    assert receive_all(pair[1], 4_999_999) == b"x" * 4_999_999
    first.join()


def test_shutdown_wakes_the_reader(pair: Pair) -> None:
    wire = NonblockingSocket(pair[0])
    threading.Timer(0.05, wire.shutdown).start()
    assert wire.recv() == b""


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    assert len(payload) < 126
    return bytes((0x80 | opcode, 0x80 | len(payload))) + b"\0\0\0\0" + payload


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f" + struct.pack(">Q", 65536)),
    ],
)
def test_a_text_is_one_frame(pair: Pair, size: int, header: bytes) -> None:
    Transport(pair[0], TimerWheel()).send(text_frame(b"x" * size))
    assert receive_all(pair[1], len(header) + size) == header + b"x" * size


def test_messages_come_whole_and_pings_are_answered(pair: Pair) -> None:
    transport = Transport(pair[0], TimerWheel())
    pair[1].sendall(b"\x01\x82\0\0\0\0ab" + masked(0x9, b"beat") + b"\x80\x81\0\0\0\0c")
    assert transport.receive() == "abc"
    assert receive_all(pair[1], 6) == b"\x8a\x04beat"


def test_a_close_is_answered(pair: Pair) -> None:
    transport = Transport(pair[0], TimerWheel())
    pair[1].sendall(masked(0x8, struct.pack(">H", 1001)))
    assert transport.receive() is None
    assert transport.code == 1001
    assert receive_all(pair[1], 4) == b"\x88\x02\x03\xe9"
    assert pair[1].recv(1) == b""


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (masked(0x3, b""), 1002),  # reserved opcode
        (bytes((0xC1, 0x80)) + b"\0\0\0\0", 1002),  # reserved bit
        (masked(0x1, b"\xff"), 1007),  # not UTF-8
        (masked(0x0, b""), 1002),  # continues nothing
        (b"\x89\xfe\x00\x7e\0\0\0\0", 1002),  # control frame over 125 bytes
        (masked(0x2, b""), 1008),  # binary
    ],
)
def test_a_broken_frame_closes_with_a_code(pair: Pair, frames: bytes, code: int) -> None:
    transport = Transport(pair[0], TimerWheel())
    pair[1].sendall(frames)
    pair[1].shutdown(socket.SHUT_WR)
    assert transport.receive() is None
    assert receive_all(pair[1], 4)[2:] == struct.pack(">H", code)
    transport.release()


def test_a_frame_that_announces_exabytes_is_cut_at_the_cap(pair: Pair) -> None:
    transport = Transport(pair[0], TimerWheel())
    pair[1].sendall(b"\x81\xff" + struct.pack(">Q", 1 << 62) + b"\0\0\0\0" + b"x" * 70_000)
    pair[1].shutdown(socket.SHUT_WR)
    assert transport.receive() is None
    assert transport.code == Code.TOO_BIG


def test_nothing_is_written_after_the_last_word(pair: Pair) -> None:
    wire = NonblockingSocket(pair[0])
    wire.send(b"last", last=True)
    with pytest.raises(BrokenPipeError):
        wire.send(b"more")
    assert receive_all(pair[1], 4) == b"last"


def test_nothing_is_sent_after_a_goodbye(pair: Pair) -> None:
    transport = Transport(pair[0], TimerWheel())
    assert transport.close(Code.RESTART, "é" * 100)
    with pytest.raises(OSError, match="close frame was sent"):
        transport.send(text_frame(b"[]"))
    head = receive_all(pair[1], 4)
    reason = receive_all(pair[1], head[1] - 2)
    assert (head[0], head[2:]) == (0x88, struct.pack(">H", 1001))
    assert reason.decode() == "é" * 60 + "…"  # whole characters, at most 123 bytes, and the cut is marked


def heartbeat(sock: socket.socket) -> float:
    """Read a heartbeat, and return its time."""
    opcode, length = receive_all(sock, 2)
    ((_, kind), (_, at)) = json.loads(receive_all(sock, length))[0].items()
    assert (opcode, kind, receive_all(sock, 2)) == (0x81, "heartbeat", b"\x89\x00")
    return float(at)


class ByHand(TimerWheel):
    """A timer wheel whose calls are made by the test, however busy the machine is."""

    def after(self, seconds: float, callback: Callback) -> None:
        self.callback = callback

    def beat(self, sock: socket.socket) -> float:
        """Send one heartbeat; none is sent while another frame is being written."""
        while not select.select([sock], [], [], 0)[0]:
            assert self.callback() == transport_module.BEAT
        return heartbeat(sock)


def answer(sock: socket.socket) -> None:
    """Send a pong, then a ping: once the ping is answered, the pong has been read."""
    sock.sendall(masked(0xA, b"") + masked(0x9, b""))
    assert receive_all(sock, 2) == b"\x8a\x00"


def test_an_idle_browser_gets_heartbeats_and_a_dead_one_is_let_go(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "PONG_WITHIN", 0)
    timers = ByHand()
    transport = Transport(pair[0], timers)
    reader = threading.Thread(target=transport.receive, daemon=True)
    reader.start()
    times = [time()]
    for _ in range(3):
        times.append(timers.beat(pair[1]))
        answer(pair[1])
    times.append(time())
    assert times == sorted(times)
    timers.beat(pair[1])
    assert timers.callback() is None  # no pong came
    reader.join()
    assert transport.code == Code.ABNORMAL


@pytest.mark.parametrize("now", [1700000000.996, 1700000000.0049999])
def test_a_heartbeat_is_never_later_than_now(pair: Pair, monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    monkeypatch.setattr(transport_module, "time", lambda: now)
    timers = ByHand()
    transport = Transport(pair[0], timers)
    assert timers.beat(pair[1]) == now
    transport.release()


def test_a_browser_is_not_let_go_because_heartbeats_are_quicker_than_its_answers(pair: Pair) -> None:
    timers = ByHand()
    transport = Transport(pair[0], timers)
    for _ in range(3):
        timers.beat(pair[1])
    assert timers.callback() == transport_module.BEAT
    transport.release()


def test_a_browser_that_does_not_answer_a_goodbye_is_let_go(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "CLOSE_PATIENCE", 0.1)
    transport = Transport(pair[0], TimerWheel())
    transport.close(Code.RESTART)
    assert transport.receive() is None


def test_a_slow_reader_that_takes_something_is_not_stuck(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline starts again with each byte taken, so the whole may last many times as long."""
    wire = NonblockingSocket(pair[0])
    size, waits, taken = 4_000_000, [], bytearray()

    class Slow:
        """Takes bytes only just before the deadline."""

        def writable(self, patience: float) -> bool:
            waits.append(patience)
            taken.extend(pair[1].recv(1 << 20))
            return True

    monkeypatch.setattr(wire, "_readiness", Slow())
    wire.send(b"x" * size, patience=3.0)
    taken += receive_all(pair[1], size - len(taken))
    assert taken == b"x" * size
    assert len(waits) > 2
    assert set(waits) == {3.0}
