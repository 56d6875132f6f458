import os
from zlib import crc32

import pytest

from arauto.workers import rate_limits
from arauto.workers.rate_limits import AT_ONCE, RateLimit


@pytest.fixture(autouse=True)
def same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with equal hashes count together: here the same ones in each run."""
    monkeypatch.setattr(rate_limits, "hash", lambda name: crc32(name.encode()), raising=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time, in nanoseconds."""
    now = [10**15]
    monkeypatch.setattr(rate_limits, "monotonic_ns", lambda: now[0])
    return now


def test_so_many_at_once_and_then_so_many_a_second(clock: list[int]) -> None:
    rate = RateLimit(2)
    assert [rate.take("ana") for _ in range(2 * AT_ONCE)] == [0] * 2 * AT_ONCE
    assert rate.wait("ana") == rate.take("ana") == 0.5
    clock[0] += 5 * 10**8
    assert (rate.take("ana"), rate.take("ana")) == (0, 0.5)
    clock[0] += 10**12
    assert [rate.take("ana") for _ in range(2 * AT_ONCE)] == [0] * 2 * AT_ONCE
    assert rate.take("ana") > 0


def test_each_name_counts_and_a_refusal_counts_for_none(clock: list[int]) -> None:
    rate = RateLimit(1)
    for _ in range(AT_ONCE):
        assert rate.take("address 192.0.2.1", "user ana") == 0
    assert rate.take("address 192.0.2.2", "user ana") > 0
    assert [rate.take("address 192.0.2.2") for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert rate.take("address 192.0.2.2") > 0


def test_nothing_is_counted_where_there_is_no_rate_or_no_name(clock: list[int]) -> None:
    assert not any(RateLimit(0).take("ana") for _ in range(1000))
    assert not any(RateLimit(1).take() for _ in range(1000))


def test_a_refusal_is_reported_once_a_second(clock: list[int]) -> None:
    rate = RateLimit(1)
    assert [rate.should_log(), rate.should_log()] == [True, False]
    clock[0] += 10**9
    assert [rate.should_log(), rate.should_log()] == [True, False]


def test_all_processes_count_together(clock: list[int]) -> None:
    rate = RateLimit(1)
    child = os.fork()
    if child == 0:
        os._exit(0 if not any(rate.take("ana") for _ in range(AT_ONCE)) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert rate.take("ana") > 0
