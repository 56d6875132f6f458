"""Recorded channels on a cluster: the same promises as on one Redis, for a channel of each shard."""

import json
import os
import random
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import count, cycle, islice, pairwise
from threading import Event as Flag
from threading import Lock
from time import time
from urllib.parse import urlencode

import pytest
import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry
from websockets.sync.client import connect

from arauto.recording_core.log_keys import NAMES, head_of
from arauto.settings import WORKERS
from tests.support.clusters import Cluster, ClusterNode
from tests.support.gates import gated_recorder
from tests.support.http import Answer, get, publish, request
from tests.support.machine_time import MachineTime
from tests.support.persons import Person
from tests.support.promises import (
    IN_FLIGHT,
    LIVE_WITHIN,
    NotingTab,
    Published,
    check_kept,
    event_faults,
    replay,
    watching,
)
from tests.support.redis_servers import binaries
from tests.support.returning import ReturningTab
from tests.support.rules import ACTS, CLUSTER, PERSON, PROGRAM, RECORDS, RETURNS, refused, rules, set_user
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

SHARDS = 3
LOSSES = 100  # of sockets
RESHARDED = 20  # slots
GATE = "recorders may start"  # a file beside the log
MARKS = "marks"  # a channel of the tests' publishers


def names(word: str) -> list[str]:
    """A channel of each of the three masters, by their initial slots."""
    found: dict[int, str] = {}
    for n in range(1000):
        name = f"kept.{word}{n}"
        found.setdefault(key_slot(head_of(name.encode())) * SHARDS // 16384, name)
    return [found[shard] for shard in range(SHARDS)]


class PublishedThere(Published):
    """Publishes at the master of the channel's slot, as a cluster client does; if it is down, at another."""

    def __init__(self, cluster: Cluster, channel: str) -> None:
        super().__init__(cluster.nodes[0], channel)
        self._changes = Lock()
        self.use(cluster.owner(channel))

    def go_on(self, many: int = 1) -> None:
        for _ in range(many):
            with self._changes:
                data = self.note()
                try:
                    self._client.publish(self.channel, data)
                except redis.RedisError:
                    self.unsure.add(data)

    def use(self, node: ClusterNode) -> None:
        """Publish at this node from now on, once it has all that came before: two nodes keep no order."""
        client = redis.Redis(port=node.port, protocol=2, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
        with self._changes, client.pubsub() as marks:
            marks.subscribe(MARKS)
            eventually(lambda: not self._mark() or "message" in types(marks), why="the node has all")
            self._client = client

    def _mark(self) -> bool:
        """Publish a mark; ``False`` if the node does not answer."""
        try:
            self._client.publish(MARKS, "")
        except redis.RedisError:
            return False
        return True


def types(pubsub: redis.client.PubSub) -> list[str]:
    """The types of what it has received since the last call."""
    found = []
    while message := pubsub.get_message(timeout=0.01):
        found.append(message["type"])
    return found


@pytest.fixture(scope="module", params=list(zip(binaries(), WORKERS, strict=False)), ids=" ".join)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Cluster, ArautoServer]]:
    """A cluster of each server, with the program on each worker, as a user with the smallest rules."""
    binary, worker = request.param
    place = tmp_path_factory.mktemp("cluster")
    user = (
        "--user",
        "arauto",
        "on",
        ">program",
        *rules(PROGRAM, ACTS, RECORDS, CLUSTER, channels=("kept.*", "switched", "moved")),
    )
    gate = place / GATE
    gate.touch()
    with ExitStack() as stack:
        cluster = Cluster(stack, binaries()[binary], place, *user)
        server = ArautoServer(
            place / "log",
            REDIS_URL=cluster.url.replace("//", "//arauto:program" + "@"),
            ARAUTO_WORKER=worker,
            ARAUTO_WORKERS="2",
            ARAUTO_RECORD="kept.*",
            ARAUTO_DELETE_LOGS="on",
            ALTER=gated_recorder(gate),
        )
        stack.enter_context(closing(server))
        eventually(lambda: server.log.count("recorder started") >= SHARDS, why="each shard has a recorder")
        yield cluster, server
        assert "Traceback" not in server.log
        assert [refused(node) for node in cluster.nodes] == [[]] * len(cluster.nodes)


@pytest.fixture
def cluster(made: tuple[Cluster, ArautoServer]) -> Cluster:
    made[0].wait_until_whole()
    return made[0]


@pytest.fixture
def server(made: tuple[Cluster, ArautoServer]) -> ArautoServer:
    return made[1]


