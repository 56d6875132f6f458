"""Closes the open sockets of a session soon after it has ended."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time

import redis

from arauto.auth.visitor import Visitor
from arauto.net.websocket import Code, Transport
from arauto.redis_io.expiring_store import StoreUnavailable
from arauto.system.resource_errors import start

ROUND = 5.0  # seconds between two checks
AUTH_ROUND = 10.0  # seconds between two checks of a Redis user

FindEnded = Callable[[Iterable[str]], set[str]]
"""Returns those keys of visitors that may no longer be logged in; may raise :class:`StoreUnavailable`."""

log = logging.getLogger("arauto")


class SessionMonitor:
    """Checks the sessions of open sockets in this process, in a thread that starts with the first."""

    def __init__(self, find_ended: FindEnded, end_session: Callable[[Visitor], None]) -> None:
        """:param end_session: ends the session of a user that Redis no longer accepts."""
        self._find_ended = find_ended
        self._end_session = end_session
        self._present: dict[Transport, tuple[Visitor, str]] = {}
        self._checked: dict[str, float] = {}  # when Redis was last queried about a session's user
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def track(self, transport: Transport, visitor: Visitor, reason: str) -> Iterator[None]:
        """Check ``transport`` while the block runs.

        :param reason: the sentence with which it is closed when the session is over.

        :raise NoThread: no thread can be started for it.
        """
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="watch", daemon=True)
                start(thread)
                self._thread = thread
            self._present[transport] = visitor, reason
        try:
            yield
        finally:
            with self._lock:
                del self._present[transport]

    def _run(self) -> None:
        while True:
            sleep(ROUND)
            try:
                self._look()
            except Exception:
                log.exception("session check failed")

    def _look(self) -> None:
        with self._lock:
            track = dict(self._present)
        visitors = {visitor.key: visitor for visitor, _ in track.values()}
        over = {key for key, visitor in visitors.items() if visitor.until <= time()}
        try:
            over |= self._find_ended(visitors)
            over |= {key for key, visitor in visitors.items() if self._is_shut_out(visitor)}
        except (StoreUnavailable, redis.RedisError, OSError):
            pass  # store unavailable: keep sockets open
        self._checked = {key: at for key, at in self._checked.items() if key in visitors}
        for transport, (visitor, reason) in track.items():
            if visitor.key in over and not transport.close(Code.POLICY, reason):
                transport.abort()

    def _is_shut_out(self, visitor: Visitor) -> bool:
        """Check a Redis user: when it is disabled or its password changes, Redis keeps connections open."""
        now = monotonic()
        if not visitor.redis_user or now - self._checked.setdefault(visitor.key, now) < AUTH_ROUND:
            return False
        self._checked[visitor.key] = now
        if visitor.link.can_log_in():
            return False
        self._end_session(visitor)
        return True
