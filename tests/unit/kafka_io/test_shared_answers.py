"""Equal requests at a time share one answer of Kafka."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import NoReturn

import pytest

from arauto.kafka_io.shared_answers import FRESH, SharedAnswers
from tests.support.waiting import PATIENCE


def test_who_asks_meanwhile_or_soon_after_gets_the_same() -> None:
    clock = [100.0]
    answers = SharedAnswers(lambda: clock[0])
    requests, go = [], Event()
    begun = Event()

    def ask() -> int:
        requests.append(1)
        begun.set()
        assert go.wait(PATIENCE)
        return len(requests)

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(answers.of, "orders", ask)
        assert begun.wait(PATIENCE)
        clock[0] += 10 * FRESH  # a slow answer is waited for
        others = [pool.submit(answers.of, "orders", ask) for _ in range(19)]
        assert answers.of("news", lambda: "another question") == "another question"
        go.set()
        assert {one.result(PATIENCE) for one in (first, *others)} == {1}
    clock[0] += FRESH / 2
    assert answers.of("orders", ask) == 1
    clock[0] += FRESH
    assert answers.of("orders", ask) == 2
    assert list(answers._kept) == ["orders"], "what is old is not kept"


def test_no_answer_is_one_for_a_second() -> None:
    clock = [100.0]
    answers = SharedAnswers(lambda: clock[0])

    def fail() -> NoReturn:
        raise LookupError("no such topic")

    for ask in (fail, lambda: "there"):
        with pytest.raises(LookupError, match="no such topic"):
            answers.of("orders", ask)
    clock[0] += FRESH
    assert answers.of("orders", lambda: "there") == "there"


def test_where_who_asked_is_stopped_another_asks() -> None:
    answers = SharedAnswers()
    begun, go = Event(), Event()

    def stop() -> NoReturn:
        begun.set()
        assert go.wait(PATIENCE)
        raise SystemExit

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(answers.of, "orders", stop)
        assert begun.wait(PATIENCE)
        second = pool.submit(answers.of, "orders", lambda: "there")
        go.set()
        assert second.result(PATIENCE) == "there"
        assert isinstance(first.exception(PATIENCE), SystemExit)
