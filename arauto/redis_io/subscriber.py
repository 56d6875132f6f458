"""The thread behind one feed: one Redis connection, its channels and patterns, its breaks.

It reads the connection itself, because redis-py's PubSub costs a factor of ten and hides
what a feed must tell: the moment the link broke and the PONG that never came.
"""

import logging
import random
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from time import monotonic, time
from types import TracebackType
from typing import Any, Self

import hiredis
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from arauto.net.nonblocking_socket import WRITE_PATIENCE, NonblockingSocket
from arauto.protocol.events import Gap, Item, Lost, Refused
from arauto.protocol.selection import Change, Selection
from arauto.protocol.tab_counting import is_shadow, of_channel, of_pattern
from arauto.redis_io.resp_parser import Parser
from arauto.system.concurrency import make_lock
from arauto.system.resource_errors import start
from arauto.system.timer_wheel import TimerWheel

PING_AFTER = 20.0  # seconds of silence
PONG_WITHIN = 8.0  # seconds; a link without an answer is dead, so that is known within 30
BACKOFF_FIRST, BACKOFF_CAP = 0.25, 30.0  # seconds; full jitter between zero and this
IN_FLIGHT = 1.0  # seconds that a message may take from PUBLISH to us when nothing is backed up
HEALTHY_AFTER = 10.0  # seconds a link must live before the back-off starts anew
REFUSED_PAUSE = 30.0  # seconds between attempts while Redis refuses us
LOOKS = 3  # at two clocks that are to say the same moment
JOIN_PATIENCE = 3.0  # seconds; connecting is the only wait that cannot be interrupted

_MESSAGES = (b"message", b"pmessage", b"smessage")
_SHARDED = (b"SSUBSCRIBE", b"SUNSUBSCRIBE")
_KINDS = {b"SUBSCRIBE": "channel", b"PSUBSCRIBE": "pattern"}
_PINGED = (b"PING", b"")
_LOOK = (b"PING", b"look")
_PONG = b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"  # as a connection gets it that has subscriptions
_LOCKED_OUT = ("NOAUTH", "WRONGPASS")

if sys.platform == "linux":
    from time import CLOCK_BOOTTIME, clock_gettime

    # The monotonic clock stands still while a laptop sleeps; a gap must begin before the sleep.
    now = partial(clock_gettime, CLOCK_BOOTTIME)
else:
    now = monotonic

Deliver = Callable[[list[Item]], None]
Command = tuple[bytes, bytes]
"""A command of Redis and the one name that it is about."""
MakeCommands = Callable[[bytes, Iterable[bytes], Iterable[bytes]], list[Command]]
"""``SUBSCRIBE`` or ``UNSUBSCRIBE``, channels and patterns -> what is said to Redis."""

log = logging.getLogger("arauto")


class LinkLost(Exception):
    """The connection to Redis cannot be used any more; the text is what Redis said, if anything."""


class LockedOut(Exception):
    """Redis does not let us in; the text is its own words."""


