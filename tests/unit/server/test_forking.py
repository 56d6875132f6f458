"""Workers are forked: none may lose a signal that comes before it has handlers of its own."""

import os
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from arauto.server.forking import Forks
from arauto.workers.worker_states import WorkerStates

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
WENT_ON = 7  # exit status


@pytest.fixture
def queued() -> Iterator[list[int]]:
    """Signals that handlers like those of gunicorn's master have queued."""
    found = list[int]()
    before = [signal.signal(signum, lambda signum, _: found.append(signum)) for signum in STOPS]
    yield found
    for signum, handler in zip(STOPS, before, strict=True):
        signal.signal(signum, handler)


def forks_of(begin: Callable[[Forks], None]) -> tuple[Forks, list[int]]:
    """A master whose workers call ``begin``, and exit; and their process ids."""
    pids = list[int]()

    def spawn() -> None:
        pid = os.fork()
        if pid == 0:
            begin(forks)
            os._exit(WENT_ON)
        pids.append(pid)

    def nothing(*_: Any) -> None:
        """What no test calls."""

    other = dict.fromkeys(("manage_workers", "reexec", "reload", "reap_workers", "kill_worker"), nothing)
    forks = Forks(SimpleNamespace(spawn_worker=spawn, **other), WorkerStates())
    return forks, pids


def status_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("signum", STOPS)
def test_a_signal_just_after_the_fork_ends_the_worker(queued: list[int], signum: int) -> None:
    def begin(forks: Forks) -> None:
        os.kill(os.getpid(), signum)
        forks.boot(SimpleNamespace(init_process=None, init_signals=None))

    forks, pids = forks_of(begin)
    forks.spawn()
    assert status_of(pids[0]) == 0
    assert queued == []


@pytest.mark.parametrize("signum", STOPS)
def test_a_signal_while_the_worker_sets_its_handlers_ends_it(queued: list[int], signum: int) -> None:
    def begin(forks: Forks) -> None:
        worker = SimpleNamespace(init_process=None, init_signals=lambda: os.kill(os.getpid(), signum))
        forks.boot(worker)
        for stop in STOPS:
            signal.signal(stop, lambda *_: None)  # as gunicorn's: it sets only a flag
        worker.init_signals()

    forks, pids = forks_of(begin)
    forks.spawn()
    assert status_of(pids[0]) == 0


def test_the_master_gets_signals_as_before(queued: list[int]) -> None:
    forks, pids = forks_of(lambda _: None)
    forks.spawn()
    assert status_of(pids[0]) == WENT_ON
    os.kill(os.getpid(), signal.SIGTERM)
    assert queued == [signal.SIGTERM]
