"""Lets a worker that is replaced go on until its successor can take over."""

from collections.abc import Callable
from time import monotonic, sleep

from arauto.workers.worker_states import WorkerStates

HANDOVER = 30.0  # seconds in which a successor starts, subscribes, and receives what a process has not
_ROUND = 0.02  # seconds


def wait_for_successor(worker_states: WorkerStates, is_done: Callable[[], bool], until: float) -> None:
    """Wait until ``is_done``, while there is a successor.

    :param until: when to stop waiting, by ``time.monotonic``.
    """
    while worker_states.has_successor and not is_done() and monotonic() < until:
        sleep(_ROUND)
