"""Forks workers also on a machine that is short of processes or memory: logs the error, and tries again."""

import mmap
import os
import signal
import sys
from time import monotonic, sleep
from typing import Any

from gunicorn.errors import HaltServer

from arauto.system.resource_errors import sentence
from arauto.workers.worker_states import WorkerStates

BOOT_PATIENCE = 3.0  # seconds until a worker that cannot start ends the server, if none has ever started
REST = 10.0  # seconds until the next worker is tried, if one has started
STILL = 5.0  # seconds: gunicorn's master looks once a second, unless it stood still itself
_ROUND = 0.1  # seconds
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class _Renewed(Exception):
    """All successors are started."""


class Forks:
    """Wraps gunicorn's methods in the master that fork."""

    def __init__(self, server: Any, worker_states: WorkerStates) -> None:
        self._server = server
        self._worker_states = worker_states
        self._ready = mmap.mmap(-1, 1)  # 1: a worker has been ready; shared with the workers
        self._to_replace = 0  # successors of a reload that are not started yet
        self._is_first = False  # whether the next worker is the first of these
        self._is_logged = self._is_reloading = False
        self._terminated = set[int]()  # workers that were sent SIGTERM
        self._looked_at = monotonic()
        self._patient_until = 0.0
        self._spawn, server.spawn_worker = server.spawn_worker, self.spawn
        self._manage, server.manage_workers = server.manage_workers, self.manage
        self._reexec, server.reexec = server.reexec, self.reexec
        self._reload, server.reload = server.reload, self.reload
        self._reap, server.reap_workers = server.reap_workers, self.reap
        self._kill, server.kill_worker = server.kill_worker, self.kill
        self._murder, server.murder_workers = server.murder_workers, self.murder

    def spawn(self) -> None:
        """Start a worker; if that fails, the others keep running."""
        self._worker_states.prepare(self._is_first)
        # A new process has the master's handlers, which queue signals: one that comes before it has its own
        # would be lost, and SIGTERM is sent only once.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            self._spawn()
        except OSError as error:
            self._worker_states.cancel()
            self._log_shortage(error)
        else:
            if self._is_first:
                self._worker_states.replace_all()
            self._to_replace = max(0, self._to_replace - 1)
            self._is_first = self._is_logged = False
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _log_shortage(self, error: OSError) -> None:
        if not self._is_logged:
            self._server.log.warning("No worker can be started; this is tried again. %s", _error_text(error))
        self._is_logged = True

    def replace_all(self) -> None:
        """On a reload: every worker gets a successor, and exits when that is ready."""
        self._to_replace = self._server.num_workers
        self._is_first = True

    def manage(self) -> None:
        """Start first the successors that a reload could not, then missing workers."""
        for _ in range(self._to_replace):
            self.spawn()
        self._manage()

    def reap(self) -> None:
        """Reap workers. A second worker that could not start must not end the server, which ends already.

        :raise _Renewed: in a reload, which would wait now for workers that wait for their successors, and
            handle no signal meanwhile.
        """
        try:
            self._reap()
        except HaltServer:
            if self._server.LISTENERS:
                raise
        if self._is_reloading:
            raise _Renewed

    def kill(self, pid: int, signum: int) -> None:
        """Send a signal to a worker, but SIGTERM only once.

        gunicorn repeats it to workers that are too many, and a worker that exits has no handler any more.
        """
        self._terminated &= self._server.WORKERS.keys()
        if signum != signal.SIGTERM or pid not in self._terminated:
            self._kill(pid, signum)
        if signum == signal.SIGTERM:
            self._terminated.add(pid)

    def murder(self) -> None:
        """Kill workers that are silent, but give them a moment if this process stood still as they did."""
        now = monotonic()
        if now - self._looked_at > STILL:  # as in a container that was paused
            self._patient_until = now + STILL
        self._looked_at = now
        if now >= self._patient_until:
            self._murder()

    def reexec(self) -> None:
        """Start another master, or continue without it."""
        try:
            self._reexec()
        except OSError as error:
            self._server.log.warning("No other master can be started. %s", _error_text(error))
            if os.getpid() != self._server.pid:
                os._exit(1)  # the forked child must not continue as this master

    def reload(self) -> None:
        """Renew the workers; if that fails before the first one is ready, the current ones keep running."""
        self._is_reloading = True
        try:
            self._reload()
        except _Renewed:
            pass
        except (Exception, SystemExit) as error:
            if os.getpid() != self._server.pid:
                raise  # a new worker has ended
            self._server.app.cfg = self._server.cfg  # it may have read a part of the new configuration
            why = error.__context__ or error  # gunicorn exits if it cannot read its configuration
            self._server.log.error("The workers are not renewed. %s", _error_text(why))
        finally:
            self._is_reloading = False

    def boot(self, worker: Any) -> None:
        """In a new worker: make it exit on signals, and log in a sentence what it lacks to start."""
        _exit_on_signals()
        init_process, init_signals = worker.init_process, worker.init_signals

        def init_signals_to_exit() -> None:
            signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
            init_signals()
            _exit_on_signals()  # gunicorn's own handlers only set a flag until the application is loaded

        def init_or_exit() -> None:
            try:
                init_process()
            except Exception as error:
                if worker.booted or not (why := sentence(error)):
                    raise
                worker.log.error("Worker %s cannot start. %s", worker.pid, why)
                self._wait(worker)
                sys.exit(1 if self._ready[0] else self._server.WORKER_BOOT_ERROR)

        worker.init_process, worker.init_signals = init_or_exit, init_signals_to_exit

    def note_ready(self) -> None:
        """Call it in a worker when it has started."""
        self._ready[0] = 1

    def _wait(self, worker: Any) -> None:
        _exit_on_signals()
        end = monotonic() + (REST if self._ready[0] else BOOT_PATIENCE)
        while os.getppid() == worker.ppid and monotonic() < end:
            worker.notify()
            sleep(_ROUND)


def _exit_on_signals() -> None:
    # Not by an exception: where Python ignores exceptions, as in a finalizer, the signal would be lost.
    for signum in _STOPS:
        signal.signal(signum, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def _error_text(error: BaseException) -> str:
    return sentence(error) or str(error)
