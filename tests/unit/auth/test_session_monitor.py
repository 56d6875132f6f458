import threading
from collections.abc import Iterable
from time import time

import pytest

from arauto.auth import session_monitor as module
from arauto.auth.session_monitor import SessionMonitor
from arauto.auth.visitor import Visitor
from arauto.net.websocket import Code
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.expiring_store import StoreUnavailable
from tests.support.servers import ROOT
from tests.support.waiting import eventually

LINK = RedisLink("redis://nowhere.invalid")
THE_ROUND, THE_AUTH_ROUND = module.ROUND, module.AUTH_ROUND


class Door:
    """A transport that only notes its close code and reason."""

    def __init__(self, is_stuck: bool = False) -> None:
        self.closed: list[tuple[Code, str]] = []
        self.is_stuck = is_stuck
        self.aborted = False

    def close(self, code: Code, reason: str) -> bool:
        self.closed.append((code, reason))
        return not self.is_stuck

    def abort(self) -> None:
        self.aborted = True


def visitor(key: str, until: float | None = None) -> Visitor:
    return Visitor(link=LINK, name=key, way="token", key=key, until=until or time() + 60)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND", 0.01)


def test_a_user_is_asked_for_as_soon_as_is_promised() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    assert f"is noticed within {THE_ROUND + THE_AUTH_ROUND:g} seconds" in text
    assert THE_AUTH_ROUND % THE_ROUND == 0  # else the check is one round late
    assert "is closed with code 1008 and a reason within 10 seconds" in text
    assert THE_ROUND < 10


def test_whose_session_is_over_is_sent_away_and_nobody_else() -> None:
    ana, bia, stuck = Door(), Door(), Door(is_stuck=True)
    watch = SessionMonitor(lambda keys: {"ana"} & set(keys), lambda visitor: None)
    with (
        watch.track(ana, visitor("ana"), "Over."),  # type: ignore[arg-type]
        watch.track(bia, visitor("bia"), "Over."),  # type: ignore[arg-type]
        watch.track(stuck, visitor("ana"), "Over."),  # type: ignore[arg-type]
    ):
        eventually(lambda: ana.closed and stuck.aborted)
    assert ana.closed[0] == (Code.POLICY, "Over.")
    assert not ana.aborted
    assert bia.closed == []


def test_time_runs_out_even_while_redis_is_away_and_then_nobody_else_goes() -> None:
    is_queried = threading.Event()

    def away(keys: Iterable[str]) -> set[str]:
        is_queried.set()
        raise StoreUnavailable

    late, other = Door(), Door()
    watch = SessionMonitor(away, lambda visitor: None)
    with (
        watch.track(late, visitor("late", until=time() - 1), "Over."),  # type: ignore[arg-type]
        watch.track(other, visitor("other"), "Over."),  # type: ignore[arg-type]
    ):
        eventually(lambda: late.closed and is_queried.is_set())
    assert other.closed == []
