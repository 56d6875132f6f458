"""Which worker processes are running, and which are stopping."""

import mmap

from arauto.workers.connection_limits import MAX_PROCESSES

_FREE, _RUNNING, _STOPPING = range(3)


class WorkerStates:
    """States in memory that the master shares with its workers; a running worker writes its own slot."""

    def __init__(self) -> None:
        self._slots = mmap.mmap(-1, MAX_PROCESSES)
        self._generation = mmap.mmap(-1, 1)
        self._slot = self._own_generation = 0
        self._prepared: int | None = None
        self._reserved: int | None = None

    def reserve(self, slot: int) -> None:
        """Call it in the master before it forks: the new process counts as running from then on."""
        self._slots[slot % MAX_PROCESSES] = _RUNNING
        self._reserved = slot

    def cancel(self) -> None:
        """Call it in the master if no process was forked, whether a slot was reserved for it or not."""
        if self._reserved is not None:
            self.clear_slot(self._reserved)

    def use_slot(self, slot: int) -> None:
        """Call it in a new process with its own slot."""
        self._slot = slot % MAX_PROCESSES
        self._slots[self._slot] = _RUNNING
        self._own_generation = self._generation[0] if self._prepared is None else self._prepared

    def clear_slot(self, slot: int) -> None:
        """Call it in the master when a process has exited."""
        self._slots[slot % MAX_PROCESSES] = _FREE

    def replace_all(self) -> None:
        """Call it in the master when all running workers will be stopped, one after the other."""
        self._generation[0] = (self._generation[0] + 1) % 256

    def prepare(self, is_successor: bool) -> None:
        """Call it in the master before it forks; the first successor is forked before ``replace_all``."""
        self._prepared = (self._generation[0] + is_successor) % 256
        self._reserved = None

    def stop(self) -> None:
        """Mark this process as stopping."""
        self._slots[self._slot] = _STOPPING

    @property
    def is_stopping(self) -> bool:
        """Whether this process is stopping, or is about to."""
        return self._slots[self._slot] == _STOPPING or self._generation[0] != self._own_generation

    @property
    def all_stopping(self) -> bool:
        """Whether every process is stopping."""
        return _RUNNING not in self._slots[:]
