from threading import Event
from time import monotonic

import pytest

from arauto import pulse as module
from arauto.pulse import Pulse


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.005)


def test_each_is_called_when_it_is_due_and_again_as_it_asks() -> None:
    pulse, done = Pulse(), Event()
    calls: list[str] = []

    def often() -> float | None:
        calls.append("often")
        return None if len(calls) > 4 else 0.01

    def late() -> None:
        calls.append("late")
        done.set()

    began = monotonic()
    pulse.after(0.3, late)
    pulse.after(0.0, often)
    assert done.wait(5)
    assert monotonic() - began >= 0.3
    assert calls == ["often"] * 5 + ["late"]


def test_one_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    pulse, done = Pulse(), Event()
    pulse.after(0, lambda: 1 / 0)
    pulse.after(0.01, done.set)
    assert done.wait(5)
    assert "could not be tended" in caplog.text
