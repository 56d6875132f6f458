"""Parts of the program that begin only once a file is there, for ``ALTER``."""

from pathlib import Path

_WAIT = """
from pathlib import Path
from time import sleep

def wait():
    while not Path({gate!r}).exists():
        sleep(0.02)

"""
_RECORDER = """
from arauto.recording.recorder_thread import RecorderThread

run = RecorderThread.run

def run_later(self):
    wait()
    run(self)

RecorderThread.run = run_later
"""


def gated_worker(gate: Path) -> str:
    """A worker does not load its application before."""
    return _WAIT.format(gate=str(gate)) + "wait()\n"


def gated_recorder(gate: Path) -> str:
    """A worker serves pages, but is no stand-by before."""
    return _WAIT.format(gate=str(gate)) + _RECORDER
