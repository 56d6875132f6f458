"""Machines that give a program less than most do; each is a command that runs the one behind it."""

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
    """Nothing can be written to but these directories."""
    own = [f"mount --bind {at} {at}" for at in _PLACES]
    sealed = [f"mount -o remount,bind,ro {at}" for at in ("/", *_PLACES) if at not in writable]
    steps = [*own, *sealed, f"cd {ROOT}", 'exec "$@"']
    return ["unshare", "--mount", *_MINE, "sh", "-ec", "; ".join(steps), "sh"]


def limited(limit: str) -> list[str]:
    """With what the shell's ``ulimit`` says."""
    return ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh"]


def crowded(processes: int = MANY) -> list[str]:
    """With no more processes and threads than these, for a user who has no others."""
    if os.geteuid() != 0:
        user = ["unshare", "--user", "--map-root-user"]
    else:
        may_read = [f"--{kind}-caps=-all,+dac_override" for kind in ("inh", "ambient")]
        user = ["setpriv", f"--reuid={random.randrange(10**6, 10**9)}", "--clear-groups", *may_read]
    return [*user, "prlimit", f"--nproc={processes}"]


@contextmanager
def limit(process: psutil.Process, kind: int, most: int) -> Iterator[None]:
    """With one of its limits lower for a while."""
    before = process.rlimit(kind)
    process.rlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        process.rlimit(kind, before)


@contextmanager
def fewer(process: psutil.Process, most: int) -> Iterator[None]:
    """With no more processes and threads for a while; it was started :func:`crowded`."""
    _allow(process, most)
    yield
    if process.is_running():
        _allow(process, MANY)


def _allow(process: psutil.Process, most: int) -> None:
    user = process.uids().real
    as_user = [] if user == os.getuid() else ["setpriv", f"--reuid={user}", "--clear-groups"]
    subprocess.run([*as_user, "prlimit", f"--pid={process.pid}", f"--nproc={most}:"], check=True)
