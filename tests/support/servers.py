"""The real program under gunicorn, as a person starts it."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tests.support.processes import children, connections
from tests.support.redis_servers import free_port, let_go
from tests.support.waiting import PATIENCE, eventually

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "app:app"]
# Addresses whose hashes meet share a limit: they do so in each run, or in none.
SAME = {"PYTHONHASHSEED": "0"}
ALTERED = [sys.executable, "-m", "gunicorn", "tests.support.altered:app"]


class ArautoServer:
    """gunicorn with the environment given, listening on a free port.

    With ``ALTER`` in the environment it is the program of altered.py.

    :param on: one of machines.py to run it on.
    :param tree: where it is started.
    :param command: that starts it.
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
        if not sys.pycache_prefix or tree != ROOT:  # else what Python compiles is kept; see the Makefile
            clean |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": ""}
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [*on, *(ALTERED if "ALTER" in environ else command)],
                cwd=tree,
                env=clean | SAME | {"PORT": str(self.port)} | environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.workers_wanted = int(environ.get("ARAUTO_WORKERS", "2"))
        try:
            eventually(self._booted, why="the server has booted")
        except AssertionError:
            self.close()  # nobody else knows of it
            raise

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def workers(self) -> list[psutil.Process]:
        """The worker processes: gunicorn's children that are gunicorn too."""
        return [child for child in children(self._process.pid) if "gunicorn" in " ".join(child.cmdline())]

    def worker_of(self, port: int) -> psutil.Process:
        """The worker that has the socket whose other end is at ``port``."""
        (holder,) = [worker for worker in self.workers() if connections(worker.pid, remote=port)]
        return holder

    def threads(self) -> int:
        return sum(worker.num_threads() for worker in self.workers())

    def descriptors(self, redis_port: int) -> int:
        """Open descriptors of the workers, less the connections kept for publishing."""
        return sum(worker.num_fds() - connections(worker.pid, remote=redis_port) for worker in self.workers())

    def stop(self, signum: int = signal.SIGTERM, within: float = PATIENCE) -> int:
        """Stop it and return the exit status."""
        self._process.send_signal(signum)
        return self._process.wait(within)

    def close(self) -> None:
        if self._process.poll() is None:
            try:
                self.stop()
            finally:
                self._process.kill()
        let_go(self.port)

    def _booted(self) -> bool:
        assert self._process.poll() is None, f"the server ended:\n{self.log}"
        return "Arauto is at" in self.log and self.log.count("is ready for requests") == self.workers_wanted


Start = Callable[..., ArautoServer]
"""Starts one with the environment given; it is stopped after the test."""
