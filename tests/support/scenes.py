"""A whole setup to break: Redis behind a bad network, the program, tabs and a publisher."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.support.faults import Scene, be_slow, slice_bytes
from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually
from tests.support.witness import Numbers, Witness

COMES_BACK = 75.0  # seconds to recover: twice the longest back-off, and time to notice

CHANNELS = ["promise.a", "promise.b", "promise.c"]


@contextmanager
def bad_network(redis_server: RedisServer) -> Iterator[Proxy]:
    proxy = Proxy(redis_server.port)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def watch(
    redis_server: RedisServer,
    proxy: Proxy,
    server: ArautoServer,
    tabs: int = 3,
    pause: float = 0.01,
    padding: int = 0,
    channels: list[str] = CHANNELS,
) -> Iterator[tuple[Scene, Numbers]]:
    """Open tabs, and publish a number every ``pause`` seconds within the block."""
    witnesses = [Witness(server.ws, channels) for _ in range(tabs)]
    numbers = Numbers(redis_server.port, channels, pause, padding)
    scene = Scene(redis_server, proxy, server, witnesses)
    with ExitStack() as stack:
        for witness in witnesses:
            stack.callback(witness.join, 10)
            stack.callback(witness.leave)
            witness.start()
        eventually(lambda: all(witness.is_live for witness in witnesses))
        stack.callback(numbers.stop)
        numbers.start()
        yield scene, numbers


@contextmanager
def promised(*stage: Any, **options: Any) -> Iterator[tuple[Scene, Numbers]]:
    """As :func:`watch`, and check at the end that the promise was kept."""
    with watch(*stage, **options) as (scene, numbers):
        yield scene, numbers
        settle(scene, numbers)
        broken = verdict(scene, numbers)
        assert not broken, "\n".join([*broken[:20], f"causes: {scene.causes}"])


def lose_nothing_slowly(*stage: Any) -> None:
    """Half a second of latency, then a byte a packet: no number may be missing, and no gap may be shown."""
    with promised(*stage, padding=2000) as (scene, numbers):
        be_slow(scene, 2)
        slice_bytes(scene, 2)
        settle(scene, numbers)
        assert [witness.record.missing(numbers.published) for witness in scene.witnesses] == [0] * 3
        assert [witness.record.gaps for witness in scene.witnesses] == [[]] * 3


def settle(scene: Scene, numbers: Numbers) -> None:
    """Wait until every tab is live and receives a new number on every channel."""
    numbers.stop()
    eventually(
        lambda: all(witness.is_live for witness in scene.witnesses) and _all_see(scene, numbers),
        within=COMES_BACK,
        why="every tab is live again and sees a new number",
    )


def _all_see(scene: Scene, numbers: Numbers) -> bool:
    if not numbers.publish():
        return False
    last = {name: max(numbers.published.sure[name]) for name in numbers.channels}
    try:
        return eventually(
            lambda: all(w.last(name) == last[name] for w in scene.witnesses for name in last), within=5
        )
    except AssertionError:
        return False  # a tab had not noticed yet that its connection was lost


def verdict(scene: Scene, numbers: Numbers) -> list[str]:
    """How the promise was broken in any tab."""
    return [
        fault
        for witness in scene.witnesses
        for fault in witness.record.faults(numbers.published, scene.causes)
    ]
