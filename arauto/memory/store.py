"""What the protocol says to Redis: one script for each step that must happen at once."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import redis
from redis.exceptions import NoPermissionError, NoScriptError

from arauto.memory.feed import Entry, Pages, Read
from arauto.memory.keys import LEASE, NAMES, beats_of, head_of, promised_of, stream_of, words_of
from arauto.memory.recorder import Append, Fenced, Outcome, Take, Unwanted
from arauto.memory.texts import write_word
from arauto.memory.words import Mark, Marked, Position, Stopped, digest

LASTS = 1500  # milliseconds that a recorder counts as alive without a sign of life
MAX_PROMISED = 10_000  # messages of a channel, where no recorder takes them over
PAGE = 1000  # entries read at a time, so that Redis is never busy for long

_ALONE = ("publish", "lease")  # scripts that are not about a log's entries

Argument = bytes | str | int


@dataclass(frozen=True, slots=True)
class Appending:
    """How an :class:`Append` ended, after how many messages, and why in Redis's words."""

    many: int
    outcome: Outcome
    why: str


class Store:
    """The logs in one database of Redis. Every method is one step there, but for reading on.

    Methods raise ``redis.RedisError`` where Redis is away or refuses.

    :param most: entries that a log keeps.
    :param age: milliseconds for which it keeps them.
    :param draw_epoch: names an epoch, if one begins; no two may be the same.
    """

    def __init__(
        self,
        client: redis.Redis,
        most: int,
        age: int,
        draw_epoch: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self._client = client
        self._draw_epoch = draw_epoch
        self._database = int(client.connection_pool.connection_kwargs.get("db") or 0)
        self.beats = beats_of(self._database)
        """The sharded channel on which the recorder gives its signs of life."""
        self._most = most
        self._age = age

    def words_of(self, channel: bytes) -> bytes:
        """The sharded channel of what is announced about the channel's log."""
        return words_of(channel, self._database)

    # The recorder

    def append(self, channel: bytes, request: Append, until: int) -> Appending:
        """:param until: all that was published before is in the log then (0: unknown)."""
        after, messages = request.after, request.messages
        given: list[Argument] = [request.token, after.epoch, after.number, until, len(messages)]
        given += map(digest, messages)
        given += messages
        many, outcome, why = self._run("append", channel, *given)
        return Appending(many, Outcome[outcome.decode()], why.decode(errors="replace"))

    def take(self, channel: bytes, request: Take, until: int, has_glob: bool) -> Position | None:
        """Become the one who writes. Where the log ends then; ``None``: it begins anew, which is announced.

        :param until: up to when the log is known to lack nothing (0: unknown).
        :raise Fenced: another recorder has come since.
        :raise Unwanted: no glob has the channel, and it is switched off.
        """
        known = request.position or Position("", 0)
        given = (request.token, known.epoch, known.number, until, int(has_glob), int(request.is_first))
        try:
            end = self._run("take", channel, *given)
        except redis.ResponseError as error:
            kind, _, token = str(error).partition(" ")
            if kind == "FENCED":
                raise Fenced(int(token)) from None
            if kind == "CLOSED":
                raise Unwanted from None
            raise
        return None if end is None else _position(*end)

    def say(self, channel: bytes, word: Mark | Marked | Stopped) -> None:
        """Announce it to all who follow the channel."""
        self._client.execute_command("SPUBLISH", self.words_of(channel), write_word(word))

    # Readers

    def read(self, channel: bytes, request: Read) -> Pages | None:
        """The first page of what is wanted; ``None``: there is no log."""
        after = request.after
        last = "" if request.until is None else request.until
        found = self._run("read", channel, after.epoch, after.ms, after.number, last, PAGE)
        return None if found is None else _pages(found, request.until)

    # All logs

    def names(self) -> set[bytes]:
        """The channels that have a log."""
        client: Any = self._client
        found: set[bytes] = client.smembers(NAMES)
        return found

    def note(self, channel: bytes) -> None:
        """The channel has a log from now on."""
        self._client.sadd(NAMES, channel)

    # Switches

    def delete(self, channel: bytes) -> bool:
        """Whether there was a log. One that is recorded goes on as another one."""
        return bool(self._run("delete", channel))

    def switch(self, channel: bytes, on: bool) -> None:
        """Let recorders take the channel, or close its log."""
        self._run("switch", channel, int(on))

    # Publishing

    def publish(self, channel: bytes, message: bytes) -> tuple[int, str]:
        """Publish, and promise the message to the log: how many received it, and why it is not promised."""
        keys = (head_of(channel), promised_of(channel))
        received, why = self._eval("publish", keys, channel, message, digest(message), MAX_PROMISED)
        return received, why.decode(errors="replace") if why else ""

    # The lease

    def claim(self, above: int = 0) -> int:
        """Become the recorder, with a token greater than ``above``; 0: another one is at work."""
        return int(self._eval("lease", (LEASE,), "claim", LASTS, above))

    def renew(self, token: int, until: int) -> bool:
        """Give a sign of life: whether it is still the recorder.

        :param until: all that was published before is in all logs (0: unknown).
        """
        given = ("renew", LASTS, token, until, self.beats)
        return bool(self._eval("lease", (LEASE,), *given))

    def release(self, token: int) -> bool:
        """Let another one become the recorder at once."""
        return bool(self._eval("lease", (LEASE,), "release", LASTS, token, 0, self.beats))

    # Scripts

    def _run(self, name: str, channel: bytes, *given: Argument) -> Any:
        keys = (stream_of(channel), head_of(channel), promised_of(channel))
        common = (self.words_of(channel), self._most, self._age, self._draw_epoch())
        return self._eval(name, keys, *common, *given)

    def _eval(self, name: str, keys: tuple[bytes, ...], *given: Argument) -> Any:
        text, known_as = script(name)
        client: Any = self._client
        try:
            return client.evalsha(known_as, len(keys), *keys, *given)
        except NoScriptError:
            pass
        except NoPermissionError as error:
            if "'evalsha'" not in str(error):  # it was run, and something in it was refused
                raise
        return client.eval(text, len(keys), *keys, *given)


@cache
def script(name: str) -> tuple[str, str]:
    """The text of a script, and the name under which Redis knows it again."""
    folder = resources.files("arauto.memory") / "lua"
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    if name not in _ALONE:
        text = (folder / "log.lua").read_text(encoding="utf-8") + text
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _position(epoch: bytes, ms: bytes, number: bytes) -> Position:
    return Position(epoch.decode(), int(number), int(ms))


def _pages(found: list[Any], until: int | None) -> Pages:
    """What the script ``read`` found, up to the number ``until``."""
    epoch, ms, number, at, complete, owner, is_other, is_stale, from_ms, first, raw = found
    after, end = _position(epoch, from_ms, first), _position(epoch, ms, number)
    if until is not None and not is_other and until < end.number:
        end = replace(end, number=max(until, after.number))
    entries = [entry for entry in map(read_entry, raw) if entry and after.number < entry.number <= end.number]
    read_to = _read_to(after, entries, raw) if len(raw) == PAGE else after
    has_more = read_to.number < end.number and (read_to.ms, read_to.number) > (after.ms, after.number)
    return Pages(
        entries,
        read_to if has_more else end,
        int(at),
        int(complete),
        int(owner),
        bool(is_other),
        bool(is_stale),
        has_more,
    )


def _read_to(after: Position, entries: list[Entry], raw: list[Any]) -> Position:
    """Where a full page ends. Those of others, and those that are known, may have filled it."""
    number = entries[-1].number if entries else after.number
    return Position(after.epoch, number, int(raw[-1][0].partition(b"-")[0]))


def read_entry(raw: list[Any]) -> Entry | None:
    """What Redis tells of one entry; ``None``: somebody else has written it."""
    id, fields = raw
    ms, number = map(int, id.split(b"-"))
    if len(fields) != 2:
        return None
    field, value = fields
    if field == b"gap" and value.isdigit():
        return Entry(number, ms, None, int(value))
    return Entry(number, ms, value) if field in (b"m", b"o") else None  # o: by the protocol of today
