"""Finds a directory for temporary files, such as gunicorn's heartbeats of workers."""

import tempfile

MEMORY = "/dev/shm"  # noqa: S108 - files there get names that cannot be guessed


class NoTempDirectory(Exception):
    """No directory is writable; the text is a sentence that names the remedy."""


def find_directory() -> str:
    """The directory in memory if it is writable, since a file there needs no disk; else Python's.

    If Python finds none, it is set to the same directory.

    :raise NoTempDirectory: no directory is writable.
    """
    if is_writable(MEMORY):
        try:
            tempfile.gettempdir()
        except FileNotFoundError:
            tempfile.tempdir = MEMORY
        return MEMORY
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        raise NoTempDirectory(
            "No directory can be written to, not even for a moment: mount a tmpfs at /tmp "
            "(docker run --tmpfs /tmp), or set TMPDIR to a directory that can."
        ) from None


def is_writable(directory: str) -> bool:
    """Whether a file can be created there."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return False
    return True
