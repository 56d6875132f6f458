"""Redis Sentinel: which Redis is the master, and subscribers of one that no longer is.

Each Sentinel is polled four times a second. The answer with the highest configuration epoch counts at once,
as the others will give it soon; if a majority contradicts it for longer, the majority is right. A majority
also decides until when the former master was the master for sure: a minority may not know of a failover.
"""

import logging
import socket
import threading
from dataclasses import dataclass
from math import inf
from time import monotonic
from weakref import WeakSet

import redis
from redis.connection import AbstractConnection, Connection
from redis.exceptions import NoPermissionError

from arauto.redis_io.elapsed import now
from arauto.redis_io.placed_socket import PlacedSocket
from arauto.redis_io.redis_url import Address
from arauto.system.concurrency import make_lock
from arauto.system.resource_errors import start
from arauto.text.cleanup import shown

CHECK_EVERY = 0.25  # seconds
# Seconds. Other processes may learn so late of a new master: a Sentinel may take most of a second to reply.
# Until then they publish to the former one, which takes that, as it is made a replica some seconds later.
SETTLE = CHECK_EVERY + 0.9
FRESH = 5.0  # seconds; an older answer is of a Sentinel that does not answer any more
# Seconds. Sentinels exchange hello messages every two: so late one of them may learn of a failover, while a
# client of another one has already published to the new master.
SPREAD = 3.0
FIRST_ANSWER = 2.0  # seconds to wait for the first answer

log = logging.getLogger("arauto")


class NoMaster(redis.ConnectionError):
    """No Sentinel names a master; the text is a sentence that names the remedy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a Sentinel.

    :param epoch: its configuration epoch, which rises with each failover.
    :param queried_at: when it was queried, by :func:`now`.
    """

    epoch: int
    address: Address
    queried_at: float


class Agreement:
    """Decides on the master from the answers of ``size`` Sentinels (pure)."""

    def __init__(self, size: int) -> None:
        self._majority = size // 2 + 1
        self._answers: dict[str, Answer] = {}
        self._first: dict[str, Answer] = {}  # the first answer of each that named its current master
        self._sure_until = -inf  # when a majority last named this master
        self.master: Address | None = None

    def take(self, sentinel: str, answer: Answer) -> float | None:
        """Take the latest answer of a Sentinel.

        :return: if another Redis becomes the master, since when messages of the former one may be missing.
        """
        self._answers[sentinel] = answer
        if sentinel not in self._first or self._first[sentinel].address != answer.address:
            self._first[sentinel] = answer
        fresh = [one for one in self._answers.values() if one.queried_at > answer.queried_at - FRESH]
        former, self.master = self.master, self._choose(fresh, answer.queried_at)
        doubted_since = self._sure_until - SPREAD
        if former not in (None, self.master):
            self._sure_until = -inf
        times = sorted((one.queried_at for one in fresh if one.address == self.master), reverse=True)
        if len(times) >= self._majority:
            self._sure_until = max(self._sure_until, times[self._majority - 1])
        return None if former in (None, self.master) else doubted_since

    def _choose(self, fresh: list[Answer], at: float) -> Address:
        addresses = [one.address for one in fresh]
        agreed = next((one for one in addresses if addresses.count(one) >= self._majority), None)
        new = {one.address for one in self._first.values() if at - one.queried_at < SPREAD}
        valid = [one for one in fresh if agreed is None or one.address == agreed or one.address in new]
        return max(valid, key=lambda one: (one.epoch, one.queried_at)).address


def _read(found: list[bytes], state: list[bytes], queried_at: float) -> Answer:
    """:raise ValueError: it is not a Sentinel's answer."""
    host, port = found
    host.decode().encode("idna")  # else it cannot be resolved
    if not 0 < int(port) < 65536:
        raise ValueError
    epoch = dict(zip(state[::2], state[1::2], strict=True)).get(b"config-epoch", b"")
    return Answer(int(epoch), (host.decode(), int(port)), queried_at)


