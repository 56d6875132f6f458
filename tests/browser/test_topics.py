"""Topics of Kafka in the page, beside the channel of the same name, with a fake feed of the test."""

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_exporting import export
from tests.browser.test_filter import filter_field
from tests.support.kafka_servers import PATIENT, KafkaServer, arauto_beside
from tests.support.pages import (
    chip,
    chips,
    expect_live,
    expect_texts,
    hide,
    notices,
    row,
    rows,
    status,
    subscribe,
    unsubscribe,
)
from tests.support.pictures import take
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

QUICK = """
from arauto.kafka_io import topic_hub, topic_reader
from arauto.sources import topic_tail
topic_hub.LOOK = topic_reader.LOOK = topic_reader.AGAIN = topic_tail.AGAIN = 0.1
"""
NOBODY = "kafka://127.0.0.1:1"
NOON = 1_700_000_000.0
EPOCH = "7Zk"


class Feed:
    """The server's end of a page's feed."""

    def __init__(self, page: Page) -> None:
        self.addresses: list[str] = []
        self.received: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket(lambda url: urlsplit(url).path == "/feed", self._open)

    def _open(self, socket: WebSocketRoute) -> None:
        self.addresses.append(socket.url)
        self.sockets.append(socket)
        socket.on_message(lambda text: self.received.append(json.loads(text)))

    def say(self, *events: dict[str, Any]) -> None:
        self.sockets[-1].send(json.dumps(events))

    def tell(self, offset: int, data: str, **more: Any) -> None:
        """Send a message of partition 3."""
        self.say(message(offset, data) | more)


def message(offset: int, data: str) -> dict[str, Any]:
    place = {"topic": "same", "partition": 3, "offset": offset, "at": NOON + 1}
    return {
        "type": "tmessage",
        **place,
        "time": NOON,
        "clock": "producer",
        "key": None,
        "headers": [],
        "data": data,
    }


def following(places: str) -> dict[str, Any]:
    return {"type": "following", "topic": "same", "epoch": EPOCH, "places": places}


CONFIRMED = {"type": "tsubscribe", "topic": "same", "at": NOON}


def open_fed(open_page: OpenPage, server: ArautoServer, query: str, **how: Any) -> tuple[Page, Feed]:
    """A page with a fake feed."""
    page = open_page("/healthz", server=server, **how)
    feed = Feed(page)
    page.goto(f"{server.url}/?{query}")
    eventually(lambda: page.evaluate("1") and feed.sockets, why="the page opens its feed")
    return page, feed


def test_a_topic_beside_the_channel_of_its_name(
    open_page: OpenPage, start: Start, valkey: RedisServer
) -> None:
    server = start(REDIS_URL=valkey.url, KAFKA_URL=NOBODY)
    page, feed = open_fed(open_page, server, "channel=same")
    feed.say({"type": "subscribe", "channel": "same", "at": NOON})
    subscribe(page, "same", "topic")
    eventually(lambda: page.evaluate("1") and feed.received, why="the page subscribes to it")
    assert feed.received == [{"tsubscribe": ["same"]}]
    feed.say(CONFIRMED, following("3:4700"))
    expect_live(page)
    assert parse_qs(urlsplit(page.url).query) == {"channel": ["same"], "topic": ["same"]}
    feed.tell(
        4711,
        '{"sku": 7}',
        key="ana",
        headers=[{"name": "trace", "value": "a1"}, {"name": "empty", "value": None}],
    )
    feed.say({"type": "message", "channel": "same", "data": "of Redis", "at": NOON + 2})
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first.locator(".row__kind")).to_have_text("topic")
    expect(row(page, "of Redis").locator(".row__kind")).to_have_count(0)
    hues = page.locator(".row").evaluate_all("all => all.map((row) => row.style.getPropertyValue('--Hue'))")
    assert len(set(hues)) == 2

    records = [json.loads(line) for line in export(page, "NDJSON").read_text().splitlines()]
    assert [(one.get("topic"), one.get("channel")) for one in records] == [("same", None), (None, "same")]
    assert (records[0]["partition"], records[0]["offset"], records[0]["key"]) == (3, 4711, "ana")
    head, first, _ = export(page, "CSV").read_text(encoding="utf-8-sig").splitlines()
    assert head.endswith(",topic,partition,offset,key,key_base64")
    assert first.endswith(",same,3,4711,ana,")

    row(page, "sku").click()
    detail = page.locator("#detail")
    expect(detail.locator(".detail__facts")).to_contain_text(re.compile("Topic *same"))
    for fact in ("3", "4711", "ana", "trace: a1", "empty: none", "Time of the producer"):
        expect(detail.locator(".detail__facts")).to_contain_text(fact)
    expect(detail).not_to_contain_text("Live only")
    hide(page, "same (topic)").click()
    expect_texts(page, ["of Redis"])
    hide(page, "same (topic)").click()

    feed.tell(4712, "", key="ana", tombstone=True)
    expect(rows(page).last).to_contain_text("No data: deletes what has this key")
    framed = b"\0\0\0\0*" + b"\xff\xfe"
    feed.tell(4713, base64.b64encode(framed).decode(), encoding="base64", size=7)
    expect(rows(page).last).to_contain_text("Schema 42, then 2 bytes")
    expect(rows(page).last).to_contain_text("00 00 00 00 2a ff fe")
    feed.tell(4714, '\0\0\0\0*{"of": "a schema"}', key_base64="/w==", key_size=3000, headers_unreadable=True)
    expect(rows(page).last).to_contain_text("Schema 42, then 18 bytes")
    rows(page).last.click()
    for fact in ("\\xff … (3000 B)", "cannot be read", "42"):
        expect(detail.locator(".detail__facts")).to_contain_text(fact)

    unsubscribe(page, "same", "topic")
    eventually(lambda: page.evaluate("1") and len(feed.received) == 2, why="the page unsubscribes from it")
    assert feed.received[1] == {"tunsubscribe": ["same"]}
    assert chips(page) == ["same"]


