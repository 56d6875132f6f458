"""A thousand pages connect and leave in every possible way, and leave no resources behind."""

import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic, sleep

import pytest

from arauto.settings import WORKERS
from tests.support.http import get, handshake
from tests.support.machine_time import MachineTime
from tests.support.raw import CLOSE, PING, PONG, TEXT, RawFeed, close_frame, frame, raw_feed
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

AT_ONCE = 50
LEFT = 2_000  # bytes a page; heaps of threads grow in jumps, but not without end
ROUNDS = 8  # memory must not grow in one of them
BEAT = 1  # second between heartbeats, instead of 20
# A closed page stays in the timer until its next check for silence, so the checks are frequent.
SHORT_BEAT = (
    "import arauto.net.websocket as t, arauto.redis_io.subscriber as s;"
    f"t.PONG_WITHIN = s.PING_AFTER = {BEAT}; s.PONG_WITHIN = 2"
)
BEATS = 4  # heartbeats within which a silent page is found and closed, with room to spare

Leave = Callable[[RawFeed], None]


def clean_close(feed: RawFeed) -> None:
    feed.send(close_frame(1001))


def reset(feed: RawFeed) -> None:
    feed.reset()


def fin_without_close(feed: RawFeed) -> None:
    feed.close()


def half_frame_and_fin(feed: RawFeed) -> None:
    feed.send(frame(TEXT, b'{"subscribe":')[:9])
    feed.close()


def half_closed(feed: RawFeed) -> None:
    feed.socket.shutdown(socket.SHUT_WR)


def silent(feed: RawFeed) -> None:
    """As if the cable was pulled: no frame comes any more, not even a pong."""


def half_frame_and_silent(feed: RawFeed) -> None:
    feed.send(frame(TEXT, b'{"subscribe":')[:9])


def never_answers_our_close(feed: RawFeed) -> None:
    feed.send(frame(TEXT, b"nonsense"))


QUICK = [clean_close, reset, fin_without_close, half_frame_and_fin, half_closed]
SLOW = [silent, half_frame_and_silent, never_answers_our_close]
PAGES = (2 * len(QUICK) + len(SLOW)) * AT_ONCE  # in one round


@pytest.fixture(params=WORKERS)
def server(request: pytest.FixtureRequest, start: Start, own_redis: RedisServer) -> Iterator[ArautoServer]:
    server = start(
        REDIS_URL=own_redis.url, ARAUTO_WORKER=request.param, ARAUTO_WORKERS="1", ARAUTO_MAX_SOCKETS="200",
        ARAUTO_HEARTBEAT=str(BEAT), ALTER=SHORT_BEAT,
    )  # fmt: skip
    yield server
    assert "Traceback" not in server.log


class Beating:
    """A page that answers pings and counts the server's heartbeats, which are late on a busy machine."""

    def __init__(self, server: ArautoServer) -> None:
        self.beats = 0
        self._feed = RawFeed(server).confirmed()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while (got := self._feed.frame()) is not None:
            if got.opcode == PING:
                self._feed.send_if_open(frame(PONG))
                self.beats += 1

    def leave(self) -> None:
        self._feed.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._feed.close()


def come_and_go(server: ArautoServer, redis: RedisServer, leave: Leave, times: int) -> None:
    for _ in range(times):
        feeds = [RawFeed(server).confirmed() for _ in range(AT_ONCE)]
        for feed in feeds:
            leave(feed)
        eventually(lambda: redis.subscribers() == 0)
        for feed in feeds:
            feed.close()


def everyone_comes_and_goes(server: ArautoServer, redis: RedisServer) -> None:
    for ways, times in ((QUICK, 2), (SLOW, 1)):
        for leave in ways:
            come_and_go(server, redis, leave, times)
    for _ in range(AT_ONCE):
        assert handshake(server, Sec_WebSocket_Key="bad").status == 400


@pytest.mark.alone
def test_nobody_stays_longer_than_silence_takes(server: ArautoServer, own_redis: RedisServer) -> None:
    beating = Beating(server)
    for leave in (*QUICK, *SLOW):
        feeds = [RawFeed(server).confirmed() for _ in range(AT_ONCE)]
        for feed in feeds:
            leave(feed)
        began = beating.beats
        eventually(lambda: own_redis.subscribers() == 1)
        assert beating.beats - began <= BEATS, leave
        for feed in feeds:
            feed.close()
    beating.leave()


def test_a_thousand_come_and_go_and_nothing_stays(server: ArautoServer, own_redis: RedisServer) -> None:
    everyone_comes_and_goes(server, own_redis)
    (process,) = server.workers()
    threads, descriptors = server.threads(), server.descriptors(own_redis.port)
    grown: list[int] = []
    while len(grown) < 2 or min(grown) > LEFT * PAGES:
        assert len(grown) < ROUNDS, grown
        before = process.memory_info().rss
        everyone_comes_and_goes(server, own_redis)
        grown.append(process.memory_info().rss - before)

    def at_baseline() -> bool:
        assert server.threads() <= threads
        assert server.descriptors(own_redis.port) <= descriptors
        pages = (1 + len(grown)) * PAGES
        assert server.log.count("feed opened") == server.log.count("feed closed") == pages
        return own_redis.subscribers() == 0

    eventually(at_baseline)


