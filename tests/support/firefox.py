"""A stock Firefox for the browser tests: the one installed, else Debian's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.debian import install
from tests.support.pages import TIME_ZONE
from tests.support.waiting import PATIENCE, eventually

NAMES = ("firefox-esr", "firefox")
# Under remote control Firefox itself switches off updates, telemetry and first-run pages.
ARGUMENTS = ("--headless", "--no-remote", "--remote-debugging-port", "0")
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class NoFirefox(Exception):
    """There is no Firefox and none could be installed; the text says what to install."""


def find_or_install() -> str:
    """The path of a Firefox.

    :raise NoFirefox: none is installed, and Debian's could not be installed.
    """
    if _on_this_machine() is None:
        install("firefox-esr")
    path = _on_this_machine()
    if path is None:
        raise NoFirefox("Some browser tests need Firefox: install the package firefox-esr or firefox.")
    return path


def _on_this_machine() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """A Firefox with a new profile in ``directory``; yields its address for WebDriver BiDi."""
    log = directory / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [find_or_install(), *ARGUMENTS, "--profile", directory],
            env=os.environ | {"HOME": str(directory), "TZ": TIME_ZONE},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def address() -> str | None:
        assert process.poll() is None, f"Firefox ended:\n{log.read_text()}"
        listens = LISTENS.search(log.read_text())
        return listens and listens[1]

    try:
        yield eventually(address, why="Firefox listens")
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
