"""Sentences for running out of processes, threads, memory or files."""

import errno
import threading

_PROCESSES = (
    "The machine allows no more processes or threads: raise ulimit -u or -v, or the container's limits."
)
_MEMORY = "The machine allows no more memory: raise ulimit -v, or the container's limit."
_FILES = "The machine allows no more open files: raise ulimit -n."
_SENTENCES = {
    errno.EAGAIN: _PROCESSES,
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: _MEMORY,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
}


class NoThread(Exception):
    """The machine cannot start another thread."""


def start(thread: threading.Thread) -> None:
    """:raise NoThread: the machine cannot start it."""
    try:
        thread.start()
    except RuntimeError as error:
        raise NoThread from error


def sentence(error: BaseException) -> str:
    """A sentence if ``error`` means a shortage of resources; else empty."""
    if isinstance(error, OSError):
        return _SENTENCES.get(error.errno or 0, "")
    if isinstance(error, NoThread) or "start new thread" in str(error):
        return _PROCESSES
    is_short = isinstance(error, MemoryError) or "failed to map segment" in str(
        error
    )  # when loading a library
    return _MEMORY if is_short else ""