def test_control_without_deadlines_they_all_stay(start: Start, own_redis: RedisServer) -> None:
    """A silent peer, one that does not answer a close, and one that stops reading."""
    never = (
        "import arauto.net.websocket as t, arauto.net.nonblocking_socket as w;"
        "t.PONG_WITHIN = t.CLOSE_PATIENCE = 1e6; w.NonblockingSocket.send.__defaults__ = (1e6, False)"
    )
    server = start(REDIS_URL=own_redis.url, ARAUTO_HEARTBEAT=str(BEAT), ALTER=never)
    peers = [RawFeed(server).confirmed() for _ in range(2)]
    never_answers_our_close(peers[1])
    with raw_feed(server, "stuck", receive_buffer=4096):
        for _ in range(12):
            own_redis.client.publish("stuck", "x" * 1_000_000)
        beating = Beating(server)
        eventually(lambda: beating.beats > BEATS, why="longer than any of them may stay in the test above")
        assert own_redis.subscribers() == 4
        beating.leave()
    for peer in peers:
        peer.close()


SMALL_BUFFER = """
import arauto.net.nonblocking_socket
plain = arauto.net.nonblocking_socket.NonblockingSocket.__init__
def small(self, sock):
    sock.setsockopt(1, 7, 65536)  # SO_SNDBUF: full at once, not after megabytes
    plain(self, sock)
arauto.net.nonblocking_socket.NonblockingSocket.__init__ = small
"""


@pytest.mark.alone
@pytest.mark.parametrize("worker", WORKERS)
def test_a_reader_that_stops_is_cut_in_time_and_costs_the_others_nothing(
    start: Start, own_redis: RedisServer, worker: str, machine: MachineTime
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1", ALTER=SMALL_BUFFER)
    with raw_feed(server) as other:
        alone = latencies(own_redis, other, machine, until=lambda n: n == 100)
        assert len(alone) == 100
        stuck = RawFeed(server, receive_buffer=4096).confirmed()
        began, by_machine = monotonic(), machine()
        beside = latencies(own_redis, other, machine, until=lambda _: own_redis.subscribers() == 1)
        took, took_by_machine = monotonic() - began, machine() - by_machine
        stuck.close()
    assert took > 5
    assert took_by_machine < 5 + 1 + 1.5, "the deadline, a second, and what the buffers took"
    assert p99(beside) < max(0.05, 2 * p99(alone)), (p99(alone), p99(beside))


def latencies(
    redis: RedisServer, feed: RawFeed, machine: MachineTime, until: Callable[[int], bool]
) -> list[float]:
    """Publish ten kilobytes fifty times a second, and return the latency of each."""
    took: list[float] = []
    events = feed.events()
    while not until(len(took)):
        assert len(took) < 1000, "it was not cut"
        began = machine()
        redis.client.publish("raw", f"{len(took)} " + "x" * 10_000)
        assert next(events)["data"].startswith(f"{len(took)} ")
        took.append(machine() - began)
        waiting = [int(client["omem"]) for client in redis.client.client_list(_type="pubsub")]
        assert max(waiting) < 1_000_000
        sleep(0.02)  # the pace of the publisher
    return took


def p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


FAULTS = """
import arauto.feed.feed_socket, arauto.sources.redis_source
import arauto.feed.frame_cache, arauto.net.nonblocking_socket

def break_(module, name, needle):
    plain = getattr(module, name)
    def broken(*args, **kwargs):
        if needle in repr(args):
            raise RuntimeError(needle)
        return plain(*args, **kwargs)
    setattr(module, name, broken)

break_(arauto.feed.feed_socket, "read_change", "fault in change")
break_(arauto.sources.redis_source, "Subscribers", "fault in subscribe")
break_(arauto.feed.frame_cache, "encode", "fault in encode")
break_(arauto.net.nonblocking_socket.NonblockingSocket, "send", "fault in send")
"""


def cause(fault: str, server: ArautoServer, redis: RedisServer) -> RawFeed:
    if fault == "fault in subscribe":
        return RawFeed(server, "fault%20in%20subscribe")
    feed = RawFeed(server).confirmed()
    if fault == "fault in change":
        feed.say(subscribe=[fault])
    else:
        redis.client.publish("raw", fault)
    return feed


@pytest.mark.parametrize("worker", WORKERS)
def test_a_fault_of_ours_closes_with_1011_and_is_logged_once(
    start: Start, own_redis: RedisServer, worker: str
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=worker, ALTER=FAULTS)

    def is_logged(fault: str) -> bool:
        return server.log.count(f"RuntimeError: {fault}") == 1

    for fault in ("fault in subscribe", "fault in change", "fault in encode", "fault in send"):
        feed = cause(fault, server, own_redis)
        last = feed.next()
        assert last is not None
        assert (last.opcode, last.code) == (CLOSE, 1011)
        assert last.reason == "Internal error. See the server log."
        feed.send_if_open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert feed.rest() == b""
        feed.close()
        eventually(partial(is_logged, fault))
    eventually(lambda: own_redis.subscribers() == 0)
    assert server.log.count("Traceback") == 4
    assert get(server, "/healthz").status == 200


def test_control_a_fault_that_reaches_flask_puts_a_page_into_the_stream(
    start: Start, own_redis: RedisServer
) -> None:
    let_through = FAULTS + (
        "arauto.feed.feed_socket.Exception = ZeroDivisionError\n"
        "arauto.net.websocket.Transport.release = lambda self: None\n"
    )
    server = start(REDIS_URL=own_redis.url, ALTER=let_through)
    feed = cause("fault in change", server, own_redis)
    assert b"HTTP/1.1 500" in feed.rest()
    feed.close()


def test_control_without_a_limit_a_flood_goes_on(start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ALTER="import arauto.net.websocket as t; t.MAX_FRAMES = 10**9")
    with raw_feed(server) as feed:
        for _ in range(100):
            feed.send(frame(0x9, b"!") * 50)
            assert all(feed.next() == (0xA, b"!") for _ in range(50))
