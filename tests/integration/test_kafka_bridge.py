"""ARAUTO_BRIDGE: messages pass between channels of Redis and topics of Kafka, at least once."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from itertools import count
from pathlib import Path
from time import time
from typing import Any, Self

import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from arauto.settings import WORKERS
from tests.support.gates import gated_worker
from tests.support.http import get
from tests.support.kafka_servers import PATIENT, KafkaServer
from tests.support.redis_servers import RedisServer
from tests.support.rules import BRIDGE, PROGRAM, as_program, refused, set_user
from tests.support.rules import rules as rules_of
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE, eventually

RULES = "alerts.* -> kafka:bridge.alerts, kafka:bridge.orders -> orders"


def state(server: ArautoServer) -> dict[str, Any]:
    answer = get(server, "/readyz")
    assert answer.status == 200, answer
    bridge: dict[str, Any] = answer.json["bridge"]
    return bridge


def kept(server: ArautoServer, topic: str) -> list[dict[str, Any]]:
    lines = get(server, f"/topics/{topic}/messages").body.splitlines()
    return [json.loads(line) for line in lines]


def start(
    stack: ExitStack,
    directory: Path,
    redis: RedisServer,
    kafka: KafkaServer,
    workers: Sequence[str] = WORKERS,
    **environ: str,
) -> list[ArautoServer]:
    """Two servers of one deployment, one on each worker."""
    servers = []
    for worker in workers:
        given: Any = {"ARAUTO_WORKERS": "1", "ALTER": PATIENT, "ARAUTO_BRIDGE": RULES, **environ}
        server = ArautoServer(
            directory / worker, REDIS_URL=redis.url, KAFKA_URL=kafka.url, ARAUTO_WORKER=worker, **given
        )
        servers.append(stack.enter_context(closing(server)))
    return servers


def holder(servers: list[ArautoServer]) -> ArautoServer:
    def found() -> ArautoServer | None:
        here = [server for server in servers if state(server)["here"]]
        return here[0] if len(here) == 1 else None

    return eventually(found, why="one of them runs the bridge")


def spans(server: ArautoServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(server, "/bridge").json["spans"]
    return found


def has_span(server: ArautoServer, since: float) -> bool:
    """Whether a span is reported that ends after ``since`` in Unix milliseconds."""
    return any(1000 * one["to"] > since for one in spans(server))


def has_passed(server: ArautoServer, messages: int) -> bool:
    return int(state(server)["passed"]) > messages


def nothing_is_lost_silently(
    server: ArautoServer, published: list[tuple[int, float]], topic: str = "bridge.alerts"
) -> bool:
    """Each number is in Kafka, or was published in a span that the bridge reports."""
    there = set(numbers(server, topic))
    reported = [(1000 * one["from"], 1000 * one["to"]) for one in spans(server)]
    for number, at in published:
        has_span = any(start <= at <= end for start, end in reported)
        assert number in there or has_span, (number, at, reported)
    return True


class Traffic:
    """Publishes numbers within its block; with a topic, to Kafka too.

    :param first: the first number.
    """

    def __init__(self, redis: RedisServer, kafka: KafkaServer, topic: str = "", first: int = 1) -> None:
        self._topic, self._first = topic, first
        self.published: list[tuple[int, float]] = []
        """The numbers that Redis replied to, each with its Unix milliseconds."""
        self.produced: set[int] = set()
        self.received: list[int] = []
        self._redis, self._kafka = redis, kafka
        self._over = threading.Event()
        runs = (self._publish, self._produce, self._listen) if topic else (self._publish,)
        self._threads = [threading.Thread(target=run) for run in runs]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _publish(self) -> None:
        with closing(redis.Redis(port=self._redis.port, socket_timeout=5)) as client:
            for number in count(self._first):
                if self._over.wait(0.005):
                    break
                at = 1000 * time()
                with suppress(redis.RedisError):
                    client.publish(f"alerts.{number % 3}", number)
                    self.published.append((number, at))

    def _produce(self) -> None:
        producer = Producer(self._kafka.client(acks="all") | {"message.timeout.ms": 60_000})
        number = 0

        def delivered(error: object, message: Any) -> None:
            if error is None:
                self.produced.add(int(message.value()))

        while not self._over.wait(0.01):
            number += 1
            producer.produce(self._topic, b"%d" % number, on_delivery=delivered)
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0

    def _listen(self) -> None:
        while not self._over.is_set():
            with suppress(redis.RedisError), closing(redis.Redis(port=self._redis.port)) as client:
                listener = client.pubsub(ignore_subscribe_messages=True)
                listener.subscribe("orders")
                while not self._over.is_set():
                    if message := listener.get_message(timeout=1):
                        self.received.append(int(message["data"]))


def numbers(server: ArautoServer, topic: str = "bridge.alerts") -> list[int]:
    return [int(one["data"]) for one in kept(server, topic) if "data" in one]


def lag(server: ArautoServer, topic: str) -> int:
    """Of the bridge's own group."""
    (group,) = get(server, f"/topics/{topic}/groups").json["groups"]
    return int(group["lag"])


