"""How many browser sockets a worker's limit of file descriptors allows."""

import resource
from contextlib import suppress
from typing import NamedTuple

OWN = 100  # descriptors of the worker itself, publishing included
EACH = 2  # per socket: the browser's and Redis's; per other connection, at most


class TooFewFiles(Exception):
    """There is no room for any socket; the text is a sentence that names the remedy."""


class Room(NamedTuple):
    """How many connections a worker has room for."""

    sockets: int
    others: int  # connections beside them
    files: int  # the limit that decides


def make_room(sockets: int, others: int) -> Room:
    """Raise this process's limit as far as wanted and allowed. Many systems start at 1024.

    :raise TooFewFiles: the limit is too low to start.
    """
    wanted = EACH * (sockets + others) + OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _less(soft, wanted):
        with suppress(OSError, ValueError):  # some systems have another limit, which cannot be queried
            allowed = wanted if not _less(hard, wanted) else hard
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return Room(sockets, others, files) if not _less(files, wanted) else _share(files, others)


def _share(files: int, others: int) -> Room:
    places = (files - OWN) // EACH
    others = min(others, places // 2)
    if others < 1:
        raise TooFewFiles(
            f"A process may open only {files} files here, which is too few: allow 1024 or more (ulimit -n)."
        )
    return Room(places - others, others, files)


def _less(limit: int, wanted: int) -> bool:
    return limit != resource.RLIM_INFINITY and limit < wanted
