"""The double beside a real Redis: each step runs in both, and replies and announcements must be equal."""

import hashlib
from dataclasses import replace
from itertools import chain
from typing import Any

import redis

from arauto.protocol.log_position import Position
from arauto.recording import log_store as store_module
from arauto.recording.log_store import Store
from arauto.recording_core.announcement_text import read_announcement
from arauto.recording_core.announcements import Announcement, Mark, Marked, Stopped
from arauto.recording_core.feed_steps import Pages, Read
from arauto.recording_core.log_keys import LEASE, announcements_of, beats_of, head_of, promised_of, stream_of
from arauto.recording_core.recorder_steps import Append, Fenced, Outcome, Take, Unwanted
from tests.simulator.redis_double import PAGE, Data, RedisDouble

CHANNEL = b"news.a"
FENCE = b"fence"
# Keys that replace the time and the run of Redis in the scripts.
SECONDS, MICROSECONDS, RUN = "test:seconds", "test:microseconds", "test:run"

_script = store_module.script


class Different(AssertionError):
    """Redis and the double differ."""


def script(name: str) -> tuple[str, str]:
    """The script, with the time and the run of Redis replaced by those of the schedule."""
    text, _ = _script(name)
    text = text.replace("redis.call('TIME')", f"redis.call('MGET', '{SECONDS}', '{MICROSECONDS}')")
    text = text.replace("redis.pcall('INFO', 'server')", f"redis.call('GET', '{RUN}')")
    return text, hashlib.sha1(text.encode()).hexdigest()


