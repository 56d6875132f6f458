"""Who is here and who goes, as the processes of one server see it of each other."""

from copy import copy

from arauto.workers.worker_states import WorkerStates


def workers(master: WorkerStates, *slots: int) -> list[WorkerStates]:
    forked = [copy(master) for _ in slots]  # the memory is shared, the rest is their own
    for worker, slot in zip(forked, slots, strict=True):
        worker.use_slot(slot)
    return forked


def test_all_go_when_the_last_has_heard() -> None:
    master = WorkerStates()
    one, other = workers(master, 0, 1)
    assert not one.all_go
    one.go()
    assert (one.am_going, other.am_going, one.all_go) == (True, False, False)
    other.go()
    assert one.all_go
    assert other.all_go


def test_who_has_ended_is_not_waited_for() -> None:
    master = WorkerStates()
    one, _ = workers(master, 0, 1)
    one.go()
    master.clear_slot(1)
    assert one.all_go


def test_those_who_will_be_replaced_go_before_they_are_told() -> None:
    master = WorkerStates()
    old, older = workers(master, 0, 1)
    master.replace_all()
    (new,) = workers(master, 2)
    assert (old.am_going, older.am_going, new.am_going) == (True, True, False)
    old.go()
    older.go()
    assert not old.all_go


def test_a_slot_that_is_used_again_is_here() -> None:
    master = WorkerStates()
    (one,) = workers(master, 0)
    one.go()
    master.clear_slot(0)
    (next_one,) = workers(master, 0)
    assert not next_one.am_going
    assert not next_one.all_go


def test_without_a_master_a_process_is_alone() -> None:
    alone = WorkerStates()
    assert not alone.am_going
    assert alone.all_go
    alone.go()
    assert alone.am_going
