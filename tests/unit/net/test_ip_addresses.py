from ipaddress import ip_network

import pytest

from arauto.net.ip_addresses import as_mapped_ipv6, counted_address, is_fixed, is_loopback, is_within
from arauto.workers.connection_limits import ConnectionLimits
from arauto.workers.rate_limits import by_address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "a.localhost"])
def test_only_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "alocalhost", "", "example"]
)
def test_a_network(host: str) -> None:
    assert not is_loopback(host)


def test_what_nobody_can_lead_here() -> None:
    assert all(map(is_fixed, ["10.0.0.1", "2001:db8::1", "arauto", "127.0.0.1"]))
    assert not any(map(is_fixed, ["evil.example", "10.0.0.1.evil.example", "", "1.2.3"]))


def test_within() -> None:
    networks = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"), ip_network("127.0.0.1")]
    assert all(
        is_within(one, networks) for one in ("10.1.2.3", "2001:db8::9", "127.0.0.1", "::ffff:10.0.0.1")
    )
    assert not any(is_within(one, networks) for one in ("11.0.0.1", "::1", "", "rubbish", "127.0.0.2"))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        *((here, "") for here in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "")),
        ("127.0.0.2", "127.0.0.2"),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:0db8:0000:0000"),
        ("2001:db8::ffff:1", "2001:0db8:0000:0000"),
        ("2001:DB8:0:1::1", "2001:0db8:0000:0001"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("rubbish", "rubbish"),
    ],
)
def test_what_an_address_counts_as_everywhere(address: str, counted: str) -> None:
    assert counted_address(address) == counted
    assert by_address(address) == ([f"address {counted}"] if counted else [])
    capacity = ConnectionLimits(10, 1)
    assert [capacity.take(address) for _ in range(2)] == [True, not counted]


def test_an_ipv4_network_as_it_is_seen_through_ipv6() -> None:
    assert as_mapped_ipv6(ip_network("10.0.0.0/24")) == ip_network("::ffff:10.0.0.0/120")
    assert as_mapped_ipv6(ip_network("2001:db8::/32")) is None
