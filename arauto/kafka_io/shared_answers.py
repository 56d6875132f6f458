"""One query to Kafka for all callers that ask the same at a time: many tabs look at one topic."""

from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple, TypeVar

FRESH = 1.0  # seconds for which an answer is returned again

T = TypeVar("T")


class _Kept(NamedTuple):
    answer: "Future[Any]"
    since: float


class SharedAnswers:
    """Answers and errors of this process; each is kept for a second."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = Lock()
        self._kept: dict[Hashable, _Kept] = {}

    def of(self, question: Hashable, ask: Callable[[], T]) -> T:
        """What ``ask`` returns or raises, now or for another caller with the same question.

        :param question: the key; it includes the language, as an error is a sentence.
        """
        while True:
            answer: Future[T] | None = self._shared(question)
            if answer is None:
                return self._ask(question, ask)
            try:
                return answer.result()
            except CancelledError:  # the caller that asked was stopped
                continue

    def _shared(self, question: Hashable) -> "Future[Any] | None":
        """``None``: the caller has to ask now."""
        with self._lock:
            now = self._now()
            kept = self._kept.items()
            self._kept = {key: one for key, one in kept if not one.answer.done() or one.since + FRESH > now}
            if found := self._kept.get(question):
                return found.answer
            self._kept[question] = _Kept(Future(), now)
            return None

    def _ask(self, question: Hashable, ask: Callable[[], T]) -> T:
        answer = self._kept[question].answer
        try:
            found = ask()
        except Exception as error:
            self._done(question, answer)
            answer.set_exception(error)
            raise
        except BaseException:
            with self._lock:
                del self._kept[question]
            answer.cancel()
            raise
        self._done(question, answer)
        answer.set_result(found)
        return found

    def _done(self, question: Hashable, answer: "Future[Any]") -> None:
        with self._lock:
            self._kept[question] = _Kept(answer, self._now())
