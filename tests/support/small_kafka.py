"""A small broker for machines without Java: noida-db, behind a proxy that makes empty fetches wait.

noida-db answers an empty fetch at once, so clients would fetch without a pause. It lacks parts of Kafka: see
:data:`tests.support.kafka_servers.REAL`. Run as a program, this module is the proxy, until its input ends.
"""

import socket
import struct
import subprocess
import sys
import threading
from contextlib import closing, suppress
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from time import monotonic, sleep

from confluent_kafka.admin import AdminClient

from tests.support.kafka_servers import KafkaServer
from tests.support.redis_servers import free_port, release_port
from tests.support.servers import ROOT

_FETCH, _VERSIONS = 1, 18
_OFFERED, _KNOWN = struct.pack(">hhh", _FETCH, 0, 13), struct.pack(">hhh", _FETCH, 0, 11)
_PAUSE = 0.01  # seconds between two tries of a fetch that waits


class SmallKafka(KafkaServer):
    """Replaces :class:`KafkaServer` in tests that need no Apache Kafka."""

    def __init__(self, directory: Path) -> None:
        self.port, self._behind = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"kafka://{self.address}"
        self.log_path = directory / "log"
        self._data = directory / "data"
        self.admin = AdminClient(self.client())
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        ports = [str(self.port), str(self._behind)]
        with self.log_path.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.small_kafka", *ports, str(self._data)],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()

    def close(self) -> None:
        self.stop()
        for port in (self.port, self._behind):
            release_port(port)


def name() -> str:
    """The broker's name in the summary of a test run."""
    return f"noida-db {version('noida-db')}, for there is no Java 17 with Maven"


def main(port: int, behind: int, data: str) -> None:
    binary = Path(str(files("noida_db"))) / "noida-db"
    binary.chmod(0o755)
    command = [str(binary), "start", "--only", "kafka", "--kafka-port", str(behind), "--data-dir", data]
    broker = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        listener = socket.create_server(("127.0.0.1", port), backlog=100)
        threading.Thread(target=_accept, args=(listener, port, behind), daemon=True).start()
        sys.stdin.read()
    finally:
        broker.terminate()  # its data stay on disk
        broker.wait()


def _accept(listener: socket.socket, port: int, behind: int) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client, port, behind), daemon=True).start()


def _serve(client: socket.socket, port: int, behind: int) -> None:
    """Serve the requests of a connection one after the other, as Kafka does."""
    own, other = (b"127.0.0.1" + struct.pack(">i", one) for one in (port, behind))
    with suppress(OSError), closing(client), socket.create_connection(("127.0.0.1", behind)) as broker:
        while request := _frame(client):
            (kind,) = struct.unpack_from(">h", request, 4)
            answer = _exchange(broker, request)
            if kind == _FETCH:
                until = monotonic() + _patience(request)
                while answer and _is_empty(answer) and monotonic() < until:
                    sleep(_PAUSE)
                    answer = _exchange(broker, request)
            elif kind == _VERSIONS:
                answer = answer.replace(_OFFERED, _KNOWN)  # the newest version that this module can parse
            client.sendall(answer.replace(other, own) if kind != _FETCH else answer)


def _exchange(broker: socket.socket, request: bytes) -> bytes:
    broker.sendall(request)
    return _frame(broker)


def _frame(connection: socket.socket) -> bytes:
    """The next frame with its length; empty: the connection is closed."""
    head = _exactly(connection, 4)
    return head and head + _exactly(connection, struct.unpack(">i", head)[0])


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        if not (more := connection.recv(size - len(found))):
            return b""
        found += more
    return bytes(found)


def _patience(request: bytes) -> float:
    """The seconds that a fetch may wait: a field behind the client's name and the replica's id."""
    (name,) = struct.unpack_from(">h", request, 12)
    return float(struct.unpack_from(">i", request, 14 + max(0, name) + 4)[0]) / 1000


def _is_empty(answer: bytes) -> bool:
    """Whether a response to a fetch, in version 11, has neither a message nor an error."""
    error, _, topics = struct.unpack_from(">hii", answer, 12)
    at = 22
    for _ in range(topics):
        (name,) = struct.unpack_from(">h", answer, at)
        (partitions,) = struct.unpack_from(">i", answer, at + 2 + name)
        at += 2 + name + 4
        for _ in range(partitions):
            wrong, aborted = struct.unpack_from(">4xh24xi", answer, at)
            at += 34 + 16 * max(0, aborted) + 4
            (size,) = struct.unpack_from(">i", answer, at)
            at += 4 + max(0, size)
            if wrong or size > 0:
                return False
    return not error


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
