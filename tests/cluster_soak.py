"""make soak CLUSTER=yes: three masters, three replicas, numbers published at all of them, faults at random.

Three tabs more have the sharded channels of all masters, and each checks one of them. A log of
each master is of a channel that the form publishes to; it is checked, too.

Ends with a verdict: was every number that a node took shown once, or its hole marked by a gap; was nobody
stuck.
"""

import tempfile
from contextlib import ExitStack, closing
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode

from tests.support.cluster_faults import ClusterFaults, EverywherePublisher, ShardPublisher
from tests.support.clusters import Cluster
from tests.support.http import publish
from tests.support.promises import NotingTab, Published, replay_to_the_last, story_faults
from tests.support.redis_servers import binaries
from tests.support.returning import Event
from tests.support.servers import ArautoServer
from tests.support.soaking import main, watch_faults

CHANNELS = ("live.a", "live.b")
SHARDS = ("c", "b", "a")  # in slots 7365, 3300 and 15495, so of one master each
KEPT = (
    "kept.{c}",
    "kept.{b}",
    "kept.{a}",
)  # whose logs are one at each master, and not in the slots of the names


class ByForm(Published):
    """Published by the form, which gives each to the master of its channel's log."""

    def __init__(self, cluster: Cluster, server: ArautoServer, channel: str) -> None:
        super().__init__(cluster.nodes[0], channel)
        self._server = server

    def go_on(self, many: int = 1) -> None:
        for _ in range(many):
            data = self.note()
            try:
                is_sure = publish(self._server, self.channel, data).status == 200
            except (OSError, HTTPException):
                is_sure = False
            if not is_sure:
                self.unsure.add(data)

    def faults(self, story: list[Event], first: int) -> list[str]:
        """What breaks the promise in what one was told."""
        return story_faults(story, self, first, may_go_elsewhere=True)


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
        server = ArautoServer(log, REDIS_URL=cluster.url, ARAUTO_WORKER=worker, ARAUTO_RECORD="kept.*")
        stack.enter_context(closing(server))
        published = [EverywherePublisher(cluster, channel) for channel in CHANNELS]
        sharded = [ShardPublisher(cluster, name) for name in SHARDS]
        kept = [ByForm(cluster, server, channel) for channel in KEPT]
        many: list[EverywherePublisher | ByForm] = [*published, *kept]
        tabs = [(one, NotingTab(server.ws, one)) for one in many for _ in range(sockets)]
        tabs += [(one, ShardTab(server.ws, one)) for one in sharded]
        faults = ClusterFaults(cluster, seed)
        found = watch_faults(stack, tabs, faults, seconds, mend=cluster.wait_until_whole)
        found += [
            f"{one.channel}: {fault}" for one, tab in tabs for fault in one.faults(tab.story, tab.first)
        ]
        found += [fault for one in kept for fault in faults_of_log(server, one)]
        if "Traceback" in server.log:
            found.append("a traceback in the log:\n" + server.log)
    return found


def faults_of_log(server: ArautoServer, published: ByForm) -> list[str]:
    """What breaks the promise in the log, once it has the last. A master that restarts empty may begin it."""
    channel = published.channel
    log = replay_to_the_last(server, published)
    held = [int(line["data"]) for line in log if "data" in line]
    gaps = sum(line.get("type") == "gap" for line in log)
    print(f"{channel}: {len(held)} of {len(published.moments)} in the log, {gaps} gaps")
    return [f"log of {channel}: {fault}" for fault in published.faults(log, held[0])]


if __name__ == "__main__":
    main("make soak CLUSTER=yes", __doc__, 3, soak)
