"""Which worker processes are running, which are stopping, and which can take over from another."""

import mmap

from arauto.workers.connection_limits import MAX_PROCESSES

_FREE, _RUNNING, _STOPPING = range(3)


class WorkerStates:
    """States in memory that the master shares with its workers; a running worker writes its own slot."""

    def __init__(self) -> None:
        self._slots = mmap.mmap(-1, MAX_PROCESSES)
        self._generations = mmap.mmap(-1, MAX_PROCESSES)  # of the process in each slot
        self._ready = mmap.mmap(-1, MAX_PROCESSES)  # 1: it serves pages
        self._standing_by = mmap.mmap(-1, MAX_PROCESSES)  # 1: its recorder may take over
        self._generation = mmap.mmap(-1, 1)  # of the process that is started next
        self._slot = self._own_generation = 0
        self._prepared: int | None = None
        self._reserved: int | None = None

    def reserve(self, slot: int) -> None:
        """Call it in the master before it forks: the new process counts as running from then on."""
        self.clear_slot(slot)
        self._generations[slot % MAX_PROCESSES] = self._next_generation
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
        self._own_generation = self._generations[self._slot] = self._next_generation

    def clear_slot(self, slot: int) -> None:
        """Call it in the master when a process has exited."""
        for states in (self._slots, self._ready, self._standing_by):
            states[slot % MAX_PROCESSES] = _FREE

    def replace_all(self) -> None:
        """Call it in the master when all running workers will be stopped, one after the other."""
        self._generation[0] = (self._generation[0] + 1) % 256

    def prepare(self, is_successor: bool) -> None:
        """Call it in the master before it forks; the first successor is forked before ``replace_all``."""
        self._prepared = (self._generation[0] + is_successor) % 256
        self._reserved = None

    @property
    def _next_generation(self) -> int:
        return self._generation[0] if self._prepared is None else self._prepared

    def note_ready(self) -> None:
        """Note that this process serves pages."""
        self._ready[self._slot] = True

    def note_stand_by(self, is_standing_by: bool) -> None:
        """Note whether this process would record everything from now on, if another one did not."""
        self._standing_by[self._slot] = is_standing_by

    def stop(self) -> None:
        """Mark this process as stopping."""
        self._slots[self._slot] = _STOPPING

    @property
    def is_replaced(self) -> bool:
        """Whether this process is about to stop, since all running workers are replaced, or has begun to."""
        return self._generation[0] != self._own_generation

    @property
    def goes_on(self) -> bool:
        """Whether this process works as before: also if it is replaced, but has a successor."""
        is_running = self._slots[self._slot] != _STOPPING
        return is_running and (not self.is_replaced or self.has_successor)

    @property
    def all_stopping(self) -> bool:
        """Whether every process is stopping."""
        return _RUNNING not in self._slots[:]

    @property
    def has_successor(self) -> bool:
        """Whether another process runs that is not about to be stopped."""
        return bool(self._successors())

    @property
    def are_successors_ready(self) -> bool:
        """Whether each of them serves pages."""
        return all(self._ready[slot] for slot in self._successors())

    @property
    def has_stand_by(self) -> bool:
        """Whether one of them would record everything from now on, if this process did not."""
        return any(self._standing_by[slot] for slot in self._successors())

    def _successors(self) -> list[int]:
        return [
            slot
            for slot, state in enumerate(self._slots[:])
            if state == _RUNNING and slot != self._slot and self._generations[slot] == self._generation[0]
        ]
