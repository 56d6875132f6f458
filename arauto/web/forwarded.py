"""Trusted proxies: the client's address from X-Forwarded-For."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from arauto.net.ip_addresses import is_within
from arauto.settings import Network

PROXIED = "arauto.proxied"  # in the environ of a request from a trusted proxy


class Proxies:
    """WSGI middleware: the address of a request is the last one that is not a trusted proxy.

    Addresses further left in ``X-Forwarded-For`` are claims of a client.
    """

    def __init__(self, app: Any, networks: tuple[Network, ...]) -> None:
        self._app = app
        self._networks = networks

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        address = environ.get("REMOTE_ADDR", "")
        if is_within(address, self._networks):
            environ[PROXIED] = True
            hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
            while hops and is_within(address, self._networks) and (before := _address(hops.pop())):
                address = before
            environ["REMOTE_ADDR"] = address
        return self._app(environ, start_response)  # type: ignore[no-any-return]


def _address(hop: str) -> str:
    """The address that a proxy wrote, perhaps with a port; empty if it is none."""
    for written in (hop.strip(), hop.strip().rpartition(":")[0]):
        try:
            return str(ip_address(written.strip("[]").partition("%")[0]))  # its zone may be any text
        except ValueError:
            continue
    return ""
