"""The command line of a soak, and its verdict."""

import argparse
import random
import sys
from collections.abc import Callable

from arauto.settings import WORKERS
from tests.support.redis_servers import binaries

Soak = Callable[[float, int, str, str, int], list[str]]
"""Seconds, tabs, worker, server and seed -> what broke the promise."""


def main(program: str, description: str | None, sockets: int, soak: Soak) -> None:
    """Run it as the arguments say, and exit with 1 if it found anything.

    :param sockets: how many tabs, if the arguments do not say.
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
