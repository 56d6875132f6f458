"""A schedule: a random order of events, drawn from a seed; to shrink it, events are left out."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator.actors import Process, Tab
from tests.simulator.checker import Broken, Rows, check_equal_rows, check_rows, rows_of
from tests.simulator.protocol import Protocol
from tests.simulator.redis_double import Data, RedisDouble

STEPS = 160
NEXT_TO_LAST, LAST = b"next to last", b"last"
WIDE = 10_000_000
"""From this seed on there are two channels and more faults. In every other schedule clocks differ."""
FROM_THE_FIRST = 100_000_000
"""From this seed on, every other page requests the whole log (``since=first``)."""

RETURNS = 200_000_000
"""From this seed on, an old master may return with the data it had at the failover."""

PROMISED = 300_000_000
"""From this seed on, both masters may have to write messages that were promised before a failover."""

FOREIGN = 400_000_000
"""From this seed on, other clients write to the stream, so numbers jump where an epoch begins."""

BUS = 500_000_000
"""From this seed on, Redis is a node of a cluster, and the bus between the nodes loses messages.

All processes find each loss within two seconds; in reality, processes that start meanwhile do not.
"""

LONGEST = 3000  # milliseconds that a message may wait until a page shows it


@dataclass(frozen=True)
class Act:
    """One step of a schedule; ``chance`` seeds its random choices."""

    kind: str
    chance: int


WEIGHTS = {
    "publish": 30, "promise": 12, "run": 60, "time": 25, "open": 6, "drop": 4, "kill": 2, "start": 3,
    "freeze": 1, "wake": 3, "unlink": 2, "refuse": 1, "allow": 3, "delete": 1, "off": 1, "on": 2,
    "forget head": 1, "forget lease": 1, "snapshot": 1, "restart": 1, "unreadable": 1, "readable": 3,
}  # fmt: skip


MORE_WEIGHTS = WEIGHTS | {"unlink twice": 2, "unlink all": 1, "leave": 2, "join": 3}
MASTERS = {"fail over": 3, "fail back": 2}
CLOCKS = {"clock": 2, "own clock": 1}
ENDS = {
    "freeze": "wake", "refuse": "allow", "off": "on", "unreadable": "readable", "kill": "start",
    "leave": "join",
}  # fmt: skip
JUMPS = (-180_000, -20_000, -1500, -300, 300, 1500, 20_000, 180_000)  # milliseconds


def has_clocks(seed: int) -> bool:
    """Whether clocks differ and are set: then times do not show which messages a gap covers."""
    return WIDE <= seed < RETURNS and seed % 2 == 0


def draw(seed: int, steps: int = STEPS) -> list[Act]:
    """The schedule of a seed: a few kinds of fault, since many at a time would hide each other."""
    rng = random.Random(seed)
    weights = MORE_WEIGHTS if seed >= WIDE else WEIGHTS
    always = {"publish", "promise", "run", "time", "open", "drop"}
    if seed >= RETURNS:
        # A log without its head, but with messages promised to another master, does not show what it lacks.
        never = {"forget head"} if seed >= PROMISED else {"promise"}
        weights = {kind: weights[kind] for kind in weights.keys() - never} | MASTERS
        always = always - never | MASTERS.keys()
    if seed >= BUS:
        weights, always = weights | {"lose": 3}, always | {"lose"}
    elif seed >= FOREIGN:
        weights, always = weights | {"foreign": 2}, always | {"foreign"}
    if has_clocks(seed):
        weights, always = weights | CLOCKS, always | {"clock"}
    faults = rng.sample(sorted(weights.keys() - always), rng.randint(0, 6))
    kinds = sorted(always | set(faults) | {ENDS[fault] for fault in faults if fault in ENDS})
    drawn = rng.choices(kinds, [weights[kind] for kind in kinds], k=steps)
    return [Act(kind, rng.randrange(1 << 30)) for kind in drawn]


class World:
    """Two processes, some tabs, one Redis."""

    def __init__(self, protocol: Protocol, seed: int) -> None:
        random.seed(seed)
        is_wide = seed >= WIDE
        self.redis = protocol.redis()
        self.server = self.redis.server
        self.channels = [self.redis]
        if is_wide:
            self.channels.append(protocol.redis())
            self.channels[1].server, self.channels[1].channel = self.server, b"news.b"
        self.processes = [
            Process(
                f"p{n}",
                self.channels,
                protocol,
                has_pattern=seed % 3 == 0,
                ahead=random.choice((0, -90_000, 90_000)) if has_clocks(seed) else 0,
            )
            for n in range(2)
        ]
        tabs = 2 if is_wide else 3
        asks = seed >= FROM_THE_FIRST
        self.tabs = [
            Tab(f"t{n}", redis, protocol.feed, asks_for_first=asks and n % 2 == 0)
            for redis in self.channels
            for n in range(tabs)
        ]
        self._snapshots = self._take_snapshots()
        self._runs = self.server.run
        self._old_master: tuple[list[Data], int] | None = None
        self._count = 0
        self._alphabet = seed < RETURNS and seed % 4 == 0  # messages are often equal
        self._is_timely = not self._alphabet and not has_clocks(seed)
        self.settle(100)

    def play(self, acts: list[Act]) -> None:
        for act in acts:
            self.act(act)
        self.heal()
        self.check()

    def act(self, act: Act) -> None:
        rng = random.Random(act.chance)
        random.seed(act.chance)
        process, tab = rng.choice(self.processes), rng.choice(self.tabs)
        redis = rng.choice(self.channels) if len(self.channels) > 1 else self.redis
        if act.kind in ("publish", "promise"):
            self._publish(act.kind, redis, rng)
        elif act.kind == "run":
            for _ in range(rng.randint(1, 8)):
                self.step(rng)
        elif act.kind == "time":
            self.pass_time(rng.choice((1, 20, 300, 900, 2000)))
        elif act.kind == "open" and not tab.is_open and process.can_act:
            tab.open(process)
        elif act.kind == "drop":
            tab.drop()
        elif act.kind == "clock":
            self.server.ahead += rng.choice(JUMPS)
        elif act.kind == "own clock":
            process.ahead += abs(rng.choice(JUMPS))
        else:
            self._break(act.kind, process, redis, rng)

    def _break(self, kind: str, process: Process, redis: RedisDouble, rng: random.Random) -> None:
        server = self.server
        if kind == "kill" and process.is_alive:
            process.kill()
        elif kind == "start" and not process.is_alive:
            process.is_alive = process.is_awake = True
            process.begin()
        elif kind == "freeze":
            process.is_awake = False
        elif kind == "wake":
            process.is_awake = True
        elif kind == "unlink" and process.is_alive:
            process.lose_link()
        elif kind == "unlink twice" and process.can_act:
            process.lose_link_again()
        elif kind == "unlink all":
            for one in self.processes:
                self._break("unlink", one, redis, rng)
        elif kind == "leave" and process.can_act:
            process.uncover(redis.channel)
        elif kind == "join" and process.can_act:
            process.cover(redis.channel)
        elif kind in ("refuse", "allow"):
            server.refuses_writes = kind == "refuse"
        elif kind == "delete" and not server.refuses_writes:
            redis.delete()
        elif kind in ("off", "on") and not server.refuses_writes:
            redis.switch(kind == "on")
        elif kind == "lose":
            self._lose(redis, rng)
        elif kind == "foreign" and not server.refuses_writes:
            redis.write_foreign()
        elif kind == "forget head":
            redis.forget_head()
        elif kind == "forget lease":
            self.redis.forget_lease()
        elif kind == "snapshot":
            self._snapshots = self._take_snapshots()
        elif kind == "restart":
            self._restart(self._snapshots)
        elif kind == "fail over":
            now = self._take_snapshots()
            self._old_master = now, self.server.run
            self._restart(rng.choice((now, self._snapshots)))
        elif kind == "fail back" and self._old_master:
            self._restart(*self._old_master)
            self._old_master = None
        elif kind in ("readable", "unreadable"):
            server.is_readable = kind == "readable"

    def _take_snapshots(self) -> list[Data]:
        return [redis.snapshot() for redis in self.channels]

    def _restart(self, snapshots: list[Data], run: int = 0) -> None:
        self._runs += not run
        for redis, snapshot in zip(self.channels, snapshots, strict=True):
            redis.restart(snapshot, run or self._runs)
        for tab in self.tabs:
            tab.drop()  # a feed that loses its connection to Redis closes its page's socket
        for process in self.processes:
            if process.is_alive:
                process.pending.clear()
                process.lose_link()

    def _publish(self, kind: str, redis: RedisDouble, rng: random.Random) -> None:
        self._count += 1
        data = rng.choice((b"a", b"b")) if self._alphabet else b"%d" % self._count
        if kind == "promise" and self._is_timely:  # promised messages that are left over cause holes
            redis.publish_and_promise(data)
        else:
            redis.publish(data)

    def _lose(self, redis: RedisDouble, rng: random.Random) -> None:
        since = self.server.now - rng.choice((0, 300, 5000))
        for _ in range(rng.randint(1, 3)):
            self._count += 1
            redis.lose(b"%d" % self._count)
            self.step(rng)
        for process in self.processes:
            process.doubts.append((self.server.time + rng.choice((0, 20, 900, 1500)), since))

    # Time

    def step(self, rng: random.Random) -> None:
        """A random process or tab takes one step."""
        self.server.time += 1
        ready: list[Callable[[], None]] = []
        for actor in self._actors:
            if not actor.can_act:
                continue
            if actor.connection.inbox:
                ready.append(actor.read_one)
            if actor.pending:
                ready.append(actor.run_one)
        for tab in self.tabs:
            if tab.outbox:
                ready.append(tab.deliver)
        if ready:
            rng.choice(ready)()

    def pass_time(self, ms: int) -> None:
        self.server.time += ms
        for actor in self._actors:
            if actor.can_act:
                actor.tick()
        for tab in self.tabs:
            if tab.can_act and tab.feed is not None and not tab.connection.inbox:
                self._check_wait(tab.name, tab.feed.waits_since, tab.now)

    def _check_wait(self, name: str, since: int | None, now: int) -> None:
        if since is not None and now - since > LONGEST:
            raise Broken(f"{name} has not shown what it received {now - since} ms ago")

    def settle(self, ms: int) -> None:
        """Take all steps that are possible now, then let time pass."""
        rng = random.Random(0)
        for _ in range(400):
            before = self._backlog
            self.step(rng)
            if not before:
                break
        self.pass_time(ms)

    @property
    def _actors(self) -> list[Process | Tab]:
        return [*self.processes, *self.tabs]

    @property
    def _backlog(self) -> bool:
        actors = [actor for actor in self._actors if actor.can_act]
        return any(actor.connection.inbox or actor.pending for actor in actors) or any(
            tab.outbox for tab in self.tabs
        )

    # The end

    def heal(self) -> None:
        """End all faults, and publish a last message, which must reach all tabs and the log.

        A lost head is noticed only by a write, so one message is published before.
        """
        self.server.refuses_writes, self.server.is_readable = False, True
        for redis in self.channels:
            redis.switch(True)
            for process in self.processes:
                for kind in ("start", "wake", "join"):
                    self._break(kind, process, redis, random.Random(0))
        for _ in range(16):
            self.settle(700)
            for tab in self.tabs:
                if not tab.is_open:
                    tab.open(self.processes[0])
        for data in (NEXT_TO_LAST, LAST):
            for redis in self.channels:
                redis.publish(data)
            for _ in range(8):
                self.settle(700)

    def check(self) -> None:
        for tab in self.tabs:
            self._check(tab.name, tab.page.rows, tab.redis, tab.asks_for_first)
        for redis in self.channels:
            self._check(f"the log of {redis.channel.decode()}", rows_of(redis.data.entries), redis)

    def _check(self, name: str, rows: Rows, redis: RedisDouble, is_from_first: bool = False) -> None:
        if self._is_timely:
            check_rows(name, rows, redis.published, is_from_first)
        else:
            check_equal_rows(name, rows, redis.published)


def play(seed: int, protocol: Protocol, acts: list[Act] | None = None) -> World:
    """:raise Broken: a promise was not kept."""
    world = World(protocol, seed)
    world.play(draw(seed) if acts is None else acts)
    return world


def shrink(seed: int, protocol: Protocol) -> list[Act]:
    """The fewest acts of a failing schedule that still fail."""
    acts, size = draw(seed), STEPS // 2
    kind = _failure(seed, protocol, acts)
    while size:
        at = 0
        while at < len(acts):
            fewer = acts[:at] + acts[at + size :]
            if _failure(seed, protocol, fewer) == kind:
                acts = fewer
            else:
                at += size
        size //= 2
    return acts


def _failure(seed: int, protocol: Protocol, acts: list[Act]) -> str:
    """The kind of a failure: its message without numbers and names."""
    try:
        play(seed, protocol, acts)
    except Exception as error:
        return re.sub(r"t\d|\[.*|'.*|\d+", "", str(error))
    return ""
