"""Expiring key-value store, in Redis or in this process."""

import threading
from collections.abc import Iterable
from math import inf
from time import monotonic
from typing import Any, Protocol, cast

import redis
from redis.exceptions import RedisClusterException

from arauto.redis_io.connection import RedisLink, error_text

PREFIX = "arauto:"  # of every key
_ERRORS = (redis.RedisError, RedisClusterException)
_REPLACE = """
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2])
return 1
"""


class StoreUnavailable(Exception):
    """The store cannot be reached now."""


class CannotStore(Exception):
    """Redis does not allow our user to store anything; the text is a sentence that names the remedy."""


class ExpiringStore(Protocol):
    """Every method may raise :class:`StoreUnavailable`."""

    def get(self, key: str) -> bytes | None: ...
    def put(self, key: str, value: bytes, seconds: float | None) -> None:
        """:param seconds: until it expires; ``None``: never."""

    def replace(self, key: str, before: bytes | None, value: bytes) -> bool:
        """Set ``key`` without expiry if its value is ``before`` (``None``: unset); returns whether it did."""

    def drop(self, keys: Iterable[str]) -> None: ...
    def has(self, keys: list[str]) -> list[bool]: ...
    def add(self, key: str, member: str, seconds: float) -> None:
        """Add to the set ``key``, which expires ``seconds`` from now."""

    def members(self, key: str) -> list[str]: ...
    def increment(self, key: str, seconds: float) -> int:
        """Increment; the number expires ``seconds`` from now."""

    def decrement(self, key: str, seconds: float) -> None:
        """Decrement; the number expires ``seconds`` from now."""

    def ttl(self, key: str) -> float:
        """Seconds until ``key`` expires; 0: it does not exist."""


class RedisStore:
    """In Redis: uses GET SET DEL EXISTS SADD SMEMBERS INCR DECR EXPIRE MULTI EXEC PTTL EVAL."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    def get(self, key: str) -> bytes | None:
        return cast(bytes | None, self._do("GET", key))

    def put(self, key: str, value: bytes, seconds: float | None) -> None:
        self._do("SET", key, value, *(() if seconds is None else ("PX", int(seconds * 1000))))

    def replace(self, key: str, before: bytes | None, value: bytes) -> bool:
        if before is None:
            return self._do("SET", key, value, "NX") is not None
        try:
            return bool(self._link.keys.eval(_REPLACE, 1, PREFIX + key, before, value))
        except _ERRORS as error:
            raise StoreUnavailable(str(error)) from error

    def drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._do("DEL", key)

    def has(self, keys: list[str]) -> list[bool]:
        return [bool(self._do("EXISTS", key)) for key in keys]

    def add(self, key: str, member: str, seconds: float) -> None:
        self._do_for(seconds, "SADD", key, member)

    def members(self, key: str) -> list[str]:
        return [member.decode() for member in self._do("SMEMBERS", key)]

    def increment(self, key: str, seconds: float) -> int:
        return int(self._do_for(seconds, "INCR", key))

    def decrement(self, key: str, seconds: float) -> None:
        self._do_for(seconds, "DECR", key)

    def ttl(self, key: str) -> float:
        return max(0.0, int(self._do("PTTL", key)) / 1000)

    def _do(self, *command: Any) -> Any:
        try:
            return self._link.keys.execute_command(command[0], PREFIX + command[1], *command[2:])
        except _ERRORS as error:
            raise StoreUnavailable(str(error)) from error

    def _do_for(self, seconds: float, *command: Any) -> Any:
        try:
            return _do_for(self._link, seconds, *command)
        except _ERRORS as error:
            raise StoreUnavailable(str(error)) from error


def _do_for(link: RedisLink, seconds: float, command: str, key: str, *arguments: str) -> Any:
    """Run a command and EXPIRE, both or none: a key without its EXPIRE would stay for ever."""
    with link.keys.pipeline(transaction=True) as both:
        both.execute_command(command, PREFIX + key, *arguments)
        both.execute_command("EXPIRE", PREFIX + key, int(seconds) + 1)
        return both.execute()[0]


def check_can_store(link: RedisLink, replaces: bool = False) -> None:
    """Check that :class:`RedisStore` can work.

    :param replaces: whether :meth:`RedisStore.replace` is needed too.
    :raise CannotStore: our user lacks a permission.
    :raise redis.RedisError: Redis does not answer.
    """
    try:
        link.keys.set(f"{PREFIX}check", b"", px=1000)
        _do_for(link, 1, "INCR", "checks")
        if replaces:
            link.keys.eval("return 1", 1, f"{PREFIX}check")
    except RedisClusterException as error:  # which is no RedisError
        raise redis.ConnectionError(str(error)) from None
    except redis.ResponseError as error:
        raise CannotStore(
            f"Redis does not let us keep sessions and tokens ({error_text(error)}): allow our user what "
            "docs/security.md shows, or set ARAUTO_WORKERS=1 and no ARAUTO_TOKENS=redis."
        ) from None


class MemoryStore:
    """In memory, for one process. Expired values are removed on each write."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, float]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        return cast(bytes | None, self._get(key))

    def put(self, key: str, value: bytes, seconds: float | None) -> None:
        with self._lock:
            self._put(key, value, inf if seconds is None else seconds)

    def replace(self, key: str, before: bytes | None, value: bytes) -> bool:
        with self._lock:
            if self._get(key) != before:
                return False
            self._put(key, value, inf)
            return True

    def drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._kept.pop(key, None)

    def has(self, keys: list[str]) -> list[bool]:
        return [self._get(key) is not None for key in keys]

    def add(self, key: str, member: str, seconds: float) -> None:
        with self._lock:
            self._put(key, {*(self._get(key) or ()), member}, seconds)

    def members(self, key: str) -> list[str]:
        return list(self._get(key) or ())

    def increment(self, key: str, seconds: float) -> int:
        with self._lock:
            number = int(self._get(key) or 0) + 1
            self._put(key, number, seconds)
            return number

    def decrement(self, key: str, seconds: float) -> None:
        with self._lock:
            self._put(key, int(self._get(key) or 0) - 1, seconds)

    def ttl(self, key: str) -> float:
        return max(0.0, self._kept.get(key, (None, 0.0))[1] - monotonic())

    def _get(self, key: str) -> Any:
        value, until = self._kept.get(key, (None, 0.0))
        return value if until > monotonic() else None

    def _put(self, key: str, value: Any, seconds: float) -> None:
        now = monotonic()
        self._kept = {name: kept for name, kept in self._kept.items() if kept[1] > now}
        self._kept[key] = (value, now + seconds)