def test_what_a_topic_has_missed_and_where_it_goes_on(
    open_page: OpenPage, start: Start, valkey: RedisServer
) -> None:
    page, feed = open_fed(
        open_page, start(REDIS_URL=valkey.url, KAFKA_URL=NOBODY), "topic=same&since=10m", allow=("WebSocket",)
    )
    assert parse_qs(urlsplit(feed.addresses[0]).query, keep_blank_values=True) == {
        "topic": ["same"], "place": [""], "since": ["10m"],
    }  # fmt: skip
    feed.say(CONFIRMED, message(4700, "of the past") | {"past": True, "at": NOON}, following("0:815,3:4701"))
    expect_live(page)
    feed.tell(4711, "one")
    expect_texts(page, ["of the past", "one"])
    expect(page.locator("#welcome p").first).to_contain_text("Kafka keeps it")
    subscribe(page, "news")
    feed.say({"type": "subscribe", "channel": "news", "at": NOON})
    expect(page.locator("#welcome p").first).to_contain_text("and nothing from before")
    unsubscribe(page, "news")
    feed.say({"type": "unsubscribe", "channel": "news", "at": NOON})

    gap = {"type": "gap", "topic": "same", "partition": 3, "offset": 4000, "from": NOON, "to": NOON}
    feed.say(
        *(gap | {"reason": reason, "missing": 711} for reason in ("retention", "leaderless", "behind")),
        *(gap | {"reason": reason} for reason in ("retention", "leaderless", "replaced", "truncated")),
    )
    expect(notices(page)).to_have_count(7)
    expect(notices(page).first).to_contain_text("Kafka no longer keeps partition 3 from offset 4000 on.")
    expect(notices(page).first).to_contain_text("At most 711 messages are missing.")
    expect(notices(page).nth(3)).not_to_contain_text("At most")
    expect(notices(page).last).to_contain_text("Kafka lost messages of partition 3")

    feed.say({"type": "away", "topic": "same", "error": "Kafka does not answer."})
    expect(chip(page, "same")).to_contain_text("away since")
    expect(chip(page, "same")).to_have_attribute("title", re.compile("Kafka does not answer"))
    expect(status(page)).to_contain_text("nothing comes of 1 topic")
    assert (
        chip(page, "same").locator(".chip__name").evaluate("(name) => name.clientWidth >= name.scrollWidth")
    )
    feed.say(following("0:815,3:4712"))
    expect(chip(page, "same")).not_to_contain_text("away since")

    feed.sockets[-1].close(code=1001)
    eventually(lambda: page.evaluate("1") and len(feed.sockets) == 2, why="the page comes back")
    assert parse_qs(urlsplit(feed.addresses[1]).query)["place"] == [f"{EPOCH}.0:815,3:4712"]
    feed.say(CONFIRMED, following("0:815,3:4712"))
    expect_live(page)
    expect(notices(page)).to_have_count(7)

    feed.say({"type": "refused", "topic": "same", "error": "Kafka has no topic same."})
    expect(status(page)).to_contain_text("Kafka has no topic same.")
    expect(chip(page, "same")).to_have_attribute("title", "Refused: Kafka has no topic same.")


