"""Settings -> Redis clients and subscriber connections: plain, unix socket, TLS."""

import socket
from functools import cached_property
from typing import Any

import redis
from redis.connection import (
    AbstractConnection,
    BlockingConnectionPool,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)
from redis.exceptions import NoPermissionError

from arauto.shadows import of_channel
from arauto.wire import Wire

CONNECT_TIMEOUT = 1.0  # seconds
REPLY_TIMEOUT = 0.9  # seconds; with CONNECT_TIMEOUT it keeps a failed publish under two
PUBLISHERS = 50  # connections a process publishes with at a time

# No retries: redis-py's default for a connection made by hand. They are ours, since a publish
# must not be sent twice, and a subscriber must see the break.
_PREFERRED: dict[str, Any] = {  # the URL's query may say otherwise
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "socket_timeout": REPLY_TIMEOUT,
}
_REQUIRED: dict[str, Any] = {
    # RESP2 and no driver info: a subscriber needs no HELLO and no CLIENT SETINFO, and each
    # would cost a round trip when a thousand tabs come at once.
    "protocol": 2,
    "driver_info": None,
    "decode_responses": False,
}
_GREETINGS = ("username", "password", "db", "client_name")  # what costs a command at first
_TCP: dict[str, Any] = {
    "socket_keepalive_options": {
        getattr(socket, name): value
        for name, value in {
            "TCP_KEEPIDLE": 10,  # seconds
            "TCP_KEEPINTVL": 5,  # seconds
            "TCP_KEEPCNT": 3,
            "TCP_USER_TIMEOUT": 15000,  # milliseconds
        }.items()
        if hasattr(socket, name)
    }
}


class LinkError(Exception):
    """Redis cannot be used; the text is a sentence that names the remedy."""


class RedisLink:
    """The way to one Redis: a client that publishes, and connections that subscribe."""

    def __init__(self, url: str) -> None:
        """:raise LinkError: ``url`` does not parse."""
        given = parse(url)
        self._class: type[AbstractConnection] = given.pop("connection_class", Connection)
        self._options = _PREFERRED | (_TCP if self._class is not UnixDomainSocketConnection else {})
        self._options |= given | _REQUIRED
        if issubclass(self._class, SSLConnection):
            # What the server of TLS 1.3 sends after the handshake counts as unread data for redis-py's
            # pool, which then gives the connection up. The answer to CLIENT SETINFO brings it in.
            del self._options["driver_info"]
        try:
            self._template = self._class(**self._options)
        except TypeError as error:
            raise LinkError(f"REDIS_URL has an option that redis-py does not know: {error}.") from None
        self._greets = any(given.get(option) for option in _GREETINGS)
        pool = BlockingConnectionPool(
            connection_class=self._class,
            max_connections=PUBLISHERS,
            timeout=CONNECT_TIMEOUT,
            **self._options,
        )
        self.client = redis.Redis.from_pool(pool)

    def connect(self) -> Wire:
        """A new connection for one subscriber, authenticated, on a socket of its own.

        :raise redis.RedisError: Redis does not answer or refuses us.
        :raise OSError: the same, from the system.
        """
        if self._greets:
            connection = self._class(**self._options)
            connection.connect()
            sock: Any = connection._sock
            connection._sock = None
        else:
            # Nothing to say first: the address is all that a connection object is needed for.
            sock = self._template._connect()
        # redis-py has done addresses, TLS and AUTH. From here on the socket is ours.
        return Wire(sock)

    @cached_property
    def may_count(self) -> bool:
        """Whether Redis lets us have shadow channels, by which tabs are counted.

        :raise redis.RedisError: Redis does not answer.
        """
        with self.client.pubsub() as pubsub:
            pubsub.subscribe(of_channel(b""))
            try:
                return pubsub.get_message(timeout=REPLY_TIMEOUT) is not None
            except NoPermissionError:
                return False

    def close(self) -> None:
        """Close the publishing connections."""
        self.client.close()


def parse(url: str) -> dict[str, Any]:
    """What ``url`` says, as redis-py names it.

    :raise LinkError: it is not a Redis URL.
    """
    try:
        return dict(parse_url(url))
    except ValueError:
        raise LinkError(
            "REDIS_URL does not parse: give redis://host:6379, "
            "rediss://user:password@host:6379 or unix:///path/to/redis.sock."
        ) from None


def address(url: str) -> str:
    """Where ``url`` leads, for people: never with its user or password."""
    given = parse(url)
    if "path" in given:
        return str(given["path"])
    return f"{given.get('host', 'localhost')}:{given.get('port', 6379)}"


def redis_cli(url: str) -> list[str]:
    """The ``redis-cli`` command that reaches the same Redis; asks for a password itself."""
    given = parse(url)
    command = ["redis-cli"]
    if "path" in given:
        command += ["-s", str(given["path"])]
    if given.get("host", "localhost") not in ("localhost", "127.0.0.1"):
        command += ["-h", str(given["host"])]
    if given.get("port", 6379) != 6379:
        command += ["-p", str(given["port"])]
    if url.startswith("rediss:"):
        command.append("--tls")
    if "username" in given:
        command += ["--user", str(given["username"])]
    return command + (["--askpass"] if "password" in given else [])


def describe(link: RedisLink) -> str:
    """The server's name and version, for example ``Redis 7.0.15``.

    :raise redis.RedisError: Redis does not answer or refuses us.
    """
    link.client.ping()
    try:
        info = link.client.info("server")
    except redis.ResponseError:
        return "Redis"  # a user without the right to INFO can still publish and subscribe
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info['redis_version']}"
