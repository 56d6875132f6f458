"""make soak SENTINEL=yes: two servers on two Redis and three Sentinels, numbers, and failovers at random.

Ends with a verdict: was every number that the master took shown once, or its hole marked by a gap; was nobody
stuck. One channel is recorded, one is not.
"""

import tempfile
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any

from tests.support.failovers import Faults, FollowingPublisher
from tests.support.promises import NotingTab, story_faults
from tests.support.redis_servers import binaries
from tests.support.scenes import COMES_BACK
from tests.support.sentinels import Watched
from tests.support.servers import ArautoServer
from tests.support.soaking import main
from tests.support.waiting import eventually

CHANNELS = ("live.a", "kept.a")
PAUSE = 0.02  # seconds between two numbers


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run, and return what broke the promise.

    :param sockets: of each channel, on both servers.
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
        for _, tab in tabs:
            stack.callback(tab.join, 10)
            stack.callback(tab.leave)
            tab.start()
        eventually(lambda: all(tab.told("subscribe") for _, tab in tabs), why="they have subscribed")
        faults = Faults(watched, seed)
        with ExitStack() as publishing:
            for one in published:
                publishing.enter_context(one.keep_on(PAUSE))
            until = monotonic() + seconds
            while monotonic() < until:
                faults.one()

        def all_have_the_last() -> bool:
            for one in published:
                one.go_on()
            if any(one.last in one.unsure for one in published):
                return False
            try:
                return eventually(
                    lambda: all(tab.ends_with(one.last, one.channel) for one, tab in tabs), within=3
                )
            except AssertionError:
                return False

        eventually(all_have_the_last, within=COMES_BACK, why=f"nobody is stuck after {faults.happened}")
        found = [
            f"{one.channel}: {fault}"
            for one, tab in tabs
            for fault in story_faults(tab.story, one, tab.first, logs_return=True)
        ]
        sure = sum(len(one.moments) - len(one.unsure) for one in published)
        gaps = sum(len(tab.told("gap")) for _, tab in tabs)
        print(
            f"{sure} published for sure, {gaps} gaps shown, {len(faults.happened)} faults: {faults.happened}"
        )
        if sure < sum(len(one.unsure) for one in published):
            found.append("the publisher was hardly ever sure: nothing was checked")
        found += [f"a traceback in the log:\n{one.log}" for one in servers if "Traceback" in one.log]
    return found


if __name__ == "__main__":
    main("make soak SENTINEL=yes", __doc__, 3, soak)
