"""Both directions of the bridge with a real Kafka; the test takes the part of Redis."""

from contextlib import closing
from math import inf

from confluent_kafka import Consumer, TopicPartition

from arauto.bridge.from_kafka import FromKafka
from arauto.bridge.outbox import Kept, Outbox
from arauto.bridge.report import Report
from arauto.bridge.to_kafka import ToKafka
from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.kafka_url import KafkaUrl
from arauto.settings import read
from arauto.text.bridge_rules import read_rules
from tests.support.kafka_servers import KafkaServer
from tests.support.waiting import PATIENCE, eventually

TOPIC = "bridge.places"
GROUP = "bridge places"


def committed(kafka: KafkaServer, at: int | None = None) -> int:
    """The committed offset of the group, after setting it to ``at`` if given."""
    with closing(Consumer(kafka.client(**{"group.id": GROUP}))) as consumer:
        if at is not None:
            consumer.commit(offsets=[TopicPartition(TOPIC, 0, at)], asynchronous=False)
        return consumer.committed([TopicPartition(TOPIC, 0)], PATIENCE)[0].offset


def test_what_redis_refuses_and_who_has_lost_the_lease(kafka: KafkaServer) -> None:
    kafka.create(TOPIC)
    rules = read_rules(f"kafka:{TOPIC} -> one, kafka:{TOPIC} -> two")
    link = KafkaLink(KafkaUrl.of(read({"KAFKA_URL": kafka.url})))
    report = Report.of(rules)
    published: list[tuple[bytes, bytes]] = []
    refused = [b"two"]
    lease = [True]

    def publish(messages: list[tuple[bytes, bytes]]) -> tuple[int, str]:
        for number, message in enumerate(messages):
            if message[0] in refused:
                return number, "NOPERM"
            published.append(message)
        return len(messages), ""

    bridge = FromKafka(link, GROUP, TOPIC, list(rules), publish, lambda: lease[0])

    def trouble() -> tuple[str, ...]:
        bridge._again = 0.0
        bridge.step(report)
        bridge._committed = inf  # no offset is committed in between
        return report.rules[str(rules[0])].trouble

    eventually(lambda: trouble() == () and committed(kafka) == 0, why="an offset is committed")
    kafka.produce(TOPIC, b"1", b"2")
    eventually(lambda: trouble() == ("redis", "NOPERM"), why="one channel is refused")
    for _ in range(3):
        trouble()
    assert published == [(b"one", b"1")], "published messages are not published again by each try"
    refused.clear()
    assert trouble() == ()
    assert published == [(channel, data) for data in (b"1", b"2") for channel in (b"one", b"two")]
    # This process loses the lease, and another one continues.
    assert committed(kafka, at=7) == 7
    lease[0] = False
    bridge.close(report)
    assert committed(kafka) == 7
    lease[0] = True
    # This process has the lease again and commits its offset, which is beyond the end at Kafka.
    bridge.step(report)
    kafka.produce(TOPIC, b"3")
    eventually(lambda: bridge.step(report), why="it has read the message, and commits later")
    assert committed(kafka) == 2
    bridge.close(report)
    assert committed(kafka) == 3
    assert report.places[TOPIC]["0"][0] == 3, "Redis gets the same"


def test_a_topic_that_is_deleted_waits_until_somebody_makes_it(kafka: KafkaServer) -> None:
    kafka.create("bridge.deleted")
    (rule,) = read_rules("a -> kafka:bridge.deleted")
    link = KafkaLink(KafkaUrl.of(read({"KAFKA_URL": kafka.url})))
    outbox = Outbox([rule.topic])
    passed: list[bytes] = []
    missed: list[object] = []
    bridge = ToKafka(
        link, "name", [rule.topic], outbox,
        lambda one: passed.append(one.data), lambda *one: missed.append(one),
    )  # fmt: skip

    def trouble() -> str:
        bridge.look()
        bridge.pump()
        return next(iter(bridge.trouble(rule.topic)[1:2]), "")

    def publish(*messages: bytes) -> None:
        for message in messages:
            outbox.add(Kept(0, rule, b"a", message, 0))

    publish(b"1")
    eventually(lambda: trouble() == "" and passed == [b"1"])
    kafka.delete(rule.topic)
    publish(b"2", b"3")
    eventually(lambda: trouble() == "unknown")
    assert rule.topic not in kafka.topics()
    kafka.create(rule.topic, max_message_bytes="3000000")
    eventually(lambda: trouble() == "" and passed == [b"1", b"2", b"3"])
    # The limit of a message's size is the topic's, not the form's.
    larger = b"x" * 2_000_000
    with kafka.frozen():
        publish(*[larger] * 10)
        bridge.pump()
        assert len(outbox.moving) == 5, "the library has no more than what can go soon"
    eventually(lambda: trouble() == "" and passed[3:] == [larger] * 10)
    assert not missed
