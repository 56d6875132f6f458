"""make soak CLUSTER=yes: three masters, three replicas, numbers published at all of them, faults at random.

Ends with a verdict: was every number that a node took shown once, or its hole marked by a gap; was nobody
stuck.
"""

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic

from tests.support.cluster_faults import ClusterFaults, EverywherePublisher
from tests.support.clusters import Cluster
from tests.support.promises import NotingTab
from tests.support.redis_servers import binaries
from tests.support.scenes import COMES_BACK
from tests.support.servers import ArautoServer
from tests.support.soaking import main
from tests.support.waiting import eventually

CHANNELS = ("live.a", "live.b")
PAUSE = 0.02  # seconds between two numbers


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run, and return what broke the promise.

    :param sockets: of each channel.
    """
    print(
        f"Soak: {sockets} tabs a channel on {worker} and a cluster of {redis_name}, seed {seed}", flush=True
    )
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arauto-soak-")))
        cluster = Cluster(stack, binaries()[redis_name], directory)
        log = directory / "log"
        server = ArautoServer(log, REDIS_URL=cluster.url, ARAUTO_WORKER=worker, ARAUTO_RECORDING="off")
        stack.enter_context(closing(server))
        published = [EverywherePublisher(cluster, channel) for channel in CHANNELS]
        tabs = [(one, NotingTab(server.ws, one)) for one in published for _ in range(sockets)]
        for _, tab in tabs:
            stack.callback(tab.join, 10)
            stack.callback(tab.leave)
            tab.start()
        eventually(lambda: all(tab.told("subscribe") for _, tab in tabs), why="they have subscribed")
        faults = ClusterFaults(cluster, seed)
        with ExitStack() as publishing:
            for one in published:
                publishing.enter_context(one.keep_on(PAUSE))
            until = monotonic() + seconds
            while monotonic() < until:
                faults.one()
        cluster.wait_until_whole()

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
        found = [f"{one.channel}: {fault}" for one, tab in tabs for fault in one.faults(tab.story, tab.first)]
        sure = sum(len(one.moments) - len(one.unsure) for one in published)
        gaps = sum(len(tab.told("gap")) for _, tab in tabs)
        print(
            f"{sure} published for sure, {gaps} gaps shown, {len(faults.happened)} faults: {faults.happened}"
        )
        if sure < sum(len(one.unsure) for one in published):
            found.append("the publisher was hardly ever sure: nothing was checked")
        if "Traceback" in server.log:
            found.append("a traceback in the log:\n" + server.log)
        if found:
            print(server.log[-0:0])
    return found


if __name__ == "__main__":
    main("make soak CLUSTER=yes", __doc__, 3, soak)
