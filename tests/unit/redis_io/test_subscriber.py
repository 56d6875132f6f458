"""The subscriber against a scripted Redis: a server socket of the test."""

import gc
import select
import socket
from collections.abc import Iterator
from queue import Queue
from threading import Event, Thread
from time import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY
from weakref import ref

import pytest

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.events import Gap, Item, Lost, Refused
from arauto.protocol.selection import Change, Selection
from arauto.redis_io import subscriber as module
from arauto.redis_io.elapsed import now
from arauto.redis_io.resp_parser import Parser
from arauto.redis_io.subscriber import Subscriber
from arauto.redis_io.subscribers import Subscribers
from arauto.system import timer_wheel
from arauto.system.timer_wheel import TimerWheel
from tests.support.redis_servers import RedisServer
from tests.support.waiting import PATIENCE, eventually


class Redis:
    """Accepts the subscriber's connections; the test sends the replies."""

    def __init__(self) -> None:
        # Clients of other tests may still look for their server at the port, but at 127.0.0.1.
        self._listener = socket.create_server(("127.0.0.2", 0))
        self._listener.settimeout(PATIENCE)

    def connect(self) -> NonblockingSocket:
        return NonblockingSocket(socket.create_connection(self._listener.getsockname(), timeout=5))

    def accept(self) -> socket.socket:
        accepted, _ = self._listener.accept()
        accepted.settimeout(PATIENCE)
        return accepted

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def redis() -> Iterator[Redis]:
    server = Redis()
    yield server
    server.close()


def confirmation(kind: bytes, name: bytes) -> bytes:
    return b"*3\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n:1\r\n" % (len(kind), kind, len(name), name)


def message(data: bytes) -> bytes:
    return b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$%d\r\n%b\r\n" % (len(data), data)


def command(*parts: bytes) -> bytes:
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


SHADOWS = (b"arauto:tabs:channel:a", b"arauto:tabs:pattern:p*")
SHADOW_COMMANDS = b"".join(command(b"SUBSCRIBE", name) for name in SHADOWS)
SHADOWS_CONFIRMED = b"".join(confirmation(b"subscribe", name) for name in SHADOWS)
ALL_CONFIRMED = confirmation(b"subscribe", b"a") + confirmation(b"psubscribe", b"p*") + SHADOWS_CONFIRMED
PING, PONG = command(b"PING"), b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"
SELECTION = Selection((b"a",), (b"p*",))
CONFIRMED: list[Item] = [[b"subscribe", b"a", 1], [b"psubscribe", b"p*", 1]]


class Listening:
    """A subscriber whose batches go to a queue."""

    def __init__(self, redis: Redis) -> None:
        self.batches: Queue[list[Item]] = Queue()
        self.fault = Event()
        self.subscriber = Subscriber(redis.connect, self.batches.put, self.fault.set, TimerWheel(), SELECTION)

    def next(self) -> list[Item]:
        return self.batches.get(timeout=PATIENCE)


def test_what_comes_together_is_one_batch(redis: Redis) -> None:
    listening = Listening(redis)
    with listening.subscriber, redis.accept() as link:
        commands = command(b"SUBSCRIBE", b"a") + command(b"PSUBSCRIBE", b"p*")
        assert link.recv(999) == commands + SHADOW_COMMANDS
        link.sendall(ALL_CONFIRMED)
        assert listening.next() == CONFIRMED
        link.sendall(message(b"1") + message(b"2") + message(b"3"))
        assert listening.next() == [[b"message", b"a", n] for n in (b"1", b"2", b"3")]
    assert not listening.subscriber.is_alive()


def test_after_a_break_the_gap_comes_before_everything_else(redis: Redis) -> None:
    """Messages that arrive before the last confirmation wait for it."""
    listening = Listening(redis)
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(ALL_CONFIRMED)
            listening.next()
        (lost,) = listening.next()
        assert isinstance(lost, Lost)
        with redis.accept() as link:
            link.sendall(confirmation(b"subscribe", b"a") + message(b"early"))
            link.recv(999)
            link.sendall(confirmation(b"psubscribe", b"p*") + SHADOWS_CONFIRMED)
            gap, *rest = listening.next()
            assert isinstance(gap, Gap)
            assert gap.start == pytest.approx(lost.at, abs=0.001)
            assert rest == [CONFIRMED[0], [b"message", b"a", b"early"], CONFIRMED[1]]


