"""Starts the real program under gunicorn."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.processes import children, connections
from tests.support.redis_servers import free_port, release_port
from tests.support.waiting import PATIENCE, eventually

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "app:app"]
# Client addresses with equal hashes share a rate limit: the same ones in every run.
SAME = {"PYTHONHASHSEED": "0"}
ALTERED = [sys.executable, "-m", "gunicorn", "tests.support.altered:app"]


recent: list["ArautoServer"] = []
"""The servers that run, and those that this test has ended."""


class ArautoServer:
    """The program under gunicorn, with the given environment, on a free port.

    With ``ALTER`` in the environment it runs altered.py.

    :param on: a command prefix of machines.py.
    :param tree: the working directory.
    :param command: starts the program.
    """

    prefix = ""  # before every path

    def __init__(
        self,
        log: Path,
        on: Sequence[str] = (),
        tree: Path = ROOT,
        command: Sequence[str] = GUNICORN,
        **environ: str,
    ) -> None:
        self.port = int(environ.get("PORT") or free_port())
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.ws = f"ws://{self.host}"
        self.log_path = log
        clean = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("ARAUTO_", "REDIS_URL", "KAFKA_URL", "HOST"))
        }
        if (
            not sys.pycache_prefix or tree != ROOT
        ):  # with a prefix the compiled files are kept; see the Makefile
            clean |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": ""}
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [*on, *(ALTERED if "ALTER" in environ else command)],
                cwd=tree,
                env=clean | SAME | {"PORT": str(self.port)} | environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        recent.append(self)
        self.workers_wanted = int(environ.get("ARAUTO_WORKERS", "2"))
        try:
            eventually(self._booted, why="the server has booted")
        except AssertionError:
            self.close()  # no caller has this object yet
            raise

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def workers(self) -> list[psutil.Process]:
        """The worker processes: gunicorn's children that are gunicorn too."""
        return [child for child in children(self._process.pid) if "gunicorn" in " ".join(child.cmdline())]

    def worker_of(self, port: int) -> psutil.Process:
        """The worker with the socket of the client at ``port``."""
        (holder,) = [worker for worker in self.workers() if connections(worker.pid, remote=port)]
        return holder

    @contextmanager
    def answered_by(self, worker: psutil.Process) -> Iterator[None]:
        """All requests, for the others stand still."""
        others = [other for other in self.workers() if other != worker]
        try:
            for other in others:
                other.suspend()
            yield
        finally:
            for other in others:
                other.resume()

    def threads(self) -> int:
        return sum(worker.num_threads() for worker in self.workers())

    def descriptors(self, redis_port: int) -> int:
        """Open descriptors of the workers, without their connections to Redis."""
        return sum(worker.num_fds() - connections(worker.pid, remote=redis_port) for worker in self.workers())

    def stop(self, signum: int = signal.SIGTERM, within: float = PATIENCE) -> int:
        """Stop it and return the exit status."""
        self._process.send_signal(signum)
        return self._process.wait(within)

    def close(self) -> None:
        if self.is_running:
            try:
                self.stop()
            finally:
                self._process.kill()
        release_port(self.port)

    def _booted(self) -> bool:
        assert self.is_running, f"the server ended:\n{self.log}"
        return "Arauto is at" in self.log and self.log.count("is ready for requests") == self.workers_wanted


Start = Callable[..., ArautoServer]
"""Starts a server with the given environment; it is stopped after the test."""
