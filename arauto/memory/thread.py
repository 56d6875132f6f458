"""The thread that records, or stands by: a candidate, its connection, and the store it writes to."""

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from time import monotonic

import redis

from arauto.globs import matches
from arauto.memory.candidate import Candidate, Claim, Follow, OfChannel, Release, Renew
from arauto.memory.candidate import Command as Wish
from arauto.memory.keys import is_recordable
from arauto.memory.recorder import Answer, Append, Ask, Fenced, Outcome, Take, Unwanted
from arauto.memory.store import Store
from arauto.memory.texts import read_word
from arauto.memory.words import Mark, Marked
from arauto.messages import Item, Lost, Refused
from arauto.names import Change, Selection
from arauto.pulse import Pulse
from arauto.redis_link import complaint
from arauto.subscriber import Command, Subscriber
from arauto.wire import Wire
from arauto.workers import make_lock

TICK = 0.25  # seconds

log = logging.getLogger("arauto")


class RecorderThread(threading.Thread):
    """Every process may have one; one of them records.

    :param coverage: which channels and patterns are to be recorded now.
    """

    def __init__(
        self, store: Store, connect: Callable[[], Wire], pulse: Pulse, coverage: Callable[[], Selection]
    ) -> None:
        super().__init__(name="recorder", daemon=True)
        self.candidate = Candidate(secrets.token_hex(8), _now())
        self._store = store
        self._connect = connect
        self._pulse = pulse
        self._coverage = coverage
        self._covered = Selection((), ())
        self._names: frozenset[bytes] = frozenset()  # of its channels
        self._source_of = lru_cache(4096)(self._find_source)
        """The name or the pattern by which a channel's messages come; asked for each of them."""
        self._known: set[bytes] = set()  # the channels that have a log
        self._words: dict[bytes, bytes] = {}  # what announcements come by -> their channel
        self._heard: set[bytes] = set()  # the channels whose announcements come ...
        self._sources: set[bytes] = set()  # ... and the names and patterns by which messages do
        self._lock = make_lock()  # guards the candidate and all that is known of the connection
        self._stopping = threading.Event()
        self._complaint = ""
        self._is_away = False  # Redis did not answer when something was said to it last

    def stop(self) -> None:
        """Give the lease back, and end; from any thread."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        self._look()
        with Subscriber(
            self._connect,
            self._hear,
            self._stopping.set,
            self._pulse,
            self._covered,
            self._commands,
            hears_sharded=True,
        ) as self._subscriber:
            while not self._stopping.wait(TICK):
                self._change(self._look())
                with self._lock:
                    self._do(self.candidate.tick(_now()))
        with self._lock:
            self._do([Release(self.candidate.token)])

    # What is recorded

    def _look(self) -> Change:
        """Learn what is to be recorded: how that differs from before."""
        before = self._covered
        try:
            covered, self._known = self._coverage(), self._store.names()
        except redis.RedisError as error:
            self._complain(error)
            return Change()
        self._covered = Selection(tuple(filter(is_recordable, covered.channels)), tuple(covered.patterns))
        self._names = frozenset(self._covered.channels)
        if self._covered != before:
            self._source_of.cache_clear()
        return Change(
            subscribe=_missing(self._covered.channels, before.channels),
            unsubscribe=_missing(before.channels, self._covered.channels),
            psubscribe=_missing(self._covered.patterns, before.patterns),
            punsubscribe=_missing(before.patterns, self._covered.patterns),
        )

    def _change(self, change: Change) -> None:
        if not any((change.subscribe, change.unsubscribe, change.psubscribe, change.punsubscribe)):
            return
        with self._lock:
            self._sources -= {*change.unsubscribe, *change.punsubscribe}
            for channel in self.candidate.channels | self._heard:
                if self._source_of(channel) is None:
                    self.candidate.unsubscribed(channel)
                    self._heard.discard(channel)
        self._subscriber.change(change)

    def _find_source(self, channel: bytes) -> bytes | None:
        """By others than this one its messages come once more.

        A pattern before a name, which comes and goes: it would cost a gap to listen elsewhere.
        """
        if not is_recordable(channel):
            return None
        glob = next((glob for glob in self._covered.patterns if matches(glob, channel)), None)
        return channel if glob is None and channel in self._names else glob

    def _commands(self, verb: bytes, channels: Iterable[bytes], patterns: Iterable[bytes]) -> list[Command]:
        """Announcements are asked for before the messages that they are about."""
        channels, patterns = tuple(channels), tuple(patterns)
        if verb == b"SUBSCRIBE":
            beats = [(b"SSUBSCRIBE", self._store.beats)]
            logs = [name for name in channels if name not in self._heard or self._source_of(name) == name]
            known = (self.candidate.channels | self._known) - {*self._heard, *channels}
            logs += [name for name in known if self._source_of(name) is not None]
        else:
            beats, logs = [], [name for name in channels if self._source_of(name) is None]
        words = [self._follow(name, verb) for name in logs]
        messages = [(verb, name) for name in channels] + [(b"P" + verb, name) for name in patterns]
        return [*beats, *words, *messages]

    def _follow(self, channel: bytes, verb: bytes = b"SUBSCRIBE") -> Command:
        name = self._store.words_of(channel)
        self._words[name] = channel
        return b"S" + verb, name

    # What is heard

    def _hear(self, batch: list[Item]) -> None:
        with self._lock:
            for item in batch:
                self._do(self._take_in(item))
            self._do(self.candidate.flush())

    def _take_in(self, item: Item) -> list[Wish]:
        candidate = self.candidate
        if isinstance(item, Lost):
            candidate.disconnected(_now())
            self._heard.clear()
            self._sources.clear()
        if isinstance(item, Refused):
            self._complain(redis.ResponseError(item.error))
        if not isinstance(item, list):
            return []
        kind = item[0]
        if kind == b"message":
            return candidate.received(item[1], item[2], _now()) if self._source_of(item[1]) == item[1] else []
        if kind == b"pmessage":
            return candidate.received(item[2], item[3], _now()) if self._source_of(item[2]) == item[1] else []
        if kind == b"smessage" and item[1] == self._store.beats:
            return self._beaten(item[2])
        if kind == b"smessage" and (channel := self._words.get(item[1])) in self._heard:
            word = read_word(item[2])
            return candidate.announced(channel, word) if channel and word else []
        if kind == b"ssubscribe" and item[1] == self._store.beats:
            candidate.connected()
        if kind == b"ssubscribe" and (channel := self._words.get(item[1])):
            if self._source_of(channel) is None:
                candidate.unsubscribed(channel)  # it has gone before Redis answered
                return []
            self._heard.add(channel)
            return candidate.subscribed(channel, _now()) if self._source_of(channel) in self._sources else []
        if kind in (b"subscribe", b"psubscribe"):
            self._sources.add(item[1])
            come = self._heard if kind == b"psubscribe" else self._heard & {item[1]}
            return [
                wish
                for channel in come
                if self._source_of(channel) == item[1]
                for wish in candidate.subscribed(channel, _now())
            ]
        return []

    def _beaten(self, data: bytes) -> list[Wish]:
        parts = data.split()
        if len(parts) == 3 and all(part.isdigit() and len(part) <= 15 for part in parts):
            token, at, _ = map(int, parts)
            return self.candidate.beaten(token, at, _now())
        return []

    # What is said to Redis

    def _do(self, wishes: list[Wish]) -> None:
        queue = deque(wishes)
        while queue and not (self._is_away and self._stopping.is_set()):
            queue.extendleft(self.candidate.beat(_now()))
            queue += self._fulfil(queue.popleft())

    def _fulfil(self, wish: Wish) -> list[Wish]:
        if isinstance(wish, Follow):
            self._subscriber.ask([self._follow(wish.channel)])
            return []
        try:
            wishes = self._speak(wish) if isinstance(wish, OfChannel) else self._lead(wish)
            self._is_away = False
            return wishes
        except redis.RedisError as error:
            self._is_away = not isinstance(error, redis.ResponseError)
            self._complain(error)
            return self._failed(wish, error)

    def _lead(self, wish: Claim | Renew | Release) -> list[Wish]:
        if isinstance(wish, Claim):
            return self.candidate.claimed(self._store.claim(wish.above), _now())
        if isinstance(wish, Renew):
            return self.candidate.renewed(wish, self._store.renew(wish.token, wish.until))
        if wish.token:
            self._store.release(wish.token)
        return []

    def _speak(self, wish: OfChannel) -> list[Wish]:
        candidate, channel, step = self.candidate, wish.channel, wish.step
        if isinstance(step, Append):
            done = self._store.append(channel, step, wish.until)
            return candidate.appended(channel, step, done.many, done.outcome, done.why)
        if isinstance(step, Take):
            return self._take(channel, step, wish.until)
        if isinstance(step, Ask):
            self._store.say(channel, Mark(step.name))
        elif isinstance(step, Answer):
            self._store.say(channel, Marked(step.name, step.position, step.written))
        else:
            self._store.say(channel, step)
        return []

    def _take(self, channel: bytes, request: Take, until: int) -> list[Wish]:
        try:
            self._store.note(channel)  # before there is a log: then all who stand by will hear of it
            has_glob = self._source_of(channel) != channel
            end = self._store.take(channel, request, until, has_glob)
        except Fenced as error:
            return self.candidate.fenced(channel, request, error.token)
        except Unwanted:
            return self.candidate.refused(channel, request, "")
        return self.candidate.taken(channel, request, end)

    def _failed(self, wish: Wish, error: redis.RedisError) -> list[Wish]:
        if not isinstance(wish, OfChannel):
            return []
        is_answer = isinstance(error, redis.ResponseError)
        if isinstance(wish.step, Append):
            outcome = Outcome.REFUSED if is_answer else Outcome.UNKNOWN
            return self.candidate.appended(wish.channel, wish.step, 0, outcome, complaint(error))
        if isinstance(wish.step, Take):
            return self.candidate.refused(wish.channel, wish.step, complaint(error) if is_answer else "")
        return []

    def _complain(self, error: redis.RedisError) -> None:
        words = complaint(error)
        if words != self._complaint:
            log.warning("recording: %s", words)
        self._complaint = words


def _missing(names: Iterable[bytes], among: Iterable[bytes]) -> tuple[bytes, ...]:
    there = set(among)
    return tuple(name for name in names if name not in there)


def _now() -> int:
    """Milliseconds of this process's own clock."""
    return int(monotonic() * 1000)
