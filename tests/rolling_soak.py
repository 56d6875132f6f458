"""make soak ROLLING=yes: three servers behind nginx are restarted one after the other under load.

Half of the tabs follow a plain channel, half a recorded one. Ends with a verdict: was each number shown once
and in order, or its hole marked by a gap that has a cause; and on the recorded channel, was no gap shown.
"""

import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic, time

import redis

from tests.support.http import publish
from tests.support.nginx import Balancer
from tests.support.promises import NotingTab, Published, event_faults
from tests.support.redis_servers import RedisServer, binaries, free_port
from tests.support.scenes import COMES_BACK
from tests.support.servers import ArautoServer
from tests.support.soaking import main
from tests.support.waiting import eventually
from tests.support.witness import Numbers, Span, Witness

SERVERS = 3
PLAIN, RECORDED = "live.a", "kept.a"
PAUSE = 0.1  # seconds between two numbers of a channel
SLACK = 0.5  # seconds after a restart in which the stop may still have effects


class Form(Published):
    """Publishes on the recorded channel, in turn with the form and directly to Redis."""

    def __init__(self, redis_server: RedisServer, balancer: Balancer) -> None:
        super().__init__(redis_server, RECORDED)
        self._balancer = balancer
        self._over = Flag()
        self._thread = Thread(target=self._run)
        self.refused = 0

    def go_on(self, many: int = 1) -> None:
        for _ in range(many):
            if len(self.moments) % 2:
                super().go_on()
                continue
            number = self.note()
            with suppress(OSError, HTTPException):
                if publish(self._balancer, RECORDED, number).status == 200:
                    continue
            self.unsure.add(number)
            self.refused += 1

    @contextmanager
    def going_on(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(PAUSE):
            self.go_on()


class Deployment:
    """Three servers, each with a fixed port."""

    def __init__(self, stack: ExitStack, directory: Path, redis_server: RedisServer, worker: str) -> None:
        self._directory = directory
        self._redis, self._worker = redis_server, worker
        self._ports = [free_port() for _ in range(SERVERS)]
        self.balancer = stack.enter_context(closing(Balancer(directory, self._ports)))
        self.servers = [self._start(n) for n in range(SERVERS)]
        stack.callback(self._close)
        self.causes: list[Span] = []
        self.tracebacks: list[str] = []

    def roll(self) -> None:
        """Restart the servers, one after the other."""
        for n, server in enumerate(self.servers):
            began = time()
            assert server.stop() == 0
            self._look(server)
            self.servers[n] = self._start(n)
            self.causes.append(Span(began, time() + SLACK))

    def _close(self) -> None:
        for server in self.servers:
            server.close()

    def _start(self, n: int) -> ArautoServer:
        return ArautoServer(
            self._directory / f"log-{n}",
            PORT=str(self._ports[n]), REDIS_URL=self._redis.url, ARAUTO_WORKER=self._worker,
            ARAUTO_RECORD="kept.*", ARAUTO_PROXIES="127.0.0.1", ARAUTO_ORIGINS=self.balancer.url,
        )  # fmt: skip

    def _look(self, server: ArautoServer) -> None:
        if "Traceback" in server.log:
            self.tracebacks.append(server.log)


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run at least one round, and return how the promise was broken."""
    print(f"Rolling: {sockets} tabs, {SERVERS} servers on {worker} and {redis_name}, seed {seed}", flush=True)
    random.seed(seed)  # how long each tab waits before it comes back
    with tempfile.TemporaryDirectory(prefix="arauto-rolling-") as name, ExitStack() as stack:
        directory = Path(name)
        redis_server = stack.enter_context(closing(RedisServer(binaries()[redis_name], directory)))
        deployment = Deployment(stack, directory, redis_server, worker)
        balancer = deployment.balancer
        numbers = Numbers(redis_server.port, [PLAIN], PAUSE)
        form = Form(redis_server, balancer)
        witnesses = [Witness(balancer.ws, [PLAIN]) for _ in range(sockets - sockets // 2)]
        tabs = [NotingTab(balancer.ws, form) for _ in range(sockets // 2)]
        for one in _all(witnesses, tabs):
            stack.callback(one.join, 10)
            stack.callback(one.leave)
            one.start()
        eventually(lambda: all(one.is_live for one in witnesses), why="the plain tabs are live")
        eventually(lambda: all(one.is_followed for one in tabs), why="the others follow")
        numbers.start()
        stack.callback(numbers.stop)
        until = monotonic() + seconds
        with form.going_on():
            while True:
                deployment.roll()
                eventually(lambda: all(one.is_live for one in witnesses), within=COMES_BACK)
                print(_progress(witnesses, tabs, deployment, form), flush=True)
                if monotonic() > until:
                    break
        numbers.stop()
        numbers.publish()
        last = max(numbers.published.sure[PLAIN])
        redis.Redis(port=redis_server.port, protocol=2).publish(RECORDED, form.note())
        eventually(lambda: all(one.last(PLAIN) == last for one in witnesses), within=COMES_BACK)
        eventually(lambda: all(one.ends_with(form.last, RECORDED) for one in tabs), within=COMES_BACK)
        found = [
            f"plain tab {n}: {fault}"
            for n, one in enumerate(witnesses)
            for fault in one.record.faults(numbers.published, deployment.causes)
        ]
        for n, tab in enumerate(tabs):
            found += [f"recorded tab {n}: {fault}" for fault in event_faults(tab.events, form, tab.first)]
            found += [f"recorded tab {n}: {fault}" for fault in tab.faults]
            if gaps := tab.events_of("gap"):
                found.append(f"recorded tab {n}: gaps {gaps[:3]}")
        print(_progress(witnesses, tabs, deployment, form), flush=True)
        return found + deployment.tracebacks


def _all(witnesses: list[Witness], tabs: list[NotingTab]) -> list[Witness | NotingTab]:
    return [*witnesses, *tabs]


def _progress(witnesses: list[Witness], tabs: list[NotingTab], deployment: Deployment, form: Form) -> str:
    shown = sum(len(one.record.seen[PLAIN]) for one in witnesses), sum(len(tab.shown) for tab in tabs)
    gaps = sum(len(one.record.gaps) for one in witnesses), sum(len(tab.events_of("gap")) for tab in tabs)
    stops = len(deployment.causes)
    longest = max(span.end - span.start - SLACK for span in deployment.causes)
    returns = sum(one.sockets - 1 for one in _all(witnesses, tabs))
    return (
        f"{stops} servers renewed, the slowest in {longest:.1f} s, {returns} returns; "
        f"plain: {shown[0]} shown, {gaps[0]} gaps; recorded: {shown[1]} shown, {gaps[1]} gaps; "
        f"{form.refused} of {len(form.moments)} publications without an answer"
    )


if __name__ == "__main__":
    main("make soak ROLLING=yes", __doc__, 600, soak)
