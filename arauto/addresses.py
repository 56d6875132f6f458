"""Names and addresses of machines: which mean this one, and which a stranger cannot lead here (pure)."""

from collections.abc import Iterable
from ipaddress import ip_address

from arauto.settings import Network


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_fixed(host: str) -> bool:
    """Whether nobody outside can make ``host`` lead to us: digits, or a name without a domain."""
    try:
        ip_address(host)
    except ValueError:
        return bool(host) and "." not in host
    return True


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether ``address`` is in one of ``networks``; an IPv4 address may be written as IPv6."""
    try:
        given = ip_address(address)
    except ValueError:
        return False
    return any((getattr(given, "ipv4_mapped", None) or given) in network for network in networks)
