"""A recorder or stand-by of the tests: ``python -m tests.support.recording <URL> <channels> <patterns>``."""

import re
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import psutil

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.selection import Selection
from arauto.recording.log_store import Store
from arauto.recording.log_upgrade import upgrade
from arauto.recording.recorder_thread import RecorderThread
from arauto.redis_io.connection import RedisLink
from arauto.system.timer_wheel import TimerWheel
from arauto.workers.worker_states import WorkerStates
from tests.support.servers import ROOT, ArautoServer


def recorder_of(server: ArautoServer) -> psutil.Process:
    """The worker that became the recorder last."""
    pids = re.findall(r"\[(\d+)\] recorder started", server.log)
    return psutil.Process(int(pids[-1]))


class FixedRecording:
    """A recording whose channels and patterns the test chooses."""

    def __init__(self, link: RedisLink, selection: Selection) -> None:
        self.link = link
        self.store = Store(link.client, 10_000, 3_600_000)
        self.generation = 0
        self.refreshed = self.trimmed = 0
        self.error = ""
        self.reported: list[tuple[bytes, str]] = []
        self.selection = selection

    slots = ()

    def connect(self) -> NonblockingSocket:
        return self.link.connect()

    def has_moved(self) -> None:
        pass

    def look(self) -> None:
        pass

    def new_loss(self) -> None:
        return None

    def upgrade(self) -> None:
        upgrade(self.store)

    @property
    def is_wanted(self) -> bool:
        return bool(self.selection.channels or self.selection.patterns)

    def choose(self, *channels: bytes, patterns: tuple[bytes, ...] = ()) -> None:
        self.selection = Selection(channels, patterns)
        self.generation += 1

    def refresh(self) -> None:
        self.refreshed += 1

    def report(self, channel: bytes, why: str) -> None:
        self.reported.append((channel, why))

    def trim(self) -> None:
        self.trimmed += 1


def recorder(url: str, *channels: bytes, patterns: tuple[bytes, ...] = ()) -> RecorderThread:
    return record(FixedRecording(RedisLink(url), Selection(channels, patterns)))


def record(recording: Any, worker_states: WorkerStates | None = None, **more: Any) -> RecorderThread:
    more.setdefault("reconcile", lambda: None)
    states = worker_states or WorkerStates()
    return RecorderThread(
        recording, TimerWheel(), worker_states=states, note_stand_by=states.note_stand_by, **more
    )


def make_store(url: str) -> Store:
    return Store(RedisLink(url).client, 10_000, 3_600_000)


class RecordingProcess:
    """A recorder in another process, which can be killed."""

    def __init__(
        self, url: str, log: Path, *channels: str, pattern: str = "", worker: str = "gthread"
    ) -> None:
        monkey = ["-m", "gevent.monkey", "--module"] if worker == "gevent" else ["-m"]
        command = [sys.executable, *monkey, "tests.support.recording", url, ",".join(channels), pattern]
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output)

    @property
    def token(self) -> int:
        """The token of its lease, from its output; 0: it is not the recorder."""
        return int((self._log.read_text().split() or ["0"])[-1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def main() -> None:
    url, channels, pattern = sys.argv[1:]
    names = tuple(name.encode() for name in channels.split(",") if name)
    thread = recorder(url, *names, patterns=(pattern.encode(),) if pattern else ())
    thread.start()
    printed = -1
    while True:
        if printed != thread.candidate.token:
            printed = thread.candidate.token
            print(printed, flush=True)
        sleep(0.01)


if __name__ == "__main__":
    main()
