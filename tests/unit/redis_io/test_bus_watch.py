"""The nodes of a cluster that may have missed messages, by the reports of all nodes on their links."""

from math import inf
from typing import Any

import pytest

from arauto.redis_io.bus_watch import LATE, PATIENCE, BusWatch, Loss
from arauto.redis_io.cluster_map import ClusterMap, together
from arauto.redis_io.cluster_view import Member, View, read_view

NODES = "abc"


def view(id: str, at: float, without: str = "", **changes: Any) -> View:
    """A node's report on a healthy cluster, changed by ``flags_b``, ``to_b``, ``from_b`` and ``waits_b``."""
    members = {
        one: Member(
            (one, 7000),
            (one, 7000),
            changes.get(f"flags_{one}", frozenset({"myself", "master"} if one == id else {"master"})),
            "-",
            1,
            changes.get(f"waits_{one}", 0.0),
            True,
            (range(NODES.index(one), 16384, 3),),
        )
        for one in NODES
        if one not in without
    }
    links: list[dict[str, int]] = [{}, {}]
    for way, found in zip(("to", "from"), links, strict=True):
        for one in members.keys() - {id}:
            if (made := changes.get(f"{way}_{one}", 1)) is not None:
                found[one] = made
    return View(id, at, members, *links)


def look(bus: BusWatch, at: float, *changed: View, silent: str = "", refusing: str = "") -> list[Loss]:
    given = {one.id: one for one in changed}
    views = [given.get(id) or view(id, at) for id in NODES if id not in silent]
    return sorted(bus.take(views, set(refusing), at))


def test_whole_links_are_no_news() -> None:
    bus = BusWatch()
    assert [look(bus, float(at)) for at in range(5)] == [[]] * 5
    assert bus.broken_since("a") is None
    assert bus.sure_until("a") == 4.0
    assert bus.sure_until("unknown") == -inf


@pytest.mark.parametrize("way", ["to", "from"])
def test_a_link_that_was_made_anew_is_a_loss_at_its_receiver(way: str) -> None:
    bus = BusWatch()
    look(bus, 1.0)
    sees = view("a", 2.0, to_b=2) if way == "to" else view("b", 2.0, from_a=2)
    assert look(bus, 2.0, sees) == [("b", 1.0)]
    assert look(bus, 3.0, sees) == []


def test_a_link_that_is_down_is_reported_when_it_is_whole_again() -> None:
    bus = BusWatch()
    look(bus, 1.0)
    for at in (2.0, 3.0):
        assert look(bus, at, view("a", at, to_b=None)) == []
        assert bus.broken_since("b") == 1.0
        assert bus.broken_since("c") is None
        assert not bus.is_sending("a")
    assert look(bus, 4.0, view("a", 4.0, to_b=4)) == [("b", 1.0)]
    assert bus.is_sending("a")


def test_a_node_that_owes_an_answer_for_long_may_get_nothing() -> None:
    bus = BusWatch()
    look(bus, 1.0)
    assert look(bus, 2.0, view("a", 2.0, waits_b=LATE + 1)) == []
    assert bus.broken_since("b") == 1.0
    assert look(bus, 3.0) == []  # it was slow, but has received everything
    assert bus.broken_since("b") is None


def test_a_node_that_has_failed_has_sent_what_did_not_come() -> None:
    bus = BusWatch()
    look(bus, 1.0)
    suspected = [view(id, 2.0, flags_c=frozenset({"master", "fail?"})) for id in "ab"]
    assert look(bus, 2.0, *suspected, silent="c") == []
    failed = [view(id, 3.0, flags_c=frozenset({"master", "fail"})) for id in "ab"]
    assert look(bus, 3.0, *failed, silent="c") == [("a", 1.0), ("b", 1.0)]
    assert look(bus, 4.0, *failed, silent="c") == []
    # As far as is known, it was alive all the time.
    assert look(bus, 9.0) == [("a", 3.0), ("b", 3.0)]


def test_a_dead_node_sends_nothing_until_it_is_back() -> None:
    bus = BusWatch()
    look(bus, 1.0)
    gone = [view(id, 2.0, from_c=None) for id in "ab"]
    assert look(bus, 2.0, *gone, silent="c", refusing="c") == [("a", 1.0), ("b", 1.0)]
    for at in range(3, 100):
        assert look(bus, float(at), *gone, silent="c", refusing="c") == []
    back = [view(id, 100.0, from_c=7, to_c=7) for id in "ab"]
    found = look(bus, 100.0, *back, view("c", 100.0, to_a=7, to_b=7, from_a=7, from_b=7))
    assert found == [("a", 99.0), ("b", 99.0), ("c", 1.0)]


