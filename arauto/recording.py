"""Which channels are recorded, and what is said to Redis about their logs."""

import logging
import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from arauto import scripts
from arauto.globs import matches
from arauto.logs import HEADS, log_of
from arauto.messages import text
from arauto.redis_link import RedisLink
from arauto.settings import Settings

Command = tuple[bytes | str | int, ...]


log = logging.getLogger("arauto")


class Recording:
    """The logs of all recorded channels. With no globs, no channel is recorded.

    Methods raise ``redis.RedisError`` where Redis is away or refuses.
    """

    def __init__(self, link: RedisLink, settings: Settings) -> None:
        self.link = link
        self.globs = tuple(glob.encode() for glob in settings.record) if settings.recording else ()
        self.oldest = settings.record_seconds * 1000  # milliseconds
        # An epoch in case a log begins here: no two processes draw the same.
        self.glob_of = lru_cache(4096)(self._find_glob)
        """The first glob that a channel matches, or ``None``."""
        self._stopped: dict[bytes, str] = {}
        # redis-py would make a dict of each entry, which takes longer than all the rest.
        link.client.set_response_callback("XRANGE", lambda entries, **_: entries)
        self._common = (secrets.token_hex(4), settings.record_messages, self.oldest)

    def covers(self, channel: bytes) -> bool:
        """Whether ``channel`` is recorded."""
        return self.glob_of(channel) is not None

    def _find_glob(self, channel: bytes) -> bytes | None:
        return next((glob for glob in self.globs if matches(glob, channel)), None)

    def tell(self, channel: bytes, why: str) -> None:
        """Log once that ``channel`` cannot be recorded, and once that it can again (``why`` empty)."""
        if why and channel not in self._stopped:
            log.warning("channel %r is not recorded any more: %s", text(channel), why)
            self._stopped[channel] = why
        elif not why and self._stopped.pop(channel, ""):
            log.warning("channel %r is recorded again", text(channel))

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
        """Remain the recorder; all that was published before ``until`` is in the logs (0: unknown)."""
        return bool(self.link.client.eval(scripts.RENEW, 0, self._common[0], milliseconds, token, until))

    def take(self, token: int, since: int = 0, *channels: bytes) -> dict[bytes, str]:
        """Note in the logs since when nobody listened. What was refused, by channel, and why.

        :raise redis.ResponseError: ``FENCED``, another recorder is at work.
        """
        refused = self._eval(scripts.TAKE, token, since, *channels)
        return dict(zip(refused[::2], (why.decode() for why in refused[1::2]), strict=True))

    def trim(self) -> None:
        """Let go of what is too old, also where nothing is published any more."""
        client: Any = self.link.client
        seconds, microseconds = client.time()
        oldest = seconds * 1000 + microseconds // 1000 - self.oldest
        with client.pipeline(transaction=False) as pipeline:
            for channel in client.hkeys(HEADS):
                pipeline.xtrim(log_of(channel), minid=oldest, approximate=False)
            pipeline.execute(raise_on_error=False)

    def _eval(self, script: str, *arguments: bytes | str | int) -> Any:
        return self.link.client.execute_command(*self._command(script, *arguments))

    def _command(self, script: str, *arguments: bytes | str | int) -> Command:
        return ("EVAL", script, 0, *self._common, *arguments)
