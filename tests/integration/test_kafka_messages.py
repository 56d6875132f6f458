"""The stored messages of a topic of a real Kafka, from any offset on, and deleted ones."""

import json
from typing import Any

import pytest

from arauto.kafka_io import topic_list, topic_pages
from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.kafka_url import KafkaUrl
from arauto.protocol.topics import Record, Trimmed, read_place
from arauto.settings import read
from arauto.sources.topic_reading import TopicReading
from tests.support.http import get
from tests.support.kafka_servers import KafkaServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE

MANY = 10_500  # more than the default limit of one response


@pytest.fixture(scope="module")
def orders(kafka: KafkaServer) -> str:
    """A topic with 0:0 to 0:4, of which the first two are deleted, and 1:0 to 1:1."""
    kafka.create("orders", partitions=3, retention_ms="-1")
    kafka.produce("orders", *(f"{n}".encode() for n in range(5)), partition=0, timestamp=1_700_000_000_000)
    kafka.trim("orders", partition=0, offset=2)
    headers = [("trace", b"a"), ("trace", None), ("raw", b"\xff")]
    kafka.produce("orders", b"\xff\x00", partition=1, key=b"\xfe", headers=headers)
    kafka.produce("orders", None, partition=1, key="ação".encode())
    return "orders"


def read_all(server: ArautoServer, query: str) -> list[dict[str, Any]]:
    answer = get(server, f"/topics/{query}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer
    return [json.loads(line) for line in answer.body.splitlines()]


def places(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{line['partition']}:{line['offset']}" for line in lines)


def test_a_message_is_shown_as_it_is(server: ArautoServer, orders: str) -> None:
    (text,) = read_all(server, "orders/messages?since=0:4")
    assert text == {
        "topic": "orders", "partition": 0, "offset": 4, "key": None, "data": "4", "at": 1_700_000_000,
        "clock": "producer",
    }  # fmt: skip
    raw, tombstone = read_all(server, "orders/messages?partition=1")
    assert (raw["key_base64"], raw["data"], raw["encoding"], raw["size"]) == ("/g==", "/wA=", "base64", 2)
    assert raw["headers"] == [
        {"name": "trace", "value": "a"}, {"name": "trace", "value": None},
        {"name": "raw", "value_base64": "/w=="},
    ]  # fmt: skip
    assert (tombstone["key"], tombstone["data"]) == ("ação", None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["0:2", "0:3", "0:4", "1:0", "1:1"]),
        ("?since=first&until=0:4,1:1", ["0:2", "0:3", "1:0"]),
        ("?since=1", ["0:4", "1:1"]),
        ("?since=2&partition=0", ["0:3", "0:4"]),
        ("?since=1h", ["1:0", "1:1"]),
        ("?since=1699999999&until=1700000001", ["0:2", "0:3", "0:4"]),
        ("?since=0:3", ["0:3", "0:4"]),
        ("?since=0:3,1:1", ["0:3", "0:4", "1:1"]),
        ("?since=0:5", []),
        ("?partition=2", []),
        ("?since=0:2&limit=1", ["0:2"]),
    ],
)
def test_it_is_read_from_a_place_to_another(
    server: ArautoServer, orders: str, query: str, expected: list[str]
) -> None:
    assert places(read_all(server, f"orders/messages{query}")) == expected


def test_it_is_searched_and_counted_over_time(server: ArautoServer, orders: str) -> None:
    *found, summary = read_all(server, "orders/messages?filter=4&since=0:2")
    assert (places(found), summary) == (["0:4"], {"searched": 3, "at": 1_700_000_000.0})
    *found, summary = read_all(server, "orders/messages?filter=4&since=0:0&limit=1")
    assert [line.get("type", line.get("data")) for line in found] == ["gap", "4"]
    volume = json.loads(get(server, "/topics/orders/volume?since=1699999990&until=1700000010&parts=4").body)
    assert volume == {
        "topic": "orders", "from": 1_699_999_990, "to": 1_700_000_010, "counts": [0, 0, 3, 0], "gaps": [],
    }  # fmt: skip
    volume = json.loads(get(server, "/topics/orders/volume").body)
    assert (volume["counts"], volume["from"] <= 1_700_000_000 < volume["to"]) == ([5], True)
    of_names = [json.loads(get(server, f"/topics/{name}/volume").body) for name in ("orders:1", "o%3Fders*")]
    assert [volume["counts"] for volume in of_names] == [[2], [5]]


