"""make soak CLUSTER=yes: three masters, three replicas, numbers published at all of them, faults at random.

Three more tabs have the sharded channels of all masters, and each checks one of them. The form publishes to a
recorded channel of each master, whose log is checked as well.

Ends with a verdict: was every number that a node took shown once, or its hole marked by a gap; is no tab
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
from tests.support.promises import NotingTab, Published, event_faults, replay_to_the_last
from tests.support.redis_servers import binaries
from tests.support.returning import Event
from tests.support.servers import ArautoServer
from tests.support.soaking import main, watch_faults

CHANNELS = ("live.a", "live.b")
SHARDS = ("c", "b", "a")  # in slots 7365, 3300 and 15495, so of one master each
# Each master has one of their logs, which is not in the slot of the channel's name.
KEPT = ("kept.{c}", "kept.{b}", "kept.{a}")


class ByForm(Published):
    """Publishes with the form, which sends each number to the master of the channel's log."""

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

    def faults(self, events: list[Event], first: int) -> list[str]:
        """How the events of a tab break the promise."""
        return event_faults(events, self, first, may_go_elsewhere=True)


class ShardTab(NotingTab):
    """Has all the sharded channels, and notes the events of one of them as those of a channel."""

    def _address(self) -> tuple[str, dict[str, list[str]]]:
        super()._address()  # notes when the socket was lost
        return f"{self._url}/feed?{urlencode([('shard', name) for name in SHARDS])}", {}

    def _receive(self, event: Event) -> None:
        if "shard" not in event:
            super()._receive(event)
        elif event["shard"] in self._channels:
            super()._receive(event | {"type": event["type"].removeprefix("s"), "channel": event["shard"]})


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run the soak, and return how the promise was broken.

    :param sockets: tabs of each channel.
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
            f"{one.channel}: {fault}" for one, tab in tabs for fault in one.faults(tab.events, tab.first)
        ]
        found += [fault for one in kept for fault in faults_of_log(server, one)]
        if "Traceback" in server.log:
            found.append("a traceback in the log:\n" + server.log)
    return found


def faults_of_log(server: ArautoServer, published: ByForm) -> list[str]:
    """How the log breaks the promise, once it has the last number. It may begin anew at an empty master."""
    channel = published.channel
    log = replay_to_the_last(server, published)
    held = [int(line["data"]) for line in log if "data" in line]
    gaps = sum(line.get("type") == "gap" for line in log)
    print(f"{channel}: {len(held)} of {len(published.moments)} in the log, {gaps} gaps")
    return [f"log of {channel}: {fault}" for fault in published.faults(log, held[0])]


if __name__ == "__main__":
    main("make soak CLUSTER=yes", __doc__, 3, soak)
