"""Classifies host names and IP addresses (pure)."""

from collections.abc import Iterable
from ipaddress import IPv6Network, ip_address

from arauto.settings import Network


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to ``host``."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_fixed(host: str) -> bool:
    """Whether no DNS server can make ``host`` resolve to us: an IP address, or a name without a domain."""
    try:
        ip_address(host)
    except ValueError:
        return bool(host) and "." not in host
    return True


def counted_address(address: str) -> str:
    """The name under which an address is counted.

    An IPv6 address is counted as its /64, which belongs to one customer. Empty: this machine or a proxy on
    it, which stand for many visitors, or a Unix socket.
    """
    try:
        given = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    plain = getattr(given, "ipv4_mapped", None) or given
    if str(plain) in ("127.0.0.1", "::1"):
        return ""
    return str(plain) if plain.version == 4 else str(plain.exploded[:19])


def as_mapped_ipv6(network: Network) -> IPv6Network | None:
    """An IPv4 network as a socket that listens on ``::`` sees it."""
    if network.version == 6:
        return None
    return IPv6Network(f"::ffff:{network.network_address}/{96 + network.prefixlen}")


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether ``address`` is in one of ``networks``; an IPv4 address may be written as IPv6."""
    try:
        given = ip_address(address)
    except ValueError:
        return False
    return any((getattr(given, "ipv4_mapped", None) or given) in network for network in networks)
