"""Parses and checks REDIS_URL and the settings for TLS."""

import re
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import SplitResult, unquote, urlsplit

from redis.connection import parse_url

from arauto.settings import Settings
from arauto.text.cleanup import shown

_OPTIONS = {  # allowed in a URL's query, beside those of TLS
    *("db", "username", "password", "client_name", "lib_name", "lib_version", "protocol", "path"),
    *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "socket_read_size"),
    *("health_check_interval", "retry_on_timeout", "decode_responses", "encoding", "encoding_errors"),
    "legacy_responses",
}


# urlsplit() reads only one host, and newer Pythons refuse brackets that do not begin it.
_SENTINEL = re.compile(
    r"redis(?P<tls>s?)\+sentinel:/*(?P<place>[^/?]*)(?P<path>[^?]*)\??(?P<query>.*)", re.DOTALL
)
_SENTINEL_PORT = 26379
_SENTINEL_FORM = (
    "REDIS_URL does not parse: give redis+sentinel://host:26379,host2:26379/NAME, with the name that the "
    "Sentinels have for the master; in a user, password or name write # as %23, / as %2F, ? as %3F, @ as %40."
)
_CLUSTER = re.compile(
    r"redis(?P<tls>s?)\+cluster:/*(?P<place>[^/?]*)(?P<path>[^?]*)\??(?P<query>.*)", re.DOTALL
)
_CLUSTER_PORT = 6379
_CLUSTER_FORM = (
    "REDIS_URL does not parse: give redis+cluster://host:7000,host2:7000, with some nodes of the cluster; "
    "in a user or password write # as %23, / as %2F, ? as %3F, @ as %40."
)
_NODE = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:;\[\],]+)(?::(\d{1,5}))?")

Address = tuple[str, int]
"""Host and port."""


class LinkError(Exception):
    """Redis cannot be used; the text is a sentence that names the remedy."""


@dataclass(frozen=True)
class Tls:
    """Files in PEM: trusted authorities, and our certificate with its key."""

    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings."""
        return cls(settings.redis_ca, settings.redis_cert, settings.redis_key)

    def options(self) -> dict[str, str]:
        """The files that are set, by redis-py's names."""
        named = {"ssl_ca_certs": self.ca, "ssl_certfile": self.cert, "ssl_keyfile": self.key}
        return {name: path for name, path in named.items() if path}


NO_TLS = Tls()


@dataclass(frozen=True)
class SentinelUrl:
    """``redis+sentinel://user:password@host:26379,host2/name/0?sentinel_username=…&sentinel_password=…``

    :param name: the Sentinels' name for the master.
    :param nodes: the URL of each Sentinel, by its address as shown.
    :param redis_url: the URL of the master, except for its address.
    """

    name: str
    nodes: dict[str, str] = field(repr=False)
    redis_url: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> Self | None:
        """``None``: not a URL of Sentinels.

        :raise LinkError: the URL is wrong.
        """
        if not (parts := _SENTINEL.fullmatch(url)):
            return None
        user, at, hosts = parts["place"].rpartition("@")
        name, _, database = parts["path"].strip("/").partition("/")
        nodes = _nodes(hosts, _SENTINEL_PORT, _SENTINEL_FORM)
        others = user + parts["path"] + parts["query"]
        if not name or "#" in others or "@" in others:
            raise LinkError(_SENTINEL_FORM)
        theirs, ours = {}, []
        for option in filter(None, parts["query"].split("&")):
            if option.startswith("sentinel_"):
                key, _, value = option.removeprefix("sentinel_").partition("=")
                theirs[key] = value
            else:
                ours.append(option)
        if unknown := theirs.keys() - {"username", "password"}:
            raise LinkError(
                f"REDIS_URL has an option that is not known: sentinel_{shown(min(unknown))}. Leave it out."
            )
        if "username" in theirs and "password" not in theirs:
            raise LinkError("REDIS_URL has a sentinel_username without a sentinel_password: add it.")
        redis = f"redis{parts['tls']}://"
        login = f"{theirs.get('username', '')}:{theirs['password']}@" if "password" in theirs else ""
        tls = "&".join(option for option in ours if option.startswith("ssl_"))
        return cls(
            unquote(name),
            {node: f"{redis}{login}{node}?{tls}" for node in nodes},
            f"{redis}{user}{at}{nodes[0]}/{database}?{'&'.join(ours)}",
        )


