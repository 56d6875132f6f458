"""POST /publish with a topic: Kafka stores the message, and the response has its offset and retention."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from confluent_kafka.admin import AdminClient

from arauto.auth.api_tokens import Tokens
from arauto.kafka_io import connection, producer
from arauto.kafka_io.connection import COMMON, KafkaLink
from arauto.kafka_io.kafka_url import KafkaUrl
from arauto.kafka_io.producer import NotProduced, TopicProducer
from arauto.protocol.topics import Outgoing
from arauto.settings import read
from tests.integration.test_tokens import bearer
from tests.support.http import FORM, Answer, get, publish_json, request
from tests.support.kafka_servers import KafkaServer
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer
from tests.support.rules import PERSON, rules, set_user
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import PATIENCE, eventually

TOKEN, READ_TOKEN = "a shared token of twenty-six", "a token for those who read"
WEEK = 7 * 86400

ENVIRON = {
    "ARAUTO_LOGIN": "redis",
    "ARAUTO_TOKEN": TOKEN,
    "ARAUTO_READ_TOKEN": READ_TOKEN,
    "ARAUTO_PROTECTED": "kafka:prod.*",
    "ARAUTO_MAX_MESSAGE": "2000000",
}


@pytest.fixture
def topic(kafka: KafkaServer, topic: str) -> str:
    """A topic of this test and worker alone."""
    kafka.create(topic, partitions=2)
    return topic


def produce(server: ArautoServer, token: str = TOKEN, **body: Any) -> Answer:
    return publish_json(server, json.dumps(body), **bearer(token))


def kept(server: ArautoServer, topic: str) -> list[dict[str, Any]]:
    answer = get(server, f"/topics/{topic}/messages", **bearer(TOKEN))
    return [json.loads(line) for line in answer.body.splitlines()]


def test_a_message_is_kept_where_the_answer_says(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    headers = [{"name": "trace", "value": "a1"}, {"name": "trace", "value": None}]
    answer = produce(server, topic=topic, message="olá", key="ana", headers=headers, partition=1)
    assert answer.status == 200, answer
    at = answer.json["at"]
    assert answer.json == {
        "topic": topic, "partition": 1, "offset": 0, "at": at, "cleanup": "delete", "kept_until": at + WEEK,
    }  # fmt: skip
    (found,) = kept(server, topic)
    assert found == {
        "topic": topic, "partition": 1, "offset": 0, "key": "ana", "headers": headers, "data": "olá",
        "at": at, "clock": "producer",
    }  # fmt: skip
    form = urlencode({"topic": topic, "message": "by form", "partition": "1", "headers": json.dumps(headers)})
    answer = request(server, "POST", "/publish", form, PATIENCE, Content_Type=FORM, **bearer(TOKEN))
    assert (answer.status, answer.json["offset"]) == (200, 1)
    answer = produce(server, topic=topic, message=None, key="ana", partition=1)
    none = urlencode({"topic": topic, "message": "", "key": "eva", "partition": "1", "tombstone": "1"})
    answer = request(server, "POST", "/publish", none, PATIENCE, Content_Type=FORM, **bearer(TOKEN))
    assert [(one["data"], one["key"]) for one in kept(server, topic)[1:]] == [
        ("by form", None),
        (None, "ana"),
        (None, "eva"),
    ]
    page = request(
        server, "POST", "/publish", form, PATIENCE, Content_Type=FORM, Accept="text/html", **bearer(TOKEN)
    )
    assert "Kafka has it: partition 1, offset 4." in page.body.decode()


def test_how_long_it_is_kept_is_what_the_topic_says(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    kafka.create(f"{topic}.0", retention_ms="-1", retention_bytes="1000")
    kafka.create(f"{topic}.1", cleanup_policy="compact")
    kafka.create(f"{topic}.2", cleanup_policy="compact,delete", retention_ms="1000")
    place = {"partition": 0, "offset": 0}
    for name, expected in (
        (f"{topic}.0", {"cleanup": "delete", "kept_until": None, "kept_bytes": 1000}),
        (f"{topic}.1", {"cleanup": "compact", "kept_until": None}),
    ):
        published = produce(server, topic=name, message="x", key="k").json
        assert published == {"topic": name, **place, "at": published["at"]} | expected
    published = produce(server, topic=f"{topic}.2", message="x", key="k").json
    assert (published["cleanup"], published["kept_until"]) == ("compact,delete", published["at"] + 1)
    keyless = "The topic is compacted and takes no message without a key: give one. Nothing was published."
    for message in ("x", None):
        refused = produce(server, topic=f"{topic}.1", message=message)
        assert (refused.status, refused.error) == (400, keyless)


def test_what_cannot_be_published_is_said(server: ArautoServer, kafka: KafkaServer, topic: str) -> None:
    kafka.create("prod.a" + topic)
    name = "A topic's name has letters and digits of ASCII, dots, _ and -, at most 249 in all."
    both = "Give one of channel, shard and topic: nothing was published."
    large = "The message is larger than Kafka takes: nothing was published."
    guarded = "The channel is protected: send confirmed=1 if you mean it. Nothing was published."
    range_ = "The topic has the partitions 0 to 1. Nothing was published."
    headers = 'Headers are a list: [{"name": "trace", "value": "a1"}]. Nothing was published.'
    for body, status, expected in (
        ({"topic": "no.such"}, 404, "Kafka has no topic no.such. Nothing was published."),
        ({"topic": topic, "partition": 2}, 404, range_),
        ({"topic": topic, "partition": -1}, 400, "The partition is a whole number from 0 on."),
        ({"topic": topic, "partition": 1.5}, 400, "The partition is a whole number from 0 on."),
        ({"topic": topic, "headers": {"trace": "a1"}}, 400, headers),
        ({"topic": topic, "headers": [{"name": "trace", "value": 1}]}, 400, headers),
        ({"topic": topic, "headers": "trace: a1"}, 400, headers),
        ({"topic": topic, "headers": [{"name": "", "value": "x"}]}, 400, headers),
        ({"topic": topic, "headers": [{"name": "a\0b", "value": "x"}]}, 400, headers),
        ({"topic": topic, "key": 1}, 400, "Topic and key must be text."),
        ({"topic": topic, "tombstone": "yes"}, 400, "tombstone is 1, or left out. Nothing was published."),
        (
            {"topic": topic, "tombstone": True},
            400,
            "A tombstone has no message: leave it out. Nothing was published.",
        ),
        ({"topic": "a b"}, 400, name),
        ({"topic": topic, "channel": "a"}, 400, both),
        ({"topic": topic, "message": "x" * 1_500_000}, 413, large),
        ({"topic": "prod.a" + topic}, 409, guarded),
    ):  # fmt: skip
        refused = produce(server, **{"message": "x"} | body)
        assert (refused.status, refused.error) == (status, expected)
    assert publish_json(server, json.dumps({"topic": topic}), **bearer(TOKEN)).status == 400
    assert produce(server, topic="prod.a" + topic, message="x", confirmed=True).status == 200
    assert kept(server, topic) == []
    assert "no.such" not in kafka.topics()


def test_only_those_who_may_publish(
    server: ArautoServer, valkey: RedisServer, topic: str, request: pytest.FixtureRequest
) -> None:
    person = rules(PERSON, channels=("kafka:*",))
    set_user(valkey, "eva", "a password of eva", *person)
    eva = Person(server)
    eva.log_in("a password of eva", user="eva")

    def as_eva() -> Answer:
        fields = {"topic": topic, "message": "of eva", "csrf": eva.form_token()}
        return eva.post("/publish", fields, Accept="application/json")

    assert as_eva().status == 200
    set_user(valkey, "eva", "a password of eva", *person, "resetchannels", f"&{topic}")
    refused = as_eva()
    assert (refused.status, refused.error) == (
        403, f"Redis does not let the user eva publish to kafka:{topic}. Nothing was published.",
    )  # fmt: skip
    assert f"published topic='{topic}' bytes=6 user='eva' way=redis" in server.log
    assert f"publish refused topic='{topic}' bytes=6 user='eva' way=redis" in server.log
    tokens = Tokens(str(server.log_path.parent / "tokens"))
    for number, (globs, status) in enumerate(((["kafka:*"], 200), ([topic], 403), ([], 403))):
        token = tokens.create(f"{topic} {number}", ["*"], globs, 1e12)
        assert produce(server, token, topic=topic, message="x").status == status
    reader = produce(server, READ_TOKEN, topic=topic, message="x")
    assert (reader.status, reader.error) == (403, "You may watch, but not publish. Nothing was published.")
    assert len(kept(server, topic)) == 2


def test_what_kafka_does_not_confirm_is_said_in_time(
    kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "DEADLINE", 1.0)
    kafka.create("frozen")
    one = TopicProducer(KafkaLink(KafkaUrl.of(read({"KAFKA_URL": kafka.url}))), 1000)
    message = Outgoing(b"x", None, [], None)
    with kafka.frozen(), pytest.raises(NotProduced, match="may have been published or not") as refused:
        one.produce("frozen", message)
    assert refused.value.status == 503

    def is_published() -> bool:
        try:
            return one.produce("frozen", message).partition == 0
        except NotProduced:
            return False  # not in time

    eventually(is_published)


def test_a_topic_that_was_deleted_is_not_made_anew(kafka: KafkaServer) -> None:
    kafka.create("deleted")
    one = TopicProducer(KafkaLink(KafkaUrl.of(read({"KAFKA_URL": kafka.url}))), 1000)
    message = Outgoing(b"x", None, [], None)
    assert one.produce("deleted", message).partition == 0
    kafka.delete("deleted")
    for _ in range(2):
        with pytest.raises(NotProduced):
            one.produce("deleted", message)
    assert "deleted" not in kafka.topics()


def test_no_client_recreates_a_topic_that_it_knew(
    kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = {"topic.metadata.refresh.interval.ms": 50}  # usually five minutes
    monkeypatch.setattr(connection, "COMMON", COMMON | refresh)
    link = KafkaLink(KafkaUrl.of(read({"KAFKA_URL": kafka.url})))
    other = AdminClient(kafka.client(**refresh, **{"allow.auto.create.topics": True}))
    kafka.create("known")
    kafka.create("recreated", 2)
    assert TopicProducer(link, 1000).produce("known", Outgoing(b"x", None, [], None)).partition == 0
    link.ask(lambda consumer: consumer.list_topics("known", timeout=PATIENCE))
    link.admin.list_topics("known", timeout=PATIENCE)
    other.list_topics("recreated", timeout=PATIENCE)
    kafka.delete("known")
    kafka.admin.delete_topics(["recreated"])["recreated"].result(PATIENCE)
    eventually(lambda: kafka.partitions("recreated") == 1, why="a client that may do so recreates its topic")
    assert "known" not in kafka.topics()


def test_a_broker_that_is_back_is_used_again(valkey: RedisServer, kafka: KafkaServer, start: Start) -> None:
    kafka.create("restarted")
    arauto = start(REDIS_URL=valkey.url, KAFKA_URL=kafka.url, ARAUTO_WORKERS="1")

    def publish() -> Answer:
        return publish_json(arauto, json.dumps({"topic": "restarted", "message": "x"}))

    def offsets() -> list[int]:
        answer = get(arauto, "/topics/restarted/messages")
        assert answer.status == 200, answer
        return [json.loads(line)["offset"] for line in answer.body.splitlines()]

    published = eventually(lambda: publish().json.get("offset", -1) + 1)
    kafka.stop()
    away = publish()
    assert (away.status, away.error) == (503, "Kafka does not answer. Nothing was published.")
    assert get(arauto, "/topics/restarted/messages").status == 503
    kafka.start()
    eventually(lambda: offsets() == list(range(published)), why="it is read")
    assert eventually(lambda: publish().json.get("offset")) >= published