def test_who_is_cut_off_does_not_do_without_the_others() -> None:
    bus = BusWatch()
    look(bus, 1.0)
    failed = frozenset({"master", "fail?"})
    alone = view("c", 2.0, flags_a=failed, flags_b=failed)
    assert alone.is_cut_off
    assert look(bus, 2.0, alone) == []
    assert bus.broken_since("c") == 1.0
    others = [view(id, 3.0, flags_c=frozenset({"master", "fail"})) for id in "ab"]
    assert look(bus, 3.0, *others, alone) == [("a", 2.0), ("b", 2.0)]
    assert "c" not in ClusterMap.of([*others, alone], set(), bus).answering


def test_a_node_that_is_removed_may_have_been_published_at() -> None:
    bus = BusWatch()
    look(bus, 1.0)
    assert look(bus, 2.0, view("a", 2.0, without="c"), silent="bc") == [("a", 1.0)]
    assert look(bus, 3.0, view("a", 3.0, without="c"), silent="bc") == []


def test_what_is_in_doubt_for_long_is_reported() -> None:
    bus = BusWatch()
    look(bus, 0.0)
    down = [look(bus, float(at), view("a", float(at), to_b=None)) for at in range(1, int(PATIENCE) + 1)]
    assert down == [[]] * (len(down) - 1) + [[("b", 0.0)]]
    assert bus.broken_since("b") == PATIENCE


def test_replicas_are_subscribed_at_if_that_is_wanted() -> None:
    bus = BusWatch()
    views = [view(id, 1.0, flags_b=frozenset({"slave"})) for id in NODES]
    bus.take(views, set(), 1.0)
    found = ClusterMap.of(views, set(), bus)
    assert [sorted(step) for step in found.for_subscribers(True)] == [[("a", 7000), ("b", 7000), ("c", 7000)]]
    assert [sorted(step) for step in found.for_subscribers(False)] == [
        [("a", 7000), ("c", 7000)],
        [("b", 7000)],
    ]
    assert found.to_count() == ([("a", 7000), ("b", 7000), ("c", 7000)], True)
    assert found.has_all_slots


LINE = "{id} 127.0.0.1:{port}@1{port}{more} {flags} - {sent} 5000 3 connected {slots}"


def test_what_a_node_says_is_read() -> None:
    nodes = "\n".join(
        [
            LINE.format(id="a", port=7000, more="", flags="myself,master", sent=0, slots="0-5 9 [7->-b]"),
            LINE.format(id="b", port=7001, more=",b.example,shard-id=1", flags="slave", sent=4000, slots=""),
            "c :0@0 master,noaddr - 0 0 0 disconnected",
            "",
        ]
    ).encode()
    link = [b"direction", b"to", b"node", b"b", b"create-time", 12, b"events", b"r"]
    found = read_view([nodes, [link], [b"5", b"500000"]], ("localhost", 7000), 1.0, by_name=True)
    assert found.id == "a"
    assert found.members.keys() == {"a", "b"}
    assert found.members["a"].slots == (range(6), range(9, 10))
    assert found.members["b"].address == ("b.example", 7001)
    assert ClusterMap(found.members).reach(("127.0.0.1", 7001)) == ("b.example", 7001)
    assert found.members["b"].waits == 1.5
    assert (found.links_to, found.links_from) == ({"b": 12}, {})


def test_without_a_list_of_links_their_state_counts() -> None:
    nodes = (
        b"a :7000@17000 myself,master - 0 0 0 connected 0-9\nb 127.0.0.1:7001@2 master - 0 0 0 connected\n"
    )
    found = read_view([nodes, Exception("unknown"), [b"5", b"0"]], ("seed", 7000), 1.0)
    assert found.members["a"].address == ("seed", 7000)
    assert found.links_to == found.links_from == {"b": 0}


@pytest.mark.parametrize("nodes", [None, b"", b"a b c", b"a 127.0.0.1:x@1 myself - 0 0 0 connected"])
def test_what_is_no_answer_is_reported(nodes: Any) -> None:
    with pytest.raises(ValueError, match="cannot be understood"):
        read_view([nodes, [], [b"5", b"0"]], ("a", 1), 1.0)


def test_who_was_removed_is_not_one_of_them() -> None:
    alone = view("c", 1.0, without="ab")
    others = [view(id, 1.0, without="c") for id in "ab"]
    assert together([alone, *others]) == others
    new = view("c", 1.0)  # it knows the others, and they do not know it yet
    assert together([new, *others]) == [new, *others]
    assert together([]) == []
