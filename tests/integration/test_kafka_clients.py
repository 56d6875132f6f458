"""Kafka's console programs and kafka-python read what is published here, and the reverse."""

import json
from contextlib import closing
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]

from tests.integration.test_kafka_feed import watch
from tests.support.http import publish_json
from tests.support.kafka_servers import PATIENT, KafkaServer, console
from tests.support.servers import ArautoServer
from tests.support.tabs import Event, Tab
from tests.support.waiting import PATIENCE

ENVIRON = {"ALTER": PATIENT}
HEADERS = [{"name": "trace", "value": "a1"}, {"name": "trace", "value": None}]


@pytest.fixture
def topic(kafka: KafkaServer, topic: str) -> str:
    """A topic of this test and worker alone."""
    kafka.create(topic)
    return topic


def publish(server: ArautoServer, topic: str) -> None:
    for body in ({"message": "olá", "key": "ana", "headers": HEADERS}, {"message": None, "key": "ana"}):
        answer = publish_json(server, json.dumps({"topic": topic, **body}))
        assert answer.status == 200, answer


def messages(tab: Tab, n: int) -> list[tuple[Any, ...]]:
    events: list[Event] = tab.take(n)
    assert {event["type"] for event in events} == {"tmessage"}, events
    return [
        (event["key"], event.get("headers"), None if event.get("tombstone") else event["data"])
        for event in events
    ]


@pytest.mark.real_kafka("Kafka's own programs, which need Java")
def test_kafkas_console_consumer_prints_what_is_published_here(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    publish(server, topic)
    shown = [f"print.{part}=true" for part in ("partition", "offset", "headers", "key")]
    options = [option for one in shown for option in ("--formatter-property", one)]
    where = ("--topic", topic, "--from-beginning", "--max-messages", "2")
    assert console(kafka, "consumer.ConsoleConsumer", *where, *options).splitlines() == [
        "Partition:0\tOffset:0\ttrace:a1,trace:null\tana\tolá",
        "Partition:0\tOffset:1\tNO_HEADERS\tana\tnull",
    ]


@pytest.mark.real_kafka("Kafka's own programs, which need Java")
def test_what_kafkas_console_producer_writes_is_shown(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    options = [
        option for part in ("key", "headers") for option in ("--reader-property", f"parse.{part}=true")
    ]
    with watch(server, topic) as tab:
        tab.until("following")
        console(kafka, "ConsoleProducer", "--topic", topic, *options, given="trace:a1\tana\tolá\n")
        assert messages(tab, 1) == [("ana", [{"name": "trace", "value": "a1"}], "olá")]


def test_kafka_python_receives_what_is_published_here(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    publish(server, topic)
    with closing(
        KafkaConsumer(
            topic,
            bootstrap_servers=kafka.address,
            auto_offset_reset="earliest",
            consumer_timeout_ms=1000 * PATIENCE,
        )
    ) as consumer:
        found = [next(consumer) for _ in range(2)]
    assert [(one.offset, one.key, one.headers, one.value) for one in found] == [
        (0, b"ana", [("trace", b"a1"), ("trace", None)], "olá".encode()),
        (1, b"ana", [], None),
    ]


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_what_kafka_python_writes_is_shown(
    server: ArautoServer, kafka: KafkaServer, topic: str, compression: str | None
) -> None:
    with (
        watch(server, topic) as tab,
        closing(KafkaProducer(bootstrap_servers=kafka.address, compression_type=compression)) as producer,
    ):
        tab.until("following")
        for value in ("olá".encode(), None):
            producer.send(topic, value, key=b"ana", headers=[("trace", b"a1")]).get(PATIENCE)
        headers = [{"name": "trace", "value": "a1"}]
        assert messages(tab, 2) == [("ana", headers, "olá"), ("ana", headers, None)]
