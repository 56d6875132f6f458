"""A process that records or stands by: ``python -m tests.support.recording <URL> <channels> <patterns>``."""

import subprocess
import sys
from pathlib import Path
from time import sleep

from arauto.memory.store import Store
from arauto.memory.thread import RecorderThread
from arauto.names import Selection
from arauto.pulse import Pulse
from arauto.redis_link import RedisLink
from tests.support.servers import ROOT


def recorder(url: str, *channels: bytes, patterns: tuple[bytes, ...] = ()) -> RecorderThread:
    link = RedisLink(url)
    selection = Selection(channels, patterns)
    return RecorderThread(make_store(url), link.connect, Pulse(), lambda: selection)


def make_store(url: str) -> Store:
    return Store(RedisLink(url).client, 10_000, 3_600_000)


class RecordingProcess:
    """A process of its own, which can be killed."""

    def __init__(self, url: str, log: Path, *channels: str, pattern: str = "") -> None:
        command = [sys.executable, "-m", "tests.support.recording", url, ",".join(channels), pattern]
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output)

    @property
    def token(self) -> int:
        """With which it is the recorder, as far as it has said; 0: it is not."""
        return int((self._log.read_text().split() or ["0"])[-1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def main() -> None:
    url, channels, pattern = sys.argv[1:]
    names = tuple(name.encode() for name in channels.split(",") if name)
    thread = recorder(url, *names, patterns=(pattern.encode(),) if pattern else ())
    thread.start()
    told = -1
    while True:
        if told != thread.candidate.token:
            told = thread.candidate.token
            print(told, flush=True)
        sleep(0.01)


if __name__ == "__main__":
    main()
