"""The store of logs in Redis: one Lua script for each atomic step."""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from itertools import chain
from typing import Any

import redis
from redis.exceptions import NoPermissionError, NoScriptError

from arauto.protocol.log_position import Position
from arauto.recording_core.announcement_text import write_announcement
from arauto.recording_core.announcements import Mark, Marked, Stopped, digest
from arauto.recording_core.feed_steps import Entry, Pages, Read
from arauto.recording_core.log_head import FIELDS, Head
from arauto.recording_core.log_keys import (
    GLOBS,
    LEASE,
    NAMES,
    acknowledgements_of,
    announcements_of,
    beats_of,
    head_of,
    is_recordable,
    promised_of,
    stream_of,
)
from arauto.recording_core.missing_entries import with_missing
from arauto.recording_core.recorder_steps import Append, Fenced, Outcome, Take, Unwanted

WAKE = b"look"
LEASE_MS = 1500  # milliseconds that a lease lasts after the last beat
MAX_PROMISED = 10_000  # messages of a channel, while no recorder writes them
PAGE = 1000  # entries to read at a time, so that Redis is never busy for long

GLOBS_LAST = 15_000  # milliseconds for which the globs of a server are valid

_OF_A_LOG = ("rights", "log")  # how most scripts begin
_BEGINNINGS = {
    "publish": (),
    "volume": (),
    "lease": ("rights",),
    "globs": ("rights",),
    "acknowledge": ("rights",),
}
_ALSO_OF_ACKNOWLEDGEMENTS = ("delete", "drop")
Argument = bytes | str | int
Command = tuple[Argument, ...]

# Commands as bytes get their reply as bytes, not as redis-py parses it.
TIME: Command = (b"TIME",)
RUN: Command = (b"INFO", b"server")
_RUN = re.compile(rb"run_id:(\w+)")


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The outcome of an :class:`Append`, the number of messages written, and Redis's error."""

    many: int
    outcome: Outcome
    why: str


