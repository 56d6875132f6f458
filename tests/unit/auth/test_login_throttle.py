from collections.abc import Callable

import pytest

from arauto.auth import login_throttle
from arauto.auth.login_throttle import FREE, LONGEST_WAIT, REMEMBERED, LoginThrottle, TooSoon
from arauto.redis_io import expiring_store
from arauto.redis_io.expiring_store import MemoryStore

Pass = Callable[[float], None]


@pytest.fixture
def let_pass(monkeypatch: pytest.MonkeyPatch) -> Pass:
    now = [1000.0]
    monkeypatch.setattr(expiring_store, "monotonic", lambda: now[0])

    def let_pass(seconds: float) -> None:
        now[0] += seconds

    return let_pass


def wait_of(tried: LoginThrottle, *who: str) -> float:
    with pytest.raises(TooSoon) as refused:
        tried.check(*who)
    return refused.value.seconds


def test_a_few_are_free_and_then_each_wait_is_twice_the_last(let_pass: Pass) -> None:
    tried = LoginThrottle(MemoryStore())
    for _ in range(FREE):
        tried.begin("address a", "user ana")
    waits = []
    for _ in range(12):
        tried.begin("address a", "user ana")
        waits.append(wait_of(tried, "address a"))
        let_pass(waits[-1])
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT


def test_what_has_to_wait_is_not_counted(let_pass: Pass) -> None:
    tried = LoginThrottle(MemoryStore())
    for _ in range(FREE + 1):
        tried.begin("a")
    for _ in range(100):
        with pytest.raises(TooSoon):
            tried.begin("a")
    let_pass(1)
    tried.begin("a")
    assert wait_of(tried, "a") == 2


def test_each_address_and_each_user_waits_for_itself(let_pass: Pass) -> None:
    tried = LoginThrottle(MemoryStore())
    for n in range(FREE + 1):
        tried.begin(f"address {n}", "user ana")
    assert wait_of(tried, "address new", "user ana")
    tried.check("address 0", "user bia")


def test_it_is_forgotten_after_a_while(let_pass: Pass) -> None:
    tried = LoginThrottle(MemoryStore())
    for _ in range(FREE):
        tried.begin("a")
    let_pass(REMEMBERED)
    tried.begin("a")
    tried.check("a")


def test_success_takes_back_itself_and_no_guess(let_pass: Pass) -> None:
    tried = LoginThrottle(MemoryStore())
    for n in range(FREE):
        tried.begin("address a", f"user {n}")
        tried.begin("address a", "user ana")
        tried.succeed("address a", "user ana")
    tried.check("address a", "user ana")
    tried.begin("address a", "user of a guess")
    assert wait_of(tried, "address a")


def test_the_constants_make_guessing_slow() -> None:
    assert login_throttle.REMEMBERED > login_throttle.LONGEST_WAIT  # else a wait would reset the count
