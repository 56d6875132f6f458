"""Runs other Redis clients: the examples and redis-cli."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.servers import ROOT
from tests.support.waiting import PATIENCE


def example(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / name), *arguments]


def run(command: list[str], url: str) -> str:
    """Run a program to its end and return its output."""
    done = subprocess.run(
        command, env=os.environ | {"REDIS_URL": url}, capture_output=True, timeout=PATIENCE, check=True
    )
    return done.stdout.decode()


class Listener:
    """A program that prints what it receives."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._output = process.stdout

    def lines(self, n: int) -> list[str]:
        return [self._output.readline().decode().removesuffix("\n") for _ in range(n)]


@contextmanager
def listening(command: list[str], url: str, greeting: int) -> Iterator[Listener]:
    """Run a program, and yield it once it has printed the ``greeting`` lines that precede any message."""
    process = subprocess.Popen(command, env=os.environ | {"REDIS_URL": url}, stdout=subprocess.PIPE)
    try:
        listener = Listener(process)
        assert all(listener.lines(greeting)), "the program ended before it listened"
        yield listener
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
