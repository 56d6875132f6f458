"""However a tab leaves, its thread ends and its Redis connection closes within two seconds."""

import json
import os
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep

import pytest

from arauto.settings import WORKERS
from tests.integration.test_connections_come_and_go import SMALL_BUFFER
from tests.support.http import HANDSHAKE, get
from tests.support.machine_time import MachineTime
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import PATIENCE, eventually

SOON = 2.0  # seconds

# After Ctrl+C gunicorn's gevent worker ends by its loop or by an exit: here by both, the loop first.
BOTH_AT_ONCE = """
from types import SimpleNamespace
import gevent
from gevent.monkey import get_original
from gunicorn.workers import base
rest, stand_still = gevent.sleep, get_original("time", "sleep")
gevent.sleep = lambda seconds=0, ref=True: rest(min(seconds, 0.01), ref)
base.time = SimpleNamespace(sleep=lambda seconds: (gevent.spawn(stand_still, 0.1), rest(0.02)))
"""
# A signal that arrives while the handler of another one has just begun.
SIGNAL_IN_SIGNAL = """
from arauto.server import hooks
exit_once = hooks._exit_once

def exit_for_both(worker):
    handle = exit_once(worker)
    return lambda *signal: (handle(*signal), handle(*signal))

hooks._exit_once = exit_for_both
"""


def raw_feed(server: ArautoServer, receive_buffer: int = 0) -> socket.socket:
    """A feed on a bare socket, after the handshake and the confirmation."""
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(PATIENCE)
    raw.connect(("127.0.0.1", server.port))
    headers = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    raw.sendall(f"GET /feed?channel=raw HTTP/1.1\r\nHost: {server.host}\r\n{headers}\r\n".encode())
    seen = b""
    while b'"subscribe"' not in seen:
        seen += (piece := raw.recv(4096))
        assert piece, seen
    return raw


def close_frame(raw: socket.socket) -> None:
    raw.sendall(b"\x88\x82\x00\x00\x00\x00" + struct.pack(">H", 1000))
    while raw.recv(4096):
        pass
    raw.close()


def reset(raw: socket.socket) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def half_frame(raw: socket.socket) -> None:
    raw.sendall(b"\x81\xfe")
    raw.close()


WAYS: list[Callable[[socket.socket], None]] = [close_frame, reset, half_frame, socket.socket.close]


@pytest.mark.alone
@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
def test_a_tab_that_goes_leaves_nothing(
    arauto: ArautoServer,
    redis_server: RedisServer,
    leave: Callable[[socket.socket], None],
    machine: MachineTime,
) -> None:
    raw = raw_feed(arauto)
    began = machine()
    leave(raw)
    eventually(lambda: redis_server.subscribers() == 0)
    assert machine() - began < SOON


@pytest.mark.alone
def test_a_silent_peer_that_never_answers_a_close_is_let_go(
    arauto: ArautoServer, redis_server: RedisServer, machine: MachineTime
) -> None:
    raw = raw_feed(arauto)
    raw.sendall(b"\x81\x80\x00\x00\x00\x00")  # an empty text is invalid: closed with 1008
    began = machine()
    eventually(lambda: redis_server.subscribers() == 0)
    assert get(arauto, "/healthz").status == 200
    assert machine() - began < SOON
    raw.close()


@pytest.mark.parametrize("worker", WORKERS)
def test_a_reader_that_stops_is_cut_and_the_others_go_on(
    start: Start, own_redis: RedisServer, worker: str
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ALTER=SMALL_BUFFER)
    stuck = raw_feed(server, receive_buffer=4096)
    with open_tab(server, "raw") as tab:
        began, sent = monotonic(), 0
        while own_redis.subscribers() == 2:
            assert monotonic() - began < PATIENCE, "the stuck reader was not cut"
            own_redis.client.publish("raw", f"{sent} " + "x" * 100_000)
            sent += 1
            assert tab.messages(1)[0].startswith(f"{sent - 1} ")
            sleep(0.01)  # the pace of the publisher
    stuck.close()
    assert "Traceback" not in server.log


@pytest.mark.parametrize("worker", WORKERS)
def test_thirty_megabytes_reach_a_slow_reader_whole(
    start: Start, own_redis: RedisServer, worker: str
) -> None:
    patient = (
        "import arauto.net.nonblocking_socket as w;w.NonblockingSocket.send.__defaults__ = (60.0, False)"
    )
    server = start(
        REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ARAUTO_MAX_MESSAGE=str(32 << 20), ALTER=patient
    )
    raw = raw_feed(server, receive_buffer=4096)
    text = "0123456789abcde\n" * (30 << 16)
    own_redis.client.publish("raw", text)
    sleep(3)  # the pause of this reader, within the server's write deadline, long for a busy machine
    own_redis.client.publish("raw", "next")
    assert [event["data"] for event in json.loads(read_frame(raw))] == [text]
    assert [event["data"] for event in json.loads(read_frame(raw))] == ["next"]
    raw.close()


