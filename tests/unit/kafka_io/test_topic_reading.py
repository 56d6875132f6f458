"""Unreadable parts of a topic are reported, are not left out, and do not block the rest."""

import json
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError

from arauto.filter.query import read_filter
from arauto.kafka_io.connection import KafkaFailed, KafkaLink, refusal
from arauto.kafka_io.producer import _refusal as publish_refusal
from arauto.kafka_io.topic_pages import read_page
from arauto.protocol.topics import BadTopic, Record, read_place
from arauto.sources.topic_reading import TopicReading
from arauto.views.topic_lines import all_lines, found_lines, to_the_end, write_lines
from tests.unit.kafka_io.fakes import Link, Message


def read(link: Link, since: str = "first", until: str = "", partition: int | None = None) -> TopicReading:
    end = read_place(until) if until else None
    return TopicReading(cast(KafkaLink, link), "orders", read_place(since), end, partition)


@pytest.mark.parametrize("leaderless", [lambda ms: True, lambda ms: ms == -1, lambda ms: ms >= 0])
def test_a_partition_that_does_not_answer_is_not_left_out(leaderless: Callable[[int], bool]) -> None:
    with pytest.raises(KafkaFailed, match="Partition 1 does not answer") as failed:
        read(Link(leaderless=leaderless), since="10m")
    assert (failed.value.status, failed.value.retry_after) == (503, 1)
    assert read(Link(leaderless=leaderless), partition=2).places == {2: 0}, "partition 1 was not requested"


def test_a_partition_whose_messages_are_all_older_is_over() -> None:
    assert read(Link(), since="10m").is_over


def test_an_end_in_a_partition_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadTopic, match="The topic has the partitions 0 to 2") as refused:
        read(Link(), until="7:3")
    assert refused.value.status == 400
    assert read(Link(), until="1:3,2:0").places == {0: 0, 1: 0}


@pytest.mark.parametrize(
    "error", [SystemError("returned NULL"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")]
)
def test_a_message_whose_headers_cannot_be_read_comes_with_a_mark(error: Exception) -> None:
    link = Link([Message(0, b"a", [("trace", b"1")]), Message(1, b"b", error), Message(2, b"c")])
    page = read_page(cast(KafkaLink, link), "orders", {0: 0}, {0: 3}, 10)
    first, marked, last = [json.loads(line) for line in write_lines("orders", page).splitlines()]
    assert first["headers"] == [{"name": "trace", "value": "1"}]
    assert (marked["data"], marked["headers_unreadable"], "headers" in marked) == ("b", True, False)
    assert last.keys().isdisjoint({"headers", "headers_unreadable"})


@pytest.mark.parametrize("headers", [[("h", b"x" * 400_000)], [("n" * 400_000, None)], [("", b"")] * 4_000])
def test_a_page_is_full_of_headers_too(headers: Any) -> None:
    link = Link([Message(n, b"", headers) for n in range(10)])
    assert len(read_page(cast(KafkaLink, link), "orders", {0: 0}, {0: 10}, 10)) == 5  # 2 MB each


def test_an_error_of_ours_ends_what_was_begun_with_a_line(caplog: pytest.LogCaptureFixture) -> None:
    class Reading:
        is_over = False
        pages = iter([[Record(0, 0, None, [], b"a", None, False)]])

        def page(self, most: int) -> Any:
            if page := next(self.pages, None):
                return page
            raise ValueError

    lines = [
        json.loads(line)
        for line in to_the_end(all_lines(cast(TopicReading, Reading()), "orders", None), "orders")
    ]
    assert [line.get("data") for line in lines] == ["a", None]
    assert lines[1] == {"error": "Internal error. See the server log."}
    (logged,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert logged.exc_info
    assert logged.getMessage() == "topic failed topic='orders'"


@pytest.mark.parametrize(
    "code",
    ["FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "OFFSET_NOT_AVAILABLE", "_UNKNOWN_PARTITION"],
)
def test_a_partition_that_gets_another_leader_is_asked_again(code: str) -> None:
    failed = refusal(KafkaError(getattr(KafkaError, code)))
    assert (failed.status, failed.retry_after) == (503, 1)


def test_a_partition_that_gets_another_leader_takes_nothing_meanwhile() -> None:
    failed = publish_refusal(KafkaError(KafkaError._UNKNOWN_PARTITION))
    assert (failed.status, failed.retry_after) == (503, 1)
    assert str(failed) == "Kafka does not answer. Nothing was published."


def test_what_the_library_reads_again_is_not_in_a_page_again() -> None:
    link = Link([Message(offset) for offset in (0, 1, 0, 1, 2)])
    page = read_page(cast(KafkaLink, link), "orders", {0: 0}, {0: 3}, 10)
    assert [record.offset for record in page if isinstance(record, Record)] == [0, 1, 2]


def test_a_search_goes_on_where_it_has_ended() -> None:
    link = Link([Message(n, b"odd" if n % 2 else b"even") for n in range(10)])

    def search(since: str, limit: int | None) -> list[dict[str, Any]]:
        found = found_lines(read(link, since, "0:10"), "orders", read_filter("odd"), limit)
        return [json.loads(line) for chunk in found for line in chunk.splitlines()]

    *found, summary = search("0:0", 2)
    assert [line["offset"] for line in found] == [1, 3]
    assert summary == {"searched": 4, "at": 1_700_000_000.0, "left": 6, "more": "0:4"}
    link = Link([Message(n, b"odd" if n % 2 else b"even") for n in range(4, 10)])
    *found, summary = search(summary["more"], None)
    assert ([line["offset"] for line in found], summary["searched"], "more" in summary) == (
        [5, 7, 9],
        6,
        False,
    )