def kill(server: ArautoServer) -> None:
    (worker,) = server.workers()
    worker.kill()


def reload(server: ArautoServer) -> None:
    os.kill(psutil.Process(server.workers()[0].pid).ppid(), signal.SIGHUP)


def is_all_there(
    server: ArautoServer, published: list[tuple[int, float]], topic: str = "bridge.alerts"
) -> bool:
    missing = {number for number, _ in published} - set(numbers(server, topic))
    assert not missing, sorted(missing)
    return True


def both_subscribe(redis: RedisServer) -> None:
    """Wait until both processes receive the messages, or one of them passes them on to Kafka."""

    def subscribed() -> int:
        return sum(one["psub"] == "1" for one in redis.client.client_list("pubsub"))

    eventually(lambda: subscribed() == 2, why="both have subscribed")
    since = 1000 * time()
    eventually(lambda: int(redis.client.hget("arauto:bridge", "until") or 0) > since)


@pytest.mark.real_kafka("what it keeps when it is killed")
def test_numbers_cross_at_least_once_whatever_is_killed(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    for topic in ("bridge.alerts", "bridge.orders"):
        kafka.create(topic, partitions=2)
    with ExitStack() as stack:
        servers = start(stack, tmp_path, own_redis, kafka)
        first = holder(servers)
        eventually(lambda: state(first)["state"] == "running", why="it has found its topics")
        assert get(first, "/topics/bridge.orders/groups").json["groups"], "and from where on it reads"
        both_subscribe(own_redis)
        with Traffic(own_redis, kafka, "bridge.orders") as traffic:
            eventually(lambda: len(traffic.received) > 50 and state(first)["passed"] > 150)
            kill(first)
            (second,) = (server for server in servers if server is not first)
            eventually(lambda: state(second)["here"], why="the other one has taken over")
            eventually(lambda: is_all_there(second, traffic.published[:]))
            both_subscribe(own_redis)
            # The killed process had messages that Kafka lacks: the other process has them, too.
            kafka.stop()
            seen = len(traffic.published)
            eventually(lambda: len(traffic.published) > seen + 300)
            eventually(lambda: state(second)["state"] == "waiting", why="it reports that it waits for Kafka")
            eventually(lambda: state(first)["state"] == "waiting", why="the restarted process reports it too")
            third = holder(servers)
            kill(third)
            kafka.start()
            fourth = holder(servers)
            eventually(lambda: is_all_there(fourth, traffic.published[:]))
            eventually(
                lambda: traffic.produced <= set(traffic.received), why="all messages of Kafka were received"
            )
            assert state(fourth)["gaps"] == 0
            own_redis.stop()
            own_redis.start()
            seen = len(traffic.published)
            eventually(lambda: len(traffic.published) > seen + 100)
            eventually(lambda: own_redis.client.hget("arauto:bridge", "token"), why="one has the new lease")
            fifth = holder(servers)
            assert fifth.stop() == 0  # it passes on its messages and releases the lease
            (sixth,) = (server for server in servers if server is not fifth)
            eventually(lambda: state(sixth)["here"], why="the lease was released")
            eventually(lambda: traffic.published[-1][0] in numbers(sixth))
        assert spans(sixth)
        eventually(lambda: nothing_is_lost_silently(sixth, traffic.published))
        eventually(lambda: lag(sixth, "bridge.orders") == 0, why="what was produced has passed")
        assert sixth.stop() == 0
        silent = time()
        own_redis.client.publish("alerts.a", "nobody listens")
        kafka.produce("bridge.orders", b"trimmed", b"trimmed", b"kept by Kafka")
        with closing(Consumer(kafka.client() | {"group.id": "x"})) as consumer:
            _, high = consumer.get_watermark_offsets(TopicPartition("bridge.orders", 0), timeout=PATIENCE)
        kafka.trim("bridge.orders", 0, high - 1)
        listener = own_redis.client.pubsub(ignore_subscribe_messages=True)
        listener.subscribe("orders")
        (seventh,) = start(stack, tmp_path, own_redis, kafka, workers=["gevent"])
        eventually(lambda: (message := listener.get_message()) and message["data"] == b"kept by Kafka")
        (trimmed,) = [one for one in spans(seventh) if one["reason"] == "retention"]
        assert (trimmed["rule"], trimmed["messages"]) == ("kafka:bridge.orders -> orders", 2)
        missed = [one for one in spans(seventh) if one["reason"] != "retention"][-1]
        assert (missed["rule"], missed["reason"]) == ("alerts.* -> kafka:bridge.alerts", "unattended")
        assert missed["from"] <= silent <= missed["to"]
        assert "bridge missed rule='alerts.* -> kafka:bridge.alerts' why='unattended'" in seventh.log
        assert "nobody listens" not in [one["data"] for one in kept(seventh, "bridge.alerts")]
        with Traffic(own_redis, kafka, "bridge.orders", first=1_000_000) as traffic:
            eventually(lambda: len(traffic.published) > 100)
            reload(seventh)  # with one process: it ends once its successor has subscribed
            eventually(lambda: "bridge stopped" in seventh.log and state(seventh)["here"])
            eventually(lambda: is_all_there(seventh, traffic.published[:]))
        assert "Traceback" not in "".join(server.log for server in [*servers, seventh])


def test_a_process_that_is_replaced_goes_on_until_its_slow_successor_has_subscribed(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    kafka.create("bridge.reload")
    gate = tmp_path / "may start"
    gate.touch()
    alter = PATIENT + gated_worker(gate)
    with ExitStack() as stack:
        rule = "alerts.* -> kafka:bridge.reload"
        (server,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], ARAUTO_BRIDGE=rule, ALTER=alter)
        eventually(lambda: state(server)["here"])
        gate.unlink()
        with Traffic(own_redis, kafka) as traffic:
            reload(server)
            # One each 5 ms at most: the successor takes over six seconds.
            eventually(lambda: len(traffic.published) > 1200)
            gate.touch()
            eventually(lambda: "bridge stopped" in server.log and state(server)["here"])
        eventually(lambda: is_all_there(server, traffic.published, "bridge.reload"))
        assert not spans(server)
        gate.unlink()
        reload(server)
        eventually(lambda: server.log.count("Booting worker") == 3)
        assert server.stop() == 0
        assert server.log.count("bridge stopped") == 2, "a server that stops waits for no successor"


@pytest.mark.parametrize("worker", WORKERS)
def test_a_process_that_is_replaced_goes_on_if_its_connection_breaks_meanwhile(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path, worker: str
) -> None:
    topic = f"bridge.cut.{worker}"
    kafka.create(topic)
    gate = tmp_path / "may start"
    gate.touch()
    with ExitStack() as stack:
        given = {"ARAUTO_BRIDGE": f"alerts.* -> kafka:{topic}", "ALTER": PATIENT + gated_worker(gate)}
        (server,) = start(stack, tmp_path, own_redis, kafka, [worker], **given)
        eventually(lambda: state(server)["here"])
        gate.unlink()
        reload(server)
        eventually(lambda: server.log.count("Booting worker") == 2, why="it is being replaced")
        own_redis.client.client_kill_filter(_type="pubsub")
        eventually(lambda: "bridge stopped" in server.log, why="it may lack messages")
        eventually(lambda: state(server)["here"], why="it passes on again, before its successor starts")
        with Traffic(own_redis, kafka) as traffic:
            eventually(lambda: len(traffic.published) > 100)
            gate.touch()
            eventually(lambda: server.log.count("bridge stopped") == 2 and state(server)["here"])
        eventually(lambda: is_all_there(server, traffic.published, topic))


def test_what_a_short_break_loses_is_in_a_span(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    """The process subscribes again before it renews its lease, or Redis comes back without the lease."""
    kafka.create("bridge.breaks")
    with ExitStack() as stack:
        rule = "alerts.* -> kafka:bridge.breaks"
        (server,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], ARAUTO_BRIDGE=rule)
        eventually(lambda: state(server)["here"])
        with Traffic(own_redis, kafka) as traffic:
            known: list[dict[str, Any]] = []
            for is_restarted in (False, True, True) * 2:
                passed = state(server)["passed"]
                eventually(partial(has_passed, server, passed + 50))
                at = 1000 * time()
                if is_restarted:
                    own_redis.stop()
                    own_redis.start()
                else:
                    assert own_redis.client.client_kill_filter(_type="pubsub") == 1
                eventually(partial(has_span, server, at))
                assert spans(server)[: len(known)] == known, "an empty Redis changes nothing of it"
                known = spans(server)
        assert {one["reason"] for one in spans(server)} == {"unattended"}
        eventually(lambda: nothing_is_lost_silently(server, traffic.published, "bridge.breaks"))
        missing = {number for number, _ in traffic.published} - set(numbers(server, "bridge.breaks"))
        assert missing, "messages were published meanwhile"


def test_what_comes_while_redis_refuses_the_channel_is_in_a_span(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    """Redis refuses one of two channels, and allows it again."""
    kafka.create("bridge.refused")
    both = ("in.*", "other")
    as_program(own_redis, PROGRAM, BRIDGE, channels=both)
    rules = [f"{channel} -> kafka:bridge.refused" for channel in both]
    with ExitStack() as stack:
        servers = start(stack, tmp_path, own_redis, kafka, ARAUTO_BRIDGE=", ".join(rules))
        first = holder(servers)

        def goes_over(data: str) -> bool:
            own_redis.client.publish("in.a", data)
            return data in [one["data"] for one in kept(holder(servers), "bridge.refused")]

        eventually(lambda: goes_over("before"))
        set_user(own_redis, "arauto", "program", *rules_of(PROGRAM, BRIDGE, channels=both[1:]))
        eventually(lambda: get(first, "/bridge").json["rules"][0]["trouble"].startswith("Redis refuses"))
        lost = 1000 * time()
        own_redis.client.publish("in.a", "lost")
        eventually(partial(has_span, first, lost))
        assert first.stop() == 0
        (second,) = (server for server in servers if server is not first)
        del servers[:]
        servers.append(second)
        eventually(lambda: state(second)["here"])
        later = 1000 * time()
        own_redis.client.publish("in.a", "lost with the other process")
        set_user(own_redis, "arauto", "program", *rules_of(PROGRAM, BRIDGE, channels=both))
        eventually(lambda: goes_over("after"))
        ours = [one for one in spans(second) if one["rule"] == rules[0]]
        for at in (lost, later):
            assert any(1000 * one["from"] <= at <= 1000 * one["to"] for one in ours), (at, ours)
        assert len(ours) <= 3, "one span of the whole time, beside those of lost connections"


def test_what_goes_over_and_what_does_not(own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path) -> None:
    """The program has the smallest ACL rules."""
    kafka.create("bridge.in", max_message_bytes="1000")
    channels = ("in.*", "late", "out")
    as_program(own_redis, PROGRAM, BRIDGE, channels=channels)
    rules = "in.* -> kafka:bridge.in, kafka:bridge.in -> out, late -> kafka:bridge.late"
    listener = own_redis.client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("out")
    with ExitStack() as stack:
        (server,) = start(
            stack, tmp_path, own_redis, kafka, ["gthread"], ARAUTO_BRIDGE=rules, ARAUTO_RECORDING="off"
        )

        def status(rule: int) -> dict[str, Any]:
            found: dict[str, Any] = get(server, "/bridge").json["rules"][rule]
            return found

        why = "Kafka has no such topic, or no such partition of it."
        eventually(lambda: status(2)["trouble"] == why, why="it reports the missing topic")
        assert state(server)["state"] == "waiting"
        own_redis.client.publish("late", "waits")
        with own_redis.client.pipeline() as pipeline:
            for data in (b"\xff\x00", b"", b"x" * 1500, b"last"):
                pipeline.publish("in.a", data)
            pipeline.execute()
        eventually(lambda: (status(0)["passed"], status(0)["missed"], status(1)["own"]) == (3, 1, 3))
        lines = kept(server, "bridge.in")
        assert [one["data"] for one in lines] == ["/wA=", "", "last"]
        assert {one["key"] for one in lines} == {"in.a"}
        assert lines[2]["headers"] == [{"name": "arauto-bridge", "value": "arauto-bridge"}]
        kafka.produce("bridge.in", b"\x00\xfe", None, b"", key="k", headers={"arauto-bridge": b"another"})
        received: list[bytes] = []

        def has_received() -> bool:
            if one := listener.get_message():
                received.append(one["data"])
            return len(received) == 2

        eventually(has_received)
        assert received == [b"\x00\xfe", b""]
        eventually(lambda: (status(1)["passed"], status(1)["empty"]) == (2, 1))
        kafka.create("bridge.late")
        eventually(lambda: status(2)["passed"] == 1 and state(server)["state"] == "running")
        assert [one["data"] for one in kept(server, "bridge.late")] == ["waits"]
        (span,) = spans(server)
        assert (span["reason"], span["messages"]) == ("too large", 1)
        assert refused(own_redis) == []
        assert "bridge.in" not in json.dumps(state(server))

        def committed() -> list[tuple[str, int, list[str]]]:
            groups = get(server, "/topics/bridge.in/groups").json["groups"]
            return [(one["group"], one["lag"], one["members"]) for one in groups]

        eventually(
            lambda: committed() == [("arauto-bridge", 0, [])], why="it commits the offsets it passed on"
        )
        # A process with another rule keeps messages that the running process does not pass on.
        others = start(stack, tmp_path, own_redis, kafka, ["gevent"], ARAUTO_BRIDGE="late -> kafka:bridge.in")
        blocked = "bridge blocked rule='late -> kafka:bridge.in'"
        eventually(lambda: blocked in others[0].log and state(others[0])["state"] == "waiting")
        assert (
            get(others[0], "/bridge")
            .json["rules"][0]["trouble"]
            .startswith("The process at work has no such")
        )
        own_redis.client.publish("late", "by another rule")
        since = 1000 * time()
        eventually(lambda: int(own_redis.client.hget("arauto:bridge", "until") or 0) > since + 2000)
        assert server.stop() == 0
        eventually(lambda: "by another rule" in [one["data"] for one in kept(others[0], "bridge.in")])
        assert "Traceback" not in server.log + others[0].log