@pytest.fixture
def _no_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_garbage_collector")
def test_what_a_page_had_is_freed_when_it_has_gone(redis: Redis) -> None:
    """Without the garbage collector, whose full collections take long where there are thousands of pages."""
    link: Any = SimpleNamespace(connect=lambda shards: redis.connect(), moves=0, settle=0.0)
    timers: Any = SimpleNamespace(after=lambda seconds, call: None)
    batches = Queue[list[Item]]()
    page = Subscribers(link, SELECTION, batches.put, lambda: None, timers, lambda refused: refused)
    with page, redis.accept() as wire:
        wire.sendall(ALL_CONFIRMED)
        assert batches.get(timeout=PATIENCE) == CONFIRMED
    own = ref(page.own)
    del page
    assert own() is None


def _fill(link: socket.socket) -> None:
    """Send as much as the other side's buffers take."""
    link.settimeout(0.1)
    try:
        while True:
            link.sendall(message(b"x" * 10_000))
    except TimeoutError:
        pass


def test_what_came_of_a_link_that_broke_before_it_was_whole_is_in_the_gap(redis: Redis) -> None:
    """Except refused names, which are not requested again."""
    listening = Listening(redis)
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(ALL_CONFIRMED)
            listening.next()
        assert isinstance(listening.next()[0], Lost)
        with redis.accept() as link:
            link.sendall(confirmation(b"subscribe", b"a") + message(b"early") + NO_PATTERN)
            commands = command(b"SUBSCRIBE", b"a") + command(b"PSUBSCRIBE", b"p*") + SHADOW_COMMANDS
            assert link.recv(999) == commands
        with redis.accept() as link:
            link.sendall(confirmation(b"subscribe", b"a") + confirmation(b"subscribe", SHADOWS[0]))
            gap, *rest = listening.next()
            assert isinstance(gap, Gap)
            assert rest == [Refused("pattern", b"p*", "NOPERM no"), CONFIRMED[0]]


NO_PATTERN = b"-NOPERM no\r\n"


def test_a_sharded_channel_that_redis_refuses_leaves_the_others(redis: Redis) -> None:
    """It is not requested again; one of another node is given up, and so is its shadow channel."""
    batches: Queue[list[Item]] = Queue()
    given_up: Queue[tuple[bytes, float | None, str]] = Queue()
    selection = Selection((b"a",), shards=(b"old", b"here", b"there", b"down"))
    shadow = b"arauto:tabs:shard:%b"
    shadows = b"".join(confirmation(b"subscribe", shadow % name) for name in (b"a", *selection.shards))
    with Subscriber(
        redis.connect, batches.put, lambda: None, TimerWheel(), selection,
        explain=lambda refused: refused._replace(error=refused.error.upper()),
        give_up=lambda *what: given_up.put(what),
    ) as subscriber:  # fmt: skip
        with redis.accept() as link:
            assert command(b"SSUBSCRIBE", b"old") + command(b"SSUBSCRIBE", b"here") in link.recv(999)
            answers = confirmation(b"ssubscribe", b"here") + b"-MOVED 7 other:6379\r\n-CLUSTERDOWN no\r\n"
            unknown = b"-ERR unknown command 'SSUBSCRIBE'\r\n"
            link.sendall(confirmation(b"subscribe", b"a") + unknown + answers + shadows)
            assert batches.get(timeout=PATIENCE) == [
                [b"subscribe", b"a", 1],
                Refused("shard", b"old", "ERR UNKNOWN COMMAND 'SSUBSCRIBE'"),
                [b"ssubscribe", b"here", 1],
            ]
            assert given_up.get(timeout=PATIENCE) == (b"there", None, "MOVED 7 other:6379")
            assert given_up.get(timeout=PATIENCE) == (b"down", None, "CLUSTERDOWN no")
            not_counted = b"".join(command(b"UNSUBSCRIBE", shadow % name) for name in (b"there", b"down"))
            assert link.makefile("rb").read(len(not_counted)) == not_counted
            link.sendall(
                b"".join(confirmation(b"unsubscribe", shadow % name) for name in (b"there", b"down"))
            )
            assert subscriber.size_after(Change(ssubscribe=(b"new", b"here"))) == 3
            last = message(b"before") + confirmation(b"sunsubscribe", b"here") + message(b"and after")
            link.sendall(last)  # its slot has moved to another node
            assert batches.get(timeout=PATIENCE) == [
                [b"message", b"a", b"before"],
                [b"message", b"a", b"and after"],
            ]
            name, since, words = given_up.get(timeout=PATIENCE)
            assert (name, words) == (b"here", "")
            assert since is not None
            assert since < time()
            assert link.recv(999) == command(b"UNSUBSCRIBE", shadow % b"here")
        assert isinstance(batches.get(timeout=PATIENCE)[0], Lost)
        with redis.accept() as link:
            assert b"SSUBSCRIBE" not in link.recv(999)


