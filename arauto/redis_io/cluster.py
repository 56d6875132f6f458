"""Redis Cluster: its nodes, and subscribers that must leave a node which may not get every message."""

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from math import inf
from time import monotonic
from typing import Any
from weakref import WeakSet

import redis
from redis.exceptions import AuthenticationError

from arauto.redis_io.bus_watch import BusWatch
from arauto.redis_io.cluster_map import ClusterMap, together
from arauto.redis_io.cluster_poll import ClusterPoll
from arauto.redis_io.cluster_view import View
from arauto.redis_io.elapsed import now
from arauto.redis_io.placed_socket import PlacedSocket
from arauto.redis_io.redis_url import Address, place
from arauto.system.concurrency import make_lock
from arauto.system.resource_errors import start
from arauto.text.cleanup import shown

CHECK_EVERY = 1.0  # seconds
CHECK_PAUSE = 0.1  # seconds between two checks at least
FIRST_ANSWER = 2.0  # seconds to wait for the first answer of a node
SILENT_FOR = 3.0  # seconds after which subscribers leave a silent node
BROKEN_FOR = 1.5  # seconds of a broken bus after which subscribers move to a node whose bus works
# Seconds. Nodes ping each other every few seconds: for so long a frozen link may be unnoticed.
UNSEEN = 5.0
RENEWED_WITHIN = 0.5  # seconds to wait for a newer map
MANY_LOSSES = 100  # that are remembered

log = logging.getLogger("arauto")


class NoNode(redis.ConnectionError):
    """No node of the cluster answers; the text is a sentence that names the remedy."""


class NotCluster(redis.ConnectionError):
    """The server that answers is no cluster; the text is its address.

    :param may_be_sentinel: whether it does not even know ``CLUSTER``, as a Sentinel and some proxies.
    """

    def __init__(self, where: str, may_be_sentinel: bool) -> None:
        super().__init__(where)
        self.may_be_sentinel = may_be_sentinel


def is_refusal(error: Exception) -> bool:
    """Whether a node has answered, but refuses our login or a command."""
    return isinstance(error, redis.ResponseError | AuthenticationError)


