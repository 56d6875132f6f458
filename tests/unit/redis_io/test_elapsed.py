"""Two clocks, read as if at once."""

import pytest

from arauto.redis_io import elapsed as module


def test_two_clocks_are_read_in_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a delay between the two readings would move the start and the end of a gap."""
    passed, waits = [100.0], iter([5.0, 0.0, 0.0, 0.0])

    def wall() -> float:
        read = 1_000_000.0 + passed[0]
        passed[0] += next(waits)
        return read

    monkeypatch.setattr(module, "now", lambda: passed[0])
    monkeypatch.setattr(module, "time", wall)
    assert module.unix(99.0) == 1_000_099.0


def test_clocks_that_are_slow_to_read_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [100.0]

    def wall() -> float:
        passed[0] += 0.01
        assert passed[0] < 101, "it never ends"
        return 1_000_000.0 + passed[0]

    monkeypatch.setattr(module, "now", lambda: passed[0])
    monkeypatch.setattr(module, "time", wall)
    assert module.unix(99.0) == pytest.approx(1_000_099.0)
