"""Starts and stops the compared servers, each in its recommended set-up."""

import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from bench.client import Crowd, Handshake, HttpPublisher, RedisPublisher, connect_redis, connect_websockets
from tests.support.redis_servers import free_port

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "bench" / "peers"
CHANNEL = b"bench"
MAX_SOCKETS = 12_000

Publisher = RedisPublisher | HttpPublisher


@dataclass
class Running:
    """One running server: how to subscribe, how to publish, and what it costs."""

    connect: Callable[[Crowd, int], float]
    publisher: Callable[[], Publisher]
    process: psutil.Process | None = None
    port: int = 0

    def _processes(self) -> list[psutil.Process]:
        return [] if self.process is None else [self.process, *self.process.children(recursive=True)]

    def memory(self) -> int:
        """Resident bytes of all its processes."""
        return sum(process.memory_info().rss for process in self._processes())

    def processor_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())


Start = Callable[["Bench"], Iterator[Running]]


class Bench:
    """The environment of the servers: a directory for their files, and one Redis for all."""

    def __init__(self, directory: Path, redis_binary: str) -> None:
        self.directory = directory
        self.redis_port = free_port()
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}"
        self._redis = subprocess.Popen(
            [redis_binary, "--port", str(self.redis_port), "--save", "", "--maxclients", str(MAX_SOCKETS)],
            stdout=subprocess.DEVNULL,
        )
        self.nodes = {self.redis_port: psutil.Process(self._redis.pid)}
        wait_for(self.redis_port)

    def close(self) -> None:
        self._redis.terminate()
        self._redis.wait()

    @contextmanager
    def run(
        self,
        command: list[str],
        handshake: Handshake,
        cwd: Path = ROOT,
        http_publish: str = "",
        **environ: str,
    ) -> Iterator[Running]:
        """Start a WebSocket server and wait until it listens."""
        port = free_port()
        filled = [part.format(port=port) for part in command]
        given = {"PORT": str(port), "REDIS_URL": self.redis_url, "PYTHONDONTWRITEBYTECODE": "1"} | environ
        with (self.directory / "log").open("a") as log:
            process = subprocess.Popen(filled, cwd=cwd, env=os.environ | given, stdout=log, stderr=log)
        try:
            wait_for(port)
            sleep(2)  # workers of some servers come up after the port is bound
            yield Running(
                lambda crowd, n: connect_websockets(crowd, port, n, handshake),
                lambda: HttpPublisher(port, http_publish) if http_publish else self.publisher(),
                psutil.Process(process.pid),
                port,
            )
        finally:
            end(process)

    def publisher(self) -> RedisPublisher:
        return RedisPublisher(self.redis_port, CHANNEL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process and its children."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in family:
        if child.is_running():
            child.kill()


def allow_files() -> None:
    """Raise the limit of file descriptors, of which each socket needs two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 30_000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != -1 else 30_000, hard))


def wait_for(port: int, within: float = 30) -> None:
    deadline = monotonic() + within
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if monotonic() > deadline:
            raise SystemExit(f"Nothing listens on port {port} after {within} s.")
        sleep(0.05)


@contextmanager
def raw_redis(bench: Bench) -> Iterator[Running]:
    """No web server at all: the limit."""

    def connect(crowd: Crowd, n: int) -> float:
        began = monotonic()
        connect_redis(crowd, bench.redis_port, CHANNEL, n)
        return monotonic() - began

    yield Running(connect, bench.publisher)


@contextmanager
def arauto(bench: Bench, worker: str = "gevent", record: str = "") -> Iterator[Running]:
    sockets = "1100" if worker == "gthread" else str(MAX_SOCKETS)
    handshake = Handshake(f"/feed?channel={CHANNEL.decode()}", b'"subscribe"')
    command = [sys.executable, "-m", "gunicorn", "app:app"]
    environ: dict[str, Any] = {"ARAUTO_WORKER": worker, "ARAUTO_MAX_SOCKETS": sockets}
    environ["ARAUTO_RECORD"] = record
    environ["ARAUTO_RECORD_MESSAGES"] = "200000"  # more than any measurement writes
    environ["ARAUTO_CONNECT_RATE"] = "0"  # the client's few addresses stand for people at many ...
    environ["ARAUTO_MAX_SOCKETS_PER_ADDRESS"] = sockets  # ... some of which might share a row of counts
    with bench.run(command, handshake, **environ) as running:
        yield running


@contextmanager
def plain(bench: Bench, worker: str) -> Iterator[Running]:
    command = _gunicorn("plain:app", worker) + (["--threads", "1100"] if worker == "gthread" else [])
    with bench.run(command, Handshake("/feed", b"\x81\x011"), cwd=bench.directory) as running:
        yield running


@contextmanager
def bare(bench: Bench) -> Iterator[Running]:
    with bench.run(
        _gunicorn("bare:app", "gevent"), Handshake("/", b"\r\n\r\n"), cwd=bench.directory
    ) as running:
        yield running


def _gunicorn(app: str, worker: str) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(PEERS), app, "-b", "127.0.0.1:{port}"]
    command += ["-c", os.devnull, "-w", "2", "-k", worker, "--worker-connections", "6000"]
    return [*command, "--no-control-socket"]


SOCKETIO = Handshake("/socket.io/?EIO=4&transport=websocket", b"40{", ask=b"0{", then=b"40")


@contextmanager
def flask_socketio(bench: Bench) -> Iterator[Running]:
    command = [str(bench.directory / "venv/bin/python"), str(PEERS / "flask_socketio_server.py")]
    with bench.run(command, SOCKETIO) as running:
        yield running


@contextmanager
def socketio(bench: Bench) -> Iterator[Running]:
    with bench.run(["node", "socketio_server.js"], SOCKETIO, cwd=bench.directory / "node") as running:
        yield running


@contextmanager
def ws(bench: Bench) -> Iterator[Running]:
    handshake = Handshake("/feed", b"ready")
    with bench.run(["node", "ws_server.js"], handshake, cwd=bench.directory / "node") as running:
        yield running


@contextmanager
def nchan(bench: Bench) -> Iterator[Running]:
    port = free_port()
    directory = bench.directory / "nchan"
    directory.mkdir(exist_ok=True)
    text = (PEERS / "nchan.conf").read_text().replace("MODULES", nginx_modules())
    config = directory / "nginx.conf"
    config.write_text(text.replace("DIRECTORY", str(directory)).replace("PORT", str(port)))
    process = subprocess.Popen(["nginx", "-c", str(config), "-e", str(directory / "error.log")])
    try:
        wait_for(port)
        yield Running(
            lambda crowd, n: connect_websockets(crowd, port, n, Handshake("/feed", b"\r\n\r\n")),
            lambda: HttpPublisher(port, "/publish"),
            psutil.Process(process.pid),
        )
    finally:
        end(process)


def nginx_modules() -> str:
    """The directory of nginx's modules, if it has Nchan; else empty."""
    for directory in ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/lib/nginx/modules"):
        if Path(directory, "ngx_nchan_module.so").exists() and shutil.which("nginx"):
            return directory
    return ""
