"""The visitor of a request: name, permissions and connection to Redis."""

from dataclasses import dataclass
from math import inf

from flask import Flask, g

from arauto.i18n.gettext import gettext
from arauto.redis_io.connection import RedisLink
from arauto.text.glob import matches

Globs = tuple[bytes, ...]
ALL: Globs = (b"*",)
SHARED, SHARED_READ = "token", "read"  # names of visitors with a shared token
_SPECIAL = b"*?[\\"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Without a login there is one visitor for all requests, which may do everything.

    A Redis user may try everything: Redis itself checks permissions.
    """

    link: RedisLink
    name: str = ""  # empty: no login is required
    way: str = "open"  # open, token, redis, proxy or bearer
    reads: Globs = ALL
    publishes: Globs = ALL
    until: float = inf  # Unix seconds
    key: str = ""  # that its open sockets depend on: of the session, or the bearer token's hash
    csrf: str = ""  # the token that its pages send with each change; empty: it has no pages

    @property
    def is_reader(self) -> bool:
        """Whether it may publish nothing at all."""
        return not self.publishes

    @property
    def redis_user(self) -> str:
        """The name of the Redis user, or empty."""
        return self.name if self.way == "redis" else ""

    @property
    def own_name(self) -> str:
        """The name, unless it is shared: that of a shared token is empty."""
        shares = self.way in ("token", "bearer") and self.name in (SHARED, SHARED_READ)
        return "" if shares else self.name

    @property
    def rate_names(self) -> list[str]:
        """The names under which rates are counted; users of a shared token are counted by session."""
        name = f"{self.way} {self.name}" if self.own_name else self.key
        return [f"user {name}"] if self.name and name else []

    def may_publish(self, channel: bytes) -> bool:
        return self.publishes is ALL or any(matches(glob, channel) for glob in self.publishes)

    def may_read(self, channel: bytes) -> bool:
        return self.reads is ALL or any(matches(glob, channel) for glob in self.reads)

    def may_read_all_of(self, pattern: bytes) -> bool:
        """Whether the visitor may read every channel that ``pattern`` matches; False if it is not certain."""
        return any(pattern == glob or _covers(glob, pattern) for glob in self.reads)


def _covers(glob: bytes, pattern: bytes) -> bool:
    """Whether ``glob`` is plain text and a star, and ``pattern`` begins with that text."""
    text = glob[:-1]
    return glob.endswith(b"*") and not any(byte in _SPECIAL for byte in text) and pattern.startswith(text)


def init_visitor(app: Flask, everyone: Visitor) -> None:
    """Give each request a visitor: ``everyone``, until another one is identified."""

    @app.before_request
    def begin() -> None:
        g.visitor = everyone


def current_visitor() -> Visitor:
    """The visitor who sends this request."""
    found: Visitor = g.visitor
    return found


def display_name(visitor: Visitor) -> str:
    """The visitor's name to be shown; a shared token has a description instead."""
    if visitor.way in ("token", "bearer") and visitor.name == SHARED:
        return gettext("Shared token")
    if visitor.way in ("token", "bearer") and visitor.name == SHARED_READ:
        return gettext("Shared token, read-only")
    return visitor.name
