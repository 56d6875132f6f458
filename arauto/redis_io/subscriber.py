"""The subscriber thread: one Redis connection, its selection, its outages.

It reads the connection itself: redis-py's PubSub costs ten times as much, and hides when a connection broke
or a PONG was missing.
"""

import logging
import random
import threading
from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from types import TracebackType
from typing import Any, Self

import hiredis
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from arauto.net.nonblocking_socket import WRITE_PATIENCE, NonblockingSocket
from arauto.protocol.events import Deliver, Gap, Item, Lost, Push, Refused
from arauto.protocol.selection import Change, Names, Selection
from arauto.protocol.tab_counting import is_shadow, of_channel, of_pattern, of_shard
from arauto.protocol.validation import is_own_shard
from arauto.redis_io.elapsed import now, unix
from arauto.redis_io.redis_url import Address
from arauto.redis_io.resp_parser import Parser, shared
from arauto.system.concurrency import make_lock
from arauto.system.resource_errors import start
from arauto.system.timer_wheel import TimerWheel

PING_AFTER = 20.0  # seconds of silence
PONG_WITHIN = 8.0  # seconds; a connection without an answer is dead, which is found within 30
BACKOFF_FIRST, BACKOFF_CAP = 0.25, 30.0  # seconds; full jitter between zero and this
IN_FLIGHT = 1.0  # seconds from PUBLISH to this process if nothing is backed up
HEALTHY_AFTER = 10.0  # seconds that a connection must last before the back-off is reset
REFUSED_PAUSE = 30.0  # seconds between attempts while Redis refuses us
LOOK_EVERY = 0.5  # seconds between two checks, during a pause, whether Redis has another address
JOIN_PATIENCE = 3.0  # seconds; only connecting cannot be interrupted

MESSAGES = (b"message", b"pmessage", b"smessage")
_KINDS = {b"SUBSCRIBE": "channel", b"PSUBSCRIBE": "pattern", b"SSUBSCRIBE": "shard"}
_FINAL = ("NOPERM", "ERR unknown command")  # errors about one name, which do not end the connection
# The same, about a sharded channel that this node does not serve.
_NOT_HERE = ("MOVED", "CLUSTERDOWN", "TRYAGAIN")
_PINGED = (b"PING", b"")
_PROBE = (b"PING", b"look")  # the name is ours: Redis would return it, without subscriptions in another form
_PONG = b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"  # the reply on a connection with subscriptions
_LOCKED_OUT = ("NOAUTH", "WRONGPASS")

Command = tuple[bytes, bytes]
"""A Redis command and its one argument."""
MakeCommands = Callable[[bytes, Selection], list[Command]]
"""``SUBSCRIBE`` or ``UNSUBSCRIBE``, and a selection -> commands to Redis."""
Explain = Callable[[Refused], Refused]
"""Replaces the error of a refusal by a sentence."""
GiveUp = Callable[[bytes, float | None, str], None]
"""Takes a sharded channel that this connection has lost, or cannot get now; since when messages of it may be
missing, in Unix seconds, if it was subscribed before; and Redis's error, if any. Meanwhile the selection does
not change.
"""

log = logging.getLogger("arauto")


class LinkLost(Exception):
    """The connection to Redis is unusable; the text is Redis's error, if any."""


class LockedOut(Exception):
    """Redis refuses to authenticate us; the text is its error."""


