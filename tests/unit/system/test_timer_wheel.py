from itertools import pairwise
from threading import Event
from time import monotonic

import pytest

from arauto.system import timer_wheel as module
from arauto.system.timer_wheel import TimerWheel
from tests.support.waiting import PATIENCE, eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.005)


def test_each_is_called_when_it_is_due_and_again_as_it_asks() -> None:
    timers, done = TimerWheel(), Event()
    often: list[float] = []
    late: list[float] = []

    def call_often() -> float | None:
        often.append(monotonic())
        return None if len(often) > 4 else 0.01

    def call_late() -> None:
        late.append(monotonic())

    began = monotonic()
    timers.after(0.3, call_late)
    timers.after(0.0, call_often)
    eventually(lambda: late and len(often) == 5)
    assert late[0] - began >= 0.3
    assert all(later - earlier >= 0.01 for earlier, later in pairwise(often))
    timers.after(0.05, done.set)
    assert done.wait(PATIENCE)
    assert (len(often), len(late)) == (5, 1)  # called once


def test_one_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    timers, done = TimerWheel(), Event()
    timers.after(0, lambda: 1 / 0)
    timers.after(0.01, done.set)
    assert done.wait(PATIENCE)
    assert "timer failed" in caplog.text
