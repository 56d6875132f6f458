"""Audit trail: one log line per action and, if set, a message on a channel of its own."""

import logging
import threading
from collections.abc import Mapping
from queue import Full, Queue
from time import time
from typing import NamedTuple

import orjson
import redis
from flask import request

from arauto.auth.visitor import Visitor
from arauto.redis_io.connection import RedisLink
from arauto.settings import Settings
from arauto.system.resource_errors import NoThread, sentence, start

MOST_WAITING = 10_000  # events that are still to be published

log = logging.getLogger("arauto")


class Actor(NamedTuple):
    """Who did it, as the audit trail says; empty: unknown."""

    user: str = ""
    way: str = ""
    address: str = ""

    @classmethod
    def of(cls, visitor: Visitor) -> "Actor":
        """The visitor of this request."""
        return cls(visitor.name, visitor.way if visitor.name else "", request.remote_addr or "")


class Audit:
    """The log is written at once. A thread publishes to the channel, so that no visitor waits for it; it
    starts with the first event, and what Redis refuses is only in the log. Each process has its own, so
    sort the channel's events by ``at``, in seconds.
    """

    def __init__(self, link: RedisLink, settings: Settings) -> None:
        self.channel = settings.audit_channel.encode()
        self._with_content = settings.audit_content
        self._link = link
        self._waiting: Queue[bytes] = Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._told = ""

    def note(self, event: str, actor: Actor, content: str | None = None, **facts: str | int) -> None:
        """Log an action.

        :param content: what was published; it is left out unless a setting asks for it.
        :param facts: never a password or a token.
        """
        if content is not None and self._with_content:
            facts["message"] = content
        told = facts | {name: value for name, value in actor._asdict().items() if value}
        log.info("%s", _line(event, told))
        if self.channel:
            self._hand_over(orjson.dumps({"event": event, "at": round(time(), 6), **told}))

    def flush(self) -> None:
        """Wait until all events are published; for a command that ends."""
        if self._thread is not None:
            self._waiting.join()

    def _hand_over(self, text: bytes) -> None:
        try:
            self._begin()
        except NoThread as error:
            self._complain(sentence(error))  # the next event tries again, and then all are published
        try:
            self._waiting.put_nowait(text)
        except Full:
            self._complain(f"more than {MOST_WAITING} events are waiting")

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="audit", daemon=True)
                start(thread)
                self._thread = thread

    def _run(self) -> None:
        while True:
            text = self._waiting.get()
            try:
                self._link.client.execute_command("PUBLISH", self.channel, text)
                self._told = ""
            except redis.RedisError as error:
                self._complain(str(error))
            finally:
                self._waiting.task_done()

    def _complain(self, words: str) -> None:
        if words != self._told:
            log.warning("audit channel incomplete why=%r", words)
        self._told = words


def _line(event: str, told: Mapping[str, str | int]) -> str:
    plain = ("way", "address")  # not from a visitor, so without quotes
    pairs = [
        f"{name}={value if name in plain or isinstance(value, int) else repr(value)}"
        for name, value in told.items()
    ]
    return " ".join([event, *pairs])
