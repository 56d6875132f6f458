"""The states of a server's processes, as they see each other: running or stopping."""

from copy import copy

from arauto.workers.worker_states import WorkerStates


def workers(master: WorkerStates, *slots: int) -> list[WorkerStates]:
    forked = [copy(master) for _ in slots]  # the memory is shared, all else is separate
    for worker, slot in zip(forked, slots, strict=True):
        worker.use_slot(slot)
    return forked


def test_all_end_when_the_last_has_received() -> None:
    master = WorkerStates()
    one, other = workers(master, 0, 1)
    assert not one.all_stopping
    one.stop()
    assert (one.goes_on, other.goes_on, one.all_stopping) == (False, True, False)
    other.stop()
    assert one.all_stopping
    assert other.all_stopping


def test_who_has_ended_is_not_waited_for() -> None:
    master = WorkerStates()
    one, _ = workers(master, 0, 1)
    one.stop()
    master.clear_slot(1)
    assert one.all_stopping


def test_workers_that_will_be_replaced_end_before_the_signal() -> None:
    master = WorkerStates()
    old, older = workers(master, 0, 1)
    master.replace_all()
    assert (old.goes_on, older.goes_on) == (False, False)
    (new,) = workers(master, 2)
    assert (old.goes_on, older.goes_on, new.goes_on) == (True, True, True)
    assert (old.is_replaced, older.is_replaced, new.is_replaced) == (True, True, False)
    old.stop()
    older.stop()
    assert not old.all_stopping


def test_a_slot_that_is_used_again_is_here() -> None:
    master = WorkerStates()
    (one,) = workers(master, 0)
    one.stop()
    master.clear_slot(0)
    (next_one,) = workers(master, 0)
    assert next_one.goes_on
    assert not next_one.all_stopping


def test_without_a_master_a_process_is_alone() -> None:
    alone = WorkerStates()
    assert alone.goes_on
    assert alone.all_stopping
    alone.stop()
    assert not alone.goes_on


def test_a_successor_counts_as_running_from_before_its_fork_until_that_fails() -> None:
    states = WorkerStates()
    states.reserve(0)
    states.use_slot(0)
    states.stop()
    assert states.all_stopping
    states.reserve(1)
    assert not states.all_stopping
    states.cancel()
    assert states.all_stopping


def test_a_successor_that_fails_before_it_has_a_slot_changes_no_other() -> None:
    master = WorkerStates()
    master.prepare(is_successor=False)
    master.reserve(0)
    (one,) = workers(master, 0)
    master.prepare(is_successor=False)
    master.cancel()
    assert not one.all_stopping


def test_successors_are_those_of_the_last_reload() -> None:
    master = WorkerStates()
    old, older = workers(master, 0, 1)
    assert old.has_successor, "another worker goes on"
    master.prepare(is_successor=True)
    master.reserve(2)
    master.replace_all()
    assert (old.has_successor, older.has_successor, old.are_successors_ready) == (True, True, False)
    (new,) = workers(master, 2)
    assert not new.has_successor
    new.note_ready()
    assert old.are_successors_ready
    master.prepare(is_successor=False)
    master.reserve(3)
    assert not old.are_successors_ready, "all are waited for"
    master.clear_slot(3)
    assert old.are_successors_ready
    master.replace_all()
    assert not old.has_successor, "the whole server stops"


def test_who_stands_by_is_one_that_goes_on() -> None:
    master = WorkerStates()
    old, older = workers(master, 0, 1)
    older.note_stand_by(True)
    assert old.has_stand_by
    master.prepare(is_successor=True)
    master.reserve(2)
    master.replace_all()
    assert not old.has_stand_by, "it ends as well"
    (new,) = workers(master, 2)
    new.note_stand_by(True)
    assert old.has_stand_by
    new.note_stand_by(False)
    assert not old.has_stand_by


def test_a_slot_that_is_used_again_is_not_ready() -> None:
    master = WorkerStates()
    one, other = workers(master, 0, 1)
    other.note_ready()
    other.note_stand_by(True)
    master.clear_slot(1)
    master.reserve(1)
    assert (one.has_successor, one.are_successors_ready, one.has_stand_by) == (True, False, False)