def test_control_with_one_write_a_frame_the_stream_breaks(start: Start, own_redis: RedisServer) -> None:
    """A socket that sends only the bytes that fit, as simple-websocket does under gevent."""
    once = "import arauto.net.nonblocking_socket as w; w.NonblockingSocket._send_rest = lambda *rest: None"
    server = start(REDIS_URL=own_redis.url, ARAUTO_MAX_MESSAGE=str(32 << 20), ALTER=once)
    raw = raw_feed(server, receive_buffer=4096)
    own_redis.client.publish("raw", "0123456789abcde\n" * (30 << 16))
    own_redis.client.publish("raw", "next")
    raw.settimeout(2)
    with pytest.raises((TimeoutError, AssertionError, json.JSONDecodeError)):
        json.loads(read_frame(raw))
    raw.close()


def read_frame(raw: socket.socket) -> bytes:
    def exactly(n: int) -> bytes:
        data = bytearray()
        while len(data) < n:
            chunk = raw.recv(min(n - len(data), 1 << 20))
            assert chunk, "the stream ended in mid-frame"
            data += chunk
        return bytes(data)

    opcode, length = exactly(2)
    assert opcode == 0x81
    if length == 126:
        (length,) = struct.unpack(">H", exactly(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", exactly(8))
    return exactly(length)


@pytest.mark.alone
def test_fifty_peers_that_do_not_answer_a_close_do_not_hold_up_pages(
    own_arauto: ArautoServer, own_redis: RedisServer, machine: MachineTime
) -> None:
    peers = [raw_feed(own_arauto) for _ in range(50)]
    for peer in peers:
        peer.sendall(b"\x81\x80\x00\x00\x00\x00")
    slowest = 0.0
    while own_redis.subscribers():
        began = machine()
        assert get(own_arauto, "/healthz").status == 200
        slowest = max(slowest, machine() - began)
    assert slowest < 1, "a page waited for silent peers"
    for peer in peers:
        peer.close()


@pytest.mark.alone
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_says_goodbye_and_leaves_nothing(
    own_arauto: ArautoServer, own_redis: RedisServer, signum: signal.Signals, machine: MachineTime
) -> None:
    from websockets.exceptions import ConnectionClosed

    idle = raw_feed(own_arauto)
    workers = own_arauto.workers()
    with open_tab(own_arauto, "a") as tab:
        began = machine()
        own_arauto._process.send_signal(signum)
        with pytest.raises(ConnectionClosed) as caught:
            tab.next()
        assert machine() - began < 1
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1001, "The server is restarting.")
    assert own_arauto._process.wait(10) == 0
    assert not any(worker.is_running() for worker in workers)
    assert own_redis.subscribers() == 0
    idle.close()


def test_a_killed_worker_is_replaced_and_its_seats_are_free_again(
    start: Start, own_redis: RedisServer
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_MAX_SOCKETS="1")
    raw = raw_feed(server)
    (worker,) = server.workers()
    os.kill(worker.pid, signal.SIGKILL)
    assert raw.recv(100) == b""
    raw.close()
    eventually(lambda: server.log.count("is ready for requests") == 2)

    def there_is_room() -> Tab:
        with open_tab(server, "a") as tab:
            return tab

    eventually(there_is_room)


@pytest.mark.parametrize("alter", [BOTH_AT_ONCE, SIGNAL_IN_SIGNAL], ids=["loop", "signal"])
def test_a_worker_that_has_ended_is_not_ended_again(start: Start, valkey: RedisServer, alter: str) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER="gevent", ALTER=alter)
    for process in server.workers():
        process.send_signal(signal.SIGINT)
    eventually(lambda: server.log.count("is ready for requests") == 4, why="other workers have started")
    assert server.stop(signal.SIGINT) == 0
    assert "Traceback" not in server.log


@pytest.mark.parametrize("worker", WORKERS)
def test_ctrl_c_pressed_twice_ends_it_once(start: Start, valkey: RedisServer, worker: str) -> None:
    """A terminal sends SIGINT to every process, and gunicorn's master sends another signal besides."""
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKER=worker)
    family = [server._process.pid, *(process.pid for process in server.workers())]
    for pid in 2 * family:
        with suppress(ProcessLookupError):  # the first one may have ended it
            os.kill(pid, signal.SIGINT)
    assert server._process.wait(PATIENCE) == 0
    assert "Traceback" not in server.log