def test_what_redis_does_not_end_ends_with_the_connection(redis: Redis) -> None:
    """But there may be nothing to unsubscribe from."""
    batches: Queue[list[Item]] = Queue()
    selection = Selection(shards=(b"there", b"never"))
    shadows = b"".join(
        confirmation(b"subscribe", b"arauto:tabs:shard:%b" % name) for name in selection.shards
    )
    with Subscriber(redis.connect, batches.put, lambda: None, TimerWheel(), selection) as subscriber:
        with redis.accept() as link:
            link.recv(999)
            link.sendall(confirmation(b"ssubscribe", b"there") + b"-NOPERM no\r\n" + shadows)
            assert len(batches.get(timeout=PATIENCE)) == 2
            subscriber.change(Change(sunsubscribe=(b"never",)))
            assert command(b"SUNSUBSCRIBE", b"never") in link.recv(999)
            link.sendall(b"-NOPERM no\r\n" + confirmation(b"unsubscribe", b"arauto:tabs:shard:never"))
            assert batches.get(timeout=PATIENCE) == [[b"sunsubscribe", b"never", 0]]
            subscriber.change(Change(sunsubscribe=(b"there",)))
            assert command(b"SUNSUBSCRIBE", b"there") in link.recv(999)
            link.sendall(b"-ERR unknown command 'SUNSUBSCRIBE'\r\n")
            assert batches.get(timeout=PATIENCE) == [Lost(ANY, "ERR unknown command 'SUNSUBSCRIBE'")]
        with redis.accept() as link:
            assert link.recv(999) == PING


