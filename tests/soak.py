"""make soak: a hundred tabs, numbered messages and random faults, for ``MINUTES``.

Ends with a verdict: was every message seen in order and once, or its hole marked by a gap that
has a cause; are threads, descriptors, Redis clients and memory back at their baseline.
"""

import random
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from threading import Event
from time import monotonic

from tests.support.faults import FAULTS, Scene
from tests.support.redis_servers import RedisServer, binaries
from tests.support.scenes import bad_network, settle, verdict, watch
from tests.support.servers import ArautoServer
from tests.support.soaking import main
from tests.support.waiting import eventually

LONGEST = 40.0  # seconds of one fault
PAUSE = 0.1  # seconds between two rounds of numbers
MEMORY_GROWTH = 20e6  # bytes a worker may have grown by, its tabs gone
PROGRESS = 10.0  # seconds between two lines


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run the soak and print its progress; return how the promise was broken."""
    print(f"Soak: {sockets} tabs on {worker} and {redis_name} for {seconds:.0f} s, seed {seed}", flush=True)
    random.seed(seed)  # faults choose their victims too
    with tempfile.TemporaryDirectory(prefix="arauto-soak-") as name:
        redis_server = RedisServer(binaries()[redis_name], Path(name))
        with closing(redis_server), bad_network(redis_server) as proxy:
            server = ArautoServer(
                Path(name) / "log", REDIS_URL=f"redis://127.0.0.1:{proxy.port}", ARAUTO_WORKER=worker
            )
            with closing(server):
                with watch(redis_server, proxy, server, sockets, PAUSE) as (scene, numbers):
                    memory = _memory(server)
                    happened = _break_things(scene, seconds)
                    settle(scene, numbers)
                    faults = verdict(scene, numbers)
                    _print_progress(scene, seconds, happened)
                faults += _leaks(redis_server, server, memory)
                if "Traceback" in server.log:
                    faults.append("a traceback in the log:\n" + server.log)
    return faults


def _break_things(scene: Scene, seconds: float) -> Counter[str]:
    happened: Counter[str] = Counter()
    began = printed = monotonic()
    while (passed := monotonic() - began) < seconds:
        name = random.choice(sorted(FAULTS))
        left = seconds - passed
        lasts = min(random.expovariate(1 / 4), LONGEST, left)
        FAULTS[name](scene, lasts)
        happened[name] += 1
        Event().wait(min(random.uniform(0, 8), left))
        if monotonic() - printed > PROGRESS:
            printed = monotonic()
            _print_progress(scene, printed - began, happened)
    return happened


def _print_progress(scene: Scene, passed: float, happened: Counter[str]) -> None:
    records = [witness.record for witness in scene.witnesses]
    live = sum(witness.is_live for witness in scene.witnesses)
    seen = sum(len(numbers) for record in records for numbers in record.seen.values())
    gaps = sum(len(record.gaps) for record in records)
    print(
        f"{passed:6.0f} s: {live} of {len(records)} live, {seen} messages seen, {gaps} gaps shown, "
        f"{_memory(scene.server) / 1e6:.0f} MB a worker, {dict(happened)}",
        flush=True,
    )


def _memory(server: ArautoServer) -> int:
    """Resident bytes of the largest worker."""
    return max((worker.memory_info().rss for worker in server.workers()), default=0)


def _leaks(redis_server: RedisServer, server: ArautoServer, memory: int) -> list[str]:
    """Resources that are still in use once all tabs are closed."""
    try:
        eventually(lambda: redis_server.subscribers() == 0, within=40, why="no Redis client is left")
        eventually(lambda: _descriptors(server) < 40, within=10, why="few descriptors are left")
    except AssertionError as leak:
        return [f"a leak: {leak}"]
    grown = _memory(server) - memory
    return [f"a worker grew by {grown / 1e6:.0f} MB"] if grown > MEMORY_GROWTH else []


def _descriptors(server: ArautoServer) -> int:
    """Open descriptors of the worker with the most of them."""
    return max(int(worker.num_fds()) for worker in server.workers())


if __name__ == "__main__":
    main("make soak", __doc__, 100, soak)
