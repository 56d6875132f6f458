"""Restricted machines: command prefixes that limit what the program behind them may use."""

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.support.servers import ROOT

_MINE = [] if os.geteuid() == 0 else ["--map-root-user"]
MANY = 500  # processes and threads
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", str(ROOT))


def read_only(*writable: str) -> list[str]:
    """Only these directories can be written to."""
    own = [f"mount --bind {at} {at}" for at in _PLACES]
    sealed = [f"mount -o remount,bind,ro {at}" for at in ("/", *_PLACES) if at not in writable]
    steps = [*own, *sealed, f"cd {ROOT}", 'exec "$@"']
    return ["unshare", "--mount", *_MINE, "sh", "-ec", "; ".join(steps), "sh"]


def limited(limit: str) -> list[str]:
    """With a limit set by the shell's ``ulimit``."""
    return ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh"]


def crowded(processes: int = MANY) -> list[str]:
    """With at most this many processes and threads, as a user that runs nothing else."""
    if os.geteuid() != 0:
        user = ["unshare", "--user", "--map-root-user"]
    else:
        may_read = [f"--{kind}-caps=-all,+dac_override" for kind in ("inh", "ambient")]
        user = ["setpriv", f"--reuid={random.randrange(10**6, 10**9)}", "--clear-groups", *may_read]
    return [*user, "prlimit", f"--nproc={processes}"]


@contextmanager
def limit(process: psutil.Process, kind: int, most: int) -> Iterator[None]:
    """Lower a limit of a process within the block."""
    before = process.rlimit(kind)
    process.rlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        process.rlimit(kind, before)


@contextmanager
def fewer(process: psutil.Process, most: int) -> Iterator[None]:
    """Lower the limit of processes and threads within the block, for a process of :func:`crowded`."""
    _allow(process, most)
    yield
    if process.is_running():
        _allow(process, MANY)


def _allow(process: psutil.Process, most: int) -> None:
    user = process.uids().real
    as_user = [] if user == os.getuid() else ["setpriv", f"--reuid={user}", "--clear-groups"]
    subprocess.run([*as_user, "prlimit", f"--pid={process.pid}", f"--nproc={most}:"], check=True)
