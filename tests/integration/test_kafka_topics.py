"""The list of topics of a real Kafka: for visitors with permission, and without a trace in Kafka."""

import json
import select
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from arauto.auth.api_tokens import Tokens
from arauto.kafka_io.connection import KafkaFailed, KafkaLink, say
from arauto.kafka_io.kafka_url import KafkaUrl
from arauto.kafka_io.topic_hub import TopicHub
from arauto.kafka_io.topic_list import list_topics
from arauto.settings import WORKERS, read
from tests.integration.test_kafka_feed import watch
from tests.integration.test_tokens import bearer
from tests.support.http import Answer, get, publish_json
from tests.support.kafka_servers import PASSWORD, USER, KafkaServer
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer, free_port, release_port
from tests.support.rules import PERSON, rules, set_user
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import PATIENCE, eventually

TOKEN = "a shared token of twenty-six"

ENVIRON = {"ARAUTO_LOGIN": "redis", "ARAUTO_TOKEN": TOKEN}


def topics(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer
    return {one["topic"]: one["partitions"] for one in answer.json["topics"]}


def test_topics_are_listed_with_what_they_hold(
    server: ArautoServer, kafka: KafkaServer, request: pytest.FixtureRequest
) -> None:
    name = f"listed.{request.node.callspec.params['server']}"
    kafka.create(name, partitions=2)
    kafka.create(f"{name}.empty")
    kafka.produce(name, b"one", b"two", partition=1)
    kafka.trim(name, partition=1, offset=1)

    expected = {
        "topics": [
            {
                "topic": name,
                "partitions": [
                    {"partition": 0, "low": 0, "high": 0},
                    {"partition": 1, "low": 1, "high": 2},
                ],
            },
            {"topic": f"{name}.empty", "partitions": [{"partition": 0, "low": 0, "high": 0}]},
        ],
        "total": 2,
        "cut": False,
    }

    def is_listed() -> bool:
        found = get(server, f"/topics?match={name}*", **bearer(TOKEN))
        assert found.json == expected  # figures are missing while a broker is slow to answer
        return True

    eventually(is_listed)
    assert name in topics(get(server, "/topics", **bearer(TOKEN)))
    assert topics(get(server, "/topics?match=no.such.topic", **bearer(TOKEN))) == {}
    assert "no.such.topic" not in kafka.topics()
    assert "arauto" not in kafka.groups(), "it joins none"


def test_nobody_sees_a_topic_without_the_permission(
    server: ArautoServer, kafka: KafkaServer, valkey: RedisServer, request: pytest.FixtureRequest
) -> None:
    worker = request.node.callspec.params["server"]
    names = {f"{kind}.{worker}" for kind in ("orders", "wages")}
    for name in names:
        kafka.create(name)
    set_user(valkey, "rui", "a password of rui", *rules(PERSON, channels=("kafka:orders.*",)))
    rui = Person(server)
    rui.log_in("a password of rui", user="rui")
    tokens = Tokens(str(server.log_path.parent / "tokens"))
    of_wages = tokens.create(f"wages {worker}", ["kafka:wages.*"], [], 1e12)
    others = tokens.create(f"others {worker}", ["orders.*", "wages.*"], [], 1e12)
    # The list of another test may be cached for a second.
    eventually(lambda: names & topics(rui.get("/topics")).keys() == {f"orders.{worker}"})
    assert names & topics(get(server, "/topics", **bearer(of_wages))).keys() == {f"wages.{worker}"}
    assert get(server, "/topics", **bearer(others)).json["total"] == 0, "these are channels"
    assert get(server, "/topics").status == 401
    mine, theirs = (f"/topics/{kind}.{worker}/messages" for kind in ("orders", "wages"))
    assert (rui.get(mine).status, get(server, theirs, **bearer(of_wages)).status) == (200, 200)
    for refused, expected in (
        (
            rui.get(theirs, Accept="application/json"),
            "Redis does not let the user rui listen to kafka:wages.",
        ),
        (get(server, mine, **bearer(of_wages)), "This token may not listen to kafka:orders."),
    ):
        assert (refused.status, refused.error.startswith(expected)) == (403, True), refused
    assert get(server, "/topics/no.such.topic/messages", **bearer(of_wages)).status == 403
    assert get(server, mine).status == 401
    valkey.client.execute_command("ACL", "SETUSER", "rui", "off")
    refused = rui.get("/topics", Accept="application/json")
    assert (refused.status, refused.error) == (403, "Redis no longer lets the user rui in: log in again.")


SECRET = "another long password: /@"
TRUSTED = {"ARAUTO_KAFKA_CA": "authority"}  # the attribute of the broker's certificates
PLAIN = {"ARAUTO_KAFKA_SASL": "PLAIN"}
NO_TLS = "The TLS connection to Kafka fails. The server log says why; look at ARAUTO_KAFKA_CA."


@pytest.mark.real_kafka("TLS and logins")
@pytest.mark.parametrize(
    ("user", "word", "more", "expected"),
    [
        ("bia", SECRET, TRUSTED, ""),
        (USER, PASSWORD, TRUSTED | PLAIN, ""),
        ("bia", PASSWORD, TRUSTED, "Kafka does not accept the user and password of KAFKA_URL."),
        ("bia", SECRET, {}, NO_TLS),
    ],
    ids=["scram", "plain", "wrong password", "wrong authority"],
)
def test_it_logs_in_by_tls_and_shows_nobody_how(
    kafka: KafkaServer,
    caplog: pytest.LogCaptureFixture,
    user: str,
    word: str,
    more: dict[str, str],
    expected: str,
) -> None:
    kafka.create_user("bia", SECRET)
    files = {name: str(kafka.certificates.authority) for name in more.keys() & TRUSTED.keys()}
    url = f"kafka+ssl://{user}:{quote(word, safe='')}@localhost:{kafka.safe_port}"
    link = KafkaLink(KafkaUrl.of(read({"KAFKA_URL": url} | more | files)))

    def outcome() -> str:
        try:
            list_topics(link)
            return ""
        except KafkaFailed as error:
            return str(error)

    eventually(lambda: outcome() == expected)  # a busy machine may need several tries
    hub = TopicHub(link)
    ring = hub.join("no.such.topic", news := lambda: None)
    sentence = expected or "Kafka has no such topic, or no such partition of it."
    eventually(lambda: ring.now.trouble and say(ring.now.trouble) == sentence, why="pages get the sentence")
    hub.leave("no.such.topic", news)
    assert ("kafka failed why=" in caplog.text) or not expected
    assert word not in caplog.text


@pytest.mark.parametrize("worker", WORKERS)
def test_a_kafka_that_is_away_takes_nothing_else_with_it(
    valkey: RedisServer, start: Start, worker: str
) -> None:
    port = free_port()
    arauto = start(
        REDIS_URL=valkey.url, KAFKA_URL=f"kafka://127.0.0.1:{port}", ARAUTO_WORKERS="1", ARAUTO_WORKER=worker
    )
    assert f"and Kafka (127.0.0.1:{port})" in arauto.log
    unpublished = publish_json(arauto, json.dumps({"topic": "orders", "message": "x"}))
    assert (unpublished.status, unpublished.error) == (503, "Kafka does not answer. Nothing was published.")

    def others_go_first() -> bool:
        with closing(arauto.connect(PATIENCE)) as connection:
            connection.request("GET", "/topics")
            assert get(arauto, "/readyz").status == 200
            is_waiting = not select.select([connection.sock], [], [], 0)[0]
            away = connection.getresponse()
            assert (away.status, away.headers["Retry-After"]) == (503, "1")
            assert json.load(away) == {"error": "Kafka does not answer."}
            return is_waiting

    eventually(others_go_first)
    release_port(port)


@pytest.mark.real_kafka("another advertised address")
def test_a_topic_that_no_broker_describes_is_listed(
    valkey: RedisServer, kafka: KafkaServer, start: Start
) -> None:
    kafka.create("unreached", partitions=2)
    arauto = start(REDIS_URL=valkey.url, KAFKA_URL=f"kafka://{kafka.astray}", ARAUTO_WORKERS="1")
    unknown = [{"partition": one, "low": None, "high": None} for one in (0, 1)]

    def is_listed() -> bool:
        answer = get(arauto, "/topics?match=unreached")
        return answer.status == 200 and topics(answer) == {"unreached": unknown}

    def is_described() -> bool:
        answer = get(arauto, "/topics/unreached")
        assert answer.status == 200, "Kafka has two seconds for its reply, which is short on a busy machine"
        return [(one["leader"], one["high"]) for one in answer.json["partitions"]] == [(1, None)] * 2

    eventually(is_listed, why="its offsets are unknown, and nothing else")
    eventually(is_described)
    sentence = (
        f"Kafka says that a broker is at {kafka.nowhere}, and nobody answers there: "
        "look at its advertised.listeners."
    )
    eventually(lambda: get(arauto, "/topics/unreached/messages").error == sentence)
    with watch(arauto, "unreached") as tab:
        while tab.until("away")[-1]["error"] != sentence:
            pass


def test_nothing_of_kafka_is_loaded_where_there_is_none(
    plain_arauto: ArautoServer, server: ArautoServer
) -> None:
    def loaded(arauto: ArautoServer) -> bool:
        return any("confluent_kafka" in m.path for one in arauto.workers() for m in one.memory_maps())

    assert (loaded(plain_arauto), loaded(server)) == (False, True)
    assert get(plain_arauto, "/topics").status == 404
