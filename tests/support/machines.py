"""Machines that give a program less than most do; each is a command that runs the one behind it."""

import os

from tests.support.servers import ROOT

_MINE = [] if os.geteuid() == 0 else ["--map-root-user"]
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
