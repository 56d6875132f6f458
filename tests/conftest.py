"""Fixtures: real servers, started once a session, and back at their baseline after every test."""

import signal
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from arauto.settings import WORKERS
from tests.simulator import SCHEDULES
from tests.support import kafka_servers, servers, small_kafka
from tests.support.kafka_servers import REAL, KafkaServer, can_run
from tests.support.machine_time import MachineTime, machine_time
from tests.support.processes import connections
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer, Start
from tests.support.small_kafka import SmallKafka
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

hypothesis.settings.register_profile("busy", deadline=None)  # being slow is no failure
hypothesis.settings.load_profile("busy")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background: the processes of the tests would ignore Ctrl+C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

LEFT_OUT = "Left out, for it needs an Apache Kafka"

LOG_LINES = 60

WARM_UP = 24  # sockets of each process; more than any test opens on a shared server


def pytest_report_header() -> str:
    servers = f"Redis servers: {', '.join(binaries())}; workers: {', '.join(WORKERS)}"
    return f"{servers}; simulated schedules: {SCHEDULES}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the Kafka that was used, and the tests that were skipped because they need another."""
    name = f"Apache Kafka {kafka_servers.version()}" if can_run() else small_kafka.name()
    terminalreporter.write_line(f"Kafka: {name}")
    for report in terminalreporter.stats.get("skipped", []):
        why = str(report.longrepr[2]).removeprefix("Skipped: ")
        if why.startswith(LEFT_OUT):
            terminalreporter.write_line(f"{why}: {report.nodeid}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    servers.recent[:] = [one for one in servers.recent if one.is_running]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """A test that fails shows the ends of its servers' logs."""
    report = yield
    if report.failed:
        for server in servers.recent:
            lines = server.log.splitlines()[-LOG_LINES:]
            report.sections.append((f"Log of the server at {server.host}", "\n".join(lines)))
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if can_run():
        return
    for item in items:
        if mark := item.get_closest_marker(REAL):
            item.add_marker(pytest.mark.skip(reason=f"{LEFT_OUT} ({mark.args[0]})"))


@pytest.fixture(scope="session", params=list(binaries()))
def redis_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """Each installed Redis, in turn."""
    server = RedisServer(binaries()[request.param], tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(binaries()["valkey"], tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """Apache Kafka or its replacement, started by the first test of a process that needs it."""
    server = (KafkaServer if can_run() else SmallKafka)(tmp_path_factory.mktemp("kafka"))
    with closing(server):
        server.start()
        yield server


@pytest.fixture
def machine() -> Iterator[MachineTime]:
    """A clock for time limits on a machine that may be busy."""
    with machine_time() as time:
        yield time


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may break."""
    server = RedisServer(binaries()["valkey"], tmp_path)
    yield server
    server.close()


@pytest.fixture(scope="session", params=WORKERS)
def shared_arauto(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    """The program on each worker and each Redis, in turn."""
    log = tmp_path_factory.mktemp("arauto") / "log"
    server = ArautoServer(log, REDIS_URL=redis_server.url, ARAUTO_WORKER=request.param)
    with closing(server):
        _warm_up(server, redis_server, makes_threads=request.param == "gthread")
        yield server


@pytest.fixture
def arauto(shared_arauto: ArautoServer, redis_server: RedisServer) -> Iterator[ArautoServer]:
    """The shared program; a test that leaves threads, descriptors or subscribers behind fails."""
    threads, descriptors = shared_arauto.threads(), shared_arauto.descriptors(redis_server.port)
    yield shared_arauto

    def at_baseline() -> bool:
        assert redis_server.subscribers() == 0
        assert shared_arauto.threads() <= threads
        assert shared_arauto.descriptors(redis_server.port) <= descriptors
        return True

    eventually(at_baseline)
    assert "Traceback" not in shared_arauto.log


@pytest.fixture(scope="session")
def plain_arauto(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """The program with its defaults, for tests that depend on neither worker nor Redis."""
    server = ArautoServer(tmp_path_factory.mktemp("plain") / "log", REDIS_URL=valkey.url)
    yield server
    server.close()
    assert "Traceback" not in server.log


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server for one test: ``start(REDIS_URL=…)``; it is stopped afterwards."""
    with ExitStack() as stack:

        def run(**given: Any) -> ArautoServer:
            server = ArautoServer(tmp_path / "arauto.log", **given)
            stack.callback(server.close)
            return server

        yield run


@pytest.fixture(params=WORKERS)
def own_arauto(
    request: pytest.FixtureRequest, start: Start, own_redis: RedisServer
) -> Iterator[ArautoServer]:
    """The program on each worker, with a Redis that the test may break."""
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=request.param)
    yield server
    assert "Traceback" not in server.log


def _warm_up(server: ArautoServer, redis_server: RedisServer, makes_threads: bool) -> None:
    """Fill the thread pools of gthread, which grow on demand and never shrink.

    Sockets are not divided evenly: they are opened until each process has had enough of them.
    """

    def is_warm() -> bool:
        return min(connections(worker.pid, local=server.port) for worker in server.workers()) >= WARM_UP

    with ExitStack() as stack:
        for _ in range(WARM_UP):
            stack.enter_context(open_tab(server, "warm up"))
        while makes_threads and not is_warm():
            stack.enter_context(open_tab(server, "warm up"))
    eventually(lambda: redis_server.subscribers() == 0)
