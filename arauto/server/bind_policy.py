"""Requires a login, or an explicit setting, to listen on more than loopback."""

import os
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from arauto.net.ip_addresses import is_loopback
from arauto.redis_io.discovery import DiscoveredRedis
from arauto.settings import Settings

_FIRST_FD = 3  # of those that systemd passes


class Exposed(Exception):
    """The server would be open on a network; the text is a sentence that names the remedy."""


def in_container(environ: Mapping[str, str]) -> bool:
    """Whether this is a container: our image, podman and systemd-nspawn set ``container``.

    Then HOST is set by the image, and there is no shell to set a token in.
    """
    return bool(environ.get("container"))


def make_token(settings: Settings, hosts: Iterable[str], container: bool) -> str:
    """A new access token if one is needed and none is set, else empty.

    :param hosts: the hosts to listen on.
    :raise Exposed: the server would be open on a network without ``ARAUTO_OPEN``.
    """
    wide = [host for host in hosts if not is_loopback(host)]
    if settings.open or settings.has_login or not wide:
        return ""
    if container:
        return secrets.token_urlsafe(24)
    raise Exposed(
        f"Listening on {wide[0]} would let everyone on the network watch and publish: set ARAUTO_TOKEN "
        "to a secret that they have to know, or ARAUTO_OPEN=1 if that is what you want."
    )


def hosts(addresses: Iterable[Any], environ: Mapping[str, str]) -> Iterator[str]:
    """The hosts that gunicorn will listen on; Unix sockets have none.

    :param addresses: ``cfg.address``, which is bound unless sockets are passed on.
    """
    given = [int(fd) for fd in environ.get("GUNICORN_FD", "").split(",") if fd]
    if environ.get("LISTEN_PID") == str(os.getpid()):
        given += range(_FIRST_FD, _FIRST_FD + int(environ.get("LISTEN_FDS", 0)))
    for address in given or addresses:
        if isinstance(address, int):
            with closing(socket.socket(fileno=os.dup(address))) as ready:
                address = ready.getsockname()
        if isinstance(address, tuple):
            yield address[0]


def warnings(settings: Settings, redis: DiscoveredRedis) -> Iterator[str]:
    """Sentences about settings that are allowed but risky, for every start."""
    if settings.open and not settings.has_login and not is_loopback(settings.host):
        yield "ARAUTO_OPEN is set: whoever reaches this address may watch and publish."
    if not redis.is_verified:
        yield (
            "REDIS_URL turns off the check of Redis's certificate: anyone in between could read and change "
            "everything. Leave ssl_cert_reqs and ssl_check_hostname out; ARAUTO_REDIS_CA names the authority."
        )
    if redis.warning:
        yield redis.warning
