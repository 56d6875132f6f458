"""What the bridge does not forget: where it was and what it has missed, also when it falls behind."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from operator import ne
from pathlib import Path
from time import time
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from tests.integration.test_kafka_bridge import (
    Traffic,
    both_subscribe,
    has_passed,
    has_span,
    holder,
    is_all_there,
    kill,
    nothing_is_lost_silently,
    numbers,
    reload,
    spans,
    start,
    state,
)
from tests.support.http import get
from tests.support.kafka_servers import PATIENT, KafkaServer
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE, eventually

WAITS = """
from pathlib import Path
from arauto.redis_io.subscriber import Subscriber
def rest(self, pause, moves):
    while not Path({gate!r}).exists() and not self._stopping.wait(0.02):
        pass
Subscriber._rest = rest
"""
"""``ALTER`` for a program that connects to Redis again once there is a file."""
SLOW = """
import time
from arauto.bridge.bridge_thread import BridgeThread
from arauto.recording import inbox
inbox.MOST = 1
keep = BridgeThread._keep
BridgeThread._keep = lambda self, message: (time.sleep(0.002), keep(self, message))
"""
"""``ALTER`` for a program that is slower than the messages come, which wait in Redis meanwhile."""

CLOCKS = """
import time
from pathlib import Path
from arauto.bridge import lease
from arauto.redis_io import elapsed
lease._LEASE = "local function shifted()" \\
    " local time = redis.call('TIME')" \\
    " time[1] = time[1] - (tonumber(redis.call('GET', 'clock')) or 0)" \\
    " return time end " + lease._LEASE.replace("redis.call('TIME')", "shifted()")
elapsed.time = lambda: time.time() - float(Path({own!r}).read_text())
"""
"""``ALTER`` for a program whose clock and Redis's are behind by the seconds in a file and in a key."""
QUICK = "\nfrom arauto.bridge import bridge_thread\nbridge_thread.TICK = 0.05"
"""``ALTER`` for a program that renews its lease ten times as often."""


def forget_topic(kafka: KafkaServer, topic: str, group: str) -> None:
    """Kafka deletes the offsets of a topic with it."""
    kafka.delete(topic)
    kafka.create(topic)


def forget_group(kafka: KafkaServer, topic: str, group: str) -> None:
    """As Kafka does after ``offsets.retention.minutes``."""
    admin = AdminClient(kafka.client())
    for deleted in admin.delete_consumer_groups([group]).values():
        deleted.result(PATIENCE)


@pytest.mark.real_kafka("what it keeps of a group")
@pytest.mark.parametrize(("forget", "reasons"), [(forget_topic, {"replaced"}), (forget_group, set())])
def test_it_goes_on_in_a_topic_whose_offsets_kafka_has_forgotten(
    own_redis: RedisServer,
    kafka: KafkaServer,
    tmp_path: Path,
    forget: Callable[[KafkaServer, str, str], None],
    reasons: set[str],
) -> None:
    topic = group = f"bridge.{forget.__name__}"
    kafka.create(topic)
    received: list[bytes] = []
    rule = f"kafka:{topic} -> out"
    with ExitStack() as stack:
        listener = stack.enter_context(own_redis.client.pubsub(ignore_subscribe_messages=True))
        listener.subscribe("out")

        def has_received(*wanted: bytes) -> bool:
            if message := listener.get_message():
                received.append(message["data"])
            return tuple(received) == wanted

        environ = {"ARAUTO_BRIDGE": rule, "ARAUTO_BRIDGE_NAME": group}
        (first,) = start(stack, tmp_path, own_redis, kafka, ["gthread"], **environ)
        eventually(lambda: state(first)["state"] == "running", why="it has a place in the topic")
        kafka.produce(topic, b"1")
        eventually(partial(has_received, b"1"))
        assert first.stop() == 0
        forget(kafka, topic, group)
        kafka.produce(topic, b"2", b"3")
        (second,) = start(stack, tmp_path, own_redis, kafka, ["gthread"], **environ)
        eventually(lambda: state(second)["state"] == "running")
        kafka.produce(topic, b"4")
        eventually(partial(has_received, b"1", b"2", b"3", b"4"))
        assert {one["reason"] for one in spans(second)} == reasons


