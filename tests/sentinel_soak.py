"""make soak SENTINEL=yes: two servers on two Redis and three Sentinels, numbers, and failovers at random.

Ends with a verdict: was every number that the master took shown once, or its hole marked by a gap; is no tab
stuck. One channel is recorded, one is not.
"""

import tempfile
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.support.failovers import Faults, FollowingPublisher
from tests.support.promises import NotingTab, event_faults
from tests.support.redis_servers import binaries
from tests.support.sentinels import Watched
from tests.support.servers import ArautoServer
from tests.support.soaking import main, watch_faults

CHANNELS = ("live.a", "kept.a")


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run the soak, and return how the promise was broken.

    :param sockets: tabs of each channel, on both servers.
    """
    print(f"Soak: {sockets} tabs a channel on {worker} and {redis_name}, seed {seed}", flush=True)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arauto-soak-")))
        watched = Watched(stack, binaries()[redis_name], directory)
        given: Any = {"REDIS_URL": watched.url, "ARAUTO_WORKER": worker, "ARAUTO_RECORD": "kept.*"}
        servers = [
            stack.enter_context(closing(ArautoServer(directory / f"log-{n}", **given))) for n in range(2)
        ]
        published = [FollowingPublisher(watched, channel) for channel in CHANNELS]
        tabs = [
            (one, NotingTab(server.ws, one))
            for one in published
            for _, server in zip(range(sockets), cycle(servers))
        ]
        found = watch_faults(stack, tabs, Faults(watched, seed), seconds)
        found += [
            f"{one.channel}: {fault}"
            for one, tab in tabs
            for fault in event_faults(tab.events, one, tab.first, logs_return=True)
        ]
        found += [f"a traceback in the log:\n{one.log}" for one in servers if "Traceback" in one.log]
    return found


if __name__ == "__main__":
    main("make soak SENTINEL=yes", __doc__, 3, soak)
