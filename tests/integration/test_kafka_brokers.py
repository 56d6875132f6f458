"""Three brokers of a real Kafka are killed and restarted: pages show each stored message once.

Messages are numbered, and Kafka stores each number; a retry of the publisher may store one twice.
``KILLS=50 SEED=7`` for more of it.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlencode

import pytest
from confluent_kafka import Producer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arauto.bridge.from_kafka import FromKafka
from arauto.bridge.report import Report
from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.kafka_url import KafkaUrl
from arauto.settings import WORKERS, read
from arauto.text.bridge_rules import read_rules
from tests.support.kafka_clusters import KafkaCluster
from tests.support.kafka_servers import arauto_beside, configure
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.tabs import Event, Tab
from tests.support.waiting import PATIENCE, eventually

KILLS, SEED = int(os.environ.get("KILLS", "2")), int(os.environ.get("SEED", "1"))
PARTITIONS = 2
PAUSE = 0.005  # seconds between two numbers
LONGEST = 1.0  # seconds without a broker


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    found = KafkaCluster(tmp_path_factory.mktemp("brokers"))
    with closing(found):
        found.start()
        yield found


class Numbers(threading.Thread):
    """A program that publishes 0, 1, 2 and so on until :meth:`stop`."""

    def __init__(self, cluster: KafkaCluster, topic: str) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.refused: list[Any] = []
        self._topic = topic
        self._producer = Producer(configure(cluster.address, **{"enable.idempotence": True}))
        self._is_stopping = threading.Event()

    def run(self) -> None:
        while not self._is_stopping.wait(PAUSE):
            self._producer.produce(
                self._topic,
                b"%d" % self.count,
                partition=self.count % PARTITIONS,
                on_delivery=self._delivered,
            )
            self._producer.poll(0)
            self.count += 1

    def stop(self) -> None:
        """Stop publishing; all numbers are stored when this returns."""
        self._is_stopping.set()
        self.join()
        assert self._producer.flush(PATIENCE) == 0
        assert not self.refused

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self.refused.append(error)


class Page(threading.Thread):
    """A page that records its events, and can reconnect at its position."""

    def __init__(self, server: ArautoServer, topic: str) -> None:
        super().__init__(daemon=True)
        self.numbers: set[int] = set()
        self.offsets: dict[int, list[int]] = {one: [] for one in range(PARTITIONS)}
        self.gaps: list[Event] = []
        self.last: Event = {}
        self._server, self._topic = server, topic
        self._epoch = ""
        self._places: dict[int, int] = {}
        self._socket: Any = None
        self._is_stopping = False

    def run(self) -> None:
        while not self._is_stopping:
            place = ",".join(f"{one}:{at}" for one, at in self._places.items())
            query = urlencode({"topic": self._topic, "place": place and f"{self._epoch}.{place}"})
            with connect(f"{self._server.ws}/feed?{query}", open_timeout=PATIENCE) as self._socket:
                tab = Tab(self._socket)
                try:
                    while True:
                        self._take(tab.next())
                except (ConnectionClosed, TimeoutError):
                    pass

    def leave(self) -> None:
        """Drop the socket; the page reconnects at once."""
        self._socket.close()

    def stop(self) -> None:
        self._is_stopping = True
        self._socket.close()
        self.join(PATIENCE)

    def check(self, count: int) -> bool:
        """Whether it received all numbers, each offset once and in order, and no gap."""
        context = f"seed {SEED}, {self._server.log_path.parent.name}, {self._places}, {self.last}"
        missing = sorted(set(range(count)) - self.numbers)
        assert (missing, self.gaps) == ([], []), context
        for one, offsets in self.offsets.items():
            twice = sorted(Counter(offsets) - Counter(set(offsets)))
            assert (one, twice, offsets) == (one, [], list(range(len(offsets)))), context
        return True

    def _take(self, event: Event) -> None:
        self.last = event
        match event["type"]:
            case "following":
                self._epoch = event["epoch"]
                places = dict(one.split(":") for one in event["places"].split(","))
                self._places |= {int(one): int(at) for one, at in places.items()}
            case "tmessage":
                self.numbers.add(int(event["data"]))
                self.offsets[event["partition"]].append(event["offset"])
                self._places[event["partition"]] = event["offset"] + 1
            case "gap":
                self.gaps.append(event)


@pytest.mark.real_kafka("several brokers")
@pytest.mark.long
def test_brokers_killed_under_pages_lose_nothing_and_double_nothing(
    cluster: KafkaCluster, valkey: RedisServer, tmp_path: Path
) -> None:
    topic, chance = "numbered", random.Random(SEED)
    cluster.create(topic, PARTITIONS)
    with ExitStack() as stack:
        pages: list[Page] = []
        for worker in WORKERS:
            (own := tmp_path / worker).mkdir()
            server = stack.enter_context(
                arauto_beside(cluster, own, REDIS_URL=valkey.url, ARAUTO_WORKER=worker)
            )
            pages += [Page(server, topic), Page(server, topic)]
        for page in pages:
            page.start()
            stack.callback(page.stop)
        eventually(lambda: all(page._epoch for page in pages), why="all pages watch")
        numbers = Numbers(cluster, topic)
        numbers.start()
        for n in range(KILLS):
            killed = (
                [cluster.leader(topic)], cluster.brokers, [chance.choice(cluster.brokers)]
            )[n % 3]  # fmt: skip
            for one in killed:
                one.stop()
            sleep(chance.random() * LONGEST)  # a random pause; the checks wait for conditions
            chance.choice(pages).leave()
            cluster.start()
            cluster.wait_for(topic)
            cluster.move_leaders(topic)
        numbers.stop()
        for page in pages:
            eventually(partial(page.check, numbers.count))
        print(f"{numbers.count} numbers, {KILLS} kills, seed {SEED}")


@pytest.mark.real_kafka("several brokers")
@pytest.mark.long
def test_a_returning_page_shows_that_other_messages_are_where_it_was(
    cluster: KafkaCluster, valkey: RedisServer, tmp_path: Path
) -> None:
    topic, (first, second, _) = "lossy", cluster.brokers
    cluster.create_unsafe(topic)

    def watch(server: ArautoServer, n: int, **start: str) -> list[Event]:
        """The events of a page until it has a position and ``n`` messages."""
        with connect(
            f"{server.ws}/feed?{urlencode({'topic': topic} | start)}", open_timeout=PATIENCE
        ) as socket:
            tab = Tab(socket)
            events = tab.until("following")
            while sum(event["type"] == "tmessage" for event in events) < n:
                events.append(tab.next())
        return events

    def gaps(events: list[Event]) -> list[Event]:
        return [event for event in events if event["type"] == "gap"]

    def place(events: list[Event]) -> str:
        return f"{[event for event in events if event['type'] == 'following'][-1]['epoch']}.0:20"

    (rule,) = read_rules(f"kafka:{topic} -> a")
    link = KafkaLink(KafkaUrl.of(read({"KAFKA_URL": cluster.url})))
    report = Report.of([rule])
    passed: list[bytes] = []

    def publish(messages: list[tuple[bytes, bytes]]) -> tuple[int, str]:
        passed.extend(data for _, data in messages)
        return len(messages), ""

    def pass_on(until: bytes = b"") -> None:
        """Run a bridge until it has passed on ``until``, or until it has a position."""
        bridge = FromKafka(link, "lossy", topic, [rule], publish, lambda: True)

        def step() -> bool:
            bridge.step(report)
            return until in passed if until else bridge.is_placed

        eventually(step)
        bridge.close(report)

    with arauto_beside(cluster, tmp_path, REDIS_URL=valkey.url, ARAUTO_WORKER="gevent") as server:
        pass_on()
        second.stop()
        eventually(lambda: cluster.in_sync(topic) == [1], why="only the first has later messages")
        cluster.produce(topic, *(b"lost %d" % n for n in range(20)))
        seen = watch(server, 20, since="first")
        pass_on(b"lost 19")
        assert report.missed == []
        first.stop()
        second.start()
        eventually(lambda: cluster.in_sync(topic)[:1] == [2], why="it leads without the messages")
        cluster.start()
        cluster.produce(topic, *(b"%d" % n for n in range(25)))
        back = watch(server, 5, place=place(seen))
        found = [(gap["reason"], gap["partition"], gap["offset"]) for gap in gaps(back)]
        assert found == [("truncated", 0, 20)]
        assert [event["data"] for event in back if event["type"] == "tmessage"] == [
            "20", "21", "22", "23", "24",
        ]  # fmt: skip
        pass_on(b"24")
        pass_on()
        assert [one.why for one in report.missed] == ["truncated"]
        assert passed[20:] == [b"20", b"21", b"22", b"23", b"24"]
        assert gaps(watch(server, 5, place=place(back))) == []
        epoch = place(seen).split(".")[0]
        assert gaps(watch(server, 5, place=f"{epoch}.0:20")) == [], "a place may have no leaders"
