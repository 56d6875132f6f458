"""Faults of Redis, the network, tabs and workers, each with the time it lasts. Used by tests and the soak."""

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

SLACK = 0.5  # seconds after its end in which a fault may still have effects


class Scene:
    """The servers and tabs that faults happen to; ``causes`` are the times of the faults."""

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
    """Redis closes every subscriber's connection; ``seconds`` is ignored."""
    with scene.cause():
        try:
            scene.redis.client.execute_command("CLIENT KILL TYPE pubsub")
        except redis.RedisError:
            pass  # another fault keeps Redis from answering


def restart_redis(scene: Scene, seconds: float) -> None:
    """Kill Redis, and start an empty one in its place ``seconds`` later."""
    with scene.cause():
        scene.redis.stop()
        _rest(seconds)
        scene.redis.start()


def freeze_redis(scene: Scene, seconds: float) -> None:
    """Redis does not answer; its connections stay open."""
    with scene.cause():
        scene.redis.freeze()
        _rest(seconds)
        scene.redis.thaw()


def pull_cable(scene: Scene, seconds: float) -> None:
    """Nothing gets through to Redis or back, and no connection is closed."""
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
    """Half a second of latency. It may lose nothing, so it is no cause of a gap."""
    scene.proxy.latency = 0.5
    _rest(seconds)
    scene.proxy.latency = 0.0


def slice_bytes(scene: Scene, seconds: float) -> None:
    """One byte a packet. It may lose nothing either."""
    scene.proxy.slice_size = 1
    _rest(seconds)
    scene.proxy.slice_size = 0


def drop_tab(scene: Scene, seconds: float) -> None:
    with scene.cause():
        random.choice(scene.witnesses).drop()


def stall_tab(scene: Scene, seconds: float) -> None:
    """A tab reads nothing for a while: it catches up, or the server closes it at the write deadline."""
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
    """Kill the worker that holds the socket of ``witness``; another worker may hold none."""
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
