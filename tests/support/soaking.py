"""The command line of a soak and its verdict, and a soak of tabs under random faults."""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Protocol

from arauto.settings import WORKERS
from tests.support.promises import NotingTab, Published
from tests.support.redis_servers import binaries
from tests.support.scenes import COMES_BACK
from tests.support.waiting import eventually

PAUSE = 0.02  # seconds between two numbers

Soak = Callable[[float, int, str, str, int], list[str]]
"""Seconds, tabs, worker, server and seed -> how the promise was broken."""


def main(program: str, description: str | None, sockets: int, soak: Soak) -> None:
    """Run a soak with the command line's options; the exit status is 1 if the promise was broken.

    :param sockets: the default number of tabs.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--minutes", type=float, default=20, help="how long (default 20)")
    parser.add_argument("--sockets", type=int, default=sockets, help=f"how many tabs (default {sockets})")
    parser.add_argument("--worker", choices=WORKERS, default=WORKERS[0])
    parser.add_argument("--redis", choices=list(binaries()), default="valkey")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(2**32), help="as a run before printed it"
    )
    given = parser.parse_args()
    faults = soak(given.minutes * 60, given.sockets, given.worker, given.redis, given.seed)
    for fault in faults[:50]:
        print("BROKEN:", fault)
    print(
        f"Verdict: {f'{len(faults)} faults found' if faults else 'the promise was kept'}. Seed {given.seed}."
    )
    sys.exit(bool(faults))


class Faults(Protocol):
    """Breaks servers: each call breaks one thing and repairs it."""

    happened: list[str]

    def one(self) -> None: ...


def watch_faults(
    stack: ExitStack,
    tabs: Sequence[tuple[Published, NotingTab]],
    faults: Faults,
    seconds: float,
    mend: Callable[[], None] = lambda: None,
) -> list[str]:
    """Publish numbers while servers break, until each tab has the last of its channel.

    :param stack: closes the tabs at its end.
    :param tabs: each with the publisher of its channel.
    :param mend: called after the last fault.
    :return: the reason, if the run proves nothing.
    """
    published = list(dict.fromkeys(one for one, _ in tabs))
    for _, tab in tabs:
        stack.callback(tab.join, 10)
        stack.callback(tab.leave)
        tab.start()
    eventually(lambda: all(tab.events_of("subscribe") for _, tab in tabs), why="they have subscribed")
    with ExitStack() as publishing:
        for one in published:
            publishing.enter_context(one.keep_on(PAUSE))
        until = monotonic() + seconds
        while monotonic() < until:
            faults.one()
    mend()

    def all_have_the_last() -> bool:
        for one in published:
            one.go_on()
        if any(one.last in one.unsure for one in published):
            return False
        try:
            return eventually(
                lambda: all(tab.ends_with(one.last, one.channel) for one, tab in tabs), within=3
            )
        except AssertionError:
            return False

    eventually(all_have_the_last, within=COMES_BACK, why=f"nobody is stuck after {faults.happened}")
    unsure = sum(len(one.unsure) for one in published)
    sure = sum(len(one.moments) for one in published) - unsure
    gaps = sum(len(tab.events_of("gap")) for _, tab in tabs)
    print(f"{sure} published for sure, {gaps} gaps shown, {len(faults.happened)} faults: {faults.happened}")
    return ["the publisher was hardly ever sure: nothing was checked"] if sure < unsure else []
