"""The checker of the promise finds every kind of fault."""

from tests.support.witness import Published, Record, Span

CAUSE = [Span(10, 20)]


def record(seen: list[int], *gaps: Span) -> Record:
    record = Record(["a"])
    record.live_since = 0.0
    record.seen["a"] = seen
    record.gaps = list(gaps)
    return record


def published(n: int) -> Published:
    """Number ``k`` was published at the second ``k``."""
    result = Published()
    result.sure["a"] = {k: Span(k + 0.1, k + 0.2) for k in range(n)}
    return result


def test_a_kept_promise() -> None:
    assert record([0, 1, 2, 3, 4]).faults(published(5), []) == []
    assert record([0, 1, 4], Span(2, 3.5)).faults(published(5), [Span(3, 3)]) == []


def test_a_hole_without_a_gap() -> None:
    (fault,) = record([0, 1, 3, 4]).faults(published(5), CAUSE)
    assert fault.startswith("a 2, published ")
    assert len(record([0, 1, 4], Span(2, 3)).faults(published(5), [Span(2, 3)])) == 1


def test_a_number_that_comes_twice_or_too_late() -> None:
    assert record([0, 1, 1, 2]).faults(published(3), []) == ["a 1 came twice"]
    assert record([0, 2, 1]).faults(published(3), []) == ["a 1 came after 2"]


def test_a_gap_without_a_cause() -> None:
    (fault,) = record([0, 1], Span(30, 31)).faults(published(2), CAUSE)
    assert "without a cause" in fault


def test_what_was_published_before_the_tab_was_there_is_not_missing() -> None:
    late = record([3, 4])
    late.live_since = 3.0
    assert late.faults(published(5), []) == []
    assert late.missing(published(5)) == 0


def test_a_tab_that_was_never_live_was_promised_nothing() -> None:
    never = Record(["a"])
    assert never.faults(published(5), []) == []
