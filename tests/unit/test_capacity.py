import os

from arauto.capacity import Capacity


def test_the_cap_holds_and_room_comes_back() -> None:
    capacity = Capacity(2)
    assert capacity.take()
    assert capacity.take()
    assert capacity.full()
    assert not capacity.take()
    capacity.give_back()
    assert not capacity.full()
    assert capacity.take()


def test_all_processes_count_together_and_a_dead_one_not_at_all() -> None:
    capacity = Capacity(3)
    capacity.use_slot(1)
    assert capacity.take()
    child = os.fork()
    if child == 0:
        capacity.use_slot(2)
        os._exit(0 if capacity.take() and capacity.take() and not capacity.take() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert capacity.taken() == 3
    assert not capacity.take()
    capacity.clear_slot(2)
    assert capacity.taken() == 1
    assert capacity.take()
