import os
from zlib import crc32

import pytest

from arauto.workers import connection_limits as capacity_module
from arauto.workers.connection_limits import ConnectionLimits

HERE, ANA, BIA = "127.0.0.1", "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with equal hashes count together: here the same ones in each run."""
    monkeypatch.setattr(capacity_module, "hash", lambda name: crc32(name.encode()), raising=False)


def test_the_cap_holds_and_room_comes_back() -> None:
    capacity = ConnectionLimits(2, 10)
    assert capacity.take(HERE)
    assert capacity.take(ANA)
    assert capacity.full()
    assert not capacity.take(HERE)
    capacity.give_back(ANA)
    assert not capacity.full()
    assert capacity.take(HERE)


def test_an_address_has_a_cap_of_its_own() -> None:
    capacity = ConnectionLimits(10, 2)
    assert capacity.take(ANA)
    assert capacity.take(ANA)
    assert capacity.full_for(ANA)
    assert not capacity.take(ANA)
    assert capacity.taken() == 2
    assert capacity.take(BIA)
    capacity.give_back(ANA)
    assert capacity.take(ANA)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_this_machine_and_its_proxy_have_none(address: str) -> None:
    capacity = ConnectionLimits(10, 1)
    assert all(capacity.take(address) for _ in range(10))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_an_ipv6_address_counts_as_its_network(one: str, other: str, same: bool) -> None:
    capacity = ConnectionLimits(10, 1)
    assert capacity.take(one)
    assert capacity.take(other) is not same


def test_all_processes_count_together_and_a_dead_one_not_at_all() -> None:
    capacity = ConnectionLimits(3, 2)
    capacity.use_slot(1)
    assert capacity.take(HERE)
    child = os.fork()
    if child == 0:
        capacity.use_slot(2)
        os._exit(0 if capacity.take(ANA) and capacity.take(ANA) and not capacity.take(ANA) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (capacity.taken(), capacity.taken_by(ANA)) == (3, 2)
    assert not capacity.take(HERE)
    capacity.clear_slot(2)
    assert (capacity.taken(), capacity.taken_by(ANA)) == (1, 0)
    assert capacity.take(ANA)


def test_a_process_may_have_room_for_fewer() -> None:
    capacity = ConnectionLimits(10, 10, 1)
    assert capacity.take(HERE)
    assert capacity.full()
    assert not capacity.take(HERE)
    capacity.use_slot(1)
    assert capacity.take(HERE)
    assert capacity.taken() == 2