def test_topics_by_a_glob_and_one_partition(open_page: OpenPage, start: Start, valkey: RedisServer) -> None:
    server = start(REDIS_URL=valkey.url, KAFKA_URL=NOBODY)
    page, feed = open_fed(
        open_page, server, "topic=sa*&topic=jobs:2", allow=("WebSocket", "Failed to load resource")
    )
    feed.say(
        *({"type": "tsubscribe", "topic": topic, "at": NOON} for topic in ("sa*", "jobs:2")),
        {"type": "matched", "topic": "sa*", "topics": ["same", "say"]},
        following("3:4711"),
        following("0:0,2:7") | {"topic": "jobs"},
    )
    expect_live(page)
    expect(chip(page, "sa*")).to_contain_text("2 topics")
    expect(page.locator("#welcome code")).to_contain_text("topic=same")
    feed.tell(4711, "by the glob")
    feed.say(message(7, "of 2") | {"topic": "jobs", "partition": 2})
    expect_texts(page, ["by the glob", "of 2"])
    hide(page, "sa* (topic)").click()
    expect_texts(page, ["of 2"])

    absent = {"type": "away", "topic": "say", "error": "Kafka has no such topic."}
    crowd = {"left_out": ["saz"], "error": "it leaves 1 out:"}
    gone = {"type": "gap", "topic": "say", "reason": "deleted", "from": NOON, "to": NOON}
    feed.say(absent, {"type": "matched", "topic": "sa*", "topics": ["same", "say"]} | crowd)
    for part in ("it leaves 1 out: saz", "Kafka has no such topic.", "same, say"):
        expect(chip(page, "sa*")).to_have_attribute("title", re.compile(part))
    expect(status(page)).to_contain_text("nothing comes of 1 topic")
    feed.say(gone, {"type": "tunsubscribe", "topic": "say", "at": NOON})
    feed.say({"type": "matched", "topic": "sa*", "topics": ["same", "sat"]})
    expect(status(page)).to_have_text("Live")
    expect(notices(page)).to_contain_text(["say, at"])
    expect(notices(page)).to_contain_text(["the topic was deleted"])

    feed.sockets[-1].close(code=1001)
    eventually(lambda: page.evaluate("1") and len(feed.sockets) == 2, why="the page comes back")
    assert parse_qs(urlsplit(feed.addresses[1]).query)["place"] == [
        f"same/{EPOCH}.3:4712;sat/;",
        f"{EPOCH}.0:0,2:8",
    ]
    page.locator("#browser-open").click()
    page.locator("#browser input").fill("or*")
    page.get_by_role("button", name="Watch every topic that or* matches").click()
    page.keyboard.press("Escape")
    expect(chip(page, "or*")).to_contain_text("topic")


def test_what_is_of_redis_and_what_is_of_kafka(
    open_page: OpenPage, start: Start, valkey: RedisServer
) -> None:
    page, feed = open_fed(
        open_page, start(REDIS_URL=valkey.url, KAFKA_URL=NOBODY), "topic=same&topic=gone&channel=news",
        allow=("Failed to load resource",),
    )  # fmt: skip
    news = {"type": "subscribe", "channel": "news", "at": NOON}
    feed.say(CONFIRMED, news, following("3:1"), {"type": "refused", "topic": "gone", "error": "No."})
    expect(status(page)).to_have_text("Live; 1 name was refused")
    feed.say({"type": "reconnecting", "from": NOON, "reason": "redis", "detail": "Redis is away."})
    expect(chip(page, "same")).to_have_attribute("data-state", "confirmed")
    expect(chip(page, "gone")).to_have_attribute("data-state", "refused")
    expect(chip(page, "news")).to_have_attribute("data-state", "waiting")
    expect(status(page)).to_contain_text("reconnecting to Redis")
    feed.tell(1, "of Kafka")
    expect_texts(page, ["of Kafka"])
    feed.say(news)
    expect(status(page)).to_have_text("Live; 1 name was refused")
    page.locator("#browser-open").click()
    expect(page.locator("#browser").get_by_role("status")).to_have_text(
        re.compile(r"\. Kafka does not answer\.$")
    )
    listed = {"topics": [{"topic": "same"}], "sentence": "There are more."}
    page.route("**/topics?*", lambda route: route.fulfill(json=listed))
    expect(page.locator("#browser").get_by_role("status")).to_have_text(re.compile(r"\. There are more\.$"))


