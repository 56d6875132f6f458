import pytest

from arauto.bridge.places import Place, Placed, place
from arauto.kafka_io.topic_list import Bounds

BOUNDS = {0: Bounds(5, 9), 1: Bounds(0, 3)}


@pytest.mark.parametrize(
    ("known", "old", "placed"),
    [
        ({}, {0, 1}, Placed({0: 9, 1: 3}, [], {})),  # the first start: from the end
        ({}, set(), Placed({0: 5, 1: 0}, [], {})),  # the topic was created
        ({0: Place(7, "e")}, set(), Placed({0: 7, 1: 0}, [], {})),  # a new partition
        ({0: Place(7, ""), 1: Place(3, "e")}, set(), Placed({0: 7, 1: 3}, [], {})),
        ({0: Place(2, "e"), 1: Place(3, "e")}, set(), Placed({0: 5, 1: 3}, [("retention", 3)], {})),
        ({0: Place(7, "e"), 1: Place(8, "e")}, set(), Placed({0: 7, 1: 3}, [("truncated", None)], {})),
        ({0: Place(7, "f"), 1: Place(3, "f")}, set(), Placed({0: 5, 1: 0}, [("replaced", None)], {})),
    ],
)
def test_it_goes_on_where_it_was(known: dict[int, Place], old: set[int], placed: Placed) -> None:
    assert place(known, "e", BOUNDS, old) == placed


def test_which_leader_there_was_is_kept_until_something_is_missing() -> None:
    known = {0: Place(7, "e", 4), 1: Place(3, "e", 4)}
    assert place(known, "e", BOUNDS, set()) == Placed({0: 7, 1: 3}, [], {0: 4, 1: 4})
    truncated = Placed({0: 7, 1: 3}, [("truncated", None)], {1: 4})
    assert place(known, "e", BOUNDS, set(), truncated={0}) == truncated
    assert place(known, "f", BOUNDS, set(), truncated={0}).leaders == {}