class Subscriber(threading.Thread):
    """Delivers all pushes in order, one batch per read.

    :param connect: makes a new connection to Redis; may raise ``redis.RedisError``.
    :param deliver: takes a batch, in this thread. If it raises ``OSError``, the browser has disconnected and
        the thread ends.
    :param on_fault: called in this thread when it ends by an unexpected error.
    :param timers: checks the connection for silence.
    :param commands: makes the commands for a selection, and may add sharded channels of our own: these are
        not part of the selection, and their refusals have the kind ``log``.
    :param moves: another number means that Redis has another address now, so that it reconnects at once.
    :param settle: with several nodes, seconds after which messages of one connection cannot be received by
        the next one again.
    :param explain: is given each refusal, except those of kind ``log``, before it is delivered.
    :param follows_slots: ``connect`` knows the node of our own sharded channels: if the node does not have
        one, or no longer, the connection ends.
    :param give_up: is given sharded channels of other nodes, in this thread; they are no longer selected.

    Use it in a ``with`` block: leaving it ends the thread and its connection.
    """

    # There may be thousands of pages: without the dictionary of a thread's attributes each is smaller.
    __slots__ = (
        "_caught_up", "_channels", "_commands", "_connect", "_deliver", "_delivering", "_emptied",
        "_expected", "_explain", "_follows_slots", "_give_up", "_held", "_lock", "_lost", "_moves",
        "_on_fault", "_patterns", "_read_at", "_reported", "_round_trip", "_sent_at", "_settle", "_shards",
        "_socket", "_stopping", "_there", "_timers", "_was_live",
    )  # fmt: skip

    def __init__(
        self,
        connect: Callable[[], NonblockingSocket],
        deliver: Deliver,
        on_fault: Callable[[], None],
        timers: TimerWheel,
        selection: Selection,
        commands: MakeCommands | None = None,
        moves: Callable[[], int] = lambda: 0,
        settle: float = 0.0,
        explain: Explain = lambda refused: refused,
        give_up: GiveUp = lambda name, since, words: None,
        follows_slots: bool = False,
    ) -> None:
        super().__init__(name="subscriber", daemon=True)
        self._connect = connect
        self._deliver = deliver
        self._on_fault = on_fault
        self._timers = timers
        self._commands = commands or subscribe_commands
        self._moves = moves
        self._settle = settle
        self._explain = explain
        self._give_up = give_up
        self._follows_slots = follows_slots
        self._channels = dict.fromkeys(selection.channels)
        self._patterns = dict.fromkeys(selection.patterns)
        self._shards = dict.fromkeys(selection.shards)
        self._lock = make_lock()  # guards the selection, the connection and the order of commands
        self._socket: NonblockingSocket | None = None
        self._expected: list[Command] = []  # commands without a reply yet
        self._there: set[bytes] = set()  # sharded channels that this connection has
        self._sent_at = 0.0  # when the oldest command without a reply was sent
        self._delivering = False  # the thread is writing to the browser, and does not read
        self._stopping = threading.Event()
        self._read_at = now()  # the last moment the connection was known to work
        self._emptied = False  # whether the last read took everything from the buffer
        self._caught_up = self._read_at  # everything that Redis had sent until then was read
        self._round_trip = 0.0  # seconds that Redis took for its last reply
        self._lost: float | None = None  # since when the connection is lost
        self._reported = ""  # why, as last delivered
        self._was_live = False  # before, there is no gap, since the page was not live
        self._held: list[Item] = []  # pushes after an outage, until everything is confirmed

    def __enter__(self) -> Self:
        start(self)
        self._timers.after(PING_AFTER, self._check_silence)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.join(JOIN_PATIENCE)

    def size_after(self, change: Change) -> int:
        """How many names would be selected after ``change``."""
        return sum(len((names.keys() | set(added)) - set(gone)) for names, added, gone in self._with(change))

    def change(self, change: Change) -> None:
        """Change the selection without losing a message of the rest; from any thread."""
        with self._lock:
            for names, added, gone in self._with(change):
                names.update(dict.fromkeys(added))
                for name in gone:
                    names.pop(name, None)
            if self._socket is not None:
                self._request(
                    self._commands(b"SUBSCRIBE", change.added)
                    + self._commands(b"UNSUBSCRIBE", change.removed)
                )

    def _with(self, change: Change) -> tuple[tuple[dict[bytes, None], Names, Names], ...]:
        """The selected names of each kind, with what is added to them and what is removed."""
        return (
            (self._channels, change.subscribe, change.unsubscribe),
            (self._patterns, change.psubscribe, change.punsubscribe),
            (self._shards, change.ssubscribe, change.sunsubscribe),
        )

    @property
    def channels(self) -> list[bytes]:
        """The selected channels."""
        return list(self._channels)

    @property
    def shards(self) -> list[bytes]:
        """The selected sharded channels."""
        return list(self._shards)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return not (self._channels or self._patterns or self._shards)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is selected, and Redis owes no answer."""
        return self.is_empty and not self._expected

    @property
    def is_quiet(self) -> bool:
        """Whether all replies are delivered, and Redis owes none on this connection."""
        return not self._delivering and (self._socket is None or not self._expected)

    @property
    def lost_since(self) -> float | None:
        """While the connection is lost: until when everything was read, in Unix seconds."""
        lost = self._lost
        return unix(lost) if lost is not None and self._was_live else None

    @property
    def place(self) -> Address | None:
        """The node of a cluster that it is connected to; ``None``: not connected, or no cluster."""
        place: Address | None = getattr(self._socket, "address", None)
        return place

    def send(self, commands: list[Command]) -> None:
        """Send more commands on this connection; from any thread."""
        with self._lock:
            if self._socket is not None:
                self._request(commands)

    def ping(self) -> bool:
        """Have ``[b"pong", …]`` delivered after everything that Redis has pushed by now; from any thread.

        :return: whether a PING was sent; it is not if that would block.
        """
        if self._delivering or not self._lock.acquire(blocking=False):
            return False
        try:
            if self._socket is None or self._lost is not None:
                return False
            self._request([_PROBE], patience=0)
            return True
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Ask the thread to end; from any thread."""
        self._stopping.set()
        with self._lock:
            if self._socket is not None:
                self._socket.shutdown()

    def run(self) -> None:
        try:
            self._keep_listening()
        except Exception:
            log.exception("subscriber failed")
            self._on_fault()
        finally:
            # Those of a page refer to this object: without the reference cycle all of it is freed at once.
            del self._connect, self._deliver, self._on_fault, self._give_up

    def _keep_listening(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began, moves = monotonic(), self._moves()
            try:
                self._listen()
            except LockedOut as refusal:
                pause = REFUSED_PAUSE
                is_open = self._report_refused(str(refusal))
            except (LinkLost, redis.RedisError, OSError) as loss:
                attempt = 0 if monotonic() - began > HEALTHY_AFTER else attempt
                longest = min(BACKOFF_CAP, BACKOFF_FIRST * 2**attempt)
                pause = random.uniform(0, longest)  # noqa: S311 - no secret, only to spread returns
                attempt = min(attempt + 1, 10)
                is_open = self._report_lost(getattr(loss, "strerror", None) or str(loss))
            else:
                return
            if not is_open:
                return
            self._rest(pause, moves)

    def _rest(self, pause: float, moves: int) -> None:
        """Pause, but only until Redis has another address than it had at ``moves``."""
        if self._stopping.wait(self._settle):
            return
        until = monotonic() + pause
        while (left := until - monotonic()) > 0 and self._moves() == moves:
            if self._stopping.wait(min(left, LOOK_EVERY)):
                return

    def _report_lost(self, words: str) -> bool:
        """Report the outage, and again if the reason changes. False: the browser has disconnected."""
        if self._stopping.is_set():
            return False
        known = self._lost is not None and words in ("", self._reported)
        lost = self._begin_outage(words or self._reported)
        return known or self._deliver_batch([Lost(unix(lost), words)])

    def _report_refused(self, words: str) -> bool:
        self._begin_outage(words)
        return self._deliver_batch([self._explain(Refused("", b"", words))])

    def _begin_outage(self, words: str) -> float:
        if self._lost is None:
            self._lost = self._complete_until()
        self._reported = words
        return self._lost

    def _complete_until(self) -> float:
        """Everything published before this moment has been read.

        Messages that Redis had not sent when the connection broke may have been published before our last
        read: usually just before, but much earlier if they were backed up while the browser was slow.
        """
        return self._caught_up - IN_FLIGHT - self._round_trip

    def _listen(self) -> None:
        """Connect, subscribe and deliver; returns when the browser has disconnected."""
        sock = self._open()
        try:
            self._read(sock)
        finally:
            with self._lock:
                self._socket = None
            if sock.doubted_since is not None:
                self._caught_up = min(self._caught_up, sock.doubted_since)
            sock.close()

    def _open(self) -> NonblockingSocket:
        try:
            sock = self._connect()
        except (AuthenticationError, NoPermissionError) as error:
            raise LockedOut(str(error)) from error
        with self._lock:
            self._socket = sock
            self._emptied = False
            # Drop pushes of a connection that was never confirmed: the gap behind them would not be reported.
            self._held = [item for item in self._held if isinstance(item, Refused)]
            if self._stopping.is_set():
                sock.shutdown()
            self._expected.clear()
            self._there.clear()
            # For an empty selection send a PING, so that there is a reply to wait for.
            selection = Selection(tuple(self._channels), tuple(self._patterns), tuple(self._shards))
            self._request(self._commands(b"SUBSCRIBE", selection) or [_PINGED])
        return sock

    def _read(self, sock: NonblockingSocket) -> None:
        parser = Parser()
        while data := sock.recv(size := parser.wanted):
            # More data proves that the connection still worked when the last read emptied it:
            # data after a long wait may be the rest of a connection that broke meanwhile.
            if self._emptied:
                self._caught_up = self._read_at
            self._read_at = now()
            self._emptied = len(data) < size
            if data == _PONG and parser.at_boundary and self._is_silence_answered():
                continue
            try:
                batch = parser.parse(data)
            except hiredis.ProtocolError as error:
                raise LinkLost(str(error)) from error
            moved = self._moved(batch) if self._shards else []
            ended = list(filter(self._has_ended, batch)) if self._follows_slots else []
            if moved or ended:
                batch = [item for item in batch if item not in moved and item not in ended]
            parts = [batch] if batch else []
            if self._expected or self._held:
                parts = _part_pong(self._match_replies(batch))
            if not all(map(self._deliver_batch, parts)):
                return
            for _, name, _ in moved:
                self._drop_shard(name, self._complete_until(), "")
            if ended:
                raise LinkLost("MOVED Another node has the slot")
        raise LinkLost

    def _moved(self, batch: list[Item]) -> list[Push]:
        """Pushes by which Redis unsubscribes us unrequested, as another node has the slot now."""
        pushes = [item for item in batch if isinstance(item, list) and item[0] == b"sunsubscribe"]
        return [
            push
            for push in pushes
            if push[1] in self._shards and (b"SUNSUBSCRIBE", push[1]) not in self._expected
        ]

    def _has_ended(self, item: Item) -> bool:
        """Whether Redis unsubscribes us unrequested from one of our own sharded channels."""
        if not isinstance(item, list) or item[0] != b"sunsubscribe" or not is_own_shard(item[1]):
            return False
        return (b"SUNSUBSCRIBE", item[1]) not in self._expected

    def _drop_shard(self, name: bytes, lost: float | None, words: str) -> None:
        with self._lock:
            self._there.discard(name)
            is_selected = name in self._shards
            self._shards.pop(name, None)
            if not is_selected:
                return
            if self._socket is not None:
                self._request([(b"UNSUBSCRIBE", of_shard(name))])
            self._give_up(name, None if lost is None else unix(lost), words)

    def _is_silence_answered(self) -> bool:
        """A fast path for the only push of idle connections."""
        if self._lost is not None or not self._expected or self._expected[0] is not _PINGED:
            return False
        self._expected.pop(0)
        self._all_answered()
        return True

    def _check_silence(self) -> float | None:
        """Ping a silent Redis; give up a connection that has not answered."""
        if self._stopping.is_set():
            return None
        silence = now() - self._read_at
        if silence < PING_AFTER:
            return PING_AFTER - silence
        if self._delivering or not self._lock.acquire(blocking=False):
            return PONG_WITHIN
        try:
            if self._socket is not None and not self._expected:
                self._request([_PINGED], patience=0)
            elif self._socket is not None and now() - self._sent_at >= PONG_WITHIN:
                self._socket.shutdown()
        finally:
            self._lock.release()
        return PONG_WITHIN

    def _match_replies(self, replies: list[Item]) -> list[Item]:
        """Match the replies to commands; hold pushes back until a new connection is confirmed."""
        if self._lost is None and all(map(_is_message, replies)):
            self._was_live = self._was_live or bool(replies)
            return replies  # this very list, which other pages share
        out: list[Item] = []
        for reply in replies:
            if _is_message(reply):
                out.append(reply)
            else:
                out += self._match_reply(reply)
        if self._lost is None:
            self._was_live = self._was_live or bool(out)
            return out
        self._held += out
        return [] if self._expected else self._close_gap(self._lost)

    def _close_gap(self, lost: float) -> list[Item]:
        gap = [Gap(unix(lost), unix(self._read_at))] if self._was_live else []
        out: list[Item] = [*gap, *self._held]
        self._held, self._lost, self._reported, self._was_live = [], None, "", True
        return out

    def _match_reply(self, reply: Item | Exception) -> list[Item]:
        # Replies come in order, so an error needs no name.
        with self._lock:
            if not self._expected:
                raise LinkLost(f"Unexpected reply from Redis: {reply!r:.100}")
            command, name = self._expected.pop(0)
            if not self._expected:
                self._all_answered()
        if command == b"PING" and (not isinstance(reply, Exception) or str(reply).startswith("NOPERM")):
            return [[b"pong", name]] if name else []  # a refusal is a reply too
        if isinstance(reply, Exception):
            return self._refusal(command, name, str(reply))
        if command == b"SSUBSCRIBE":
            self._there.add(name)
        elif command == b"SUNSUBSCRIBE":
            self._there.discard(name)
        return [] if is_shadow(name) else [reply]

    def _all_answered(self) -> None:
        """Redis replies in order, so messages from before our command have been sent."""
        self._round_trip = self._read_at - self._sent_at
        self._caught_up = max(self._caught_up, self._sent_at)

    def _refusal(self, command: bytes, name: bytes, words: str) -> list[Item]:
        if words.startswith(_LOCKED_OUT):
            raise LockedOut(words)
        if command == b"SUNSUBSCRIBE" and name not in self._there:
            return [[command.lower(), name, 0]]  # it was not subscribed
        kind = _KINDS.get(command)
        if kind == "shard" and is_own_shard(name):
            if self._follows_slots and words.startswith(_NOT_HERE):
                raise LinkLost(words)
            return [Refused("log", name, words)]
        if kind == "shard" and words.startswith(_NOT_HERE):
            self._drop_shard(name, self._lost if self._was_live else None, words)
            return []
        if is_shadow(name) and words.startswith("NOPERM"):
            return []  # the tab is not counted, but everything else works
        if kind is None or not words.startswith(_FINAL if kind == "shard" else "NOPERM"):
            raise LinkLost(words)  # also a refused UNSUBSCRIBE: the connection has to end for it
        with self._lock:
            {"channel": self._channels, "pattern": self._patterns, "shard": self._shards}[kind].pop(
                name, None
            )
        return [self._explain(Refused(kind, name, words))]

    def _request(self, commands: list[Command], patience: float = WRITE_PATIENCE) -> None:
        """Send commands; the caller holds the lock. A broken connection is noticed by the next read."""
        assert self._socket is not None  # noqa: S101 - for mypy: the caller has connected
        if not self._expected:
            self._sent_at = now()
        self._expected.extend(commands)
        try:
            self._socket.send(b"".join([_pack(*command) for command in commands]), patience)
        except OSError:
            self._socket.shutdown()

    def _deliver_batch(self, batch: list[Item]) -> bool:
        self._delivering = True
        try:
            self._deliver(batch)
        except OSError:
            return False
        finally:
            self._delivering = False
        return True


def _is_message(reply: Item) -> bool:
    return isinstance(reply, list) and reply[0] in MESSAGES


def _part_pong(batch: list[Item]) -> list[list[Item]]:
    """The messages around the reply to a probe, a list that other connections share, and then the reply.

    So the reply is delivered after messages that Redis sent just after it, which does no harm.
    """
    pongs = [item for item in batch if isinstance(item, list) and item[0] == b"pong"]
    if not pongs or len(batch) == 1:
        return [batch] if batch else []
    others = [item for item in batch if item not in pongs]
    return [shared(others), [*pongs]]


def subscribe_commands(verb: bytes, names: Selection) -> list[Command]:
    """Commands with ``verb`` for these names, then for the shadow channel of each."""
    shadows = [
        *map(of_channel, names.channels),
        *map(of_pattern, names.patterns),
        *map(of_shard, names.shards),
    ]
    return (
        [(verb, name) for name in names.channels]
        + [(b"P" + verb, name) for name in names.patterns]
        + [(b"S" + verb, name) for name in names.shards]
        + [(verb, name) for name in shadows]
    )


@lru_cache(maxsize=1024)
def _pack(command: bytes, name: bytes) -> bytes:
    parts: tuple[Any, ...] = (command, name) if name and command != b"PING" else (command,)
    return bytes(hiredis.pack_command(parts))
