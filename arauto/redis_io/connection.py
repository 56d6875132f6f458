"""Redis clients and subscriber connections: TCP, Unix socket, TLS."""

import queue
import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import redis
from redis._parsers import _HiredisParser
from redis.connection import (
    AbstractConnection,
    BlockingConnectionPool,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import (
    AskError,
    AuthenticationError,
    NoPermissionError,
    TryAgainError,
)

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.tab_counting import of_channel
from arauto.redis_io.placed_socket import PlacedSocket
from arauto.redis_io.redis_url import NO_TLS, Address, LinkError, SentinelUrl, Tls, parse
from arauto.redis_io.sentinel import Sentinels, to_master
from arauto.system.concurrency import is_readable

CONNECT_TIMEOUT = 1.0  # seconds
REPLY_TIMEOUT = 0.9  # seconds; with CONNECT_TIMEOUT it keeps a failed publish under two
TRIED = 1000  # channels at a time
PUBLISHERS = 50  # connections for publishing, per process


class _Parser(_HiredisParser):
    """redis-py's, which is asked before each command whether the connection may still be used.

    Under gevent its own answer takes a turn of the loop, in which all other greenlets run first.
    """

    def can_read(self, timeout: float = 0) -> bool:
        sock: Any = self._sock
        # TLS may hold bytes that the system has handed over already.
        if timeout or not sock or self._reader.has_data() or getattr(sock, "pending", int)():
            return bool(super().can_read(timeout))
        return is_readable(sock.fileno()) and bool(super().can_read())


# Without retries, redis-py's default for connections made by hand: a message must not be published
# twice, and a subscriber must notice that its connection broke.
_PREFERRED: dict[str, Any] = {  # the URL's query may override these
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "socket_timeout": REPLY_TIMEOUT,
}
_REQUIRED: dict[str, Any] = {
    # RESP2 and no driver info: a subscriber needs no HELLO and no CLIENT SETINFO, and each
    # would cost a round trip when a thousand tabs connect at once.
    "protocol": 2,
    "driver_info": None,
    "decode_responses": False,
    "parser_class": _Parser,
}
_OCSP = {"ssl_validate_ocsp", "ssl_validate_ocsp_stapled"}  # redis-py checks these while it connects
_GREETINGS = ("username", "password", "db", "client_name")  # options that cost a command on connect
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


class _TlsConnection(SSLConnection):
    """A connection whose TLS context is made once, with ``with_context()``.

    redis-py makes one per connection, which reads and parses all authorities again.
    """

    context: ssl.SSLContext

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        return self.context.wrap_socket(sock, server_hostname=self.host)

    @classmethod
    def with_context(cls, options: dict[str, Any]) -> type[Self]:
        """A class of connections that share a context made for ``options``.

        :raise OSError: one of the files cannot be used.
        """
        given = SSLConnection(**options)
        context = ssl.create_default_context()
        context.check_hostname = given.check_hostname
        context.verify_mode = given.cert_reqs
        if given.certfile or given.keyfile:
            context.load_cert_chain(
                given.certfile or given.keyfile, given.keyfile, given.certificate_password
            )
        if given.ca_certs or given.ca_path or given.ca_data:
            context.load_verify_locations(given.ca_certs, given.ca_path, given.ca_data)
        for flag in given.ssl_include_verify_flags or ():
            context.verify_flags |= flag
        for flag in given.ssl_exclude_verify_flags or ():
            context.verify_flags &= ~flag
        if given.ssl_min_version is not None:
            context.minimum_version = given.ssl_min_version
        if given.ssl_ciphers:
            context.set_ciphers(given.ssl_ciphers)
        return type(cls.__name__, (cls,), {"context": context})


class RedisLink:
    """Connections to one Redis: a client to publish with, and connections that subscribe."""

    def __init__(self, url: str, tls: Tls = NO_TLS) -> None:
        """:raise LinkError: ``url`` does not parse, or a file for TLS cannot be used."""
        sentinel = SentinelUrl.of(url)
        given = parse(sentinel.redis_url if sentinel else url)
        self._class: type[AbstractConnection] = given.pop("connection_class", Connection)
        self._options = _PREFERRED | (_TCP if self._class is not UnixDomainSocketConnection else {})
        self._options |= given | _REQUIRED
        if issubclass(self._class, SSLConnection):
            # redis-py's pool takes TLS 1.3 session tickets for unread data and drops the connection. Reading
            # the reply to CLIENT SETINFO reads them too.
            del self._options["driver_info"]
            self._options = tls.options() | self._options
        try:
            if self._class is SSLConnection and not _OCSP & self._options.keys():
                self._class = _TlsConnection.with_context(self._options)
            self._template = self._class(**self._options)
        except TypeError as error:
            raise LinkError(f"REDIS_URL has an option that redis-py does not know: {error}.") from None
        except redis.RedisError as error:
            raise LinkError(f"REDIS_URL has an option that does not work: {error}.") from None
        except OSError as error:
            raise LinkError(
                f"A certificate or key for Redis cannot be used ({error}): look at ARAUTO_REDIS_CA, "
                "ARAUTO_REDIS_CERT, ARAUTO_REDIS_KEY and what REDIS_URL says of ssl."
            ) from None
        self._greets = any(given.get(option) for option in _GREETINGS)
        self._sentinels: Sentinels | None = None
        if sentinel:
            clients = {place: RedisLink(node, tls).client for place, node in sentinel.nodes.items()}
            self._sentinels = Sentinels(clients, sentinel.name)
            self._class = to_master(self._class, self._sentinels)
        self._is_borrowed = False  # another link stops the Sentinels
        self._client = self._make_client()

    @property
    def client(self) -> redis.Redis:
        """For commands that any node of a cluster can answer."""
        return self._client

    @property
    def keys(self) -> Any:
        """A client for commands about one key."""
        return self._client

    @property
    def log_client(self) -> redis.Redis:
        """For the logs of recorded channels, which a cluster does not have."""
        return self._client

    def problem(self) -> str:
        """What is wrong with the server, with the remedy; empty: nothing."""
        return ""

    def publishers(self, channel: bytes) -> "list[RedisLink]":
        """Servers to publish to the channel on: if the first accepts no connection, use the next."""
        return [self]

    def nodes(self) -> "tuple[list[RedisLink], bool]":
        """All servers that may have subscribers and answer, and whether none is missing."""
        return [self], True

    def at(self, address: Address) -> "RedisLink":
        """The same link, but to the server at another address."""
        other = RedisLink.__new__(RedisLink)
        vars(other).update(vars(self))
        vars(other).pop("may_count_tabs", None)
        host, port = address
        other._options = self._options | {"host": host, "port": port}
        other._template = self._class(**other._options)
        other._client = other._make_client()
        return other

    def make_connection(self) -> AbstractConnection:
        """A connection for a caller that reads the replies itself; it is not connected yet."""
        return self._class(**self._options)

    def _make_client(self) -> redis.Redis:
        pool = BlockingConnectionPool(
            connection_class=self._class,
            max_connections=PUBLISHERS,
            timeout=CONNECT_TIMEOUT,
            queue_class=queue.LifoQueue,  # gevent's own, where it is patched
            **self._options,
        )
        return redis.Redis.from_pool(pool)

    def as_user(self, username: str, password: str) -> Self:
        """The same link for another user of Redis; close it after use."""
        other = copy(self)
        vars(other).pop("may_count_tabs", None)
        rest = {name: value for name, value in self._options.items() if name not in _GREETINGS}
        other._options = rest | {"username": username, "password": password}
        other._greets = other._is_borrowed = True
        other._client = other._make_client()
        return other

    def can_log_in(self) -> bool:
        """Whether Redis accepts our user and password.

        :raise redis.RedisError: Redis does not answer.
        """
        try:
            self.connect().close()
        except AuthenticationError:
            return False
        except OSError as error:
            raise redis.ConnectionError(str(error)) from None
        return True

    def connect(self, shards: Sequence[bytes] = ()) -> NonblockingSocket:
        """A new connection for one subscriber, authenticated, on a socket of its own.

        :param shards: sharded channels: a node of a cluster that has the first of them is preferred.
        :raise redis.RedisError: Redis does not answer, or refuses.
        :raise OSError: the same, from the system.
        """
        if self._sentinels is not None:
            return self._connect_to_master(self._sentinels)
        # redis-py resolves the address and does TLS and AUTH. After that, the socket is ours.
        if not self._greets:  # no command to send first: a connection object is needed for the address alone
            template: Any = self._template
            return NonblockingSocket(template._connect())
        return NonblockingSocket(_take_socket(self.make_connection()))

    def connect_to_shard(self, shards: Sequence[bytes]) -> NonblockingSocket:
        """As :meth:`connect`, to a node that has these sharded channels."""
        return self.connect()

    def shard_places(self, shard: bytes) -> frozenset[Address] | None:
        """The nodes of a cluster that serve a sharded channel now; ``None``: this is no cluster.

        :raise redis.RedisError: no node answers.
        """
        return None

    def connect_and_ask(self, address: Address) -> PlacedSocket:
        """A new connection for one subscriber, to a node at ``address`` that has answered on it.

        By then, the node has passed earlier messages on to its subscribers. So the new subscriber does not
        receive them, which it may have received from another node.

        :raise redis.RedisError: Redis does not answer, or refuses.
        :raise OSError: the same, from the system.
        """
        connection: Any = self.make_connection()
        connection.send_command("PING")
        connection.read_response()
        return PlacedSocket(_take_socket(connection), address)

    def _connect_to_master(self, sentinels: Sentinels) -> NonblockingSocket:
        connection: Any = self._class(**self._options)
        connection.connect()
        sentinels.settle()
        taken, connection._sock = connection._sock, None
        sock = PlacedSocket(taken, (connection.host, connection.port))
        sentinels.keep(sock)
        return sock

    @property
    def is_cluster(self) -> bool:
        """Whether there may be several nodes, each with a part of the keys."""
        return False

    @property
    def settle(self) -> float:
        """Seconds by which one connection may be behind another."""
        return 0.0

    @property
    def _is_plain(self) -> bool:
        return not issubclass(self._class, SSLConnection)

    @property
    def moves(self) -> int:
        """How many times Redis was found at another address."""
        return self._sentinels.moves if self._sentinels else 0

    @property
    def master(self) -> tuple[str, int] | None:
        """The address of the master, if Redis is found by Sentinels.

        :raise NoMaster: they do not name one.
        """
        return self._sentinels.master() if self._sentinels else None

    @property
    def is_verified(self) -> bool:
        """False if the server's certificate is not verified."""
        template = self._template
        if not isinstance(template, SSLConnection):
            return True
        return template.cert_reqs == ssl.CERT_REQUIRED and bool(template.check_hostname)

    @cached_property
    def may_count_tabs(self) -> bool:
        """Whether Redis permits shadow channels, by which tabs are counted.

        :raise redis.RedisError: Redis does not answer.
        """
        return self.may_subscribe(of_channel(b""))

    def may_subscribe(self, channel: bytes) -> bool:
        """Whether Redis permits us to subscribe to ``channel``: it is tried.

        :raise redis.RedisError: Redis does not answer.
        """
        with self.client.pubsub() as pubsub:
            pubsub.subscribe(channel)
            try:
                if pubsub.get_message(timeout=REPLY_TIMEOUT) is None:
                    raise redis.TimeoutError
            except NoPermissionError:
                return False
            return True

    def may_subscribe_to(self, channels: Iterable[bytes]) -> Iterator[bytes]:
        """Those of ``channels`` to which Redis permits us to subscribe: each is tried.

        :raise redis.RedisError: Redis does not answer.
        """
        names = list(channels)
        pool = self.client.connection_pool
        connection = pool.get_connection()
        try:
            for start in range(0, len(names), TRIED):
                some = names[start : start + TRIED]
                connection.send_packed_command(connection.pack_commands([("SUBSCRIBE", one) for one in some]))
                for name in some:
                    try:
                        connection.read_response()
                        yield name
                    except NoPermissionError:
                        pass
        finally:
            connection.disconnect()  # it is subscribed
            pool.release(connection)

    def user_may_run(self, user: str, *command: str | bytes) -> bool:
        """Whether Redis would permit this command to one of its users; it is not run.

        :raise redis.RedisError: Redis does not answer, or there is no such user.
        """
        return bool(self.client.execute_command("ACL", "DRYRUN", user, *command) == b"OK")

    def close(self) -> None:
        """Close the publishing connections, and stop polling Sentinels."""
        self._client.close()
        if self._sentinels and not self._is_borrowed:
            self._sentinels.stop()


def _take_socket(connection: Any) -> Any:
    connection.connect()
    sock, connection._sock = connection._sock, None
    return sock


SLOT_MOVES = "its slot is moving to another node, or its node is away: then it goes on by itself"


def error_text(error: redis.RedisError) -> str:
    """The text of an error, without the command repeated in it, which may be a long script."""
    if isinstance(error, AskError | TryAgainError):
        return SLOT_MOVES
    text = re.sub(r"^Command # \d+ \(.*\) of pipeline caused error: ", "", str(error), flags=re.DOTALL)
    return re.split(r", with args beginning with| script: (?=[0-9a-f]{40}|on @)", text)[0]


@dataclass(frozen=True)
class Server:
    """The server at an address.

    :param name: with its version, for example ``Redis 7.0.15``.
    :param mode: ``standalone``, ``cluster`` or ``sentinel``.
    :param master: ``host:port`` of its master, if it is a replica.
    """

    name: str
    mode: str = "standalone"
    master: str = ""


def describe(link: RedisLink) -> Server:
    """Query the server's version and mode.

    :raise redis.RedisError: Redis does not answer, or refuses.
    """
    link.client.ping()
    try:
        info = link.client.info()
    except redis.ResponseError:
        return Server("Redis")  # a user without permission for INFO can still publish and subscribe
    version = (
        f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
    )
    master = f"{info['master_host']}:{info['master_port']}" if info.get("role") == "slave" else ""
    return Server(version, str(info.get("server_mode") or info.get("redis_mode", "standalone")), master)