class Cluster:
    """Keeps a map of the nodes, from its first use on. Safe for all threads; not across a fork.

    :param make_connection: makes a connection to the node at an address, which is not connected yet.
    :param seeds: some nodes.
    :param with_replicas: whether to subscribe on replicas too.
    :param by_name: whether to reach nodes by the names that they announce.
    """

    def __init__(
        self,
        make_connection: Callable[[Address], Any],
        seeds: tuple[Address, ...],
        with_replicas: bool,
        by_name: bool = False,
    ) -> None:
        self._seeds = seeds
        self._with_replicas = with_replicas
        self._poll = ClusterPoll(make_connection, by_name)
        self._bus = BusWatch()
        self._ids: dict[Address, str] = {}
        self._answered_at: dict[str, float] = {}
        self._reported: dict[Address, str] = {}  # nodes that do not answer, and why, as logged
        self._lock = make_lock()  # guards what follows
        self._sockets: defaultdict[Address, WeakSet[PlacedSocket]] = defaultdict(WeakSet)
        self._shunned: set[Address] = set()  # a connection failed since the last poll
        self._map = ClusterMap()
        self._queried_at = -inf  # when the nodes of the map were polled
        self._polled = threading.Condition()
        self._known = threading.Event()
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._is_started = False
        self.losses: tuple[tuple[float, str, float], ...] = ()
        """When it was found that a node may have lost messages, which node, and since when."""
        self.moves = 0  # how many times subscribers had to reconnect, or can again

    def map(self) -> ClusterMap:
        """The current map.

        :raise NoNode: no node has answered in time.
        :raise NotCluster: a server has answered that is no cluster.
        :raise redis.ResponseError: all nodes refuse us.
        """
        self._start()
        self._known.wait(FIRST_ANSWER)
        found = self._map
        if not found.answering:
            raise self._why()
        return found

    def unusable(self) -> dict[Address, Exception]:
        """Nodes that other nodes reach, but we do not, or that refuse us, and why."""
        found = self.map()
        errors = dict(self._poll.errors)
        return {
            one.address: errors[one.address]
            for id, one in sorted(found.members.items())
            if id not in found.failed and one.address in errors
        }

    def places(self, shards: Sequence[bytes] = ()) -> list[Address]:
        """The nodes to subscribe on, best first; among equals, those with the fewest of our subscribers.

        :param shards: sharded channels: a node that has the first of them is preferred.
        """
        found = self.map()
        there = next((found.serving(shard) for shard in shards if found.serving(shard)), [])
        with self._lock:
            counts = {address: len(sockets) for address, sockets in self._sockets.items()}
            shunned = set(self._shunned)
        ranked = [
            sorted(
                random.sample(step, len(step)),
                key=lambda address: (address not in there, counts.get(address, 0)),
            )
            for step in found.for_subscribers(self._with_replicas)
        ]
        return sorted(
            [address for step in ranked for address in step], key=lambda address: address in shunned
        )

    def shun(self, address: Address) -> None:
        """A connection to this node has failed: try others first, until it has answered."""
        with self._lock:
            self._shunned.add(address)

    def keep(self, sock: PlacedSocket, moves: int) -> None:
        """End this connection when messages may have been lost on it.

        :param moves: :attr:`moves` before the connection was made.
        """
        with self._lock:
            self._sockets[sock.address].add(sock)
            is_old = self.moves != moves
        if is_old:
            sock.doubt(now())  # nothing was received on it yet

    def look(self) -> None:
        """Poll all nodes now: something has changed."""
        self._wake.set()

    def renew(self, since: float) -> None:
        """Wait for a map of a poll that began after ``since`` (``elapsed.now``), but not for long."""
        self.look()
        with self._polled:
            self._polled.wait_for(lambda: self._queried_at >= since or self._stopped.is_set(), RENEWED_WITHIN)

    def stop(self) -> None:
        """Stop polling."""
        self._stopped.set()
        self._wake.set()
        with self._polled:
            self._polled.notify_all()

    def _start(self) -> None:
        with self._lock:
            if self._is_started:
                return
            self._is_started = True
        start(threading.Thread(target=self._watch, name="cluster", daemon=True))

    def _watch(self) -> None:
        while not self._stopped.is_set():
            began = monotonic()
            try:
                self._look()
            except Exception:
                log.exception("cluster failed")
            self._known.set()
            self._stopped.wait(CHECK_PAUSE)
            self._wake.wait(max(0.0, began + CHECK_EVERY - monotonic()))
            self._wake.clear()
        self._poll.keep_only(())

    def _look(self) -> None:
        queried_at = now()
        wanted = [one.address for one in self._map.members.values()]
        views = self._poll.ask(wanted) if wanted else {}
        if not views:
            views = self._poll.ask(self._seeds)
        named = {one.address for view in views.values() for one in view.members.values()}
        views |= self._poll.ask(named - self._poll.errors.keys() - {*wanted, *self._seeds} - views.keys())
        found = {view.id: view for view in together(views.values())}
        self._ids |= {one.address: id for view in found.values() for id, one in view.members.items()}
        self._ids |= {address: view.id for address, view in views.items()}
        self._answered_at |= dict.fromkeys(found, queried_at)
        if found:
            self._poll.keep_only(named | set(self._seeds))
        self._take(list(found.values()), queried_at)

    def _take(self, views: list[View], queried_at: float) -> None:
        refusing = {id for address, id in self._ids.items() if self._poll.refuses(address)}
        refusing -= {view.id for view in views}
        losses = self._bus.take(views, refusing, queried_at)
        found = ClusterMap.of(views, refusing, self._bus) if views else ClusterMap(self._map.members)
        if views:
            self._bus.keep_only(found.members)
        with self._lock:
            lost = {loss.node: loss.since for loss in losses}
            self.losses = (*self.losses, *((queried_at, *loss) for loss in losses))[-MANY_LOSSES:]
            before, self._map = self._map, found
            self._queried_at = queried_at
            self._shunned.clear()
            doubts = self._doubts(lost, queried_at)
            if doubts or found.whole - before.whole:
                self.moves += 1
        for address in self._ids:
            if there := [since for sock, since in doubts if sock.address == address]:
                seconds = queried_at - min(there)
                log.warning(
                    "cluster doubted node=%s feeds=%d seconds=%.1f", place(address), len(there), seconds
                )
        for sock, since in doubts:
            sock.doubt(since - UNSEEN)
        with self._polled:
            self._polled.notify_all()
        self._report(found)

    def _doubts(self, lost: dict[str, float], queried_at: float) -> list[tuple[PlacedSocket, float]]:
        """Connections to end, and since when messages may be missing there.

        :param lost: nodes that may have lost messages, and since when.
        """
        doubts = list[tuple[PlacedSocket, float]]()
        for address, there in self._sockets.items():
            if not there:
                continue
            id = self._ids.get(address, "")
            node = self._map.members.get(id)
            is_demoted = node is not None and not node.is_master
            since = lost.get(id, self._leave_since(id, address, queried_at))
            for sock in list(there):
                if sock.doubted_since is not None:
                    continue
                # A demoted node goes on serving its slots as a replica, but receives messages and
                # announcements in another order than the master.
                if sock.is_bound and not sock.notes_losses and is_demoted:
                    doubts.append((sock, sock.made))
                elif since is not None and not self._stays(sock, id, lost):
                    doubts.append((sock, since))
        return doubts

    def _stays(self, sock: PlacedSocket, id: str, lost: Collection[str]) -> bool:
        """Whether a bound connection to this node stays: it could not get lost messages elsewhere."""
        return sock.is_bound and id in self._map.answering and (id not in lost or sock.notes_losses)

    def losses_at(self, address: Address) -> list[tuple[float, float]]:
        """When losses of the node were found, and since when messages may be missing, by ``elapsed.now``."""
        id = self._ids.get(address)
        return [(at, since - UNSEEN) for at, node, since in self.losses if node == id]

    def all_losses(self) -> list[tuple[float, float]]:
        """As :meth:`losses_at`, of all nodes together, each moment once, oldest first."""
        since_of: dict[float, float] = {}
        for at, _, since in self.losses:
            since_of[at] = min(since, since_of.get(at, since))
        return [(at, since - UNSEEN) for at, since in since_of.items()]

    def _leave_since(self, id: str, address: Address, queried_at: float) -> float | None:
        """If subscribers should leave this node: since when they may miss messages."""
        found = self._map
        if not found.answering - {id}:
            return None  # there is no better node
        if id not in found.answering:
            is_away = id not in found.members or id in found.failed | found.dead
            is_old = queried_at - self._answered_at.get(id, -inf) > SILENT_FOR
            is_silent = is_old and not self._poll.may_answer(address)
            return self._bus.sure_until(id) if is_away or is_silent else None
        since = self._bus.broken_since(id)
        is_long = since is not None and queried_at - since > BROKEN_FOR
        return since if is_long and found.whole - {id} else None

    def _report(self, found: ClusterMap) -> None:
        now_silent = {address: str(self._poll.errors.get(address, "no answer")) for address in found.away()}
        for address in now_silent.keys() - self._reported.keys():
            log.warning("cluster node silent node=%s why=%r", place(address), shown(now_silent[address]))
        for address in self._reported.keys() - now_silent.keys():
            log.warning("cluster node back node=%s", place(address))
        self._reported = now_silent

    def _why(self) -> Exception:
        errors = dict(self._poll.errors)
        refusals = [one for one in errors.values() if is_refusal(one)]
        for address, error in errors.items():
            if isinstance(error, redis.ResponseError):
                is_unknown = "unknown command" in str(error)
                if is_unknown or "cluster support disabled" in str(error):
                    return NotCluster(place(address), may_be_sentinel=is_unknown)
        if refusals:
            return refusals[0]
        reasons = "; ".join(
            f"{place(seed)}: {shown(str(errors.get(seed, 'no answer yet')))}" for seed in self._seeds
        )
        return NoNode(
            f"No node of the cluster answers ({reasons}): correct REDIS_URL, or start what it names."
        )
