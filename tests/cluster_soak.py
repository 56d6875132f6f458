"""make soak CLUSTER=yes: three masters, three replicas, numbers published at all of them, faults at random.

Ends with a verdict: was every number that a node took shown once, or its hole marked by a gap; was nobody
stuck.
"""

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

from tests.support.cluster_faults import ClusterFaults, EverywherePublisher
from tests.support.clusters import Cluster
from tests.support.promises import NotingTab
from tests.support.redis_servers import binaries
from tests.support.servers import ArautoServer
from tests.support.soaking import main, watch_faults

CHANNELS = ("live.a", "live.b")


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
        faults = ClusterFaults(cluster, seed)
        found = watch_faults(stack, tabs, faults, seconds, mend=cluster.wait_until_whole)
        found += [
            f"{one.channel}: {fault}" for one, tab in tabs for fault in one.faults(tab.story, tab.first)
        ]
        if "Traceback" in server.log:
            found.append("a traceback in the log:\n" + server.log)
    return found


if __name__ == "__main__":
    main("make soak CLUSTER=yes", __doc__, 3, soak)
