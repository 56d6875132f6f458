from ipaddress import ip_network

import pytest

from arauto.addresses import is_fixed, is_loopback, is_within


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