def test_logs_are_kept_at_each_master_in_the_order_of_publishing(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    with ExitStack() as stack:
        publishers = [PublishedThere(cluster, name) for name in names("a")]
        tabs = [stack.enter_context(watching(server, published, 2)) for published in publishers]
        for published, some in zip(publishers, tabs, strict=True):
            for n in range(40):
                if n % 2:
                    published.go_on()
                else:
                    assert publish(server, published.channel, published.note()).status in (200, 303)
                if n == 20:
                    some[0].drop()
        for published, some in zip(publishers, tabs, strict=True):
            check_kept(server, published, some, machine)
            assert not [gap for tab in some for gap in tab.gaps]
            query = f"channel={published.channel}"
            volume = json.loads(get(server, f"/channels/volume?{query}").body)
            assert (sum(volume["counts"]), volume["gaps"]) == (len(published.moments), [])
            found = [json.loads(line) for line in _lines(server, f"{query}&filter={published.last}")]
            assert [line["data"] for line in found if "data" in line] == [published.last]
        late = ReturningTab(server.ws, [published.channel for published in publishers], since="first")
        stack.callback(late.join, 10)
        stack.callback(late.leave)
        late.start()
        for published in publishers:
            eventually(partial(_has, late, published.channel, published.last))
            assert late.data(published.channel) == list(published.moments)
    places = {
        node.port
        for node in cluster.masters()
        if any(b"stream" in key for key in node.client.keys("arauto:*"))
    }
    assert len(places) == SHARDS


@contextmanager
def under_way(
    cluster: Cluster, server: ArautoServer, machine: MachineTime, word: str, channels: list[str] | None = None
) -> Iterator[list[tuple[PublishedThere, list[NotingTab]]]]:
    """Publish to and watch a channel of each master; at the end check the promise for each."""
    publishers = [PublishedThere(cluster, name) for name in channels or names(word)]
    with ExitStack() as stack:
        watched = [(published, stack.enter_context(watching(server, published))) for published in publishers]
        with ExitStack() as publishing:
            for published in publishers:
                publishing.enter_context(published.keep_on())
                published.wait_for(5)
            yield watched
            for published in publishers:
                published.wait_for(100)
        for published, tabs in watched:
            tabs[0].drop()
            published.go_on(5)
            check_kept(server, published, tabs, machine)


def test_a_recorder_that_dies_loses_nothing(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    with under_way(cluster, server, machine, "b") as watched:
        pids = re.findall(r"\[(\d+)\] recorder started", server.log)
        os.kill(int(pids[-1]), signal.SIGKILL)
    assert not [gap for _, tabs in watched for tab in tabs for gap in tab.gaps]


def test_a_reload_loses_nothing(cluster: Cluster, server: ArautoServer, machine: MachineTime) -> None:
    """The recorder of each shard goes on until a new worker stands by for all of them."""
    with under_way(cluster, server, machine, "n") as watched:
        gate = server.log_path.with_name(GATE)
        gate.unlink()
        old, ready = server.workers(), server.log.count("is ready for requests")
        os.kill(server._process.pid, signal.SIGHUP)
        eventually(lambda: server.log.count("is ready for requests") == ready + len(old))
        watched[0][0].wait_for(300)  # for more than three seconds
        gate.touch()
        eventually(lambda: not any(one.is_running() for one in old), why="they have ended")
    for published, tabs in watched:
        assert tabs[0].gaps == []
        assert [line for line in replay(server, published.channel) if line.get("type") == "gap"] == []


def test_a_planned_failover_ends_in_a_gap_of_that_log_alone(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    with under_way(cluster, server, machine, "c") as watched:
        master = cluster.owner(watched[0][0].channel)
        replica = replica_of(cluster, master)
        replica.client.execute_command("CLUSTER", "FAILOVER")
        eventually(lambda: replica.is_master)
        watched[0][0].use(replica)
        watched[0][0].wait_for(200)
    gaps = [[gap for tab in tabs for gap in tab.gaps] for _, tabs in watched]
    assert gaps[0]
    assert gaps[1:] == [[], []]


def test_a_master_that_dies_is_followed_by_its_replica(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    with under_way(cluster, server, machine, "d") as watched:
        master = cluster.owner(watched[1][0].channel)
        replica = replica_of(cluster, master)
        master.stop()
        eventually(lambda: replica.is_master, within=20)
        watched[1][0].use(replica)
        watched[1][0].wait_for(300)
        master.start()


def test_a_hundred_returns_while_masters_change(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    """Pages lose their sockets at random moments during failovers: planned ones, and one after a SIGKILL."""
    publishers = [PublishedThere(cluster, name) for name in names("r")]
    changes = 0
    with ExitStack() as stack:
        watched = [
            (published, stack.enter_context(watching(server, published, 3))) for published in publishers
        ]
        with ExitStack() as publishing:
            for published in publishers:
                publishing.enter_context(published.keep_on())
                published.wait_for(5)
            dropping = stack.enter_context(ThreadPoolExecutor(1)).submit(
                lose_sockets, [tab for _, tabs in watched for tab in tabs], LOSSES
            )
            for published in cycle(publishers):
                change_master(cluster, published, dies=changes == 1)
                published.wait_for(50)
                changes += 1
                if dropping.done() and changes > SHARDS:
                    break
            dropping.result()
            for published in publishers:
                published.wait_for(100)
        for published, tabs in watched:
            check_kept(server, published, tabs, machine, may_go_elsewhere=True)


def lose_sockets(tabs: list[NotingTab], times: int) -> None:
    """Drop the socket of random tabs, each only once it has reconnected."""
    chance = random.Random(times)
    lost = dict.fromkeys(tabs, 0)  # its count of sockets at the last loss
    for _ in range(times):
        tab = chance.choice(tabs)
        eventually(lambda: tab.sockets > lost[tab], why="it is back")  # noqa: B023
        lost[tab] = tab.sockets
        tab.drop()
        Flag().wait(chance.uniform(0, 0.2))


def change_master(cluster: Cluster, published: PublishedThere, dies: bool) -> None:
    """Make the replica of the channel's master the new master, and publish there."""
    master = cluster.owner(published.channel)
    replica = replica_of(cluster, master)
    if dies:
        master.stop()
    else:
        replica.client.execute_command("CLUSTER", "FAILOVER")
    eventually(lambda: replica.is_master, within=20)
    published.use(replica)
    if dies:
        master.start()
    cluster.wait_until_whole()


def test_a_shard_that_nobody_takes_over_stops_its_channels_alone(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    """A page with a channel of each shard receives the others, and shows which one waits."""
    kept = names("h")
    page = ReturningTab(server.ws, kept)
    with ExitStack() as stack:
        stack.callback(page.join, 10)
        stack.callback(page.leave)
        page.start()
        eventually(lambda: page.is_followed)
        watched = stack.enter_context(under_way(cluster, server, machine, "h", kept))
        away = watched[1][0]
        master = cluster.owner(away.channel)
        replica = replica_of(cluster, master)
        replica.stop()
        master.client.save()
        master.stop()
        eventually(lambda: page.waiting == {away.channel}, why="the page knows which one waits")
        for _ in range(10):
            for published, _tabs in (watched[0], watched[2]):
                # It may be in a gap: on a busy machine the other masters may doubt each other for a while.
                last, began = int(published.last), machine()
                later = partial(_has_since, page, published.channel, last)
                eventually(later, why="a message of another shard is shown")
                assert machine() - began < LIVE_WITHIN
        master.start()
        replica.start()
        cluster.wait_until_whole()
        away.use(cluster.owner(away.channel))
        eventually(lambda: not page.waiting and page.data(away.channel)[-1:] == [away.last])
        away.wait_for(100)


def test_a_log_whose_slot_moves_goes_on_at_the_other_node(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    with under_way(cluster, server, machine, "e") as watched:
        channel = watched[2][0].channel
        source = cluster.owner(channel)
        target = next(node for node in cluster.masters() if node is not source)
        move(watched[2][0], source, target, cluster)
        watched[2][0].use(target)
        watched[2][0].wait_for(300)


def test_logs_whose_slots_redis_cli_moves_go_on(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    """Slots and their keys move to another master and back, under load."""
    source, target = sorted(cluster.masters(), key=first_slot)[:2]
    slots = range(first_slot(source), first_slot(source) + RESHARDED)
    many = (f"kept.cli{n}" for n in count())
    kept = list(islice((name for name in many if key_slot(head_of(name.encode())) in slots), 2))
    with under_way(cluster, server, machine, "cli", kept) as watched:
        for old, new in ((source, target), (target, source)):
            reshard(old, new)
            cluster.wait_until_whole()
            for published, _ in watched:
                assert cluster.owner(head_of(published.channel.encode()).decode()) is new
                published.wait_for(100)


def test_what_the_bus_loses_is_a_gap(cluster: Cluster, server: ArautoServer, machine: MachineTime) -> None:
    """Messages are published at another node than the log's, while the link between the two is down."""
    name = names("f")[0]
    published, owner = PublishedThere(cluster, name), cluster.owner(name)
    other = next(node for node in cluster.masters() if node is not owner)
    published.use(other)
    with watching(server, published) as tabs:
        with published.keep_on():
            published.wait_for(100)
            other.client.execute_command("DEBUG", "CLUSTERLINK", "KILL", "to", owner.id)
            published.wait_for(600)
        check_kept(server, published, tabs, machine)
    rows = sorted((gap["from"], gap["to"]) for gap in tabs[0].gaps)
    assert rows
    assert all(end <= start for (_, end), (start, _) in pairwise(rows)), rows
    assert any(line.get("type") == "gap" for line in replay(server, name))


def test_a_shard_that_is_down_stops_no_other(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    """The list of logs is one key. While its shard is frozen, others record, also new channels."""
    for node in cluster.nodes:
        node.client.config_set("cluster-require-full-coverage", "no")
    down = cluster.owner(NAMES.decode())
    shard = (down, replica_of(cluster, down))
    here, new = (
        [name for name in names(word) if cluster.owner(head_of(name.encode()).decode()) is not down]
        for word in ("here", "new")
    )
    publishers = [PublishedThere(cluster, name) for name in new]
    with under_way(cluster, server, machine, "here", here):
        for node in shard:
            node.freeze()
        try:
            for published in publishers:
                eventually(partial(records, server, published))
        finally:
            for node in shard:
                node.thaw()
    cluster.wait_until_whole()
    for published in publishers:
        assert event_faults(replay(server, published.channel), published, 0) == []
    client = cluster.owner(NAMES.decode()).client
    eventually(lambda: {name.encode() for name in new} <= client.smembers(NAMES))


def records(server: ArautoServer, published: Published) -> bool:
    """Publish one more message; return whether the log has any of them."""
    published.go_on()
    answer = request(server, "GET", f"/channels/messages?channel={published.channel}&since=first")
    lines = map(json.loads, answer.body.splitlines()) if answer.status == 200 else ()
    return any("data" in line for line in lines)


def test_a_message_of_each_log_is_taken_by_one_person(cluster: Cluster, server: ArautoServer) -> None:
    for name in names("taken"):
        # A log that begins soon after a loss between the nodes begins with a gap.
        eventually(partial(records, server, PublishedThere(cluster, name)))
        line = next(line for line in replay(server, name) if "id" in line)
        path = f"/channels/acknowledgements?channel={name}"
        for by, status in (("Ana", 200), ("Eva", 409)):
            answer = put(server, f"{path}&message={line['id']}", {"by": by})
            assert answer.status == status, answer.body
        (taken,) = get(server, path).json["acknowledgements"]
        assert (taken["id"], taken["by"]) == (line["id"], "Ana")


def test_a_user_of_redis_follows_with_the_smallest_rules(
    cluster: Cluster, server: ArautoServer, start: Start
) -> None:
    """The user may not read the state of the cluster."""
    kept = names("user")
    for node in cluster.nodes:
        set_user(node, "ana", "secret", *rules(PERSON, RETURNS, channels=("kept.*",)))
    url = cluster.url.replace("//", "//arauto:program" + "@")
    with_login = start(REDIS_URL=url, ARAUTO_LOGIN="redis", ARAUTO_RECORD="kept.*")
    person = Person(with_login)
    person.log_in("secret", "ana")
    with open_tab(with_login, *kept, additional_headers={"Cookie": person.cookie}) as tab:
        assert {tab.until("following")[-1]["channel"] for _ in kept} == {*kept}
        for name in kept:
            assert person.publish(name, "hello").status == 200
        messages = [tab.until("message")[-1] for _ in kept]
        assert [(event["channel"], "id" in event) for event in messages] == [(name, True) for name in kept]


def test_a_channel_is_switched_on_and_off(
    cluster: Cluster, server: ArautoServer, machine: MachineTime
) -> None:
    answer = switch(server, "%7Da", True)
    assert answer.status == 409
    assert answer.error.startswith("A name that begins with } cannot be recorded on a cluster: ")
    name = "switched"
    published = PublishedThere(cluster, name)
    assert switch(server, name, True).status == 200
    with watching(server, published) as tabs:
        published.go_on(5)
        check_kept(server, published, tabs, machine)
        answer = request(server, "DELETE", f"/channels/messages?channel={name}")
        assert answer.status == 200, answer.body
        published.go_on(5)
        eventually(lambda: tabs[0].data(name)[-1:] == [published.last])
        assert switch(server, name, False).status == 200
        eventually(lambda: tabs[0].events_of("unrecorded"))
        published.go_on()
        eventually(lambda: tabs[0].data(name)[-1:] == [published.last])


def test_pages_that_are_open_move_to_the_log_and_stay_there(cluster: Cluster, server: ArautoServer) -> None:
    """Pages listened at any node, and now at the log's: no message is lost without a gap, or doubled."""
    name = "moved"  # no process remembers that it was recorded
    published = PublishedThere(cluster, name)
    published.use(next(node for node in cluster.masters() if node is not cluster.owner(name)))
    tab = NotingTab(server.ws, published)
    with ExitStack() as stack:
        stack.callback(tab.join, 10)
        stack.callback(tab.leave)
        tab.start()
        eventually(lambda: tab.events_of("subscribe"), why="it listens")
        began = time()
        with published.keep_on():
            for on in (True, False):
                published.wait_for(50)
                assert switch(server, name, on).status == 200
                eventually(partial(_is_followed, tab, on), why=f"it is followed: {on}")
                published.wait_for(50)
        eventually(lambda: tab.data(name)[-1:] == [published.last], why="the last has come")
    assert event_faults(tab.events, published, tab.first) == []
    assert len(tab.gaps) == 1
    assert tab.gaps[0]["from"] > began - 2 * IN_FLIGHT


def test_a_page_has_a_connection_for_each_master_that_it_needs(
    cluster: Cluster, server: ArautoServer
) -> None:
    """Channels of one shard share a connection, and all connections close with the page."""
    kept, plain = names("g"), "switched"  # off, by now

    def connections() -> int:
        return sum(len(node.client.client_list(_type="pubsub")) for node in cluster.nodes)

    before = connections()

    def stay_until_followed(*channels: str) -> int:
        """The number of connections of a page with these channels."""
        with connect(f"{server.ws}/feed?{urlencode([('channel', name) for name in channels])}") as socket:
            tab = Tab(socket)
            for _ in channels:
                tab.until("subscribe")
            return connections()

    stay_until_followed(*kept, plain)  # permanent connections are open now
    eventually(lambda: connections() == before, why="they are closed")
    threads = server.threads() + 2  # a pool may grow
    for channels, many in ((kept[:1], 1), (kept, 3), ([plain], 1), ([*kept[:2], plain], 3)):
        assert stay_until_followed(*channels) - before == many, channels
        eventually(lambda: connections() == before, why="they are closed")
    eventually(lambda: server.threads() <= threads, why="their threads have ended")


def _lines(server: ArautoServer, query: str) -> list[bytes]:
    return get(server, f"/channels/messages?{query}").body.splitlines()


def _has(tab: ReturningTab, channel: str, data: str) -> bool:
    return data in tab.data(channel)


def _has_since(tab: ReturningTab, channel: str, number: int) -> bool:
    return any(int(data) >= number for data in tab.data(channel))


def _is_followed(tab: NotingTab, on: bool) -> bool:
    return tab.is_followed == on


def switch(server: ArautoServer, name: str, on: bool) -> Answer:
    return put(server, f"/channels/recording?channel={name}", {"recorded": on})


def put(server: ArautoServer, path: str, body: object) -> Answer:
    return request(server, "PUT", path, json.dumps(body), Content_Type="application/json")


def first_slot(master: ClusterNode) -> int:
    return min(int(text.partition("-")[0]) for text in master.nodes_seen()[master.id][8:])


def reshard(source: ClusterNode, target: ClusterNode) -> None:
    """Move the first slots of one master to another."""
    done = subprocess.run(
        [
            *("redis-cli", "--cluster", "reshard", f"127.0.0.1:{source.port}"),
            *("--cluster-from", source.id, "--cluster-to", target.id),
            *("--cluster-slots", str(RESHARDED), "--cluster-yes"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


def replica_of(cluster: Cluster, master: ClusterNode) -> ClusterNode:
    return next(node for node in cluster.nodes if node.nodes_seen()[node.id][3] == master.id)


def move(published: PublishedThere, source: ClusterNode, target: ClusterNode, cluster: Cluster) -> None:
    """Move the slot as ``redis-cli --cluster reshard`` does, key by key, and publish in between."""
    slot = key_slot(head_of(published.channel.encode()))
    target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    for key in source.client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.client.execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
        published.wait_for(20)
    for node in (target, source, *cluster.masters()):
        node.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target.id)