def test_a_newcomer_at_an_empty_redis_waits_for_what_others_know(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    kafka.create("bridge.newcomer")
    gate = tmp_path / "may connect"
    gate.touch()
    alter = PATIENT + WAITS.format(gate=str(gate))
    environ = {"ARAUTO_BRIDGE": "alerts.* -> kafka:bridge.newcomer"}
    with ExitStack() as stack:
        (old,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], ALTER=alter, **environ)
        eventually(lambda: state(old)["here"])
        with Traffic(own_redis, kafka) as traffic:
            eventually(partial(has_passed, old, 50))
            at = 1000 * time()
            assert own_redis.client.client_kill_filter(_type="pubsub") == 1
            eventually(partial(has_span, old, at))
            known, passed = spans(old), state(old)["passed"]
            gate.unlink()
            own_redis.stop()
            own_redis.start()
            (new,) = start(stack, tmp_path, own_redis, kafka, ["gthread"], **environ)
            eventually(lambda: state(new)["here"], why="the old one has not subscribed yet")
            gate.touch()
            eventually(partial(has_passed, new, passed))
        assert spans(new)[: len(known)] == known
        eventually(lambda: nothing_is_lost_silently(new, traffic.published, "bridge.newcomer"))


@pytest.mark.parametrize("end", [kill, reload])
def test_a_process_that_has_fallen_behind_does_not_claim_what_it_has_not_received(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path, end: Callable[[ArautoServer], None]
) -> None:
    topic = f"bridge.behind.{end.__name__}"
    kafka.create(topic)
    with ExitStack() as stack:
        rule = f"alerts.* -> kafka:{topic}"
        (server,) = start(
            stack, tmp_path, own_redis, kafka, ["gevent"], ALTER=PATIENT + SLOW, ARAUTO_BRIDGE=rule
        )
        eventually(lambda: state(server)["here"])
        published = []
        for first in range(0, 6000, 100):
            with own_redis.client.pipeline(transaction=False) as pipeline:
                for number in range(first, first + 100):
                    pipeline.publish("alerts.a", f"{number:0>1000}")  # few are in each read
                pipeline.execute()
            at = 1000 * time()
            published += [(number, at) for number in range(first, first + 100)]
        eventually(partial(has_passed, server, 1000))
        begun = server.log.count("bridge started")
        end(server)
        eventually(lambda: server.log.count("bridge started") > begun, why=f"{begun} before")
        eventually(lambda: nothing_is_lost_silently(server, published, topic))
        own_redis.client.publish("alerts.a", 10_001)
        eventually(lambda: 10_001 in numbers(server, topic))


HOSTILE = [
    ("token", "inf"),
    ("token", "1e99"),
    ("expires", "nan"),
    ("until", "1e99"),
    ("state", "[" * 100_000),
    ("state", '{"rules":{"alerts.* -> kafka:bridge.hostile":{"passed":"x","trouble":[]}}}'),
    ("state", '{"missed":[{"rule":[],"why":"full","start":null,"end":"x","many":1}],"waiting":Infinity}'),
]


def test_it_survives_what_others_write_into_its_lease(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    kafka.create("bridge.hostile")
    with ExitStack() as stack:
        rule = "alerts.* -> kafka:bridge.hostile"
        (server,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], ARAUTO_BRIDGE=rule)
        for number, (field, value) in enumerate(HOSTILE):
            eventually(lambda: state(server)["here"])
            own_redis.client.hset(
                "arauto:bridge", mapping={"token": 5, "expires": 0, "until": 7, field: value}
            )
            eventually(partial(has_begun, server, number + 2), why=field)
            own_redis.client.publish("alerts.a", number)
            eventually(partial(arrives, server, number), why=field)
            assert get(server, "/bridge").status == 200
        assert server.log.count("bridge started") == len(HOSTILE) + 1
        assert "Traceback" not in server.log


def has_begun(server: ArautoServer, times: int) -> bool:
    return server.log.count("bridge started") == times and bool(state(server)["here"])


def arrives(server: ArautoServer, number: int) -> bool:
    return number in numbers(server, "bridge.hostile")


def test_it_says_why_it_cannot_listen(own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path) -> None:
    kafka.create("bridge.full")
    with ExitStack() as stack:
        rule = "alerts.* -> kafka:bridge.full"
        (server,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], ARAUTO_BRIDGE=rule)
        eventually(lambda: state(server)["here"])
        clients = own_redis.client.info("clients")["connected_clients"]
        own_redis.client.config_set("maxclients", clients - 1)
        own_redis.client.client_kill_filter(_type="pubsub")
        reason = "max number of clients reached"
        eventually(lambda: reason in get(server, "/bridge").json["error"])
        assert state(server)["state"] == "waiting"
        own_redis.client.config_set("maxclients", 1000)
        eventually(lambda: state(server)["state"] == "running" and state(server)["here"])
        assert get(server, "/bridge").json["error"] == ""


