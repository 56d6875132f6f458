"""A Redis Cluster: pages are spread over its nodes and counted together, and losses at a node are gaps."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from secrets import token_hex
from time import time

import pytest
import redis

from arauto.recording.recorded_channels import Recording
from arauto.redis_io import discovery
from arauto.redis_io.channel_list import count_listeners, list_channels
from arauto.redis_io.cluster_link import open_link
from arauto.redis_io.expiring_store import RedisStore, check_can_store
from arauto.redis_io.redis_url import Tls
from arauto.settings import WORKERS, Settings, read
from arauto.sources.redis_publish import publish as publish_to_redis
from tests.support.certificates import make_certificates
from tests.support.clusters import Cluster, ClusterNode, info_of
from tests.support.http import get, publish, publish_json
from tests.support.machine_time import MachineTime
from tests.support.redis_servers import RedisServer, binaries, free_port, release_port
from tests.support.rules import ACTS, CLUSTER, PERSON, PROGRAM, refused, rules, set_user
from tests.support.sentinels import Sentinel
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

FOLLOWED = 3.0  # seconds until a change of the cluster is noticed
TABS = 6
SHARDS = [f"s{n}" for n in range(6)]


@pytest.fixture(scope="module", params=list(zip(binaries(), WORKERS, strict=False)), ids=" ".join)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Cluster, ArautoServer]]:
    """A cluster of each server, with the program on each worker."""
    binary, worker = request.param
    place = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        cluster = Cluster(stack, binaries()[binary], place)
        server = ArautoServer(place / "log", REDIS_URL=cluster.url, ARAUTO_WORKER=worker)
        stack.enter_context(closing(server))
        yield cluster, server
        assert "Traceback" not in server.log


@pytest.fixture
def server(made: tuple[Cluster, ArautoServer]) -> ArautoServer:
    """The server, when its workers have found all nodes and slots again, whatever the test before did."""
    cluster, server = made
    cluster.wait_until_whole()

    def knows_all() -> bool:
        shards = [publish_json(server, json.dumps({"shard": name, "message": "x"})) for name in SHARDS]
        return "at_least" not in publish(server, "known", "x").json and all(
            one.status == 200 for one in shards
        )

    for worker in server.workers():
        with server.answered_by(worker):
            eventually(knows_all, why="this worker knows the whole cluster")
    return server


@pytest.fixture
def cluster(made: tuple[Cluster, ArautoServer]) -> Iterator[Cluster]:
    yield made[0]
    made[0].wait_until_whole()


@pytest.fixture
def tabs(cluster: Cluster, server: ArautoServer) -> Iterator[list[Tab]]:
    with ExitStack() as stack:
        # An earlier change of the cluster may make a page connect twice.
        yield [eventually(lambda: stack.enter_context(open_tab(server, "a"))) for _ in range(TABS)]


def listeners(node: ClusterNode, channel: str = "a") -> int:
    return node.client.pubsub_numsub(channel)[0][1]


def check_that_all_arrives(cluster: Cluster, tabs: list[Tab], word: str) -> None:
    """Messages published at any node reach each page."""
    sent = {f"{word} {node.port}" for node in cluster.nodes}
    for node in cluster.nodes:
        node.client.publish("a", f"{word} {node.port}")
    for tab in tabs:
        assert {event["data"] for event in tab.take(len(sent))} == sent


def test_pages_are_spread_and_counted_together(
    cluster: Cluster, server: ArautoServer, tabs: list[Tab]
) -> None:
    eventually(lambda: sum(map(listeners, cluster.nodes)) == TABS, why="a page may just be changing its node")
    assert max(map(listeners, cluster.nodes)) <= 2  # each of two workers spreads its own pages
    check_that_all_arrives(cluster, tabs, "hello")
    assert publish(server, "a", "x").json == {"channel": "a", "receivers": TABS, "tabs": TABS}
    owner = cluster.owner("a")
    other, another = [node for node in cluster.nodes if node is not owner][:2]
    with other.client.pubsub() as listener, another.client.pubsub() as guest:
        listener.subscribe("a", "b")
        eventually(lambda: listeners(other, "b") == 1)
        assert publish(server, "a", "x").json == {"channel": "a", "receivers": TABS + 1, "tabs": TABS}
        found = {one["channel"]: one["subscribers"] for one in get(server, "/channels").json["channels"]}
        assert found == {"a": TABS + 1, "b": 1}
        count = get(server, "/channels/listeners?channel=a").json
        assert (count["receivers"], count["tabs"], count["patterns"]) == (TABS + 1, TABS, 0)
        with open_tab(server, patterns=("a*",)):  # tabs are counted by their shadow channels
            assert publish(server, "a", "x").json == {"channel": "a", "receivers": TABS + 2, "tabs": TABS + 1}
            guest.psubscribe("*")  # subscribers of this pattern at another node cannot be counted
            eventually(lambda: another.client.pubsub_numpat() >= 1)
            answer = publish(server, "a", "x").json
            assert answer["at_least"]
            assert answer["receivers"] >= TABS + 2
            assert get(server, "/channels").json["patterns"] == 2


def test_a_sharded_channel_is_watched_where_it_is(cluster: Cluster, server: ArautoServer) -> None:
    with ExitStack() as stack:
        pages = [stack.enter_context(open_tab(server, shards=(name,))) for name in SHARDS]
        for name, page in zip(SHARDS, pages, strict=True):
            answer = publish_json(server, json.dumps({"shard": name, "message": name}))
            assert answer.json == {"shard": name, "receivers": 1, "tabs": 1}
            assert page.until("smessage")[-1]["data"] == name
        found = {one["shard"]: one["subscribers"] for one in get(server, "/channels").json["shards"]}
        assert found == dict.fromkeys(SHARDS, 1)
        for name in SHARDS[:3]:  # some slots are at other nodes
            page = stack.enter_context(open_tab(server, "a"))
            page.say(ssubscribe=[name])
            assert page.until("ssubscribe")[-1]["shard"] == name
        cluster.move_slot("s0", next(node for node in cluster.masters() if node is not cluster.owner("s0")))
        assert pages[0].until("gap")
        eventually(lambda: publish_json(server, '{"shard":"s0","message":"moved"}').status == 200)
        assert pages[0].until("smessage")[-1]["data"] == "moved"


def test_a_planned_failover_loses_nothing_and_says_nothing(cluster: Cluster, tabs: list[Tab]) -> None:
    replica = next(node for node in cluster.nodes if not node.is_master)
    replica.client.execute_command("CLUSTER", "FAILOVER")
    eventually(lambda: replica.is_master, why="it has taken over")
    check_that_all_arrives(cluster, tabs, "after")


def test_a_master_that_is_killed_is_followed_and_reported(
    cluster: Cluster, server: ArautoServer, tabs: list[Tab], machine: MachineTime
) -> None:
    master = cluster.owner("a")
    replica = next(node for node in cluster.nodes if node.nodes_seen()[node.id][3] == master.id)
    killed_at = time()
    master.stop()
    refusals = list[str]()

    def is_published() -> bool:
        answer = publish_json(server, '{"shard":"a","message":"hello"}')
        if answer.status == 503:
            refusals.append(answer.json["error"])
        return answer.status == 200

    try:
        eventually(is_published, why="a sharded channel takes messages again")
        assert all("answer" in refusal for refusal in refusals), refusals
        eventually(lambda: replica.is_master, why="its replica has taken over")
        began = machine()
        gaps = [tab.until("gap")[-1] for tab in tabs]
        assert machine() - began < FOLLOWED
        assert all(gap["from"] <= killed_at <= gap["to"] for gap in gaps)
        for tab in tabs:
            eventually(lambda: publish(server, "a", "now").status == 200)
            assert tab.through("now")
    finally:
        master.start()
    back_at = time()
    # Messages may have been published at the old master since.
    assert all(tab.until("gap")[-1]["from"] <= back_at for tab in tabs)


def test_a_node_that_stands_still_is_left(
    cluster: Cluster, server: ArautoServer, tabs: list[Tab], machine: MachineTime
) -> None:
    master = cluster.owner("a")
    replica = next(node for node in cluster.nodes if node.nodes_seen()[node.id][3] == master.id)
    frozen_at = time()
    master.freeze()
    try:
        eventually(lambda: replica.is_master, why="its replica has taken over")
        began = machine()
        assert all(tab.until("gap")[-1]["from"] <= frozen_at for tab in tabs)
        assert machine() - began < FOLLOWED
        assert get(server, "/readyz").status == 200
        answer = publish(server, "a", "without it")
        assert answer.json["receivers"] == TABS
    finally:
        master.thaw()


def test_a_link_between_two_nodes_that_breaks_is_reported_where_it_leads(
    cluster: Cluster, tabs: list[Tab]
) -> None:
    receiver = max(cluster.nodes, key=listeners)
    sender = next(node for node in cluster.nodes if node is not receiver)
    hit = listeners(receiver)
    sender.client.execute_command("DEBUG", "CLUSTERLINK", "KILL", "to", receiver.id)
    found = list[Tab]()

    def have_gaps() -> bool:
        for tab in tabs:
            try:
                if tab.next(0.01)["type"] == "gap":
                    found.append(tab)
            except TimeoutError:
                pass
        return len(found) >= hit

    eventually(have_gaps, why="each page of the receiver has a gap")


def test_a_node_comes_and_goes(cluster: Cluster, server: ArautoServer, tabs: list[Tab]) -> None:
    node = cluster.start_node()
    cluster.meet(node)
    cluster.nodes.append(node)
    try:
        eventually(lambda: len(node.nodes_seen()) == len(cluster.nodes), why="it knows all")
        node.client.execute_command("CLUSTER", "REPLICATE", cluster.owner("a").id)
        cluster.wait_until_whole()
        with ExitStack() as stack:
            more = list[Tab]()

            def takes_part() -> bool:
                more.append(stack.enter_context(open_tab(server, "a")))
                return listeners(node) > 0

            eventually(takes_part)
            cluster.nodes.remove(node)
            for other in cluster.nodes:
                other.client.execute_command("CLUSTER", "FORGET", node.id)
            node.client.execute_command("CLUSTER", "RESET")
            eventually(lambda: listeners(node) == 0, why="no subscriber stays there")
            eventually(
                lambda: sum(map(listeners, cluster.nodes)) == len(tabs + more), why="all are elsewhere"
            )
            eventually(lambda: publish(server, "a", "after").json["tabs"] == len(tabs + more))
            for tab in tabs + more:
                assert tab.through("after")
    finally:
        cluster.nodes = [one for one in cluster.nodes if one is not node]
        node.close()


def test_sessions_are_kept_wherever_their_keys_are(cluster: Cluster) -> None:
    with closing(open_link(cluster.url)) as link:
        check_can_store(link)
        store = RedisStore(link)
        keys = [f"key {n} {token_hex(4)}" for n in range(20)]
        for key in keys:
            store.put(key, key.encode(), 60)
            store.add(f"set {key}", key, 60)
            assert store.increment(f"number {key}", 60) == 1
        assert [store.get(key) for key in keys] == [key.encode() for key in keys]
        assert all(store.members(f"set {key}") == [key] for key in keys)
        assert store.has([*keys, "none"]) == [True] * 20 + [False]
        store.drop(keys)
        assert not any(store.has(keys))
        for key in keys:  # as tokens are: by a script
            assert store.replace(key, None, b"first")
            assert not store.replace(key, None, b"second")
            assert store.replace(key, b"first", b"second")
            assert store.get(key) == b"second"
        store.drop(keys)


def sentence_of(url: str) -> str:
    with pytest.raises(discovery.NoRedis) as found:
        discovery.find(read({"REDIS_URL": url}))
    return str(found.value)


def test_what_cannot_work_is_reported_in_one_sentence(
    cluster: Cluster, valkey: RedisServer, tmp_path: Path
) -> None:
    plain = f"127.0.0.1:{valkey.port}"
    assert f"What answers at {plain} is no cluster: set REDIS_URL=redis://{plain}" in sentence_of(
        f"redis+cluster://{plain}"
    )
    with closing(Sentinel(binaries()["valkey"], tmp_path, valkey.port, quorum=1)) as sentinel:
        there = f"127.0.0.1:{sentinel.port}"
        assert (
            f"What answers at {there} is no cluster: set REDIS_URL=redis://{there}, or "
            f"redis+sentinel://{there}/NAME if it is a Sentinel"
        ) in sentence_of(f"redis+cluster://{there}")
    assert "No node of the cluster answers (127.0.0.1:1: Error 111" in sentence_of(
        "redis+cluster://127.0.0.1:1"
    )
    login = sentence_of(cluster.url.replace("//", "//nobody:wrong@"))
    assert "wants another user or password" in login
    assert login.endswith("set REDIS_URL=redis+cluster://user:password@host,host.")
    node = cluster.owner("a")
    warning = discovery.find(read({"REDIS_URL": node.url})).warning
    assert f"Set REDIS_URL=redis+cluster://127.0.0.1:{node.port}" in warning
    node.client.execute_command("CLUSTER", "DELSLOTS", redis.crc.key_slot(b"a"))
    try:
        assert "is not whole: a slot has no node that answers" in sentence_of(cluster.url)
    finally:
        node.client.execute_command("CLUSTER", "ADDSLOTS", redis.crc.key_slot(b"a"))
    node.client.config_set("cluster-announce-ip", "127.0.0.9")
    try:
        eventually(lambda: all("127.0.0.9" in one.nodes_seen()[node.id][1] for one in cluster.nodes))
        assert (
            f"its node 127.0.0.9:{node.port} does not answer from here: set cluster-announce-ip"
            in sentence_of(cluster.url)
        )
    finally:
        node.client.config_set("cluster-announce-ip", "127.0.0.1")
        eventually(lambda: all("127.0.0.9" not in one.nodes_seen()[node.id][1] for one in cluster.nodes))


def test_a_node_that_refuses_our_user_is_no_silent_one(cluster: Cluster) -> None:
    """At one node alone the password is another, or a permission is missing."""
    for node in cluster.nodes:
        set_user(node, "same", "same", "~*", "&*", "+@all")
    node, url = cluster.nodes[1], cluster.url.replace("//", "//same:same@")
    try:
        for change in ((">other", "<same"), (">same", "-cluster")):
            node.client.execute_command("ACL", "SETUSER", "same", *change)
            sentence = sentence_of(url)
            assert f"its node 127.0.0.1:{node.port} refuses us (" in sentence
            assert sentence.endswith("give our user the same password and permissions at every node.")
    finally:
        for one in cluster.nodes:
            one.client.execute_command("ACL", "DELUSER", "same")


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "REDIS_URL does not parse: give redis+cluster://host:7000,host2:7000"),
        ("host:7000,", "REDIS_URL does not parse: give redis+cluster://"),
        ("a:1,u:p@b:2,c@d:3", "REDIS_URL does not parse: give redis+cluster://"),
        ("host:70000", "REDIS_URL names a port that is none"),
        ("host:7000/1", "REDIS_URL names a database, and a cluster has only database 0"),
        ("host:7000?db=2", "REDIS_URL names a database, and a cluster has only database 0"),
        ("host:7000/name", "REDIS_URL names a database that is no number"),
        ("no..where:7000", "REDIS_URL names a host that cannot be one: no..where."),
        ("host:7000?nonsense=1", "REDIS_URL has an option that redis-py does not know"),
    ],
)
def test_an_address_with_a_typo_is_reported(place: str, sentence: str) -> None:
    assert sentence in sentence_of(f"redis+cluster://{place}")


def test_the_smallest_rules_are_enough(cluster: Cluster) -> None:
    set_everywhere(cluster, "arauto", *rules(PROGRAM, ACTS, CLUSTER, channels=("a",)))
    try:
        with closing(open_link(cluster.url.replace("//", "//arauto:secret" + "@"))) as link:
            RedisStore(link).put("key", b"value", 60)
            assert RedisStore(link).increment(f"number {token_hex(4)}", 60) == 1
            assert list_channels(link, b"*", lambda name: True)["channels"] == []
            assert count_listeners(link, "channel", b"a")["receivers"] == 0
            assert (
                publish_to_redis(Recording(link, read({"ARAUTO_RECORDING": "off"})), b"a", b"x", link).tabs
                == 0
            )
            set_everywhere(cluster, "ana", *rules(PERSON, channels=("a",)))
            with closing(link.as_user("ana", "secret")) as hers:
                assert hers.can_log_in()
                assert not link.as_user("ana", "wrong").can_log_in()
                assert count_listeners(hers, "channel", b"a")["tabs"] == 0
                for one in (link, hers):
                    with closing(one.connect()) as subscriber:
                        subscriber.send(b"SUBSCRIBE a arauto:tabs:channel:a\r\n")
                        assert b"subscribe" in subscriber.recv()
                cluster.nodes[0].client.execute_command("ACL", "DELUSER", "ana")
                for _ in range(40):  # connections go to any node; all other nodes still know the user
                    hers.connect().close()
        assert [refused(node) for node in cluster.nodes] == [[]] * len(cluster.nodes)
    finally:
        for node in cluster.nodes:
            node.client.execute_command("ACL", "DELUSER", "arauto", "ana")


def set_everywhere(cluster: Cluster, user: str, *rules: str) -> None:
    for node in cluster.nodes:
        set_user(node, user, "secret", *rules)
        node.client.execute_command("ACL", "LOG", "RESET")


def test_nodes_are_reached_over_tls_by_the_names_that_they_announce(tmp_path: Path, start: Start) -> None:
    # redis-py's cluster client replaces localhost by 127.0.0.1.
    made, port = make_certificates(tmp_path, None, "127.0.0.1"), free_port()
    named = ("--tls-cluster", "yes", "--cluster-announce-hostname", "localhost")
    options = (*made.redis_options(port), *named, "--cluster-announce-ip", "127.0.0.1")
    with closing(ClusterNode(binaries()["redis"], tmp_path, *options)) as node:
        node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: b"cluster_state:ok" in info_of(node))
        settings = read(
            {"REDIS_URL": f"rediss+cluster://localhost:{port}", "ARAUTO_REDIS_CA": str(made.authority)}
        )
        found = eventually_found(settings)
        assert (found.master, found.is_verified) == (("localhost", port), True)
        with closing(open_link(found.url, Tls.of(settings))) as link:
            RedisStore(link).put("key", b"value", 60)
            assert RedisStore(link).get("key") == b"value"
            link.connect().close()
        server = start(
            REDIS_URL=f"rediss+cluster://localhost:{port}",
            ARAUTO_REDIS_CA=str(made.authority),
            ARAUTO_RECORD="kept",
        )
        with open_tab(server, "kept") as tab:
            tab.until("following")
            assert publish(server, "kept", "hello").status == 200
            assert "id" in tab.until("message")[-1]
        server.close()
    release_port(port)


def eventually_found(settings: Settings) -> discovery.DiscoveredRedis:
    def found() -> discovery.DiscoveredRedis:
        try:
            return discovery.find(settings)
        except discovery.NoRedis as error:
            raise AssertionError(str(error)) from None

    return eventually(found)