class RedisTwin(RedisDouble):
    """Set :attr:`client` to a Redis without other use, and ``store.script`` to :func:`script`."""

    client: redis.Redis

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self._is_refusing = True
        self._refuse(False)
        self._store = Store(self.client, self.keep, 1 << 40, lambda: f"e{self._epochs}")
        self._words_here: list[Announcement] = []
        self._beats_here: list[tuple[int, int, int]] = []
        self._subscription: Any = self.client.pubsub()
        self._subscription.ssubscribe(announcements_of(CHANNEL, 0), beats_of(0), FENCE)

    def close(self) -> None:
        self._subscription.close()

    # Steps in both

    def announce(self, announcement: Announcement) -> None:
        if not isinstance(announcement, Mark | Marked | Stopped):  # no script announces these
            self._words_here.append(announcement)
        super().announce(announcement)

    def append(
        self, token: int, after: Position, messages: tuple[bytes, ...], until: int
    ) -> tuple[int, Outcome]:
        expected = super().append(token, after, messages, until)
        self._prepare()
        answer = self._store.append(CHANNEL, Append(token, after, messages), until)
        self._compare("append", expected, (answer.many, answer.outcome))
        return expected

    def take(
        self, token: int, known: Position | None, until: int, is_first: bool = False, doubt: int = 0
    ) -> Position | None:
        expected: Position | Exception | None
        try:
            expected = super().take(token, known, until, is_first, doubt)
        except (PermissionError, Fenced) as error:
            expected = error
        self._prepare()
        answer: Any
        try:
            request = Take(token, known, is_first, doubt)
            answer = self._store.take(CHANNEL, request, until, has_glob=False, losses=reversed(self.losses))
        except (redis.ResponseError, Unwanted):
            answer = PermissionError()
        except Fenced as error:
            answer = error
        if isinstance(expected, Exception):
            self._compare("take", type(expected), type(answer))
            raise expected
        self._compare("take", expected, answer)
        return expected

    def read(self, after: Position, until: int | None) -> Pages:
        expected = super().read(after, until)
        self._prepare()
        ms = next((entry.ms for entry in self.data.entries if entry.number >= after.number), self.now)
        answer = self._store.read(CHANNEL, Read(replace(after, ms=ms), until), PAGE)
        self._compare("read", *map(_plain, (expected, answer)))
        return expected

    def publish_and_promise(self, data: bytes) -> None:
        super().publish_and_promise(data)
        self._prepare()
        self.client.execute_command(*self._store.publish_commands(CHANNEL, data)[1])
        self._compare("publish", None, None)

    def delete(self) -> None:
        super().delete()
        self._prepare()
        self._store.delete(CHANNEL)
        self._compare("delete", None, None)

    def switch(self, on: bool) -> None:
        super().switch(on)
        self._prepare()
        self._store.switch(CHANNEL, on)
        self._compare("switch", None, None)

    def claim(self, above: int = 0, grace: int = 0) -> int:
        expected = super().claim(above, grace)
        self._prepare()
        try:
            answer = self._store.claim(above, grace)
        except redis.ResponseError:
            answer = 0
        self._compare("claim", expected, answer)
        return expected

    def renew(self, token: int, until: int) -> bool:
        self._prepare()
        if self.refuses_writes:
            if self.data.lease_token == token:
                self._compare("renew", False, self._renews(token, until))
            raise PermissionError
        expected = super().renew(token, until)
        if expected:
            self._beats_here.append((token, self.now, until))
        self._compare("renew", expected, self._store.renew(token, until))
        return expected

    def _renews(self, token: int, until: int) -> bool:
        try:
            return self._store.renew(token, until)
        except redis.ResponseError:
            return False

    def release(self, token: int) -> None:
        if token == self.data.lease_token and not self.refuses_writes:
            self._beats_here.append((0, self.now, 0))
        super().release(token)
        self._prepare()
        if not self.refuses_writes:
            self._store.release(token)
        self._compare("release", None, None)

    # Faults

    def snapshot(self) -> Data:
        data = super().snapshot()
        keys: Any = self.client.keys("arauto:*")
        data.dumped = {key: self.client.dump(key) for key in keys}  # type: ignore[attr-defined]
        return data

    def restart(self, data: Data, run: int) -> None:
        super().restart(data, run)
        self._refuse(False)
        self.client.flushdb()
        for key, value in data.dumped.items():  # type: ignore[attr-defined]
            self.client.restore(key, 0, value)
        self._compare("restart", None, None)

    def forget_head(self) -> None:
        super().forget_head()
        self.client.delete(head_of(CHANNEL))
        if not self.data.is_wanted:  # the switch is known without the head
            self._refuse(False)
            self.client.hset(head_of(CHANNEL), "off", "1")

    def forget_lease(self) -> None:
        super().forget_lease()
        self.client.delete(LEASE)

    # Comparing

    def _prepare(self) -> None:
        self._refuse(False)
        seconds, ms = divmod(self.now, 1000)
        self.client.mset({SECONDS: seconds, MICROSECONDS: 1000 * ms, RUN: f"run_id:run{self.run}"})
        self._refuse(self.refuses_writes)

    def _refuse(self, refuses: bool) -> None:
        if refuses != self._is_refusing:
            self.client.config_set("maxmemory", int(refuses))
        self._is_refusing = refuses

    def _compare(self, step: str, expected: Any, answer: Any) -> None:
        if expected != answer:
            raise Different(f"{step}: the double returns {expected!r}, Redis {answer!r}")
        words, beats = self._receive()
        own_words, self._words_here = self._words_here, []
        own_beats, self._beats_here = self._beats_here, []
        if (own_words, own_beats) != (words, beats):
            raise Different(f"{step}: the double announces {own_words} {own_beats}, Redis {words} {beats}")
        own, real = self._state(), self._real_state()
        if own != real:
            raise Different(f"{step}: the double has {own}, Redis {real}")

    def _receive(self) -> tuple[list[Announcement], list[tuple[int, int, int]]]:
        self.client.execute_command("SPUBLISH", FENCE, "")
        words: list[Announcement] = []
        beats: list[tuple[int, int, int]] = []
        while True:
            message = self._subscription.get_sharded_message(timeout=10)
            if message is None or message["type"] != "smessage":
                continue
            if message["channel"] == FENCE:
                return words, beats
            if message["channel"] == beats_of(0):
                token, at, until = map(int, message["data"].split())
                beats.append((token, at, until))
                continue
            announcement = read_announcement(message["data"])
            if announcement is None:
                raise Different(f"unreadable announcement {message['data']!r}")
            words.append(announcement)

    def _state(self) -> tuple[Any, ...]:
        data = self.data
        entries = [(entry.number, entry.data, entry.since) for entry in data.entries]
        return entries, data.promised, data.position, data.position and data.owner, data.closed

    def _real_state(self) -> tuple[Any, ...]:
        client: Any = self.client
        raw = [[id, [*chain(*fields.items())]] for id, fields in client.xrange(stream_of(CHANNEL))]
        found = map(store_module.read_entry, raw)
        entries = [(entry.number, entry.data, entry.since) for entry in found if entry]
        promised = [value.partition(b" ")[2] for value in client.lrange(promised_of(CHANNEL), 0, -1)]
        names = ("epoch", "number", "owner", "closed")
        epoch, number, owner, closed = client.hmget(head_of(CHANNEL), names)
        position = Position(epoch.decode(), int(number)) if epoch else None
        return entries, promised, position, position and int(owner), int(closed) if closed else None


def _plain(pages: Pages | None) -> Any:
    """The pages without milliseconds, which may be later by one in a real stream."""
    if pages is None:
        return None
    entries = [(entry.number, entry.data, entry.since, entry.missing) for entry in pages.entries]
    return (
        entries,
        pages.end,
        pages.at,
        pages.until,
        pages.is_other,
        pages.is_stale,
        pages.has_more,
        pages.missing,
    )