class Store:
    """The logs in one database of Redis. Every method but :meth:`read` is one atomic step.

    Methods raise ``redis.RedisError`` if Redis is away or refuses.

    :param most: entries to keep per log.
    :param age: milliseconds to keep them.
    :param draw_epoch: returns a unique name for a new epoch.
    """

    def __init__(
        self,
        client: redis.Redis,
        most: int,
        age: int,
        draw_epoch: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self.client: Any = client
        self.lease = LEASE
        """The key of the lease: which process is the recorder."""
        self._draw_epoch = draw_epoch
        self._database = int(client.connection_pool.connection_kwargs.get("db") or 0)
        self.beats = beats_of(self._database)
        """The sharded channel of the recorder's beats."""
        self._most = most
        self._age = age

    def announcements_of(self, channel: bytes) -> bytes:
        """The sharded channel of announcements about the channel's log."""
        return announcements_of(channel, self._database)

    def client_of(self, key: bytes) -> Any:
        """The client for a key or a sharded channel."""
        return self.client

    def ask(self, commands: Sequence[tuple[bytes, Command]]) -> list[Any]:
        """The replies to commands, each given with its key; an error of Redis is a reply, too."""
        return self._ask(self.client, [command for _, command in commands])

    def _ask(self, client: Any, commands: Sequence[Command]) -> list[Any]:
        with client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            replies: list[Any] = pipeline.execute(raise_on_error=False)
            return replies

    # The recorder

    def append(self, channel: bytes, request: Append, until: int) -> AppendResult:
        """:param until: everything published before is in the log afterwards (0: unknown)."""
        after, messages = request.after, request.messages
        given: list[Argument] = [request.token, after.epoch, after.number, until, len(messages)]
        given += map(digest, messages)
        given += messages
        many, outcome, why = self._run("append", channel, *given)
        return AppendResult(many, Outcome[outcome.decode()], why.decode(errors="replace"))

    def losses(self) -> list[tuple[int, int]]:
        """Since when messages may not have reached Redis, and when that was found (Unix ms), newest first."""
        return []

    def take(
        self,
        channel: bytes,
        request: Take,
        until: int,
        has_glob: bool,
        losses: Iterable[tuple[int, int]] = (),
    ) -> Position | None:
        """Become the writer.

        :return: where the log ends; ``None``: a new epoch begins, which is announced.
        :param until: up to when the log is known to be complete (0: unknown).
        :param losses: see :meth:`losses`; a log that ends before a loss was found has no gap entry for it.
        :raise Fenced: a later recorder has the log.
        :raise Unwanted: no glob matches the channel, and it is switched off.
        """
        known = request.position or Position("", 0)
        given: list[Argument] = [
            request.token,
            known.epoch,
            known.number,
            until,
            int(has_glob),
            int(request.is_first),
            request.doubt,
            *chain.from_iterable(losses),
        ]
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

    def announce(self, channel: bytes, announcement: Mark | Marked | Stopped) -> None:
        """Publish an announcement to all followers of the channel."""
        words = self.announcements_of(channel)
        self.client_of(words).execute_command("SPUBLISH", words, write_announcement(announcement))

    # Readers

    def read(self, channel: bytes, request: Read, many: int = PAGE) -> Pages | None:
        """The first ``many`` entries of ``request``; ``None``: there is no log."""
        start = request.after
        while True:
            head, run, entries, at = self._read_log(channel, start, many)
            if head is None:
                return None
            is_other = not head.goes_back_to(request.after)
            wanted = head.begins if is_other else request.after
            if (wanted.ms, wanted.number) == (start.ms, start.number):
                entries = self._skip_foreign(channel, head, start, entries, many)
                pages = _pages(request, head, start, entries, many, at, is_other, head.run != run)
                reaches_back = partial(self.reaches_back, channel, (start.ms, start.number))
                return with_missing(pages, start.number, head.starts, reaches_back)
            start = wanted

    def _skip_foreign(
        self, channel: bytes, head: Head, after: Position, raw: list[Any], many: int
    ) -> list[Any]:
        """The first page with one of our entries: foreign ones have no number to go on from."""
        while len(raw) == many and _id(raw[-1]) < (head.end.ms, head.end.number):
            if any(entry.number > after.number for entry in map(read_entry, raw) if entry):
                break
            raw = self.entries(channel, f"({raw[-1][0].decode()}", "+", many)
        return raw

    def reaches_back(self, channel: bytes, id: tuple[int, int]) -> bool:
        """Whether nothing behind ``id`` has been trimmed."""
        oldest = self.entries(channel, "-", "+", 1)
        return bool(oldest) and _id(oldest[0]) <= id

    def head(self, channel: bytes) -> Head | None:
        """``None``: there is no log."""
        key = head_of(channel)
        return Head.read(self.client_of(key).hmget(key, *FIELDS))

    def entries(self, channel: bytes, first: str, last: str, many: int) -> list[Any]:
        """Entries as Redis returns them: redis-py's parser would take longer than all the rest."""
        client = self.client_of(stream_of(channel))
        found: list[Any] = client.execute_command(*_range(b"XRANGE", channel, first, last, many))
        return found

    def newest(self, channel: bytes, last: str, many: int) -> list[Any]:
        """As :meth:`entries`, from ``last`` backwards."""
        client = self.client_of(stream_of(channel))
        found: list[Any] = client.execute_command(*_range(b"XREVRANGE", channel, last, "-", many))
        return found

    def places(
        self, channel: bytes, start: int, end: int, parts: int, numbers: tuple[int, ...]
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Divide a span of Unix milliseconds into parts.

        :return: the number of the first entry from the beginning of each part on, and from the end on; and of
            gap entries in the span that are the first behind one of ``numbers``, when they were written and
            since when messages may be missing.
        """
        places, gaps = self.evaluate("volume", (stream_of(channel),), start, end, parts, *numbers)
        pairs = zip(gaps[::2], gaps[1::2], strict=True)
        return places, [(int(ms), int(since)) for ms, since in pairs if since.isdigit()]

    def _read_log(
        self, channel: bytes, after: Position, many: int
    ) -> tuple[Head | None, str, list[Any], int]:
        """The head, Redis's run id, the entries behind ``after`` and the time, read in this order.

        No transaction is needed: entries written meanwhile are not in the head, and entries trimmed meanwhile
        are found missing.
        """
        with self.client_of(head_of(channel)).pipeline(transaction=False) as pipeline:
            pipeline.execute_command(b"HMGET", head_of(channel), *FIELDS)
            pipeline.execute_command(*RUN)
            pipeline.execute_command(*_range(b"XRANGE", channel, f"({after.ms}-{after.number}", "+", many))
            pipeline.execute_command(*TIME)
            fields, run, entries, time = pipeline.execute(raise_on_error=False)
        for answer in (fields, entries, time):
            if isinstance(answer, redis.ResponseError):
                raise answer
        seconds, microseconds = map(int, time)
        return Head.read(fields), _run(run), entries, 1000 * seconds + microseconds // 1000

    # All logs

    def names(self) -> set[bytes]:
        """The channels that have a log."""
        found: set[bytes] = self.client_of(NAMES).smembers(NAMES)
        return found

    def register(self, channel: bytes) -> bool:
        """Register that the channel has a log.

        :return: whether it was not registered before.
        """
        return bool(self.client_of(NAMES).sadd(NAMES, channel))

    def unregister(self, channel: bytes) -> None:
        """Undo :meth:`register`."""
        self.client_of(NAMES).srem(NAMES, channel)

    def wake_recorders(self, channel: bytes) -> None:
        """Wake the recorders of a channel, so that they look for new channels now."""
        beats = self.beats_for(channel)
        self.client_of(beats).execute_command("SPUBLISH", beats, WAKE)

    def beats_for(self, channel: bytes) -> bytes:
        """The sharded channel of beats of the channel's recorder."""
        return self.beats

    def drop(self, channel: bytes, stays_off: bool = False) -> None:
        """Remove a log and its name, if it is closed or never began, and is empty.

        :param stays_off: keep the note that it is switched off: recorders may not know it yet.
        """
        self.unregister(channel)  # first: a recorder that begins the log meanwhile registers it again
        if not self._run("drop", channel, int(stays_off)):
            self.register(channel)

    def upgrade(self, channel: bytes) -> int | str:
        """Convert the log of an earlier version.

        :return: 1: it was converted; 0: there is none; or why it cannot be.
        """
        done = self._run("upgrade", channel, channel, int(is_recordable(channel)))
        return done.decode(errors="replace") if isinstance(done, bytes) else int(done)

    # Switches

    def delete(self, channel: bytes) -> bool:
        """Delete a log; returns whether there was one. If it is recorded, a new epoch begins."""
        return bool(self._run("delete", channel))

    def switch(self, channel: bytes, on: bool) -> None:
        """Let recorders take the channel, or close its log."""
        self._run("switch", channel, int(on))

    # Publishing

    def publish_commands(self, channel: bytes, message: bytes) -> tuple[Command, Command]:
        """Two commands that publish a message and promise it to the log.

        Both return the number of receivers, 1 if it is promised, and Redis's error if it is not. Send the
        second only if Redis does not know the script of the first.
        """
        text, known_as = script("publish")
        keys = (head_of(channel), promised_of(channel))
        given = (len(keys), *keys, channel, message, digest(message), MAX_PROMISED)
        return ("EVALSHA", known_as, *given), ("EVAL", text, *given)

    # The lease

    def claim(self, above: int = 0, grace: int = 0) -> int:
        """Become the recorder, with a token greater than ``above``; 0: another process is the recorder.

        :param grace: milliseconds for which an expired lease is left to others.
        """
        return int(self.evaluate("lease", (self.lease,), "claim", LEASE_MS, above, grace))

    def renew(self, token: int, until: int) -> bool:
        """Send a beat; returns whether this process is still the recorder.

        :param until: everything published before is in all logs (0: unknown).
        """
        given = ("renew", LEASE_MS, token, until, self.beats)
        return bool(self.evaluate("lease", (self.lease,), *given))

    def release(self, token: int) -> bool:
        """Let another process become the recorder at once."""
        return bool(self.evaluate("lease", (self.lease,), "release", LEASE_MS, token, 0, self.beats))

    # Scripts

    def globs_command(self, globs: tuple[bytes, ...]) -> Command:
        """A command that registers the globs of this server.

        It returns the globs of all servers, and Redis's error if ours are not registered.
        """
        return ("EVAL", script("globs")[0], 1, GLOBS, GLOBS_LAST, *globs)

    def _run(self, name: str, channel: bytes, *given: Argument) -> Any:
        more = (acknowledgements_of(channel),) if name in _ALSO_OF_ACKNOWLEDGEMENTS else ()
        keys = (stream_of(channel), head_of(channel), promised_of(channel), *more)
        common = (self.announcements_of(channel), self._most, self._age, self._draw_epoch())
        return self.evaluate(name, keys, *common, *given)

    def evaluate(self, name: str, keys: tuple[bytes, ...], *given: Argument) -> Any:
        """Run one of the scripts."""
        text, known_as = script(name)
        client = self.client_of(keys[0])
        try:
            return client.evalsha(known_as, len(keys), *keys, *given)
        except NoScriptError:
            pass
        except NoPermissionError as error:
            if "'evalsha'" not in str(error):  # the script ran, and something in it was refused
                raise
        return client.eval(text, len(keys), *keys, *given)


@cache
def script(name: str) -> tuple[str, str]:
    """The source of a script and its SHA-1, by which Redis knows it."""
    folder = resources.files("arauto.recording") / "lua"
    parts = (*_BEGINNINGS.get(name, _OF_A_LOG), name)
    text = "".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _position(epoch: bytes, ms: bytes, number: bytes) -> Position:
    return Position(epoch.decode(), int(number), int(ms))


def _range(command: bytes, channel: bytes, first: str, last: str, many: int) -> Command:
    return command, stream_of(channel), first, last, "COUNT", many


def _run(info: bytes | redis.ResponseError) -> str:
    """The run id of Redis. Without permission for INFO all are the same, as in the scripts."""
    found = None if isinstance(info, redis.ResponseError) else _RUN.search(info)
    return found[1].decode() if found else ""


def _pages(
    request: Read,
    head: Head,
    after: Position,
    raw: list[Any],
    many: int,
    at: int,
    is_other: bool,
    is_stale: bool,
) -> Pages:
    """The result of ``request``, from up to ``many`` entries that were read behind ``after``."""
    epoch, end = head.end.epoch, head.end
    after = Position(epoch, after.number, after.ms)
    last = (
        end.number if request.until is None or is_other else min(end.number, max(request.until, after.number))
    )
    is_full = len(raw) == many and _id(raw[-1]) < (end.ms, end.number)
    entries = [entry for entry in map(read_entry, raw) if entry and after.number < entry.number <= last]
    if last < end.number:  # unread entries may have the same time, but no earlier one
        end = Position(epoch, last, entries[-1].ms if entries else after.ms)
    read_to = _read_to(after, entries, raw) if is_full else after
    has_more = read_to.number < end.number and (read_to.ms, read_to.number) > (after.ms, after.number)
    read_end = read_to if has_more else end
    return Pages(entries, read_end, at, head.until, is_other, is_stale, has_more, head.end.number)


def _id(raw: list[Any]) -> tuple[int, int]:
    ms, number = map(int, raw[0].split(b"-"))
    return ms, number


def _read_to(after: Position, entries: list[Entry], raw: list[Any]) -> Position:
    """The end of a full page, which may consist of foreign or known entries."""
    number = entries[-1].number if entries else after.number
    return Position(after.epoch, number, int(raw[-1][0].partition(b"-")[0]))


def read_entry(raw: list[Any]) -> Entry | None:
    """Parse one entry of a stream; ``None``: another client of Redis has written it."""
    ms, number = _id(raw)
    fields = raw[1]
    if len(fields) != 2:
        return None
    field, value = fields
    if field == b"gap" and value.isdigit() and len(value) <= 15:
        return Entry(number, ms, None, int(value))
    return Entry(number, ms, value) if field in (b"m", b"o") else None  # o: from an earlier version
