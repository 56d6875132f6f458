"""How long a message waits for the log when the recorder is killed, or stops: ``python -m bench.takeover``.

Two processes run while a message a millisecond is published, with its time. An entry's id has the time when
it was written, by the same machine's clock.
"""

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import sleep, time

from arauto.protocol.log_position import Position
from arauto.recording.log_store import Store
from arauto.recording_core.feed_steps import Read
from tests.support.recording import RecordingProcess, make_store, recorder
from tests.support.redis_servers import RedisServer, binaries
from tests.support.waiting import eventually

ROUNDS = 5
CALM = 2.0  # seconds before and after


@contextmanager
def publishing(server: RedisServer) -> Iterator[None]:
    """Publish about one message a millisecond while the block runs."""
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(0.001):
            server.client.publish("a", int(time() * 1000))

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def waits(store: Store) -> tuple[list[int], int]:
    """Milliseconds that each message of the log waited, and how many gaps there are."""
    found, gaps = [], 0
    after = Position("", 0)
    while (pages := store.read(b"a", Read(after, None))) is not None:
        for entry in pages.entries:
            if entry.data is None:
                gaps += 1
            else:
                found.append(entry.ms - int(entry.data))
        if not pages.has_more:
            break
        after = pages.end
    return found, gaps


def killed(server: RedisServer, folder: Path) -> None:
    processes = [RecordingProcess(server.url, folder / str(n), "a") for n in range(2)]
    owner = eventually(lambda: next((one for one in processes if one.token), None), why="one records")
    with publishing(server):
        sleep(CALM)
        owner.kill()
        sleep(2 * CALM)
    for process in processes:
        process.kill()


def stopped(server: RedisServer, folder: Path) -> None:
    first, second = (recorder(server.url, b"a") for _ in range(2))
    first.start()
    eventually(lambda: first.candidate.token, why="one records")
    second.start()
    with publishing(server):
        sleep(CALM)
        first.stop()
        sleep(2 * CALM)
    second.stop()


def main() -> None:
    argparse.ArgumentParser(prog="python -m bench.takeover", description=__doc__).parse_args()
    for act in (killed, stopped):
        longest, usual, gaps = [], [], 0
        for _ in range(ROUNDS):
            folder = Path(tempfile.mkdtemp())
            server = RedisServer(binaries()["valkey"], folder)
            act(server, folder)
            found, holes = waits(make_store(server.url))
            server.close()
            longest.append(max(found))
            usual.append(median(found))
            gaps += holes
        print(f"{act.__name__}: waited {median(usual):.0f} ms, at most {sorted(longest)} ms; {gaps} gaps")


if __name__ == "__main__":
    main()