def test_what_the_bridge_does_is_beside_the_channels(
    open_page: OpenPage, start: Start, own_redis: RedisServer
) -> None:
    rules = "same.* -> kafka:same"
    server = start(KAFKA_URL=NOBODY, REDIS_URL=own_redis.url, ARAUTO_BRIDGE=rules, ARAUTO_WORKERS="1")
    page = open_page("/?channel=same", server=server, allow=("Failed to load resource",))
    page.locator("#browser-open").click()
    bridge = page.locator("#bridge")
    bridge.locator("summary").click()
    expect(bridge).to_contain_text("It runs here.")
    eventually(lambda: own_redis.client.publish("same.a", "x"))
    expect(bridge).to_contain_text("1 message waits for Kafka.")
    expect(bridge.locator("li")).to_contain_text(f"{rules}0 messages have gone over. Kafka does not answer.")
    own_redis.client.hset("arauto:bridge", "token", 1)  # as if another process had the lease
    own_redis.client.hset("arauto:bridge", "expires", 1)
    own_redis.client.hset("arauto:bridge", "until", 1_700_000_000_000)
    missed = bridge.locator(".bridge__missed li")
    expect(missed).to_contain_text("Nobody listened: messages may be missing.")
    expect(missed).to_contain_text("2023")
    page.goto("about:blank")
    server.stop()  # its bridge is a subscriber


@pytest.mark.real_kafka("ids of topics")
def test_a_topic_of_a_real_kafka(
    open_page: OpenPage, kafka: KafkaServer, valkey: RedisServer, tmp_path: Path
) -> None:
    kafka.create("page.orders", 2)
    with arauto_beside(kafka, tmp_path, REDIS_URL=valkey.url, ALTER=PATIENT + QUICK) as server:
        page = open_page("/?channel=news", server=server, allow=("WebSocket", "Failed to load resource"))
        page.locator("#browser-open").click()
        page.locator("#browser").get_by_role("button", name="Watch page.orders (topic)").click()
        page.keyboard.press("Escape")
        expect_live(page)
        valkey.client.publish("news", "Redis: who listens now receives it, and nobody keeps it")
        expect(row(page, "who listens now")).to_be_visible()
        headers = [("trace", b"a1")]
        kafka.produce("page.orders", b'{"sku": 7}', partition=1, key=b"ana", headers=headers)
        row(page, "sku").click()
        facts = page.locator("#detail .detail__facts")
        for fact in ("Partition1", "Offset0", "Keyana", "trace: a1", "Time of the producer"):
            expect(facts).to_contain_text(fact)
        take(page, "kafka", tmp_path)
        unsubscribe(page, "news")
        kafka.produce("page.orders", None, partition=1, key=b"ana")
        expect(rows(page).last).to_contain_text("No data: deletes what has this key")

        server.workers()[0].kill()
        kafka.produce("page.orders", b"while away", partition=1)
        expect(row(page, "while away")).to_be_visible()
        expect(rows(page)).to_have_count(4)
        expect(notices(page)).to_have_count(0)

        past = open_page(
            "/?topic=page.orders&at=1:2",
            server=server,
            permissions=["clipboard-read", "clipboard-write"],
            allow=("status of 400",),
        )
        facts = past.locator("#detail .detail__facts")
        expect(facts).to_contain_text("Offset2")
        expect(rows(past)).to_have_count(3)
        expect(row(past, "while away")).to_have_attribute("aria-current", "true")
        past.get_by_role("button", name="Copy link").click()
        assert "at=1%3A2" in past.evaluate("navigator.clipboard.readText()")
        expect(past.get_by_role("slider", name="Point in time")).to_be_visible()
        past.locator("#replay [name=since]").fill("1:1")
        past.get_by_role("button", name="Play", exact=True).click()
        expect(rows(past)).to_have_count(2)
        filter_field(past).fill("away")
        past.get_by_role("button", name="Search the past").click()
        expect(past.locator("#replay [role=status]")).to_have_text("2 searched, 1 found")
        for at, sentence in (
            ("1:4", "page.orders has no message at 1:4"),
            ("0:99", "Partition 0 ends before"),
        ):
            past.goto(f"{server.url}/?topic=page.orders&at={at}")
            expect(past.locator("#detail")).to_contain_text(sentence)
        for since, sentence in (("7:1", "since can name 0 to 1."), ("1:99", "it is shown from 1:3 on")):
            past.goto(f"{server.url}/?topic=page.orders&since={since}")
            expect(past.locator("#choose-problem")).to_contain_text(sentence)
            expect_live(past)
        past.close()

        kafka.delete("page.orders")
        expect(chip(page, "page.orders")).to_contain_text("away since")
        expect(status(page)).to_have_text("Live; nothing comes of 1 topic")
        kafka.create("page.orders")
        kafka.produce("page.orders", b"of another")
        expect(row(page, "of another")).to_be_visible()
        expect(notices(page)).to_contain_text(["page.orders, at"])
        expect(notices(page)).to_contain_text(["the topic was made anew"])
        expect(status(page)).to_have_text("Live")


