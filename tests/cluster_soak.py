"""make soak CLUSTER=yes: three masters, three replicas, numbers published at all of them, faults at random.

Three tabs more have the sharded channels of all masters, and each checks one of them.

Ends with a verdict: was every number that a node took shown once, or its hole marked by a gap; was nobody
stuck.
"""

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlencode

from tests.support.cluster_faults import ClusterFaults, EverywherePublisher, ShardPublisher
from tests.support.clusters import Cluster
from tests.support.promises import NotingTab
from tests.support.redis_servers import binaries
from tests.support.returning import Event
from tests.support.servers import ArautoServer
from tests.support.soaking import main, watch_faults

CHANNELS = ("live.a", "live.b")
SHARDS = ("c", "b", "a")  # in slots 7365, 3300 and 15495, so of one master each


class ShardTab(NotingTab):
    """Has all the sharded channels, and notes what is said of one as if it were a channel."""

    def _ask(self) -> tuple[str, dict[str, list[str]]]:
        super()._ask()  # notes when it left
        return f"{self._url}/feed?{urlencode([('shard', name) for name in SHARDS])}", {}

    def _hear(self, event: Event) -> None:
        if "shard" not in event:
            super()._hear(event)
        elif event["shard"] in self._channels:
            super()._hear(event | {"type": event["type"].removeprefix("s"), "channel": event["shard"]})


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
        sharded = [ShardPublisher(cluster, name) for name in SHARDS]
        tabs = [(one, NotingTab(server.ws, one)) for one in published for _ in range(sockets)]
        tabs += [(one, ShardTab(server.ws, one)) for one in sharded]
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