class Subscriber(threading.Thread):
    """Hands on everything that comes, in order, as one batch for each wake.

    :param connect: makes a new connection to Redis; may raise ``redis.RedisError``.
    :param deliver: takes a batch, in this thread. When it raises ``OSError``, nobody is
        there to hear: the thread ends.
    :param on_fault: called in this thread when it ends by a mistake of ours.
    :param pulse: has the silence of a link looked at.
    :param commands: what is asked for with the names; that sharded channels beside them are refused
        changes nothing.
    :param hears_sharded: whether it is handed on that these are confirmed, or refused as a ``log``.

    Use it in a ``with`` block: leaving it ends the thread and its connection.
    """

    def __init__(
        self,
        connect: Callable[[], NonblockingSocket],
        deliver: Deliver,
        on_fault: Callable[[], None],
        timers: TimerWheel,
        selection: Selection,
        commands: MakeCommands | None = None,
        hears_sharded: bool = False,
    ) -> None:
        super().__init__(name="subscriber", daemon=True)
        self._connect = connect
        self._deliver = deliver
        self._on_fault = on_fault
        self._timers = timers
        self._commands = commands or subscribing
        self._unheard = (b"PING",) if hears_sharded else (b"PING", *_SHARDED)
        self._channels = dict.fromkeys(selection.channels)
        self._patterns = dict.fromkeys(selection.patterns)
        self._lock = make_lock()  # guards the selection, the wire and the order of commands
        self._wire: NonblockingSocket | None = None
        self._expected: deque[Command] = deque()  # commands not yet answered
        self._asked = 0.0  # when the oldest of them was sent
        self._delivering = False  # then the thread is with the browser, and Redis must wait
        self._stopping = threading.Event()
        self._heard = now()  # the last moment the link was known to work
        self._emptied = False  # whether the last read took all that waited
        self._caught_up = self._heard  # nothing that Redis had sent until then was unread
        self._round_trip = 0.0  # seconds that Redis took to answer us last
        self._lost: float | None = None  # since when nothing is known
        self._told = ""  # why, in the words that were said last
        self._was_live = False  # before that there is no gap: nobody was promised anything
        self._held: list[Item] = []  # what came after a break, before all was confirmed

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
        """How many channels and patterns would be selected after ``change``."""
        channels = (self._channels.keys() | set(change.subscribe)) - set(change.unsubscribe)
        patterns = (self._patterns.keys() | set(change.psubscribe)) - set(change.punsubscribe)
        return len(channels) + len(patterns)

    def change(self, change: Change) -> None:
        """Change the selection without losing a message of the rest; from any thread."""
        with self._lock:
            for names, added, gone in (
                (self._channels, change.subscribe, change.unsubscribe),
                (self._patterns, change.psubscribe, change.punsubscribe),
            ):
                names.update(dict.fromkeys(added))
                for name in gone:
                    names.pop(name, None)
            if self._wire is not None:
                self._request(
                    self._commands(b"SUBSCRIBE", change.subscribe, change.psubscribe)
                    + self._commands(b"UNSUBSCRIBE", change.unsubscribe, change.punsubscribe)
                )

    @property
    def channels(self) -> list[bytes]:
        """What is selected by name."""
        return list(self._channels)

    def ask(self, commands: list[Command]) -> None:
        """Say something more to Redis, for as long as this connection lasts; from any thread."""
        with self._lock:
            if self._wire is not None:
                self._request(commands)

    def look(self) -> bool:
        """Have ``[b"pong", …]`` handed on behind all that Redis has pushed by now; from any thread.

        :return: whether Redis was asked. It is not where somebody else would have to be waited for.
        """
        if self._delivering or not self._lock.acquire(blocking=False):
            return False
        try:
            if self._wire is None or self._lost is not None:
                return False
            self._request([_LOOK], patience=0)
            return True
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Ask the thread to end; from any thread."""
        self._stopping.set()
        with self._lock:
            if self._wire is not None:
                self._wire.shutdown()

    def run(self) -> None:
        try:
            self._keep_listening()
        except Exception:
            log.exception("subscriber failed")
            self._on_fault()

    def _keep_listening(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began = monotonic()
            try:
                self._listen()
            except LockedOut as refusal:
                pause = REFUSED_PAUSE
                told = self._tell_refused(str(refusal))
            except (LinkLost, redis.RedisError, OSError) as loss:
                attempt = 0 if monotonic() - began > HEALTHY_AFTER else attempt
                longest = min(BACKOFF_CAP, BACKOFF_FIRST * 2**attempt)
                pause = random.uniform(0, longest)  # noqa: S311 - no secret, only to spread returns
                attempt = min(attempt + 1, 10)
                told = self._tell_lost(str(loss))
            else:
                return
            if not told:
                return
            self._stopping.wait(pause)

    def _tell_lost(self, words: str) -> bool:
        """Say that the link is gone, and again when the reason is another one. False: nobody hears us."""
        if self._stopping.is_set():
            return False
        known = self._lost is not None and words in ("", self._told)
        lost = self._begin_outage(words or self._told)
        return known or self._hand_on([Lost(_unix(lost), words)])

    def _tell_refused(self, words: str) -> bool:
        self._begin_outage(words)
        return self._hand_on([Refused("", b"", words)])

    def _begin_outage(self, words: str) -> float:
        if self._lost is None:
            self._lost = self._complete_until()
        self._told = words
        return self._lost

    def _complete_until(self) -> float:
        """All that was published before this moment has been read.

        What Redis had not sent us yet when the link broke was published before we last read:
        a little on a good day, and all that piled up while the browser was slow.
        """
        return self._caught_up - IN_FLIGHT - self._round_trip

    def _listen(self) -> None:
        """Connect, subscribe and hand on; returns when nobody wants to hear any more."""
        wire = self._open()
        try:
            self._read(wire)
        finally:
            with self._lock:
                self._wire = None
            wire.close()

    def _open(self) -> NonblockingSocket:
        try:
            wire = self._connect()
        except (AuthenticationError, NoPermissionError) as error:
            raise LockedOut(str(error)) from error
        with self._lock:
            self._wire = wire
            self._emptied = False
            # Behind what came of a link that never was whole is a hole that nothing would tell.
            self._held = [item for item in self._held if isinstance(item, Refused)]
            if self._stopping.is_set():
                wire.shutdown()
            self._expected.clear()
            # An empty selection gets a PING, so that there is an answer to wait for.
            self._request(self._commands(b"SUBSCRIBE", self._channels, self._patterns) or [_PINGED])
        return wire

    def _read(self, wire: NonblockingSocket) -> None:
        parser = Parser()
        while data := wire.recv(size := parser.wanted):
            # That more has come proves that the link still stood when the last read emptied it:
            # what is read after a long wait may be the rest of a link that broke in the meantime.
            if self._emptied:
                self._caught_up = self._heard
            self._heard = now()
            self._emptied = len(data) < size
            if data == _PONG and parser.at_boundary and self._is_silence_answered():
                continue
            try:
                batch = parser.parse(data)
            except hiredis.ProtocolError as error:
                raise LinkLost(str(error)) from error
            if self._expected or self._held:
                batch = self._sort_out(batch)
            if batch and not self._hand_on(batch):
                return
        raise LinkLost

    def _is_silence_answered(self) -> bool:
        """The short way for what ten thousand idle feeds do all day."""
        if self._lost is not None or not self._expected or self._expected[0] is not _PINGED:
            return False
        self._expected.popleft()
        self._all_answered()
        return True

    def _check_silence(self) -> float | None:
        """Ask a silent Redis whether it is there; give up a link that has not answered."""
        if self._stopping.is_set():
            return None
        silence = now() - self._heard
        if silence < PING_AFTER:
            return PING_AFTER - silence
        if self._delivering or not self._lock.acquire(blocking=False):
            return PONG_WITHIN
        try:
            if self._wire is not None and not self._expected:
                self._request([_PINGED], patience=0)
            elif self._wire is not None and now() - self._asked >= PONG_WITHIN:
                self._wire.shutdown()
        finally:
            self._lock.release()
        return PONG_WITHIN

    def _sort_out(self, replies: Iterable[Item]) -> list[Item]:
        """Match the answers among ``replies``; hold all back until a new link is whole."""
        out: list[Item] = []
        for reply in replies:
            if isinstance(reply, list) and reply[0] in _MESSAGES:
                out.append(reply)
            else:
                out += self._answer(reply)
        if self._lost is None:
            self._was_live = self._was_live or bool(out)
            return out
        self._held += out
        return [] if self._expected else self._close_gap(self._lost)

    def _close_gap(self, lost: float) -> list[Item]:
        gap = [Gap(_unix(lost), _unix(self._heard))] if self._was_live else []
        out: list[Item] = [*gap, *self._held]
        self._held, self._lost, self._told, self._was_live = [], None, "", True
        return out

    def _answer(self, reply: Item | Exception) -> list[Item]:
        # Commands are answered in order, so an error needs no name to be matched.
        with self._lock:
            if not self._expected:
                raise LinkLost(f"Redis said something nobody asked for: {reply!r:.100}")
            command, name = self._expected.popleft()
            if not self._expected:
                self._all_answered()
        if command == b"PING" and str(reply).startswith("NOPERM"):
            reply = [b"pong", name]  # a refusal is an answer too
        if isinstance(reply, Exception):
            return self._refusal(command, name, str(reply))
        if (command, name) == _LOOK:
            return [reply] if isinstance(reply, list) else []
        return [] if command in self._unheard or is_shadow(name) else [reply]

    def _all_answered(self) -> None:
        """Redis answers in order: what it was told before we asked, it has sent."""
        self._round_trip = self._heard - self._asked
        self._caught_up = max(self._caught_up, self._asked)

    def _refusal(self, command: bytes, name: bytes, words: str) -> list[Item]:
        if words.startswith(_LOCKED_OUT):
            raise LockedOut(words)
        if command in _SHARDED and command in self._unheard:
            return []  # whoever asked for it notices that nothing comes
        if command in _SHARDED:
            return [Refused("log", name, words)]
        if not words.startswith("NOPERM") or command not in _KINDS:
            raise LinkLost(words)
        if is_shadow(name):
            return []  # then this tab is not counted, and all else is as it should be
        with self._lock:
            (self._channels if command == b"SUBSCRIBE" else self._patterns).pop(name, None)
        return [Refused(_KINDS[command], name, words)]

    def _request(self, commands: list[Command], patience: float = WRITE_PATIENCE) -> None:
        """Send commands; the caller holds the lock. A broken link shows when it is read."""
        assert self._wire is not None  # noqa: S101 - for mypy: the caller has connected
        if not self._expected:
            self._asked = now()
        self._expected.extend(commands)
        try:
            self._wire.send(b"".join([_pack(*command) for command in commands]), patience)
        except OSError:
            self._wire.shutdown()

    def _hand_on(self, batch: list[Item]) -> bool:
        self._delivering = True
        try:
            self._deliver(batch)
        except OSError:
            return False
        finally:
            self._delivering = False
        return True


def _unix(moment: float) -> float:
    """A moment of :func:`now` as Unix seconds, by the clock as it stands today.

    A busy machine may let us wait between two looks at two clocks: of several, the quickest counts.
    """
    looks = [(now(), time(), now()) for _ in range(LOOKS)]
    _, at, after = min(looks, key=lambda look: look[2] - look[0])
    return at - (after - moment)


def subscribing(verb: bytes, channels: Iterable[bytes], patterns: Iterable[bytes]) -> list[Command]:
    """``verb`` for these names, and for the shadow beside each: in one burst, the names first."""
    channels, patterns = tuple(channels), tuple(patterns)
    shadows = [*map(of_channel, channels), *map(of_pattern, patterns)]
    return (
        [(verb, name) for name in channels]
        + [(b"P" + verb, name) for name in patterns]
        + [(verb, name) for name in shadows]
    )


@lru_cache(maxsize=1024)
def _pack(command: bytes, name: bytes) -> bytes:
    parts: tuple[Any, ...] = (command, name) if name else (command,)
    return bytes(hiredis.pack_command(parts))