def test_a_search_ends_before_it_reads_all_and_goes_on(
    open_page: OpenPage, start: Start, valkey: RedisServer
) -> None:
    server = start(REDIS_URL=valkey.url, KAFKA_URL=NOBODY)
    page, feed = open_fed(open_page, server, "topic=same", allow=("status of 503",))
    feed.say(CONFIRMED, following("3:0"))
    expect_live(page)
    queries: list[dict[str, list[str]]] = []
    is_held = False
    held: list[Route] = []

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        queries.append(query | {"topic": [urlsplit(route.request.url).path.split("/")[2]]})
        if is_held:
            held.append(route)
            return
        at = int(query["since"][0].removeprefix("3:").replace("first", "0"))
        found = message(at, f"found {at}") | {"type": None, "at": NOON + at}
        summary = {"searched": 100_000, "at": NOON + at, "left": 900_000 - at, "more": f"3:{at + 100_000}"}
        lines = [{name: value for name, value in found.items() if value is not None}, summary]
        route.fulfill(body="".join(json.dumps(line) + "\n" for line in lines))

    page.route("**/topics/*/messages?*", answer)
    filter_field(page).fill("found")
    page.get_by_role("button", name="Search the past").click()
    note, since = page.locator("#replay p"), page.locator("#replay [name=since]")
    expect(note).to_contain_text("200,000 of 1,000,000 messages of same were searched, up to")
    expect(since).to_have_value("3:200000")
    expect_texts(page, ["found 0", "found 100000"])
    page.get_by_role("button", name="Search the past").click()
    expect(since).to_have_value("3:400000")
    expect_texts(page, ["found 200000", "found 300000"])
    assert [query["since"] for query in queries] == [["first"], ["3:100000"], ["3:200000"], ["3:300000"]]
    assert {query["filter"][0] for query in queries} == {"found"}

    queries.clear()
    is_held = True
    page.get_by_role("button", name="Search the past").click()
    eventually(lambda: page.evaluate("1") and held, why="it sends a request")
    with page.expect_event("requestfailed"):  # so that the server stops reading
        page.locator("#replay [name=stop]").evaluate("(stop) => stop.click()")
    expect(note).to_contain_text("0 of 0 messages of same were searched")
    expect(since).to_have_value("3:400000")

    is_held = False
    since.fill("first")
    subscribe(page, "other", kind="topic")  # it searches again
    time = str(int(NOON) + 100_000)
    expect(since).to_have_value(time)
    queries.clear()
    page.get_by_role("button", name="Search the past").click()
    eventually(lambda: page.evaluate("1") and len(queries) == 4, why="it searches both")
    assert sorted((query["topic"][0], query["since"][0]) for query in queries) == [
        (topic, place) for topic in ("other", "same") for place in ("3:200000", "3:300000")
    ]


def test_without_kafka_a_topic_is_left_out(open_page: OpenPage) -> None:
    page = open_page("/?channel=news&topic=orders")
    expect_live(page)
    assert chips(page) == ["news"]
    expect(page.locator("#choose-problem")).to_contain_text("This server has no Kafka")
    expect(page.locator("#choose option")).to_have_count(3)
    assert "topics" not in page.content()
