"""Workers are forked: none may lose a signal that comes before it has handlers of its own."""

import os
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from arauto.server import forking
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


def forks_of(
    begin: Callable[[Forks], None] = lambda _: None, murder: Callable[[], None] = lambda: None
) -> tuple[Forks, list[int]]:
    """A master whose workers call ``begin``, and exit; and their process ids.

    :param murder: kills workers that are silent.
    """
    pids = list[int]()

    def spawn() -> None:
        pid = os.fork()
        if pid == 0:
            try:
                begin(forks)
                os._exit(WENT_ON)
            finally:
                os._exit(1)
        pids.append(pid)

    def nothing(*_: Any) -> None:
        """What no test calls."""

    other = dict.fromkeys(("manage_workers", "reexec", "reload", "reap_workers", "kill_worker"), nothing)
    server = SimpleNamespace(spawn_worker=spawn, murder_workers=murder, **other)
    forks = Forks(server, WorkerStates())
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
    forks, pids = forks_of()
    forks.spawn()
    assert status_of(pids[0]) == WENT_ON
    os.kill(os.getpid(), signal.SIGTERM)
    assert queued == [signal.SIGTERM]


def test_after_a_pause_workers_get_a_moment_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that was paused for longer than gunicorn's timeout keeps its workers, with all tabs."""
    clock = [1000.0]  # seconds
    monkeypatch.setattr(forking, "monotonic", lambda: clock[0])
    looks = list[float]()
    forks, _ = forks_of(murder=lambda: looks.append(clock[0]))
    begin = clock[0]
    for after in (1, 2, 42, 43, 46, 47, 48):  # seconds
        clock[0] = begin + after
        forks.murder()
    assert [at - begin for at in looks] == [1, 2, 47, 48]
