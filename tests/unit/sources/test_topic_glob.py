"""The topics of a glob, their start positions, and the sentence about them."""

import pytest

from arauto.protocol.log_query import Point
from arauto.protocol.topic_events import TopicAway, TopicsMatched
from arauto.protocol.topic_starts import GlobPlace, read_starts
from arauto.protocol.topics import BEGINNING, TopicPlace
from arauto.sources import topic_glob
from arauto.sources.topic_glob import TopicGlob

LED = TopicPlace("7Zk", {0: 5, 1: 6}, leaders={0: 3, 1: 4})


def say(glob: str, n: int) -> str:
    return f"{n} of {glob}"


def test_what_is_refused_is_asked_for_again_when_all_others_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_glob, "MOST_CHECKED", 2)
    glob = TopicGlob("*", None)
    found = frozenset("abc")
    assert glob.candidates(found) == ["a", "b"]
    glob.refuse({"a", "b"})
    assert glob.candidates(found) == ["c"]
    glob.topics.add("c")
    assert glob.candidates(found) == []
    assert glob.candidates(found) == ["a", "b"]


def test_what_comes_into_being_is_shown_from_its_beginning() -> None:
    place = "a/7Zk.0:5;b/;d/7Zk.0:3,1:4.0:5,1:6;"
    for start, first in (
        (None, {"a": None}),
        (Point(ms=1), {"a": Point(ms=1)}),
        (
            read_starts(["*"], [place], None)["*"],
            {"a": TopicPlace("7Zk", {0: 5}), "b": None, "c": BEGINNING, "d": LED},
        ),
        (GlobPlace({}), {"a": BEGINNING}),
    ):
        glob = TopicGlob("*", start)
        assert {topic: glob.start_of(topic) for topic in first} == first
        glob.add("a")
        glob.looked(frozenset("ab"), [])
        assert (glob.start_of("a"), glob.start_of("z")) == (None, BEGINNING)


def test_a_page_that_comes_back_follows_what_is_gone_until_that_is_said() -> None:
    place = "orders.a/7Zk.0:5;orders.b/;other/7Zk.0:5;__orders/7Zk.0:5;"
    glob = TopicGlob("*orders*", read_starts(["*"], [place], None)["*"])
    found = frozenset({"orders.c"})
    assert glob.candidates(found) == ["orders.a", "orders.c"]
    glob.refuse({"orders.a"})  # for now
    glob.looked(found, [])
    assert glob.start_of("orders.a") == TopicPlace("7Zk", {0: 5})
    glob.add("orders.a")
    assert not glob.is_settled(found)
    glob.topics.discard("orders.a")
    assert (glob.candidates(found), glob.start_of("orders.a")) == (["orders.c"], BEGINNING)


def test_it_is_reported_once_with_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_glob, "MOST_NAMED", 2)
    glob = TopicGlob("*", None)
    assert glob.news(say) == [], "nobody has looked"
    glob.topics.add("a")
    glob.looked(frozenset("abcd"), ["b", "c", "d"])
    assert glob.news(say) == [TopicsMatched("*", ["a"], ["b", "c"], "3 of *")]
    assert glob.news(say) == []
    assert not glob.is_settled(frozenset("abcd"))
    glob.looked(frozenset("a"), [])
    assert glob.news(say) == [TopicsMatched("*", ["a"], [], "")]
    assert (glob.is_settled(frozenset("a")), glob.is_settled(frozenset("ab"))) == (True, False)
    assert glob.changed(TopicAway("*", "Kafka does not answer."))
    assert not glob.is_settled(frozenset("a")), "it is not away any more"
