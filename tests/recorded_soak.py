"""make soak RECORDED=yes: a recorded channel of two servers, numbered messages and random faults.

Ends with a verdict: was every number shown in order and once, or its hole marked by a gap, in each
tab and in the log, with the same id everywhere; is no tab stuck.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any

import psutil
import redis

from tests.support import faults
from tests.support.http import publish, request
from tests.support.promises import NotingTab, Published, event_faults, replay
from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer, binaries
from tests.support.scenes import COMES_BACK
from tests.support.servers import ArautoServer
from tests.support.soaking import main
from tests.support.waiting import eventually

CHANNEL = "kept.a"
PAUSE = 0.02  # seconds between two numbers
LONGEST = 20.0  # seconds of one fault
PROGRESS = 10.0  # seconds between two lines
KEPT_KEYS = [
    "arauto:lease",
    "arauto:logs:names",
    *(f"arauto:{kind}:{{{CHANNEL}}}" for kind in ("head", "promised", "stream")),
]


class Numbers(Published):
    """Publishes with the form of each server and with another program in turn."""

    def __init__(self, redis_server: RedisServer, servers: list[ArautoServer]) -> None:
        super().__init__(redis_server, CHANNEL)
        self._redis = redis.Redis(port=redis_server.port, protocol=2, socket_timeout=2, retry=None)  # type: ignore[arg-type]
        self._ways: Any = cycle([self._by_program, *(self._by_form(server) for server in servers)])
        self._over = Flag()
        self._thread = Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def publish_one(self) -> bool:
        """Publish the next number. ``True``: it was certainly published."""
        number = self.note()
        is_sure = bool(next(self._ways)(number))
        if not is_sure:
            self.unsure.add(number)
        return is_sure

    def _run(self) -> None:
        while not self._over.wait(PAUSE):
            self.publish_one()

    def _by_program(self, number: str) -> bool:
        with suppress(redis.RedisError):
            self._redis.publish(CHANNEL, number)
            return True
        return False

    def _by_form(self, server: ArautoServer) -> Callable[[str], bool]:
        def publish_it(number: str) -> bool:
            with suppress(OSError, HTTPException):
                return publish(server, CHANNEL, number).status == 200
            return False

        return publish_it


class Place(faults.Scene):
    """The servers and tabs; each fault hits one of the servers."""

    def __init__(
        self, redis_server: RedisServer, proxy: Proxy, servers: list[ArautoServer], tabs: list[NotingTab]
    ) -> None:
        super().__init__(redis_server, proxy, servers[0], tabs)  # type: ignore[arg-type]
        self._servers = servers

    def choose(self) -> None:
        self.server = random.choice(self._servers)


def freeze_worker(place: Place, seconds: float) -> None:
    with suppress(psutil.Error, IndexError):
        worker = random.choice(place.server.workers())
        worker.suspend()
        Flag().wait(min(seconds, 4))
        worker.resume()


def refuse_writes(place: Place, seconds: float) -> None:
    with suppress(redis.RedisError):
        place.redis.client.config_set("maxmemory", "1")
    Flag().wait(min(seconds, 4))
    place.redis.client.config_set("maxmemory", "0")


def delete_log(place: Place, seconds: float) -> None:
    with suppress(OSError, HTTPException):
        request(place.server, "DELETE", f"/channels/messages?channel={CHANNEL}")


def lose_key(place: Place, seconds: float) -> None:
    """Delete a key, as Redis does when its memory is full."""
    with suppress(redis.RedisError):
        place.redis.client.delete(random.choice(KEPT_KEYS))


def trim_log(place: Place, seconds: float) -> None:
    with suppress(redis.RedisError):
        place.redis.client.xtrim(KEPT_KEYS[-1], maxlen=50, approximate=False)


Fault = Callable[[Any, float], None]
OF_RECORDING: list[Fault] = [freeze_worker, refuse_writes, delete_log, lose_key, trim_log]
FAULTS = {fault.__name__: fault for fault in OF_RECORDING} | {
    name: fault for name, fault in faults.FAULTS.items() if name != "stall_tab"
}


def soak(seconds: float, sockets: int, worker: str, redis_name: str, seed: int) -> list[str]:
    """Run the soak and print its progress; return how the promise was broken."""
    print(f"Soak: {sockets} tabs on {worker} and {redis_name} for {seconds:.0f} s, seed {seed}", flush=True)
    random.seed(seed)
    with tempfile.TemporaryDirectory(prefix="arauto-soak-") as name, ExitStack() as stack:
        redis_server = stack.enter_context(closing(RedisServer(binaries()[redis_name], Path(name))))
        proxy = stack.enter_context(closing(Proxy(redis_server.port)))
        options: dict[str, Any] = {
            "REDIS_URL": f"redis://127.0.0.1:{proxy.port}",
            "ARAUTO_WORKER": worker,
            "ARAUTO_RECORD": "kept.*",
            "ARAUTO_RECORD_MESSAGES": "1000000",
            "ARAUTO_DELETE_LOGS": "on",
        }
        servers = [
            stack.enter_context(closing(ArautoServer(Path(name) / f"log-{n}", **options))) for n in range(2)
        ]
        numbers = Numbers(redis_server, servers)
        tabs = [NotingTab(server.ws, numbers) for _, server in zip(range(sockets), cycle(servers))]
        for tab in tabs:
            stack.callback(tab.join, 10)
            stack.callback(tab.leave)
            tab.start()
        eventually(lambda: all(tab.is_followed for tab in tabs), why="they follow")
        stack.callback(numbers.stop)
        numbers.start()
        place = Place(redis_server, proxy, servers, tabs)
        _break_things(place, tabs, seconds)
        numbers.stop()
        found = _settle(numbers, tabs) or _check(servers, numbers, tabs)
        for tab in tabs:
            tab.leave()
        for server in servers:
            if "Traceback" in server.log:
                found.append("a traceback in the log:\n" + server.log)
        return found


def _break_things(place: Place, tabs: list[NotingTab], seconds: float) -> None:
    happened: Counter[str] = Counter()
    began = printed = monotonic()
    while (passed := monotonic() - began) < seconds:
        name = random.choice(sorted(FAULTS))
        place.choose()
        FAULTS[name](place, min(random.expovariate(1 / 3), LONGEST, seconds - passed))
        happened[name] += 1
        Flag().wait(min(random.uniform(0, 4), seconds - passed))
        if monotonic() - printed > PROGRESS:
            printed = monotonic()
            shown = sum(len(tab.shown) for tab in tabs)
            gaps = sum(len(tab.events_of("gap")) for tab in tabs)
            print(
                f"{printed - began:6.0f} s: {shown} messages shown, {gaps} gaps, {dict(happened)}", flush=True
            )


def _settle(numbers: Numbers, tabs: list[NotingTab]) -> list[str]:
    """Wait until all tabs follow the log again and receive a new number."""

    def all_receive() -> bool:
        if not numbers.publish_one():
            return False
        with suppress(AssertionError):
            last = numbers.last
            return eventually(
                lambda: all(tab.data(CHANNEL)[-1:] == [last] and tab.is_followed for tab in tabs), within=5
            )
        return False

    try:
        eventually(all_receive, within=COMES_BACK)
    except AssertionError:
        return [f"tab {n} is stuck" for n, tab in enumerate(tabs) if tab.data(CHANNEL)[-1:] != [numbers.last]]
    return []


def _check(servers: list[ArautoServer], numbers: Numbers, tabs: list[NotingTab]) -> list[str]:
    found: list[str] = []
    log = [line for line in replay(servers[0], CHANNEL) if "channel" in line]
    first = next((int(line["data"]) for line in log if "data" in line), 0)
    sequences = {f"tab {n}": (tab.events, tab.first) for n, tab in enumerate(tabs)} | {
        "the log": (log, first)
    }
    ids: dict[str, str] = {}
    for name, (events, begins) in sequences.items():
        found += [f"{name}: {fault}" for fault in event_faults(events, numbers, begins)]
        for event in events:
            if (
                "data" in event
                and event.get("id")
                and ids.setdefault(event["data"], event["id"]) != event["id"]
            ):
                found.append(f"{name}: {event['data']} is {event['id']}, elsewhere {ids[event['data']]}")
    return found


if __name__ == "__main__":
    main("make soak RECORDED=yes", __doc__, 12, soak)
