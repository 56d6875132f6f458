"""Unusual topics of a real Kafka, in a page and over HTTP: no message is missing, and there is no gap."""

import json
from time import time

import pytest
from confluent_kafka import Producer

from tests.integration.test_kafka_feed import shown, watch
from tests.integration.test_kafka_messages import read_all
from tests.support.kafka_servers import KafkaServer, write
from tests.support.servers import ArautoServer
from tests.support.tabs import Event, Tab
from tests.support.waiting import PATIENCE, eventually

MB = 1_000_000
HOUR = 3600


def messages(tab: Tab, n: int) -> list[Event]:
    """The next ``n`` events, which must all be messages."""
    events: list[Event] = []
    while len(shown(events)) < n:
        events.append(tab.next())
    assert "gap" not in {event["type"] for event in events}
    return [event for event in events if event["type"] == "tmessage"]


def test_messages_of_twenty_megabytes_in_two_hundred_partitions(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    kafka.create(topic, partitions=200, max_message_bytes=str(30 * MB))
    with watch(server, topic) as tab:
        assert tab.until("following")[-1]["places"].count(",") == 199
        for partition, data in ((7, b"x" * 20 * MB), (199, b"y" * MB), (0, b"z")):
            write(kafka.client(**{"message.max.bytes": 30 * MB}), topic, data, partition=partition)
        by_partition = {event["partition"]: event for event in messages(tab, 3)}
    assert {one: len(event["data"]) for one, event in by_partition.items()} == {7: 1 << 20, 199: MB, 0: 1}
    assert by_partition[7]["size"] == 20 * MB
    lines = read_all(server, f"{topic}/messages")
    assert {one["partition"]: len(one["data"]) for one in lines} == {7: 20 * MB, 199: MB, 0: 1}


@pytest.mark.real_kafka("compaction")
def test_what_was_compacted_or_not_committed_is_not_missing(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    kafka.create(
        topic, cleanup_policy="compact", segment_ms="100", min_cleanable_dirty_ratio="0.01",
        max_compaction_lag_ms="1",
    )  # fmt: skip
    with watch(server, topic) as tab:
        place = (following := tab.until("following")[-1])["epoch"] + "." + following["places"]
        producer = Producer(kafka.client(**{"transactional.id": topic}))
        producer.init_transactions(PATIENCE)
        for n in range(4):
            producer.begin_transaction()
            producer.produce(topic, b"%d" % n, key="of all")
            if n == 2:
                producer.abort_transaction(PATIENCE)
            else:
                producer.commit_transaction(PATIENCE)
                # Before the next one, which lets Kafka compact this one away.
                assert shown(messages(tab, 1)) == [str(n)]

        def is_compacted() -> bool:
            kafka.produce(topic, b"end", key="end")  # the active segment is not compacted
            return not {"0", "1"} & {line["data"] for line in read_all(server, f"{topic}/messages")}

        eventually(is_compacted)
    with watch(server, topic, place=place) as tab:
        events = tab.until("following")
        assert "gap" not in {event["type"] for event in events}
        assert (shown(events)[0], {*shown(events)}) == ("3", {"3", "end"})


@pytest.mark.real_kafka("ids of topics")
def test_a_topic_that_is_made_anew_at_once_is_another_one(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    """Its messages are not shown as if they followed those of the old one, not even until the next look."""
    kafka.create(topic)
    with watch(server, topic) as tab:
        epoch = tab.until("following")[-1]["epoch"]
        kafka.produce(topic, *(b"old %d" % n for n in range(5)))
        messages(tab, 5)
        kafka.delete(topic)
        kafka.create(topic)
        kafka.produce(topic, *(b"%d" % n for n in range(9)))
        with watch(server, topic, place=f"{epoch}.0:5") as back:
            for one in (tab, back):
                events = one.until("gap")
                assert (shown(events), events[-1]["reason"]) == ([], "replaced")
                assert shown(messages(one, 9)) == [str(n) for n in range(9)]


def test_a_clock_that_is_an_hour_off_leaves_nothing_out(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    kafka.create(topic)
    now = time()
    clocks = (now - HOUR, now + HOUR - 60, now)  # Kafka refuses timestamps more than an hour ahead
    with watch(server, topic) as tab:
        tab.until("following")
        for n, at in enumerate(clocks):
            kafka.produce(topic, b"%d" % n, timestamp=int(at * 1000))
        events = messages(tab, 3)
    assert [event["time"] for event in events] == [int(at * 1000) / 1000 for at in clocks]
    assert all(abs(event["at"] - now) < PATIENCE for event in events), "when it came"
    for since, wanted in (("10m", ["1", "2"]), ("first", ["0", "1", "2"])):
        with watch(server, topic, since=since) as tab:
            assert shown(tab.until("following")) == wanted
        lines = read_all(server, f"{topic}/messages?since={since}")
        assert [json.loads(line["data"]) for line in lines] == [int(one) for one in wanted]
