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

MOST_WAITING = 10_000  # events that are not published yet

log = logging.getLogger("arauto")


class Actor(NamedTuple):
    """The author of an action in the audit trail; empty: unknown."""

    user: str = ""
    way: str = ""
    address: str = ""

    @classmethod
    def of(cls, visitor: Visitor) -> "Actor":
        """The visitor of this request."""
        return cls(visitor.name, visitor.way if visitor.name else "", request.remote_addr or "")


class Audit:
    """Writes the log at once. A thread publishes to the channel, so that no request waits for it; it starts
    with the first event, and an event that Redis refuses is only in the log. Each process has its own thread,
    so sort the channel's events by ``at``, in seconds.
    """

    def __init__(self, link: RedisLink, settings: Settings) -> None:
        self.channel = settings.audit_channel.encode()
        self._with_content = settings.audit_content
        self._link = link
        self._waiting: Queue[bytes] = Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._complaint = ""  # as last logged

    def note(self, event: str, actor: Actor, content: str | None = None, **facts: str | int) -> None:
        """Log an action.

        :param content: the published message; it is left out unless a setting asks for it.
        :param facts: never a password or a token.
        """
        if content is not None and self._with_content:
            facts["message"] = content
        members = facts | {name: value for name, value in actor._asdict().items() if value}
        log.info("%s", _line(event, members))
        if self.channel:
            self._hand_over(orjson.dumps({"event": event, "at": round(time(), 6), **members}))

    def flush(self) -> None:
        """Wait until all events are published; for a command-line command before it ends."""
        if self._thread is not None:
            self._waiting.join()

    def _hand_over(self, text: bytes) -> None:
        try:
            self._begin()
        except NoThread as error:
            self._complain(sentence(error))  # the next event tries again, and all are published then
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
                self._complaint = ""
            except redis.RedisError as error:
                self._complain(str(error))
            finally:
                self._waiting.task_done()

    def _complain(self, words: str) -> None:
        if words != self._complaint:
            log.warning("audit channel incomplete why=%r", words)
        self._complaint = words


def _line(event: str, members: Mapping[str, str | int]) -> str:
    plain = ("way", "address")  # not chosen by a visitor, so without quotes
    pairs = [
        f"{name}={value if name in plain or isinstance(value, int) else repr(value)}"
        for name, value in members.items()
    ]
    return " ".join([event, *pairs])
