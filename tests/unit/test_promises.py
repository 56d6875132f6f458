"""The tests' own check that messages come in time."""

from time import monotonic, time

import pytest

from tests.support.machine_time import MachineTime
from tests.support.promises import LIVE_WITHIN, NotingTab, Published, late
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually


@pytest.fixture
def published(valkey: RedisServer) -> Published:
    return Published(valkey, "a")


@pytest.fixture
def tab(published: Published) -> NotingTab:
    return NotingTab("ws://127.0.0.1:1", published)


@pytest.fixture
def has_run(machine: MachineTime) -> MachineTime:
    """A clock that has run for longer than a message may take."""
    began = machine()
    eventually(lambda: machine() - began > LIVE_WITHIN + 0.5, within=60)
    return machine


def test_a_message_that_took_too_long_is_late(
    published: Published, tab: NotingTab, has_run: MachineTime
) -> None:
    now = time()
    shown = [(published.note(), now - LIVE_WITHIN - 60), (published.note(), now)]
    for data, moment in shown:
        published.moments[data] = moment
        tab.events.append({"type": "message", "channel": "a", "data": data, "received": now})
    assert [fault.split()[0] for fault in late(tab, published, has_run)] == ["0"]


def test_no_message_is_late_if_it_is_unknown_when_it_was_published(
    published: Published, tab: NotingTab, has_run: MachineTime
) -> None:
    data = published.note()
    published.moments[data] -= 60
    published.unsure.add(data)
    tab.events.append({"type": "message", "channel": "a", "data": data, "received": time()})
    assert late(tab, published, has_run) == []


def test_the_clock_measures_a_time_that_is_over(machine: MachineTime) -> None:
    start, began, real = time(), machine(), monotonic()
    eventually(lambda: monotonic() - real > 0.5)
    by_clock, end = machine() - began, time()
    assert machine.between(start, end) == pytest.approx(by_clock, abs=0.2)
    assert machine.between(start, start) == 0
