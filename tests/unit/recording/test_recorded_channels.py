"""The recorded channels, as one process reads them from Redis."""

from threading import Event, Thread
from typing import Any
from unittest.mock import MagicMock

import pytest
import redis

from arauto.protocol.selection import Selection
from arauto.recording.recorded_channels import Recording

OLD, NEW = {b"a"}, {b"a", b"b"}


def make(*answers: Any, globs: tuple[str, ...] = ()) -> tuple[Recording, Any]:
    """A recording, and its pipeline, which gives one of these answers to each refresh."""
    link = MagicMock(is_cluster=False)
    link.log_client.connection_pool.connection_kwargs = {}
    pipeline = link.log_client.pipeline.return_value.__enter__.return_value
    pipeline.execute.side_effect = answers
    return Recording(link, MagicMock(recording=True, record=globs, record_seconds=1)), pipeline


def test_an_older_answer_does_not_take_the_place_of_a_newer_one() -> None:
    is_requested, may_answer = Event(), Event()

    def answer_late(**_: Any) -> Any:
        pipeline.execute = lambda **_: [NEW, [[], None]]
        is_requested.set()
        may_answer.wait(10)
        return [OLD, [[], None]]

    recording, pipeline = make()
    pipeline.execute = answer_late
    first, second = Thread(target=recording.refresh), Thread(target=recording.refresh)
    first.start()
    assert is_requested.wait(10)
    second.start()
    second.join(0.2)  # it would end first, if it did not wait its turn
    may_answer.set()
    first.join(10)
    second.join(10)
    assert recording.selection.channels == (b"a", b"b")
    assert recording.generation == 2


def test_what_is_recorded_is_the_union_of_what_all_servers_record() -> None:
    recording, _ = make([{b"a", b"kept.a"}, [[b"kept.*"], None]], globs=("own",))
    assert recording.selection == Selection((), (b"own",))
    recording.refresh()
    assert recording.selection == Selection((b"a",), (b"kept.*", b"own"))
    assert [name for name in (b"a", b"b", b"kept.a", b"own") if not recording.covers(name)] == [b"b"]
    assert recording.glob_of(b"kept.a") == b"kept.*"
    assert recording.glob_of(b"a") is None


def test_what_says_that_something_was_written_is_never_recorded() -> None:
    names = [b"arauto:words:0:{a}", b"__keyspace@0__:a", b"__keyevent@1__:xadd", b"__subkeyspace@0__:a"]
    recording, _ = make([set(names), [[b"*"], None]], globs=("*",))
    recording.refresh()
    assert not any(map(recording.covers, names))
    assert recording.selection == Selection((), (b"*",))
    assert recording.covers(b"__key")


@pytest.mark.parametrize("is_cluster", [False, True])
def test_in_a_cluster_a_log_has_to_have_one_slot(is_cluster: bool) -> None:
    recording, _ = make([{b"}a"}, [[b"}*"], None]])
    recording.link.is_cluster = is_cluster  # type: ignore[misc]
    assert recording.may_record(b"}a") is recording.may_record(b"}b") is not is_cluster
    recording.refresh()
    assert recording.covers(b"}a") is recording.covers(b"}b") is not is_cluster
    assert recording.covers(b"a") is False


def test_what_redis_does_not_report_stays_as_it_was() -> None:
    refusal = redis.ResponseError("no permission")
    recording, _ = make(
        [{b"a"}, [[b"b*"], None]], [refusal, refusal], [refusal, [[], b"OOM"]], [set(), [[], None]],
        globs=("own",),
    )  # fmt: skip
    seen = []
    for _ in range(4):
        recording.refresh()
        seen.append((recording.selection, recording.error, recording.generation))
    assert seen == [
        (Selection((b"a",), (b"b*", b"own")), "", 1),
        (Selection((b"a",), (b"b*", b"own")), "no permission", 1),
        (Selection((b"a",), (b"own",)), "no permission", 2),
        (Selection((), (b"own",)), "", 3),
    ]


def test_without_an_answer_it_is_reported_at_once() -> None:
    recording, pipeline = make(globs=("own",))
    pipeline.execute.side_effect = redis.ConnectionError
    with pytest.raises(redis.ConnectionError):
        recording.refresh()
    assert recording.covers(b"own")


def test_what_several_have_found_out_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    recording, _ = make()
    recording.report(b"a", "")
    recording.report(b"a", "OOM", by="publishing")
    recording.report(b"a", "OOM")
    recording.report(b"a", "READONLY")
    recording.report(b"a", "", by="publishing")
    assert caplog.messages == ["recording stopped channel='a' why='OOM'"]
    recording.report(b"a", "")
    recording.report(b"a", "")
    assert caplog.messages[1:] == ["recording resumed channel='a'"]
