from arauto.bridge.outbox import OVERHEAD, Kept, Outbox
from arauto.text.bridge_rules import read_rules

RULE, OTHER = read_rules("a -> kafka:a, b -> kafka:b")


def kept(at: int, rule: object = RULE) -> Kept:
    return Kept(at, rule, b"a", b"%d" % at, at)  # type: ignore[arg-type]


def test_what_failed_comes_next_in_its_order() -> None:
    outbox = Outbox(["a", "b"])
    for at in range(5):
        outbox.add(kept(at))
    outbox.add(kept(5, OTHER))
    taken = [outbox.take("a") for _ in range(4)]
    numbers = [one[0] for one in taken if one]
    outbox.settle(numbers[0])
    assert (outbox.oldest, *outbox.moving_to("a")) == (1, 3, 3 * kept(1).size)
    outbox.put_back(numbers)
    assert outbox.moving_to("a") == (0, 0)
    again = []
    while one := outbox.take("a"):
        again.append(one[1].at)
    assert again == [1, 2, 3, 4]
    assert outbox.waiting == 1  # the message of the other topic
    assert not outbox.is_empty


def test_the_oldest_goes_where_there_is_no_room() -> None:
    outbox = Outbox(["a", "b"], most=2)
    assert [outbox.add(one) for one in (kept(1, OTHER), kept(2), kept(3))] == [None, None, kept(1, OTHER)]
    outbox = Outbox(["a"], most_bytes=3 * OVERHEAD)
    assert [outbox.add(kept(at)) for at in (1, 2, 3)] == [None, None, kept(1)]
    outbox.forget_before(3, [RULE])
    assert (outbox.oldest, outbox.waiting) == (3, 1)


def test_what_another_process_does_not_pass_on_is_kept() -> None:
    outbox = Outbox(["a", "b"])
    for one in (kept(1), kept(1, OTHER), kept(2, OTHER), kept(3, OTHER), kept(3)):
        outbox.add(one)
    outbox.forget_before(3, [RULE])
    assert outbox.waiting == 4
    taken = [outbox.take("b") for _ in range(3)]
    assert [one and one[1].at for one in taken] == [1, 2, 3]


def test_the_oldest_may_be_in_flight_behind_a_later_one() -> None:
    outbox = Outbox(["a", "b"])
    outbox.add(kept(5, OTHER))
    outbox.add(kept(2))
    assert outbox.oldest == 2
    assert outbox.take("b")
    assert outbox.take("a")
    assert outbox.oldest == 2