def test_what_is_gone_is_reported_with_its_number(server: ArautoServer, orders: str) -> None:
    gap, *rest = read_all(server, "orders/messages?since=0:1")
    assert gap == {
        "type": "gap", "topic": "orders", "partition": 0, "offset": 1, "missing": 1, "reason": "retention",
    }  # fmt: skip
    assert places(rest) == ["0:2", "0:3", "0:4"]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("orders/messages?since=yesterday", 400, "yesterday is not a place in a topic: write 10m, 100"),
        ("orders/messages?since=0:6", 400, "Partition 0 ends before: name an offset up to 5, that of"),
        ("orders/messages?since=0:2&partition=1", 400, "The offset is that of another partition."),
        ("orders/messages?since=7:0", 400, "The topic has the partitions 0 to 2: name one of these."),
        ("orders/messages?until=7:3", 400, "The topic has the partitions 0 to 2: name one of these."),
        ("orders/messages?partition=0&partition=1", 400, "Give partition once."),
        ("orders/messages?since=1&since=2", 400, "Give since once."),
        ("orders/messages?partition=7", 400, "The topic has the partitions 0 to 2: name one of these."),
        ("orders/messages?partition=x", 400, "The partition is a whole number from 0 on."),
        ("orders/messages?limit=0", 400, "The limit is a whole number from 1 to 100000."),
        ("orders/messages?filter=/x/", 400, "A regular expression is searched for by the page"),
        ("orders/messages?since=10m&until=20m", 400, "until is before since: exchange the two."),
        ("orders/messages?since=0:3&until=0:1", 400, "until is before since: exchange the two."),
        ("orders/volume?since=10m&until=20m", 400, "until is before since: exchange the two."),
        ("orders/volume?since=100", 400, "100 is no time: write 10m or a Unix time"),
        ("orders:3/volume", 400, "The topic has the partitions 0 to 2: name one of these."),
        ("no.such.topic/volume", 404, "Kafka has no such topic"),
        ("no.such.topic/messages", 404, "Kafka has no topic no.such.topic."),
        ("a%20b/messages", 400, "A topic's name has letters and digits of ASCII, dots, _ and -"),
    ],
)
def test_what_is_not_there_is_said(
    server: ArautoServer, kafka: KafkaServer, orders: str, path: str, status: int, sentence: str
) -> None:
    answer = get(server, f"/topics/{path}")
    assert (answer.status, answer.error.startswith(sentence)) == (status, True), answer
    assert "no.such.topic" not in kafka.topics()


def test_a_long_topic_comes_whole_in_several_answers(
    server: ArautoServer, kafka: KafkaServer, request: pytest.FixtureRequest
) -> None:
    name = f"long.{request.node.callspec.params['server']}"
    kafka.create(name, partitions=2)
    for partition in (0, 1):
        kafka.produce(name, *(b"%d" % n for n in range(MANY // 2)), partition=partition)
    lines = read_all(server, f"{name}/messages")
    more = lines.pop()
    assert len(lines) == 10_000
    lines += read_all(server, f"{name}/messages?since={more['more']}")
    for partition in (0, 1):
        mine = [line["offset"] for line in lines if line["partition"] == partition]
        assert mine == list(range(MANY // 2))
    assert "arauto" not in kafka.groups(), "it joins none"


def test_what_goes_while_it_is_read_is_reported(kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (topic_list, topic_pages):
        monkeypatch.setattr(module, "DEADLINE", PATIENCE)
    kafka.create("going")
    kafka.produce("going", *(b"%d" % n for n in range(10)))
    link = KafkaLink(KafkaUrl.of(read({"KAFKA_URL": kafka.url})))
    reading = TopicReading(link, "going", read_place("first"), None, None)
    (first,) = reading.page(1)
    kafka.trim("going", partition=0, offset=8)
    entries = []
    while not reading.is_over:
        entries += reading.page(100)
    assert first.offset == 0
    assert entries[0] == Trimmed(0, 1, 8)
    assert [(type(one), one.offset) for one in entries[1:]] == [(Record, 8), (Record, 9)]
