"""Topics of a real Kafka in a feed: each message once, or a gap with the reason."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arauto.auth.api_tokens import Tokens
from arauto.kafka_io.topic_hub import MOST_READ
from arauto.settings import WORKERS
from tests.integration.test_tokens import bearer
from tests.support.http import get
from tests.support.kafka_servers import PATIENT, KafkaServer, arauto_beside
from tests.support.persons import Person
from tests.support.raw import Frame, RawFeed
from tests.support.redis_servers import RedisServer
from tests.support.rules import PERSON, rules, set_user
from tests.support.servers import ArautoServer
from tests.support.tabs import Event, Tab, open_tab
from tests.support.waiting import PATIENCE, eventually

MANY, LARGE = 40, b" " * 400_000  # more than all buffers between a server and a page
COMES_AND_GOES = 12  # pages, each of which might leave a consumer behind
QUICK = """
from arauto.kafka_io import connection, topic_hub, topic_reader
from arauto.sources import topic_cursor, topic_tail
topic_hub.LOOK = topic_reader.LOOK = topic_reader.AGAIN = 0.1
topic_tail.AGAIN = topic_tail.CHECKED_AGAIN = topic_tail.LISTED_AGAIN = 0.1
topic_cursor.MOST_BEHIND = 100
connection.KEPT = 0
"""

ENVIRON = {"ALTER": PATIENT + QUICK}


@contextmanager
def watch(server: ArautoServer, *topics: str, place: str = "", **query: Any) -> Iterator[Tab]:
    query_items = [*(("topic", name) for name in topics), ("place", place), *query.items()]
    options: dict[str, Any] = {"compression": None, "max_size": None, "open_timeout": PATIENCE}
    with connect(f"{server.ws}/feed?{urlencode(query_items)}", **options) as socket:
        yield Tab(socket)


def shown(events: list[Event]) -> list[str]:
    return [event["data"] for event in events if event["type"] == "tmessage"]


def place(following: Event) -> str:
    """The ``place`` parameter of a page that reconnects."""
    return f"{following['epoch']}.{following['places']}"


def reads(server: ArautoServer, n: int) -> bool:
    """Whether Kafka's library has exactly ``n`` clients that read topics in the server's processes.

    The client that every process keeps is not counted, nor are short-lived consumers of single requests.
    """
    tasks = [task for one in server.workers() for task in Path(f"/proc/{one.pid}/task").glob("*/comm")]
    count = 0
    for task in tasks:
        with suppress(OSError):  # the process has just ended
            count += task.read_text().strip() == "rdk:main"
    return count == 1 + n


def open_descriptors(server: ArautoServer) -> int:
    return sum(one.num_fds() for one in server.workers())


def test_a_topic_is_read_once_for_all_its_pages(
    server: ArautoServer, kafka: KafkaServer, valkey: RedisServer, topic: str
) -> None:
    kafka.create(topic, partitions=2)
    kafka.create(f"{topic}.other")
    kafka.produce(topic, b"before")
    with watch(server, topic) as one:
        first, following = one.take(2)
        assert (first["type"], first["topic"], following["type"]) == ("tsubscribe", topic, "following")
        assert following["places"] == "0:1,1:0"
        eventually(lambda: reads(server, 1))
        with watch(server, topic, channel=topic) as two:
            assert {event["type"] for event in two.take(3)} == {"subscribe", "tsubscribe", "following"}
            kafka.produce(topic, b"\xff", partition=1, key="ação".encode(), headers=[("trace", b"a1")])
            for tab in (one, two):
                message = tab.next()
                del message["at"], message["time"]
                assert message == {
                    "type": "tmessage", "topic": topic, "partition": 1, "offset": 0, "clock": "producer",
                    "key": "ação", "headers": [{"name": "trace", "value": "a1"}],
                    "data": "/w==", "encoding": "base64", "size": 1,
                }  # fmt: skip
            eventually(lambda: reads(server, 1), why="one client reads for both")
            valkey.client.publish(topic, "of Redis")
            assert two.next()["data"] == "of Redis"
            two.say(tsubscribe=[f"{topic}.other"], tunsubscribe=[topic], unsubscribe=[topic])
            changed = two.take(4)
            assert sorted(event["type"] for event in changed) == [
                "following", "tsubscribe", "tunsubscribe", "unsubscribe",
            ]  # fmt: skip
            kafka.produce(topic, None)
            kafka.produce(f"{topic}.other", b"other")
            assert shown([two.next()]) == ["other"]
            assert one.next()["tombstone"]
            two.say(tsubscribe=["a b"])
            assert two.next()["error"].startswith("A topic's name has letters")
        one.say(subscribe=["a channel"])
        assert one.next()["channel"] == "a channel"
    eventually(lambda: reads(server, 0), why="no client reads it any more")
    descriptors = open_descriptors(server)
    for _ in range(COMES_AND_GOES):
        with watch(server, topic) as tab:
            tab.until("following")
    eventually(lambda: open_descriptors(server) < descriptors + COMES_AND_GOES)
    assert "arauto" not in kafka.groups(), "it joins none"


def test_a_page_that_comes_back_is_shown_what_it_missed(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    kafka.create(topic, partitions=2)
    with watch(server, topic) as tab:
        following = tab.until("following")[-1]
    kafka.produce(topic, b"1", b"2")
    kafka.produce(topic, b"3", partition=1)
    with watch(server, topic, place=place(following)) as tab:
        *missed, following = tab.until("following")[1:]
        assert (sorted(shown(missed)), {event["past"] for event in missed}) == (["1", "2", "3"], {True})
        assert following["places"] == "0:2,1:1"
        kafka.produce(topic, b"4")
        assert shown([tab.next()]) == ["4"]
        with watch(server, topic, place=place(following)) as late:  # from the messages kept for other pages
            assert shown(late.until("following")) == ["4"]
            kafka.produce(topic, b"5", partition=1)
            assert shown([late.next()]) == shown([tab.next()]) == ["5"]
    with watch(server, topic, since="2") as tab:
        assert sorted(shown(tab.until("following"))) == ["2", "3", "4", "5"]
    with watch(server, topic, since="0:2") as tab:
        assert shown(tab.until("following")) == ["4"]
    kafka.trim(topic, partition=0, offset=1)
    with watch(server, topic, place=f"{following['epoch']}.0:0,1:9") as tab:
        *gaps, _, _, _ = tab.until("following")[1:]
        assert [(gap["reason"], gap["partition"], gap.get("missing")) for gap in gaps] == [
            ("retention", 0, 1),
            ("truncated", 1, None),
        ]
    kafka.produce(topic, *(b"%d" % n for n in range(300)), partition=1)
    with watch(server, topic, since="first") as tab:
        *events, following = tab.until("following")[1:]
        behind = [event for event in events if event["type"] == "gap"]
        assert [(gap["reason"], gap["partition"], gap["missing"]) for gap in behind] == [("behind", 1, 252)]
        assert shown(events)[-1] == "299"
        assert len(shown(events)) == 52


@pytest.mark.real_kafka("ids of topics")
def test_a_topic_that_comes_goes_and_changes(server: ArautoServer, kafka: KafkaServer, topic: str) -> None:
    absent = [f"no.{n}" for n in range(MOST_READ + 1)]
    missing = "Kafka has no such topic, or no such partition of it."
    with watch(server, *absent) as greedy, ExitStack() as stack:
        waiting = set(absent)
        while waiting:
            event = greedy.next()
            waiting -= {event["topic"]} if event.get("error") == missing else set()
        tab = stack.enter_context(watch(server, topic))
        chosen, away = tab.take(2)
        assert (chosen["type"], away["type"], away["error"]) == ("tsubscribe", "away", missing)
        assert topic not in kafka.topics()
        kafka.create(topic)
        kafka.produce(topic, b"1", b"2")
        events = tab.until("following")
        while len(shown(events)) < 2:
            events.append(tab.next())
        assert shown(events) == ["1", "2"]
        left = place(next(event for event in events if event["type"] == "following"))
        kafka.add_partitions(topic, 2)
        kafka.produce(topic, b"3", partition=1)
        assert shown(tab.until("tmessage")) == ["3"]
        kafka.delete(topic)
        assert tab.next()["type"] == "away"
        kafka.create(topic)
        kafka.produce(topic, b"4")
        events = tab.until("tmessage")
        assert [event["reason"] for event in events if event["type"] == "gap"] == ["replaced"]
        assert shown(events) == ["4"]
        with watch(server, topic, place=left) as back:
            assert [event.get("reason") for event in back.take(2)] == [None, "replaced"]
            assert shown(back.until("following")) == ["4"]


def test_a_glob_brings_topics_as_they_come_and_go(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    glob, (a, b, c, d) = f"{topic}.[^_]*", (f"{topic}.{one}" for one in "abcd")
    for one in (a, b, f"{topic}._out", f"__{topic}.a"):
        kafka.create(one, partitions=2)
    kafka.produce(a, b"a1")
    with watch(server, glob, since="first") as tab, ExitStack() as stack:
        seen = tab.take(2)
        followed: dict[str, Event] = {}
        while followed.keys() != {a, b}:  # a list that is less than a second old may lack them
            seen += tab.until("following")
            followed = {event["topic"]: event for event in seen if event["type"] == "following"}
        assert (seen[0]["type"], seen[0]["topic"]) == ("tsubscribe", glob)
        matched = [event for event in seen if event["type"] == "matched"][-1]
        assert matched == {"type": "matched", "topic": glob, "topics": [a, b]}
        other = stack.enter_context(watch(server, glob, f"{a}:1"))
        named = {event["topic"] for event in other.until("following") + other.until("following")}
        assert named == {glob, a, b, f"{a}:1"}
        eventually(lambda: reads(server, 2), why="each is read once")
        other.say(tunsubscribe=[glob])
        assert other.until("tunsubscribe")[-1]["topic"] == glob

        kafka.produce(a, b"not of 1")
        kafka.produce(a, b"a2", partition=1)
        both = shown(tab.until("tmessage") + tab.until("tmessage"))[-2:]
        assert sorted(both) == ["a2", "not of 1"]  # two partitions have no common order
        assert shown(other.until("tmessage")) == ["a2"]
        kafka.create(c)
        kafka.produce(c, b"c1")
        events = tab.until("tmessage")
        assert [event["topics"] for event in events if event["type"] == "matched"] == [[a, b, c]]
        assert (events[-1]["topic"], events[-1]["data"]) == (c, "c1")
        kafka.delete(b)
        gap, gone, matched = tab.until("matched")[-3:]
        assert (gap["reason"], gap["topic"], gone["type"], gone["topic"]) == ("deleted", b, "tunsubscribe", b)
        assert matched["topics"] == [a, c]
    kafka.produce(a, b"a3")
    kafka.produce(c, b"c2")
    kafka.create(d)
    kafka.produce(d, b"d1")
    back = f"{a}/{followed[a]['epoch']}.0:2,1:1;{b}/{followed[b]['epoch']}.0:0,1:0;{c}/;"
    with watch(server, glob, place=back) as tab:
        events = [event for _ in (a, c, d) for event in tab.until("following")]
        assert sorted(shown(events)) == ["a3", "d1"]
        events += [] if any(event["type"] == "gap" for event in events) else tab.until("gap")
        assert [(event["reason"], event["topic"]) for event in events if event["type"] == "gap"] == [
            ("deleted", b)
        ]  # it was deleted while the page was away
    for one in (a, c, d):
        kafka.delete(one)


def test_a_broker_that_is_away_and_back(kafka: KafkaServer, valkey: RedisServer, tmp_path: Path) -> None:
    kafka.create("outlives")
    quick = QUICK + "from arauto.kafka_io import topic_identity\ntopic_identity.DEADLINE = 0.5\n"
    with ExitStack() as stack:
        servers = []
        for worker in WORKERS:
            (tmp_path / worker).mkdir()
            servers.append(stack.enter_context(arauto_beside(
                kafka, tmp_path / worker, REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ALTER=quick,
            )))  # fmt: skip
        tabs = [stack.enter_context(watch(one, "outlives", channel="a")) for one in servers]
        for tab in tabs:
            assert {event["type"] for event in tab.take(3)} == {"subscribe", "tsubscribe", "following"}
        kafka.stop()
        try:
            for server, tab in zip(servers, tabs, strict=True):
                assert tab.until("away")[-1]["error"] == "Kafka does not answer."
                valkey.client.publish("a", "meanwhile")
                assert tab.until("message")[-1]["data"] == "meanwhile"
                assert get(server, "/readyz").status == 200
            late = stack.enter_context(watch(servers[0], "outlives"))
            assert [event["type"] for event in late.take(2)] == ["tsubscribe", "away"]
        finally:
            kafka.start()
        kafka.produce("outlives", b"after")
        for tab in (*tabs, late):
            events = tab.until("tmessage")
            assert shown(events) == ["after"]
            assert "gap" not in {event["type"] for event in events}
        for server in servers:  # while it waits for messages
            assert server.stop() == 0
        for tab in (*tabs, late):
            with pytest.raises(ConnectionClosed) as closed:
                tab.until("nothing more")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001


def test_who_may_watch_a_topic(kafka: KafkaServer, valkey: RedisServer, tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        kafka.create(name)
    set_user(valkey, "rui", "a password of rui", *rules(PERSON, channels=("news", "kafka:mine")))
    with arauto_beside(
        kafka, tmp_path, REDIS_URL=valkey.url, ARAUTO_LOGIN="redis", ARAUTO_WORKER="gevent",
        ARAUTO_TOKENS=str(tmp_path / "tokens"), ALTER=PATIENT + QUICK + "topic_hub.MOST_READ = 2",
    ) as server:  # fmt: skip
        of_theirs = Tokens(str(tmp_path / "tokens")).create("theirs", ["kafka:theirs"], [], 1e12)
        assert get(server, "/feed?topic=theirs", **bearer(of_theirs)).status == 426
        refused = get(server, "/feed?topic=mine", **bearer(of_theirs))
        assert (refused.status, refused.error) == (403, "This token may not listen to kafka:mine.")
        rui = Person(server)
        rui.log_in("a password of rui", user="rui")
        with connect(
            f"{server.ws}/feed?topic=mine&topic=theirs",
            open_timeout=PATIENCE,
            **rui.socket_headers(),
        ) as socket:
            tab = Tab(socket)
            first = sorted(tab.take(3), key=lambda event: str(event["type"]))
            assert [event["type"] for event in first] == ["following", "refused", "tsubscribe"]
            sentence = "Redis does not let the user rui listen to {}."
            assert (first[1]["topic"], first[1]["error"]) == ("theirs", sentence.format("theirs"))
            set_user(valkey, "rui", "a password of rui", *rules(PERSON, channels=("news",)))
            assert tab.next()["error"] == sentence.format("mine")
            kafka.produce("mine", b"a secret")
            tab.say(subscribe=["news"])
            assert tab.next()["type"] == "subscribe"
        assert "listening refused topic='theirs'" in server.log
        set_user(valkey, "rui", "a password of rui", *rules(PERSON, channels=("kafka:mine",)))
        with connect(f"{server.ws}/feed?topic=*", open_timeout=PATIENCE, **rui.socket_headers()) as socket:
            assert Tab(socket).until("matched")[-1]["topics"] == ["mine"]
        more = [f"more.{n}" for n in range(3)]
        for name in more:
            kafka.create(name)
        of_more = bearer(Tokens(str(tmp_path / "tokens")).create("more", ["kafka:more.*"], [], 1e12))
        with connect(
            f"{server.ws}/feed?topic=*", open_timeout=PATIENCE, additional_headers=of_more
        ) as socket:
            tab = Tab(socket)
            matched = tab.until("matched")[-1]
            while matched["topics"] != more[:2]:  # topics read before may not have ended yet
                matched = tab.until("matched")[-1]
            assert (matched["left_out"], "it leaves 1 out" in matched["error"]) == (more[2:], True)


@pytest.mark.real_kafka("ACL")
def test_a_right_that_kafka_takes_away_and_gives_back(
    kafka: KafkaServer, valkey: RedisServer, tmp_path: Path
) -> None:
    word = "a password of lia"
    for name in ("hers", "open"):
        kafka.create(name)
    kafka.create_user("lia", word)
    for user in ("lia", "another"):
        kafka.allow(user, "hers")
    with (
        arauto_beside(
            kafka, tmp_path, REDIS_URL=valkey.url, ARAUTO_WORKER="gevent", ALTER=PATIENT + QUICK,
            KAFKA_URL=f"kafka+ssl://lia:{quote(word)}@localhost:{kafka.safe_port}",
            ARAUTO_KAFKA_CA=str(kafka.certificates.authority),
        ) as server,
        watch(server, "hers") as tab,
        watch(server, "open") as other,
    ):  # fmt: skip
        for one in (tab, other):
            one.until("following")
        kafka.produce("hers", b"1")
        assert shown(tab.until("tmessage")) == ["1"]
        kafka.forbid("lia", "hers")
        refused = "Kafka refuses: Broker: Topic authorization failed"
        assert tab.until("away")[-1]["error"] == refused
        answer = get(server, "/topics/hers/messages")
        assert (answer.status, answer.error) == (502, refused)
        kafka.produce("hers", b"2")
        kafka.produce("open", b"meanwhile")
        assert shown(other.until("tmessage")) == ["meanwhile"]
        kafka.allow("lia", "hers")
        kafka.produce("hers", b"3")
        events = tab.until("tmessage")
        assert shown([*events, tab.next()]) == ["2", "3"]
        assert "gap" not in {event["type"] for event in events}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("topic=a%20b", "A topic's name has letters and digits of ASCII, dots, _ and -"),
        ("topic=a:b", "The partition is a whole number from 0 on."),
        ("topic=a.*:1", "A glob of topics has what their names have"),
        ("topic=a.*&since=0:1", "An offset is that of one topic: with a glob write a time, such as 10m."),
        ("topic=a.*&place=a/0:1", "0:1 is not a place in a topic"),
        ("topic=a:2&since=0:1", "The offset is that of another partition."),
        ("topic=a&place=0:1", "0:1 is not a place in a topic: leave it out to start from now."),
        ("topic=a&place=7Zk.0:2147483648.0:1", "7Zk.0:2147483648.0:1 is not a place in a topic"),
        ("topic=a.*&place=a/7Zk.0:2147483648.0:1;", "7Zk.0:2147483648.0:1 is not a place in a topic"),
        ("topic=a&place=&place=", "Give one place for each topic, or none."),
        ("topic=a&since=yesterday", "yesterday is not a place in a topic"),
        ("topic=a&channel=b&since=0:1", "0:1"),
    ],
)
def test_what_is_no_topic_or_place_is_said(server: ArautoServer, query: str, sentence: str) -> None:
    answer = get(server, f"/feed?{query}")
    assert (answer.status, answer.error.startswith(sentence)) == (400, True), answer


def test_there_are_no_topics_without_kafka(plain_arauto: ArautoServer) -> None:
    sentence = "This server has no Kafka: topics need KAFKA_URL."
    answer = get(plain_arauto, "/feed?topic=orders")
    assert (answer.status, answer.error) == (400, sentence)
    with open_tab(plain_arauto, "a") as tab:
        tab.say(tsubscribe=["orders"])
        assert tab.next()["error"] == sentence


def test_a_page_that_stops_reading_is_closed_and_nobody_waits_for_it(
    server: ArautoServer, kafka: KafkaServer, topic: str
) -> None:
    kafka.create(topic)
    with (
        watch(server, topic) as tab,
        closing(RawFeed(server, f"a&topic={topic}", receive_buffer=4096)) as stuck,
    ):
        tab.until("following")
        while b'"following"' not in (frame := stuck.next() or Frame(0, b"")).payload:
            assert frame.opcode, "it is not closed while it reads"
        for start in range(0, MANY, MANY // 4):
            kafka.produce(topic, *(b"%d" % n + LARGE for n in range(start, start + MANY // 4)))
            events: list[Event] = []
            while len(shown(events)) < MANY // 4:
                events.append(tab.next())
            assert "gap" not in {event["type"] for event in events}
            assert get(server, "/healthz").status == 200
        eventually(lambda: f"topic='{topic}'" in closed(server), why="the other one is closed")
        kafka.produce(topic, b"after it")
        assert shown([tab.next()]) == ["after it"]


def closed(server: ArautoServer) -> str:
    """The log lines of feeds that ended with an error."""
    return "".join(line for line in server.log.splitlines() if "feed closed" in line and "code=1006" in line)