class Sentinels:
    """Keeps the address of the master, from its first use on. Safe for all threads; not across a fork.

    :param clients: one for each Sentinel, by its address as shown.
    :param name: the Sentinels' name for the master.
    """

    def __init__(self, clients: dict[str, redis.Redis], name: str) -> None:
        self._clients = clients
        self._name = name
        self._lock = make_lock()  # guards what follows
        self._agreement = Agreement(len(clients))
        self._errors: dict[str, str] = {}  # Sentinels that did not answer, and why
        self._sockets: WeakSet[PlacedSocket] = WeakSet()
        self._known = threading.Event()
        self._stopped = threading.Event()
        self._is_started = False
        self._moved_at = -inf  # when another Redis became the master ...
        self.moves = 0  # ... and how many times

    def master(self) -> Address:
        """The address of the master, as far as is known.

        :raise NoMaster: no Sentinel has named one in time.
        """
        self._start()
        if not self._known.wait(FIRST_ANSWER):
            raise NoMaster(self._why())
        assert self._agreement.master is not None  # noqa: S101 - for mypy
        return self._agreement.master

    def keep(self, sock: PlacedSocket) -> None:
        """End this connection when another Redis becomes the master."""
        with self._lock:
            self._sockets.add(sock)
            is_old = sock.address != self._agreement.master
        if is_old:
            sock.doubt(now())  # it was made while the master changed, and nothing was received on it

    def settle(self) -> None:
        """Wait until other processes know of a new master, too: a gap must not end before that."""
        self._stopped.wait(max(0.0, self._moved_at + SETTLE - now()))

    def stop(self) -> None:
        """Stop polling. Each thread closes its connection once it has its pending answer."""
        self._stopped.set()

    def _start(self) -> None:
        with self._lock:
            if self._is_started:
                return
            self._is_started = True
        for place in self._clients:
            start(threading.Thread(target=self._watch, args=(place,), name="sentinel", daemon=True))

    def _watch(self, place: str) -> None:
        while not self._stopped.is_set():
            began = monotonic()
            try:
                self._ask(place)
            except Exception:
                log.exception("sentinel failed")
            self._stopped.wait(max(0.0, began + CHECK_EVERY - monotonic()))
        self._clients[place].close()

    def _ask(self, place: str) -> None:
        queried_at = now()
        try:
            with self._clients[place].pipeline(transaction=False) as both:
                # During a failover, the first already names the new master, and the second does not.
                both.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
                both.execute_command("SENTINEL", "MASTER", self._name)
                found, state = both.execute(raise_on_error=False)
        except redis.RedisError as error:
            return self._note_error(place, str(error))
        if not isinstance(found, list) or not isinstance(state, list):
            wrong = next((reply for reply in (found, state) if isinstance(reply, Exception)), None)
            known = "" if found is None else str(wrong or found)
            if "unknown command" in known:
                known = f"it is no Sentinel; for a Redis, set REDIS_URL=redis://{place}"
            return self._note_error(place, known or f"it knows no master named {self._name}")
        try:
            answer = _read(found, state, queried_at)
        except ValueError:
            return self._note_error(place, f"its answer cannot be understood: {found!r:.100}")
        self._take(place, answer)
        return None

    def _note_error(self, place: str, why: str) -> None:
        with self._lock:
            self._errors[place] = shown(why)

    def _take(self, place: str, answer: Answer) -> None:
        with self._lock:
            self._errors.pop(place, None)
            former = self._agreement.master
            doubted_since = self._agreement.take(place, answer)
            master = self._agreement.master
            self._known.set()
            if doubted_since is None or former is None or master is None:
                return
            self._moved_at = now()
            self.moves += 1
            sockets = [sock for sock in self._sockets if sock.address != master]
        log.warning("master changed name=%s from=%s:%d to=%s:%d", self._name, *former, *master)
        for sock in sockets:
            sock.doubt(doubted_since)

    def _why(self) -> str:
        with self._lock:
            errors = dict(self._errors)
        reasons = "; ".join(f"{place}: {errors.get(place, 'no answer yet')}" for place in self._clients)
        return (
            f"No Sentinel names a master {self._name} ({reasons}): correct REDIS_URL, or start what it names."
        )


class MasterConnection(Connection):
    """redis-py's connection, but to the current master. See :func:`to_master`."""

    sentinels: Sentinels

    def connect(self) -> None:
        """Connect; reconnect if another Redis has become the master since.

        :raise redis.RedisError: the master cannot be reached, or is no master.
        """
        if self._sock and self._at_move != self.sentinels.moves:
            self.disconnect()
        super().connect()  # type: ignore[no-untyped-call]

    def _connect(self) -> socket.socket:
        self._at_move = self.sentinels.moves
        self.host, self.port = self.sentinels.master()
        sock: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
        return sock

    def on_connect_check_health(self, check_health: bool = True) -> None:
        """As usual, then check that it is a master: messages published on a replica reach no other server.

        :raise redis.ConnectionError: it is not a master.
        """
        super().on_connect_check_health(check_health)
        self.send_command("ROLE")  # type: ignore[no-untyped-call]
        try:
            role = self.read_response()[0]
        except NoPermissionError:
            return  # trust the Sentinels
        if role != b"master":
            raise redis.ConnectionError(f"{self.host}:{self.port} is no longer the master")


def to_master(plain: type[AbstractConnection], sentinels: Sentinels) -> type[MasterConnection]:
    """A class of connections like ``plain``, but to the master."""
    return type("MasterConnection", (MasterConnection, plain), {"sentinels": sentinels})