def test_a_gap_begins_before_what_piled_up_while_the_browser_was_slow(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis may have cut the link long before its last bytes are read."""
    monkeypatch.setattr(module, "IN_FLIGHT", 0.0)  # its second would hide a mistake
    listening, slow = Listening(redis), Event()

    def deliver(batch: list[Item]) -> None:
        listening.batches.put(batch)
        slow.wait(5)

    listening.subscriber._deliver = deliver
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(ALL_CONFIRMED)
            listening.next()
            began = time()
            _fill(link)
        stalled = time() - began
        slow.set()
        while not isinstance((last := listening.next()[-1]), Lost):
            pass
        assert last.at <= began + stalled / 2


def test_silence_is_asked_about_and_then_taken_for_a_break(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    monkeypatch.setattr(module, "now", lambda: passed[0])
    listening = Listening(redis)

    def is_asked() -> bool:
        listening.subscriber._check_silence()  # again, in case the thread was busy
        return bool(select.select([link], [], [], 0)[0])

    with listening.subscriber:
        with redis.accept() as link:
            link.recv(999)
            link.sendall(ALL_CONFIRMED)
            listening.next()
            for _ in range(3):
                passed[0] += module.PING_AFTER
                eventually(is_asked)
                assert link.recv(999) == PING
                link.sendall(PONG)
                eventually(lambda: not listening.subscriber._expected)
            passed[0] += module.PING_AFTER
            eventually(is_asked)
            passed[0] += module.PONG_WITHIN - 0.1
            assert listening.subscriber._check_silence() == module.PONG_WITHIN
            assert listening.batches.empty()
            passed[0] += 0.1
            assert listening.subscriber._check_silence() == module.PONG_WITHIN
            (lost,) = listening.next()
        assert isinstance(lost, Lost)


def test_a_fresh_link_is_not_cut_for_the_silence_of_the_old(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a long outage the last push is old, but no PING was sent on the new connection."""
    monkeypatch.setattr(module, "PING_AFTER", 0.05)
    listening = Listening(redis)
    subscriber = listening.subscriber
    with subscriber, redis.accept() as link:
        link.recv(999)
        subscriber._read_at -= 3600
        assert subscriber._check_silence() is not None
        link.sendall(ALL_CONFIRMED)
        assert listening.next() == CONFIRMED


def test_bytes_that_look_like_a_pong_inside_a_message_belong_to_it(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timer_wheel, "TICK", 0.01)
    monkeypatch.setattr(module, "PING_AFTER", 0.1)
    listening = Listening(redis)
    with listening.subscriber, redis.accept() as link:
        link.recv(999)
        link.sendall(ALL_CONFIRMED)
        listening.next()
        head, tail = message(PONG).split(PONG)
        link.sendall(head)
        assert link.recv(999) == PING
        before = listening.subscriber._read_at
        link.sendall(PONG)
        eventually(lambda: listening.subscriber._read_at > before)
        link.sendall(tail + PONG + message(b"next"))
        assert listening.next() == [[b"message", b"a", PONG], [b"message", b"a", b"next"]]


def test_a_forbidden_name_is_refused_alone_and_not_asked_for_again(redis: Redis) -> None:
    listening = Listening(redis)
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(b"-NOPERM no\r\n" + confirmation(b"psubscribe", b"p*") + SHADOWS_CONFIRMED)
            assert listening.next() == [Refused("channel", b"a", "NOPERM no"), CONFIRMED[1]]
        listening.next()
        with redis.accept() as link:
            assert link.recv(999) == command(b"PSUBSCRIBE", b"p*") + command(b"SUBSCRIBE", SHADOWS[1])


def test_a_question_that_is_refused_is_answered(redis: Redis) -> None:
    """A user who may not PING is not disconnected; the refusal answers the probe as well."""
    listening = Listening(redis)
    with listening.subscriber, redis.accept() as link:
        link.recv(999)
        link.sendall(ALL_CONFIRMED)
        listening.next()
        eventually(listening.subscriber.ping)
        link.sendall(b"-NOPERM no\r\n" + message(b"next"))
        assert listening.next() == [[b"message", b"a", b"next"]]
        assert listening.next() == [[b"pong", b"look"]]


def test_a_question_without_subscriptions_is_answered(valkey: RedisServer) -> None:
    """Redis replies in another form there."""
    batches: Queue[list[Item]] = Queue()

    def connect() -> NonblockingSocket:
        return NonblockingSocket(socket.create_connection(("127.0.0.1", valkey.port), timeout=5))

    with Subscriber(connect, batches.put, Event().set, TimerWheel(), Selection()) as subscriber:
        for _ in range(3):
            eventually(subscriber.ping)
            assert batches.get(timeout=PATIENCE) == [[b"pong", b"look"]]
        subscriber.change(Change(subscribe=(b"a",)))
        assert batches.get(timeout=PATIENCE) == [[b"subscribe", b"a", 1]]


def test_messages_are_the_very_same_for_all_while_redis_is_asked(redis: Redis) -> None:
    """Also messages that come in one piece with the reply."""
    listening = Listening(redis)
    with listening.subscriber, redis.accept() as link:
        link.recv(999)
        link.sendall(ALL_CONFIRMED)
        listening.next()
        eventually(listening.subscriber.ping)
        for data in (message(b"before it"), message(b"with it")):
            same = Parser().parse(data)
            link.sendall(data + (b"*2\r\n$4\r\npong\r\n$4\r\nlook\r\n" if b"with" in data else b""))
            assert listening.next() is same
        assert listening.next() == [[b"pong", b"look"]]


def test_who_may_not_be_counted_gets_the_feed_all_the_same(redis: Redis) -> None:
    listening = Listening(redis)
    with listening.subscriber:
        for _ in range(2):
            with redis.accept() as link:
                link.sendall(ALL_CONFIRMED.removesuffix(SHADOWS_CONFIRMED) + b"-NOPERM no\r\n" * 2)
                batch = listening.next()
                assert batch[-2:] == CONFIRMED
                link.sendall(message(b"1"))
                assert listening.next() == [[b"message", b"a", b"1"]]
            assert isinstance(listening.next()[0], Lost)


def test_shadows_are_never_shown(redis: Redis) -> None:
    listening = Listening(redis)
    with listening.subscriber, redis.accept() as link:
        link.sendall(confirmation(b"subscribe", b"a") + confirmation(b"psubscribe", b"p*"))
        assert listening.next() == CONFIRMED
        link.sendall(SHADOWS_CONFIRMED + message(b"1"))
        assert listening.next() == [[b"message", b"a", b"1"]]


@pytest.mark.parametrize("error", [b"-ERR max number of clients reached\r\n", b"-LOADING wait\r\n", b"?\r\n"])
def test_any_other_error_is_a_break(redis: Redis, error: bytes) -> None:
    listening = Listening(redis)
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(error)
            assert isinstance(listening.next()[0], Lost)
        redis.accept().close()


def test_the_gap_begins_where_the_link_was_lost_whatever_redis_says_meanwhile(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis sends refusals too, but no channel was subscribed since the break."""
    monkeypatch.setattr(module, "REFUSED_PAUSE", 0.1)
    listening = Listening(redis)
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(ALL_CONFIRMED)
            listening.next()
        (lost,) = listening.next()
        assert isinstance(lost, Lost)
        for _ in range(3):
            with redis.accept() as link:
                link.sendall(b"-NOAUTH Authentication required.\r\n")
                assert isinstance(listening.next()[0], Refused)
        with redis.accept() as link:
            link.sendall(ALL_CONFIRMED)
            gap = listening.next()[0]
            assert isinstance(gap, Gap)
            assert gap.start == pytest.approx(lost.at, abs=0.001)


def test_being_locked_out_is_said_and_not_retried_at_once(redis: Redis) -> None:
    listening = Listening(redis)
    with listening.subscriber:
        with redis.accept() as link:
            link.sendall(b"-NOAUTH Authentication required.\r\n")
            assert listening.next() == [Refused("", b"", "NOAUTH Authentication required.")]
        redis._listener.settimeout(0.5)
        with pytest.raises(TimeoutError):
            redis.accept()


def test_the_selection_changes_on_the_open_link(redis: Redis) -> None:
    listening = Listening(redis)
    with listening.subscriber as subscriber, redis.accept() as link:
        link.recv(999)
        link.sendall(ALL_CONFIRMED)
        listening.next()
        change = Change(subscribe=(b"b",), unsubscribe=(b"a",), punsubscribe=(b"p*",))
        assert subscriber.size_after(change) == 1
        subscriber.change(change)
        assert link.recv(999) == (
            command(b"SUBSCRIBE", b"b")
            + command(b"SUBSCRIBE", b"arauto:tabs:channel:b")
            + command(b"UNSUBSCRIBE", b"a")
            + command(b"PUNSUBSCRIBE", b"p*")
            + b"".join(command(b"UNSUBSCRIBE", name) for name in SHADOWS)
        )


def test_no_subscriber_ends_the_thread_and_the_connection(redis: Redis) -> None:
    def deliver(batch: list[Item]) -> None:
        raise BrokenPipeError

    subscriber = Subscriber(redis.connect, deliver, lambda: None, TimerWheel(), SELECTION)
    subscriber.start()
    with redis.accept() as link:
        link.recv(999)
        link.sendall(confirmation(b"subscribe", b"a"))
        assert link.recv(999) == b""
    subscriber.join(5)
    assert not subscriber.is_alive()


def test_a_fault_of_ours_is_reported(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    def deliver(batch: list[Item]) -> None:
        raise KeyError("a fault")

    fault = Event()
    subscriber = Subscriber(redis.connect, deliver, fault.set, TimerWheel(), SELECTION)
    subscriber.start()
    with redis.accept() as link:
        link.sendall(confirmation(b"subscribe", b"a"))
        assert fault.wait(PATIENCE)
        link.recv(999)
        assert link.recv(999) == b""
    subscriber.join(5)
    assert "subscriber failed" in caplog.text


def test_where_redis_is_now_is_tried_at_once(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda shortest, longest: 10 * PATIENCE)
    moves: list[str] = []

    def connect() -> NonblockingSocket:
        if not moves:
            moves.append("while the former place refuses")
            raise ConnectionRefusedError
        return redis.connect()

    batches: Queue[list[Item]] = Queue()
    subscriber = Subscriber(
        connect, batches.put, Event().set, TimerWheel(), SELECTION, moves=lambda: len(moves)
    )
    with subscriber, redis.accept() as peer:
        peer.sendall(ALL_CONFIRMED)
        assert isinstance(batches.get(timeout=PATIENCE)[0], Lost)
        assert batches.get(timeout=PATIENCE) == CONFIRMED


def test_a_gap_begins_where_a_connection_came_into_doubt(redis: Redis) -> None:
    class Doubted(NonblockingSocket):
        doubted_since: float | None = None

    made: list[Doubted] = []

    def connect() -> NonblockingSocket:
        made.append(Doubted(socket.create_connection(redis._listener.getsockname(), timeout=5)))
        return made[-1]

    batches: Queue[list[Item]] = Queue()
    with Subscriber(connect, batches.put, Event().set, TimerWheel(), SELECTION):
        with redis.accept() as peer:
            peer.sendall(ALL_CONFIRMED + message(b"of a master that no longer is"))
            assert len(batches.get(timeout=PATIENCE)) == len(CONFIRMED) + 1
            made[0].doubted_since = now() - 60
            made[0].shutdown()
            assert isinstance(lost := batches.get(timeout=PATIENCE)[0], Lost)
            assert lost.at < time() - 60
        with redis.accept() as peer:
            peer.sendall(ALL_CONFIRMED)
            assert isinstance(gap := batches.get(timeout=PATIENCE)[0], Gap)
            assert gap.start < time() - 60


def test_each_attribute_has_a_slot() -> None:
    """One without a slot would give each page a dictionary of attributes as well."""
    subscriber = Subscriber(lambda: None, lambda batch: None, lambda: None, TimerWheel(), SELECTION)  # type: ignore[arg-type, return-value]
    assert vars(subscriber).keys() == vars(Thread()).keys()