def make_clocks(directory: Path) -> tuple[Path, str]:
    """The file of the program's clock, and ``ALTER`` for a program with :data:`CLOCKS`."""
    clock = directory / "clock"
    clock.write_text("0")
    return clock, PATIENT + CLOCKS.format(own=str(clock))


@pytest.mark.parametrize("own", [0, 60], ids=["Redis", "all"])
def test_it_loses_nothing_silently_when_the_clock_goes_back(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path, own: int
) -> None:
    topic = f"bridge.clock{own}"
    kafka.create(topic)
    clock, alter = make_clocks(tmp_path)
    with ExitStack() as stack:
        rule = f"alerts.* -> kafka:{topic}"
        (server,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], ARAUTO_BRIDGE=rule, ALTER=alter)
        eventually(lambda: state(server)["here"])
        with Traffic(own_redis, kafka) as traffic:
            eventually(lambda: state(server)["passed"] > 200)
            clock.write_text(str(own))
            own_redis.client.set("clock", 60)
            passed = state(server)["passed"]
            eventually(lambda: state(server)["passed"] > passed + 200)
            kill(server)
            eventually(lambda: server.log.count("bridge started") == 2 and state(server)["here"])
            passed = state(server)["passed"]
            eventually(lambda: state(server)["passed"] > passed + 50)
        published = [(number, at - 1000 * own) for number, at in traffic.published]
        eventually(lambda: nothing_is_lost_silently(server, published, topic))
        (span,) = spans(server)
        missing = {number for number, _ in published} - set(numbers(server, topic))
        assert missing, "messages were published meanwhile"
        assert span["to"] - span["from"] < 30


def test_a_clock_that_went_back_while_no_process_ran_hides_no_loss(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    kafka.create("bridge.unknown")
    _, alter = make_clocks(tmp_path)
    with ExitStack() as stack:
        environ = {"ARAUTO_BRIDGE": "alerts.* -> kafka:bridge.unknown", "ALTER": alter}
        (before,) = start(stack, tmp_path, own_redis, kafka, ["gevent"], **environ)
        eventually(lambda: own_redis.client.hget("arauto:bridge", "until"), why="it reports")
        assert before.stop() == 0
        own_redis.client.set("clock", 60)
        missed_at = time()
        own_redis.client.publish("alerts.a", "nobody listens")
        (after,) = start(stack, tmp_path, own_redis, kafka, ["gthread"], **environ)
        eventually(lambda: state(after)["here"])
        (span,) = spans(after)
        assert span["from"] < missed_at < span["to"]


@pytest.mark.parametrize("steps", [[60.0], [0.009 * step for step in range(100)]], ids=["once", "slowly"])
def test_who_stands_by_keeps_its_messages_when_the_clock_goes_back(
    own_redis: RedisServer, kafka: KafkaServer, tmp_path: Path, steps: list[float]
) -> None:
    topic = f"bridge.back{len(steps)}"
    kafka.create(topic)
    _, alter = make_clocks(tmp_path)
    with ExitStack() as stack:
        environ = {"ARAUTO_BRIDGE": f"alerts.* -> kafka:{topic}", "ALTER": alter + QUICK}
        servers = start(stack, tmp_path, own_redis, kafka, **environ)
        holder(servers)
        both_subscribe(own_redis)
        with Traffic(own_redis, kafka) as traffic:
            eventually(lambda: state(holder(servers))["passed"] > 200)
            with kafka.frozen():
                seen = len(traffic.published)
                eventually(lambda: len(traffic.published) > seen + 200)
                for step in steps:
                    before = own_redis.client.hmget("arauto:bridge", "expires", "next")
                    own_redis.client.set("clock", step)
                    eventually(partial(both_have_looked, own_redis, before))
                seen = len(traffic.published)
                eventually(lambda: len(traffic.published) > seen + 200)
                kill(holder(servers))
            eventually(lambda: is_all_there(holder(servers), traffic.published[:], topic))
        assert not spans(holder(servers))


def both_have_looked(redis: RedisServer, before: list[Any]) -> bool:
    """The process at work has renewed its lease since then, and the other one has asked for it."""
    return all(map(ne, redis.client.hmget("arauto:bridge", "expires", "next"), before))