@dataclass(frozen=True)
class ClusterUrl:
    """``redis+cluster://user:password@host:7000,host2:7000``

    :param nodes: some nodes of the cluster.
    :param redis_url: the URL of the first of them.
    """

    nodes: tuple[Address, ...]
    redis_url: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> Self | None:
        """``None``: not a URL of a cluster.

        :raise LinkError: the URL is wrong.
        """
        if not (parts := _CLUSTER.fullmatch(url)):
            return None
        user, at, hosts = parts["place"].rpartition("@")
        others = user + parts["path"] + parts["query"]
        if "#" in others or "@" in others:
            raise LinkError(_CLUSTER_FORM)
        places = _nodes(hosts, _CLUSTER_PORT, _CLUSTER_FORM)
        redis = f"redis{parts['tls']}://{user}{at}"
        given = [parse(f"{redis}{place}{parts['path']}?{parts['query']}") for place in places]
        if any(one.get("db") for one in given):
            raise LinkError("REDIS_URL names a database, and a cluster has only database 0: leave it out.")
        nodes = tuple((str(one["host"]), int(one["port"])) for one in given)
        return cls(nodes, f"{redis}{places[0]}?{parts['query']}")


def _nodes(hosts: str, port: int, form: str) -> list[str]:
    """Hosts with their ports, ``port`` if they have none."""
    found = [_NODE.fullmatch(host) for host in hosts.split(",")]
    ports = [int(one[2] or port) for one in found if one]
    if len(ports) < len(found):
        raise LinkError(form)
    if not all(0 < one < 65536 for one in ports):
        raise LinkError("REDIS_URL names a port that is none: give a number from 1 to 65535.")
    return [f"{one[1]}:{number}" for one, number in zip(found, ports, strict=True) if one]


def parse(url: str) -> dict[str, Any]:
    """Parse ``url`` into redis-py's options.

    :raise LinkError: it is not a Redis URL, or redis-py would misread it.
    """
    try:
        _check(urlsplit(url))
        return dict(parse_url(url))
    except ValueError as error:
        if str(error).startswith("Invalid value"):
            raise LinkError(f"REDIS_URL does not work: {error}") from None
        if re.search(r"[\[\]].*@", url):
            raise LinkError(
                "REDIS_URL does not parse: in a user or password write [ as %5B and ] as %5D."
            ) from None
        raise LinkError(
            "REDIS_URL does not parse: give redis://host:6379, rediss://user:password@host:6379, "
            "redis+sentinel://host:26379/NAME, redis+cluster://host:7000,host2:7000 or "
            "unix:///path/to/redis.sock."
        ) from None


def _check(url: SplitResult) -> None:
    options = [part.partition("=") for part in url.query.split("&") if part]
    is_tcp = url.scheme in ("redis", "rediss")
    is_cut = is_tcp and ("@" in url.path or any("@" in name for name, _, _ in options))
    if url.fragment or is_cut:
        raise LinkError(
            "REDIS_URL ends too early: in a user or password write # as %23, / as %2F, ? as %3F, @ as %40 "
            "and % as %25."
        )
    try:
        (url.hostname or "").encode("idna")  # as the system does before it resolves the name
    except UnicodeError:
        raise LinkError(f"REDIS_URL names a host that cannot be one: {shown(url.hostname or '')}.") from None
    if is_tcp and not re.fullmatch(r"/*\d*/*", url.path):
        raise LinkError("REDIS_URL names a database that is no number: give redis://host:6379/0.")
    for name, _, _ in options:
        if name not in _OPTIONS and not (url.scheme == "rediss" and name.startswith("ssl_")):
            raise LinkError(
                f"REDIS_URL has an option that redis-py does not know for a connection of {url.scheme}://: "
                f"{shown(name)}. Leave it out."
            )


def address(url: str) -> str:
    """The address in ``url``, to be shown: never with its user or password."""
    if sentinel := SentinelUrl.of(url):
        return f"{sentinel.name}, by the Sentinels {', '.join(sentinel.nodes)}"
    if cluster := ClusterUrl.of(url):
        return f"the cluster of {', '.join(map(place, cluster.nodes))}"
    given = parse(url)
    if "path" in given:
        return str(given["path"])
    return f"{given.get('host', 'localhost')}:{given.get('port', 6379)}"


def place(address: Address) -> str:
    """The address as text."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def redis_cli(url: str, tls: Tls = NO_TLS, master: tuple[str, int] | None = None) -> list[str]:
    """The ``redis-cli`` command for the same Redis; it prompts for a password itself.

    :param master: its address, if Redis is found by Sentinels.
    """
    if sentinel := SentinelUrl.of(url):
        url = sentinel.redis_url
    if cluster := ClusterUrl.of(url):
        url = cluster.redis_url
    given = parse(url)
    if master:
        given["host"], given["port"] = master
    command = ["redis-cli", "-c"] if cluster else ["redis-cli"]
    if "path" in given:
        command += ["-s", str(given["path"])]
    if given.get("host", "localhost") not in ("localhost", "127.0.0.1"):
        command += ["-h", str(given["host"])]
    if given.get("port", 6379) != 6379:
        command += ["-p", str(given["port"])]
    if url.startswith("rediss:"):
        command.append("--tls")
        for option, path in (("--cacert", tls.ca), ("--cert", tls.cert), ("--key", tls.key or tls.cert)):
            command += [option, path] if path else []
    if "username" in given:
        command += ["--user", str(given["username"])]
    return command + (["--askpass"] if "password" in given else [])
