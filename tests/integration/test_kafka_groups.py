"""The properties of a topic of a real Kafka, and its consumer groups."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from arauto.auth.api_tokens import Tokens
from tests.integration.test_tokens import bearer
from tests.support.http import Answer, get
from tests.support.kafka_members import assignment, member
from tests.support.kafka_servers import KafkaServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

TOKEN = "a shared token of twenty-six"

ENVIRON = {"ARAUTO_TOKEN": TOKEN}


def ask(server: ArautoServer, path: str) -> Any:
    answer = get(server, path, **bearer(TOKEN))
    assert answer.status == 200, answer
    return answer.json


@contextmanager
def consuming(kafka: KafkaServer, group: str, topic: str, name: str) -> Iterator[Consumer]:
    """A member of the group; it stays a member while it is polled."""
    consumer = Consumer(
        kafka.client(**{"group.id": group, "client.id": name, "auto.offset.reset": "earliest"})
        | {"enable.auto.commit": False}
    )
    consumer.subscribe([topic])
    try:
        yield consumer
    finally:
        consumer.close()


def commit(kafka: KafkaServer, group: str, topic: str, **offsets: int) -> None:
    """Commit offsets as a consumer that assigns its partitions itself."""
    consumer = Consumer(kafka.client(**{"group.id": group}))
    places = [TopicPartition(topic, int(name[1:]), offset) for name, offset in offsets.items()]
    consumer.commit(offsets=places, asynchronous=False)
    consumer.close()


def test_what_a_topic_is(server: ArautoServer, kafka: KafkaServer, request: pytest.FixtureRequest) -> None:
    name = f"facts.{request.node.callspec.params['server']}"
    kafka.create(name, partitions=2, retention_ms="86400000")
    kafka.produce(name, b"one", b"two", partition=1)
    both = {"leader": 1, "replicas": [1], "in_sync": [1]}
    assert ask(server, f"/topics/{name}") == {
        "topic": name,
        "partitions": [
            {"partition": 0, "low": 0, "high": 0, **both},
            {"partition": 1, "low": 0, "high": 2, **both},
        ],
        "cleanup": "delete",
        "retention_ms": 86_400_000,
        "retention_bytes": None,
    }


def test_who_consumes_it_and_how_far_behind(
    server: ArautoServer, kafka: KafkaServer, request: pytest.FixtureRequest
) -> None:
    name = f"jobs.{request.node.callspec.params['server']}"
    kafka.create(name, partitions=2)
    kafka.create(f"{name}.other")
    for partition in range(2):
        kafka.produce(name, b"one", b"two", b"three", partition=partition)
    commit(kafka, f"{name} backup", name, p1=2)
    commit(kafka, f"{name} elsewhere", f"{name}.other", p0=1)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(consuming(kafka, f"{name} workers", name, f"worker {n}")) for n in range(2)
        ]

        def groups() -> dict[str, Any]:
            for worker in workers:
                worker.poll(0.01)
            found_groups = ask(server, f"/topics/{name}/groups")
            assert (found_groups["topic"], found_groups["refused"], found_groups["cut"]) == (name, 0, False)
            return {one["group"]: one for one in found_groups["groups"]}

        def each_has_one() -> bool:
            found = groups().get(f"{name} workers", {"members": []})
            return [member["partitions"] for member in found["members"]] == [[0], [1]]

        eventually(each_has_one, why="each member has a partition")
        found = groups()
    assert found.keys() == {f"{name} backup", f"{name} workers"}, "the third has nothing of this topic"
    assert found[f"{name} backup"] == {
        "group": f"{name} backup",
        "state": "empty",
        "lag": 1,
        "members": [],
        "partitions": [
            {"partition": 0, "committed": None, "high": 3, "lag": None},
            {"partition": 1, "committed": 2, "high": 3, "lag": 1},
        ],
    }
    working = found[f"{name} workers"]
    assert (working["state"], working["lag"]) == ("stable", 0)
    assert {member["client"] for member in working["members"]} == {"worker 0", "worker 1"}
    assert {member["host"] for member in working["members"]} == {"127.0.0.1"}
    eventually(
        lambda: (
            f"{name} workers" not in {one["group"] for one in ask(server, f"/topics/{name}/groups")["groups"]}
        ),
        why="a group without members and commits is not listed",
    )
    assert "arauto" not in kafka.groups(), "to ask joins none"


def test_members_that_no_library_makes_hide_no_other_group(
    server: ArautoServer, kafka: KafkaServer, request: pytest.FixtureRequest
) -> None:
    name = f"odd.{request.node.callspec.params['server']}"
    kafka.create(name)
    commit(kafka, f"{name} backup", name, p0=0)
    odd = {
        "cut short": b"\0\0\0\0\0\1",
        "no text": assignment(b"\xff\xfe", 0),
        "beyond": assignment(name.encode(), -5, 0, 77),
    }
    with ExitStack() as stack:
        for group, assigned in odd.items():
            stack.enter_context(member(kafka, f"{name} {group}", assigned))
        found_groups = ask(server, f"/topics/{name}/groups")
    found = {one["group"].removeprefix(f"{name} "): one["members"] for one in found_groups["groups"]}
    assert found == {"backup": [], "beyond": [{"client": "odd", "host": "127.0.0.1", "partitions": [0]}]}
    assert found_groups["refused"] == 1


def test_who_may_not_see_a_topic_does_not_see_who_consumes_it(
    server: ArautoServer, kafka: KafkaServer, request: pytest.FixtureRequest
) -> None:
    worker = request.node.callspec.params["server"]
    name = f"consumed.{worker}"
    kafka.create(name)
    token = Tokens(str(server.log_path.parent / "tokens")).create(worker, ["kafka:orders.*"], [], 1e12)
    for path in (f"/topics/{name}", f"/topics/{name}/groups"):
        refused = get(server, path, **bearer(token))
        assert (refused.status, refused.error[:40]) == (403, "This token may not listen to kafka:consu"), path


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/topics/no.such.topic", 404, "Kafka has no such topic"),
        ("/topics/no.such.topic/groups", 404, "Kafka has no such topic"),
        ("/topics/no.such.topic/groups?limit=3", 400, "limit changes nothing here"),
        ("/topics/a%20b/groups", 400, ""),
    ],
)
def test_what_cannot_be_known_gets_a_sentence(
    server: ArautoServer, kafka: KafkaServer, path: str, status: int, sentence: str
) -> None:
    answer: Answer = get(server, path, **bearer(TOKEN))
    assert (answer.status, answer.error[: len(sentence)]) == (status, sentence), answer
    assert "no.such.topic" not in kafka.topics()
