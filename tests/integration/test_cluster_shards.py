"""Sharded channels of all nodes of a cluster in one page: nodes fail, slots move or have no node."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from threading import Event as Flag
from threading import Thread
from time import time

import pytest
import redis
from redis.crc import key_slot

from arauto.settings import WORKERS
from tests.support.clusters import Cluster, ClusterNode, info_of
from tests.support.http import publish_json
from tests.support.promises import Span
from tests.support.redis_servers import binaries
from tests.support.servers import ArautoServer
from tests.support.tabs import Event, Tab, open_tab
from tests.support.waiting import eventually

MOVED = 40  # slots
COVERAGE = "cluster-require-full-coverage"
UNSERVED = "No node of the cluster serves the sharded channel"


def name_in(slots: range, word: str = "s") -> str:
    """A sharded channel whose slot is one of these."""
    return next(name for n in range(100_000) if key_slot((name := f"{word}{n}").encode()) in slots)


FIRST, SECOND, THIRD = (16384 * n // 3 for n in range(3))
SHARDS = [name_in(range(start, start + MOVED)) for start in (FIRST, SECOND, THIRD)]
"""A sharded channel of each node, among its first slots, and one more of the first node."""
SHARDS.append(name_in(range(FIRST, FIRST + MOVED), "t"))


@pytest.fixture(
    scope="module", params=list(zip(binaries(), WORKERS, ("yes", "no"), strict=False)), ids=" ".join
)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Cluster, ArautoServer]]:
    """Three masters without replicas, of each server, with the program on each worker.

    One of the clusters is down while a slot has no node, the other one is not.
    """
    binary, worker, covered = request.param
    place = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        cluster = Cluster(stack, binaries()[binary], place, f"--{COVERAGE}", covered, replicas=0)
        server = ArautoServer(place / "log", REDIS_URL=cluster.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1")
        stack.enter_context(closing(server))
        yield cluster, server
        assert "Traceback" not in server.log


@pytest.fixture
def cluster(made: tuple[Cluster, ArautoServer]) -> Iterator[Cluster]:
    yield made[0]
    made[0].wait_until_whole()


@pytest.fixture
def tab(cluster: Cluster, made: tuple[Cluster, ArautoServer]) -> Iterator[Tab]:
    with open_tab(made[1], "a", patterns=("b*",), shards=tuple(SHARDS)) as tab:
        yield tab


def publish_to(server: ArautoServer, shard: str, data: str) -> int:
    return publish_json(server, json.dumps({"shard": shard, "message": data})).status


def test_one_page_has_the_shards_of_all_nodes(
    cluster: Cluster, made: tuple[Cluster, ArautoServer], tab: Tab
) -> None:
    for shard in SHARDS:
        answer = publish_json(made[1], json.dumps({"shard": shard, "message": shard}))
        assert answer.json == {"shard": shard, "receivers": 1, "tabs": 1}
    assert set(tab.messages(len(SHARDS))) == set(SHARDS)
    for node in cluster.nodes:
        for client in node.client.client_list(_type="pubsub"):
            if client["psub"] == "1":  # the connection that has the channel and the pattern
                node.client.client_kill_filter(_id=client["id"])
    tab.until("reconnecting")
    # The page then counts all names as lost, so names that were not lost are confirmed again.
    confirmed = [tab.next() for _ in range(len(("gap", "a", "b*", *SHARDS)))]
    assert {event["shard"] for event in confirmed if "shard" in event} == set(SHARDS)
    goes_on(tab, made[1], cluster, SHARDS)
    tab.say(sunsubscribe=SHARDS)
    assert {tab.until("sunsubscribe")[-1]["shard"] for _ in SHARDS} == set(SHARDS)
    nodes = [node.client for node in cluster.nodes]
    eventually(lambda: sum(len(node.client_list(_type="pubsub")) for node in nodes) == 1)


def refusals(tab: Tab, shards: list[str]) -> list[str]:
    """Wait until all these shards are refused, and return the reasons."""
    found: dict[str, str] = {}
    while found.keys() != set(shards):
        event = tab.until("refused")[-1]
        found[event["shard"]] = event["error"]
    return list(found.values())


def goes_on(tab: Tab, server: ArautoServer, cluster: Cluster, shards: list[str]) -> None:
    """Messages to the channel and to these shards arrive, once no gap covers them."""
    missing = {"plain", *shards}

    def has_all() -> bool:
        for name in missing - {"plain"}:
            publish_to(server, name, name)
        cluster.nodes[1].client.publish("a", "plain")
        try:
            while missing:
                missing.discard(tab.next(0.2).get("data", ""))
        except TimeoutError:
            pass
        return not missing

    eventually(has_all)


def gaps(tab: Tab, shards: list[str]) -> list[Event]:
    """The gaps of these shards, once each is subscribed again."""
    found, back = list[Event](), set[str]()
    while back != set(shards):
        event = tab.next()
        if event["type"] == "gap" and event.get("shard") in shards:
            found.append(event)
        if event["type"] == "ssubscribe" and event["shard"] in {gap["shard"] for gap in found}:
            back.add(event["shard"])
    return found


def test_a_node_that_is_away_takes_its_own_shards_alone(
    cluster: Cluster, made: tuple[Cluster, ArautoServer], tab: Tab
) -> None:
    lost, rest = [SHARDS[0], SHARDS[3]], SHARDS[1:3]
    away_at = time()
    cluster.nodes[0].stop()
    try:
        assert all(UNSERVED in reason for reason in refusals(tab, lost))
        eventually(lambda: cluster.nodes[1].nodes_seen()[cluster.nodes[0].id][2] == "master,fail")
        covered = cluster.nodes[1].client.config_get(COVERAGE)[COVERAGE]
        state = b"cluster_state:fail" if covered == "yes" else b"cluster_state:ok"
        eventually(lambda: state in info_of(cluster.nodes[1]))
        goes_on(tab, made[1], cluster, rest)
        with open_tab(made[1], "a") as late:
            late.say(ssubscribe=SHARDS)
            refusals(late, lost)
            goes_on(late, made[1], cluster, rest)
    finally:
        cluster.nodes[0].start()
    for gap in gaps(tab, lost):
        assert gap["from"] <= away_at
        assert gap["to"] >= away_at
    goes_on(tab, made[1], cluster, SHARDS)


def test_a_slot_that_nobody_has_takes_its_shard_alone(
    cluster: Cluster, made: tuple[Cluster, ArautoServer], tab: Tab
) -> None:
    shard, rest = SHARDS[0], SHARDS[1:]
    slot = key_slot(shard.encode())
    for node in cluster.nodes:
        node.client.execute_command("CLUSTER", "DELSLOTS", slot)
    try:
        (reason,) = refusals(tab, [shard])
        assert UNSERVED in reason
        goes_on(tab, made[1], cluster, rest)
        with open_tab(made[1], "a") as late:
            late.say(ssubscribe=SHARDS)
            assert "CLUSTERDOWN" in refusals(late, [shard])[0]
            goes_on(late, made[1], cluster, rest)
            late.say(sunsubscribe=[shard])
            assert late.until("sunsubscribe")[-1]["shard"] == shard
    finally:
        cluster.nodes[0].client.execute_command("CLUSTER", "ADDSLOTS", slot)
    gaps(tab, [shard])
    goes_on(tab, made[1], cluster, SHARDS)


class Numbers:
    """Numbered messages to a channel and to sharded channels, published at their current nodes."""

    def __init__(self, cluster: Cluster) -> None:
        self.moments: dict[str, dict[str, float]] = {name: {} for name in ("a", *SHARDS)}
        self._cluster = cluster
        self._clients = {node.port: node.client for node in cluster.nodes}
        self._ports = dict.fromkeys(SHARDS, cluster.nodes[1].port)

    def publish(self) -> None:
        """Publish one more to each."""
        for name, moments in self.moments.items():
            data = str(len(moments))
            moments[data] = time()
            if name == "a":
                self._cluster.nodes[len(moments) % 3].client.publish(name, data)
            else:
                self._publish_sharded(name, data)

    def _publish_sharded(self, name: str, data: str) -> None:
        while True:
            port = self._ports[name]
            client = self._clients.setdefault(port, redis.Redis(port=port, protocol=2))
            try:
                client.spublish(name, data)
                return
            except redis.exceptions.MovedError as error:
                self._ports[name] = int(error.port)
            except redis.exceptions.ClusterDownError:  # the node has left the cluster
                self._ports[name] = self._cluster.nodes[1].port

    def are_in(self, events: list[Event]) -> bool:
        """Whether the last number of each channel is in ``events``."""
        seen = {(event.get("shard", event.get("channel")), event.get("data")) for event in events}
        return all((name, str(len(moments) - 1)) in seen for name, moments in self.moments.items())

    def faults(self, events: list[Event]) -> list[str]:
        """The numbers that are missing without a gap, or came twice."""
        found = []
        for name, moments in self.moments.items():
            kind = "channel" if name == "a" else "shard"
            seen = [event["data"] for event in events if event.get(kind) == name and "data" in event]
            found += [f"{name} {data} came twice" for data in {one for one in seen if seen.count(one) > 1}]
            spans = [
                Span(event["from"], event["to"])
                for event in events
                if event["type"] == "gap" and event.get("shard", name) == name
            ]
            found += [
                f"{name} {data} is missing"
                for data, moment in moments.items()
                if data not in seen and not any(span.has(moment) for span in spans)
            ]
        return found


def redis_cli(node: ClusterNode, step: str, *words: str) -> None:
    """A step of ``redis-cli --cluster`` at a node, once all nodes agree."""

    def run(step: str, *words: str) -> bool:
        command = ["redis-cli", "--cluster", step, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout[-300:]
        return True

    place = f"127.0.0.1:{node.port}"
    eventually(lambda: run("check", place))
    run(step, *words, place) if step == "add-node" else run(step, place, *words)


def reshard(source: ClusterNode, target: ClusterNode) -> None:
    where = ("--cluster-from", source.id, "--cluster-to", target.id, "--cluster-slots", str(MOVED))
    redis_cli(source, "reshard", *where, "--cluster-yes")


def under_load(numbers: Numbers, tab: Tab, move: Callable[[], None]) -> list[Event]:
    """The events of a page while ``move`` runs and numbers are published."""
    events, over = list[Event](), Flag()

    def keep_publishing() -> None:
        while not over.wait(0.01):
            numbers.publish()

    def read() -> None:
        with suppress(TimeoutError):
            while not numbers.are_in(events[-50:]):
                events.append(tab.next(0.1))

    def has_last() -> bool:
        numbers.publish()
        read()
        return numbers.are_in(events)

    publishing, moving = Thread(target=keep_publishing), Thread(target=move)
    publishing.start()
    moving.start()
    try:
        while moving.is_alive():
            read()
        over.set()
        publishing.join()
        eventually(has_last)
    finally:
        over.set()
        publishing.join()
        moving.join()
    return events


def test_slots_that_redis_cli_moves_lose_nothing_in_silence(cluster: Cluster, tab: Tab) -> None:
    """Slots move to another node, to a new one, and back before that leaves."""
    numbers, first, second = Numbers(cluster), *cluster.nodes[:2]
    events = under_load(numbers, tab, lambda: reshard(first, second))
    assert numbers.faults(events) == []
    assert {event.get("shard") for event in events if event["type"] == "gap"} == {SHARDS[0], SHARDS[3]}
    with closing(cluster.start_node()) as third:

        def move_on() -> None:
            redis_cli(first, "add-node", f"127.0.0.1:{third.port}")
            eventually(lambda: all(len(node.nodes_seen()) == 4 for node in (*cluster.nodes, third)))
            reshard(second, third)
            reshard(third, first)
            redis_cli(first, "del-node", third.id)

        events += under_load(numbers, tab, move_on)
    assert numbers.faults(events) == []
