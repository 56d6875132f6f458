"""What goes wrong on purpose, each fault with the time it lasted. Tests and the soak share it."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import time

import redis

from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.witness import Span, Witness

SLACK = 0.5  # seconds that a fault may be felt after it has ended


class Scene:
    """The servers and tabs that faults happen to; ``causes`` is what happened, and when."""

    def __init__(
        self, redis_server: RedisServer, proxy: Proxy, server: ArautoServer, witnesses: list[Witness]
    ) -> None:
        self.redis = redis_server
        self.proxy = proxy
        self.server = server
        self.witnesses = witnesses
        self.causes: list[Span] = []

    @contextmanager
    def cause(self) -> Iterator[None]:
        began = time()
        try:
            yield
        finally:
            self.causes.append(Span(began, time() + SLACK))


def _rest(seconds: float) -> None:
    Event().wait(seconds)


def kill_subscribers(scene: Scene, seconds: float) -> None:
    """Redis cuts every subscriber; ``seconds`` does not matter."""
    with scene.cause():
        try:
            scene.redis.client.execute_command("CLIENT KILL TYPE pubsub")
        except redis.RedisError:
            pass  # another fault has taken Redis away


def restart_redis(scene: Scene, seconds: float) -> None:
    """Redis ends at once, and an empty one starts in its place ``seconds`` later."""
    with scene.cause():
        scene.redis.stop()
        _rest(seconds)
        scene.redis.start()


def freeze_redis(scene: Scene, seconds: float) -> None:
    """Redis stands still, its connections open."""
    with scene.cause():
        scene.redis.freeze()
        _rest(seconds)
        scene.redis.thaw()


def pull_cable(scene: Scene, seconds: float) -> None:
    """Nothing gets through to Redis and back, and nobody is told."""
    with scene.cause():
        scene.proxy.freeze()
        _rest(seconds)
        scene.proxy.thaw()


def reset_links(scene: Scene, seconds: float) -> None:
    with scene.cause():
        scene.proxy.cut()


def reset_in_mid_message(scene: Scene, seconds: float) -> None:
    with scene.cause():
        scene.proxy.cut_after(random.randint(1, 400))
        _rest(max(seconds, 0.5))


def be_slow(scene: Scene, seconds: float) -> None:
    """Half a second of latency; nothing may be lost by it, so it is no cause."""
    scene.proxy.latency = 0.5
    _rest(seconds)
    scene.proxy.latency = 0.0


def slice_bytes(scene: Scene, seconds: float) -> None:
    """One byte a packet; no cause either."""
    scene.proxy.slice_size = 1
    _rest(seconds)
    scene.proxy.slice_size = 0


def drop_tab(scene: Scene, seconds: float) -> None:
    with scene.cause():
        random.choice(scene.witnesses).drop()


def stall_tab(scene: Scene, seconds: float) -> None:
    """A tab reads nothing for a while: it catches up, or is cut at the write deadline."""
    with scene.cause():
        witness = random.choice(scene.witnesses)
        witness.stall()
        _rest(seconds)
        witness.resume()
        _rest(1)


def kill_worker(scene: Scene, seconds: float) -> None:
    with scene.cause():
        os.kill(random.choice(scene.server.workers()).pid, signal.SIGKILL)
        _rest(0.5)


def kill_worker_of(scene: Scene, witness: Witness) -> None:
    """Nobody divides sockets evenly: another worker may have none."""
    with scene.cause():
        os.kill(scene.server.worker_of(witness.port).pid, signal.SIGKILL)
        _rest(0.5)


Fault = Callable[[Scene, float], None]

FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_subscribers, restart_redis, freeze_redis, pull_cable, reset_links, reset_in_mid_message,
        be_slow, slice_bytes, drop_tab, stall_tab, kill_worker,
    )
}  # fmt: skip
