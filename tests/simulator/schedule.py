"""A schedule: what happens in which order, drawn from a seed; what was drawn can be left out again."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from arauto.memory.feed import ChannelFeed
from arauto.memory.recorder import ChannelRecorder
from tests.simulator.actors import Process, Tab
from tests.simulator.checker import Broken, check_equal_rows, check_rows, rows_of
from tests.simulator.redis_double import Data, RedisDouble

STEPS = 160
NEXT_TO_LAST, LAST = b"next to last", b"last"
LONGEST = 3000  # milliseconds that a message may wait until a page shows it


@dataclass(frozen=True)
class Protocol:
    """The machines and the scripts under test."""

    feed: Callable[..., ChannelFeed] = ChannelFeed
    recorder: Callable[[str], ChannelRecorder] = ChannelRecorder
    redis: Callable[[], RedisDouble] = RedisDouble


@dataclass(frozen=True)
class Act:
    """One step of a schedule; ``chance`` decides what it needs to have decided."""

    kind: str
    chance: int


WEIGHTS = {
    "publish": 30, "promise": 12, "run": 60, "time": 25, "open": 6, "drop": 4, "kill": 2, "start": 3,
    "freeze": 1, "wake": 3, "unlink": 2, "refuse": 1, "allow": 3, "delete": 1, "off": 1, "on": 2,
    "forget head": 1, "forget lease": 1, "snapshot": 1, "restart": 1, "unreadable": 1, "readable": 3,
}  # fmt: skip


def draw(seed: int, steps: int = STEPS) -> list[Act]:
    """The schedule of a seed: a few kinds of fault at a time, or they would hide each other."""
    rng = random.Random(seed)
    always = {"publish", "promise", "run", "time", "open", "drop"}
    faults = rng.sample(sorted(WEIGHTS.keys() - always), rng.randint(0, 6))
    ends = {"freeze": "wake", "refuse": "allow", "off": "on", "unreadable": "readable", "kill": "start"}
    kinds = sorted(always | set(faults) | {ends[fault] for fault in faults if fault in ends})
    drawn = rng.choices(kinds, [WEIGHTS[kind] for kind in kinds], k=steps)
    return [Act(kind, rng.randrange(1 << 30)) for kind in drawn]


class World:
    """Two processes, three tabs, one Redis."""

    def __init__(self, protocol: Protocol, seed: int) -> None:
        random.seed(seed)
        self.redis = protocol.redis()
        self.processes = [
            Process(f"p{n}", self.redis, protocol.recorder, has_pattern=seed % 3 == 0) for n in range(2)
        ]
        self.tabs = [Tab(f"t{n}", self.redis, protocol.feed) for n in range(3)]
        self._snapshot: Data = self.redis.snapshot()
        self._count = 0
        self._alphabet = seed % 4 == 0  # then messages are often equal
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
        if act.kind in ("publish", "promise"):
            self._publish(act.kind, rng)
        elif act.kind == "run":
            for _ in range(rng.randint(1, 8)):
                self.step(rng)
        elif act.kind == "time":
            self.pass_time(rng.choice((1, 20, 300, 900, 2000)))
        elif act.kind == "open" and not tab.is_open and process.can_act:
            tab.open(process)
        elif act.kind == "drop":
            tab.drop()
        else:
            self._break(act.kind, process)

    def _break(self, kind: str, process: Process) -> None:
        redis = self.redis
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
        elif kind in ("refuse", "allow"):
            redis.refuses_writes = kind == "refuse"
        elif kind == "delete" and not redis.refuses_writes:
            redis.delete()
        elif kind in ("off", "on") and not redis.refuses_writes:
            redis.switch(kind == "on")
        elif kind == "forget head":
            redis.forget_head()
        elif kind == "forget lease":
            redis.forget_lease()
        elif kind == "snapshot":
            self._snapshot = redis.snapshot()
        elif kind == "restart":
            self._restart()
        elif kind in ("readable", "unreadable"):
            redis.is_readable = kind == "readable"

    def _restart(self) -> None:
        self.redis.restart(self._snapshot)
        for tab in self.tabs:
            tab.drop()  # a feed whose link to Redis was lost sends its page back
        for process in self.processes:
            if process.is_alive:
                process.pending.clear()
                process.lose_link()

    def _publish(self, kind: str, rng: random.Random) -> None:
        self._count += 1
        data = rng.choice((b"a", b"b")) if self._alphabet else b"%d" % self._count
        if kind == "promise" and not self._alphabet:  # what is left over then leaves holes between
            self.redis.publish_and_promise(data)
        else:
            self.redis.publish(data)

    # Time

    def step(self, rng: random.Random) -> None:
        """Somebody who can goes on by one step."""
        self.redis.now += 1
        ready: list[Callable[[], None]] = []
        for actor in (*self.processes, *self.tabs):
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
        self.redis.now += ms
        for actor in (*self.processes, *self.tabs):
            if actor.can_act:
                actor.tick()
        for tab in self.tabs:
            if tab.can_act and tab.feed is not None and not tab.connection.inbox:
                self._check_wait(tab.name, tab.feed.waits_since)

    def _check_wait(self, name: str, since: int | None) -> None:
        if since is not None and self.redis.now - since > LONGEST:
            raise Broken(f"{name} has not shown what it received {self.redis.now - since} ms ago")

    def settle(self, ms: int) -> None:
        """Everything that can happen at once happens, then time passes."""
        rng = random.Random(0)
        for _ in range(400):
            before = self._backlog
            self.step(rng)
            if not before:
                break
        self.pass_time(ms)

    @property
    def _backlog(self) -> bool:
        actors = [actor for actor in (*self.processes, *self.tabs) if actor.can_act]
        return any(actor.connection.inbox or actor.pending for actor in actors) or any(
            tab.outbox for tab in self.tabs
        )

    # The end

    def heal(self) -> None:
        """All faults are over; then one more message must reach everybody and the log.

        That the metadata of the log is gone is noticed when something is written, so one goes before.
        """
        self.redis.refuses_writes, self.redis.is_readable = False, True
        self.redis.switch(True)
        for process in self.processes:
            self._break("start", process)
            self._break("wake", process)
        for _ in range(16):
            self.settle(700)
            for tab in self.tabs:
                if not tab.is_open:
                    tab.open(self.processes[0])
        for data in (NEXT_TO_LAST, LAST):
            self.redis.publish(data)
            for _ in range(8):
                self.settle(700)

    def check(self) -> None:
        check = check_equal_rows if self._alphabet else check_rows
        for tab in self.tabs:
            check(tab.name, tab.page.rows, self.redis.published)
        check("the log", rows_of(self.redis.data.entries), self.redis.published)


def play(seed: int, protocol: Protocol, acts: list[Act] | None = None) -> World:
    """:raise Broken: a promise was not kept."""
    world = World(protocol, seed)
    world.play(draw(seed) if acts is None else acts)
    return world


def shrink(seed: int, protocol: Protocol) -> list[Act]:
    """As few acts of a failing schedule as still fail."""
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
    """What kind of failure it is: the words that are the same however much was published."""
    try:
        play(seed, protocol, acts)
    except Exception as error:
        return re.sub(r"t\d|\[.*|'.*|\d+", "", str(error))
    return ""
