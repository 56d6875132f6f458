"""Which channels are recorded, and what is said to Redis about their logs."""

import logging
import secrets
import threading
from collections.abc import Iterable
from functools import lru_cache
from time import time
from typing import Any

from arauto import scripts
from arauto.globs import matches
from arauto.logs import HEADS, LEASE, SWITCHED, Stop, ids_of, log_of
from arauto.messages import quoted
from arauto.redis_link import RedisLink
from arauto.settings import Settings

RELEASE, RETIRE = 0, -1
"""Instead of how long a recorder remains: it ends; it ends and nobody has to follow."""

Command = tuple[bytes | str | int, ...]


log = logging.getLogger("arauto")


class Recording:
    """The logs of all recorded channels: those that match a glob, and those that were switched on.

    Methods raise ``redis.RedisError`` where Redis is away or refuses.
    """

    MAX_SWITCHED = 1000  # channels that can be switched on; for more there are globs

    def __init__(self, link: RedisLink, settings: Settings) -> None:
        self.link = link
        self.is_allowed = settings.recording
        self.may_delete = settings.delete_logs
        self.globs = tuple(glob.encode() for glob in settings.record) if settings.recording else ()
        self.oldest = settings.record_seconds * 1000  # milliseconds
        # An epoch in case a log begins here: no two processes draw the same.
        self.glob_of = lru_cache(4096)(self._find_glob)
        """The first glob that a channel matches, or ``None``."""
        self.switched: dict[bytes, bytes] = {}
        """What Redis said last of the channels that were switched on: see ``logs.SWITCHED``."""
        self.generation = 0  # how often it has said something new
        self._refreshing = threading.Lock()  # or an older answer could take the place of a newer one
        self._stopped: dict[bytes, str] = {}
        # redis-py would make a dict of each entry, which takes longer than all the rest.
        link.client.set_response_callback("XRANGE", lambda entries, **_: entries)
        self._common = (secrets.token_hex(4), settings.record_messages, self.oldest)

    def covers(self, channel: bytes) -> bool:
        """Whether ``channel`` is recorded."""
        return self.glob_of(channel) is not None or bool(self.switched.get(channel))

    @property
    def names(self) -> list[bytes]:
        """The channels that are recorded, or soon will be, without a glob."""
        return [channel for channel in self.switched if self.glob_of(channel) is None]

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything for a recorder to do."""
        return bool(self.globs or self.switched)

    def refresh(self) -> None:
        """Learn which channels are switched on."""
        if not self.is_allowed:
            return
        client: Any = self.link.client
        with self._refreshing:
            known = client.hgetall(SWITCHED)
            if known != self.switched:
                self.switched = known
                self.generation += 1

    def switch(self, channel: bytes, on: bool) -> None:
        """Have ``channel`` recorded once a recorder hears it, or not any more: then its log is closed.

        :raise redis.ResponseError: Redis refuses; ``FULL``, too many channels are switched on.
        """
        self._eval(scripts.SWITCH, channel, int(on), self.MAX_SWITCHED)
        self.refresh()

    def forget(self, channel: bytes) -> bool:
        """Delete the log of ``channel``: whether there was one. What is recorded goes on in a new one."""
        return bool(self._eval(scripts.FORGET, channel, 0))

    def settle(self) -> list[bytes]:
        """Close the logs of what is not recorded any more, whether by settings or by a switch.

        :return: the channels of which a recorder has to say that they are recorded again.
        """
        client: Any = self.link.client
        again = {
            name for name, since in self.switched.items() if not since and self.glob_of(name) is not None
        }
        for channel, head in client.hgetall(HEADS).items():
            is_closed = b" " in head
            if is_closed and self.glob_of(channel) is not None:
                again.add(channel)
            elif not is_closed and not self.covers(channel) and channel not in self.switched:
                self.switch(channel, False)
        return list(again)

    def _find_glob(self, channel: bytes) -> bytes | None:
        return next((glob for glob in self.globs if matches(glob, channel)), None)

    def tell(self, channel: bytes, why: str) -> None:
        """Log once that ``channel`` cannot be recorded, and once that it can again (``why`` empty)."""
        if why and channel not in self._stopped:
            log.warning("channel %s is not recorded any more: %s", quoted(channel), why)
            self._stopped[channel] = why
        elif not why and self._stopped.pop(channel, ""):
            log.warning("channel %s is recorded again", quoted(channel))

    def tell_again(self) -> None:
        """The same for all channels that can be recorded again."""
        for channel in list(self._stopped):
            self.tell(channel, "")

    def announce(self, channels: list[bytes], since: int, why: str) -> None:
        """Tell those who follow that nothing is recorded since then (Unix milliseconds; 0: now)."""
        client: Any = self.link.client
        with client.pipeline(transaction=False) as pipeline:
            for channel in channels:
                stop = Stop(since or round(1000 * time()), why)
                pipeline.execute_command("SPUBLISH", ids_of(channel), bytes(stop))
            pipeline.execute(raise_on_error=False)

    def announce_all(self, why: str) -> None:
        """The same of all channels: there can be no recorder; or again, where ``why`` is empty."""
        client: Any = self.link.client
        since = client.hget(LEASE, "until")
        channels = [name for name, head in client.hgetall(HEADS).items() if b" " not in head]
        self.announce(channels, int(since or 0), why)

    def publishing(self, channel: bytes, message: bytes) -> Command:
        """The command that records and publishes in one step: receivers, position, why not."""
        return self._command(scripts.PUBLISH, channel, message)

    def sync(self, channel: bytes, asker: str) -> bool:
        """Mark a point in the stream of ``channel`` for the feed that asks.

        It hears ``sync`` at that point, and ``done`` when all before it is in the log; or
        ``alone`` if nobody records what others publish.

        :return: whether it listens.
        """
        return bool(self._eval(scripts.SYNC, channel, asker))

    def append(self, channel: bytes, token: int, tell: bool, messages: list[bytes]) -> tuple[int, str]:
        """Write what was heard: how many were written, -1 if the lease is lost; and why not all.

        :param tell: have the feeds told at once, and not by :meth:`say`.
        """
        written, why = self._eval(scripts.APPEND, channel, token, int(tell), *messages)
        return written, why.decode()

    def say(self, token: int, channels: Iterable[bytes]) -> None:
        """Have the feeds told of what was appended to these channels."""
        self._eval(scripts.SAY, token, *channels)

    def answer(self, channel: bytes, token: int, asker: str, since: int | None) -> None:
        """Tell a feed that what was heard before its question is in the log.

        :param since: since when (Unix milliseconds) nothing is recorded, ``None``: all is.
        """
        self._eval(scripts.ANSWER, channel, token, asker, "" if since is None else since)

    def claim(self, milliseconds: int) -> int:
        """Become the recorder: a token, or 0 while another is at work."""
        return int(self.link.client.eval(scripts.CLAIM, 0, self._common[0], milliseconds))

    def renew(self, milliseconds: int, token: int, until: int) -> bool:
        """Remain the recorder, or not: ``RELEASE``, ``RETIRE``.

        :param until: all that was published before is in the logs (0: unknown).
        """
        return bool(self.link.client.eval(scripts.RENEW, 0, self._common[0], milliseconds, token, until))

    def take(self, token: int, since: int = 0, *channel: bytes) -> dict[bytes, str]:
        """Note in all logs, or in one, since when nobody listened. What was refused, by channel, and why.

        :raise redis.ResponseError: ``FENCED``, another recorder is at work.
        """
        by_glob = [int(self.glob_of(name) is not None) for name in channel]
        refused = self._eval(scripts.TAKE, token, since, *channel, *by_glob)
        return dict(zip(refused[::2], (why.decode() for why in refused[1::2]), strict=True))

    def trim(self) -> None:
        """Let go of what is too old, also where nothing is published any more."""
        client: Any = self.link.client
        seconds, microseconds = client.time()
        oldest = seconds * 1000 + microseconds // 1000 - self.oldest
        with client.pipeline(transaction=False) as pipeline:
            for channel, head in client.hgetall(HEADS).items():
                pipeline.xtrim(log_of(channel), minid=oldest, approximate=False)
                if b" " in head:
                    pipeline.execute_command(*self._command(scripts.FORGET, channel, 1))
            pipeline.execute(raise_on_error=False)

    def _eval(self, script: str, *arguments: bytes | str | int) -> Any:
        return self.link.client.execute_command(*self._command(script, *arguments))

    def _command(self, script: str, *arguments: bytes | str | int) -> Command:
        return ("EVAL", script, 0, *self._common, *arguments)
