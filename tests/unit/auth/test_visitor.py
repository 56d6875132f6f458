import pytest
from hypothesis import given
from hypothesis import strategies as st

from arauto.auth.visitor import Visitor
from arauto.redis_io.connection import RedisLink
from arauto.text.glob import matches

LINK = RedisLink("redis://nowhere.invalid")
names = st.text("ab.*?[]\\^", max_size=6).map(str.encode)


def reader(*globs: bytes) -> Visitor:
    return Visitor(link=LINK, name="x", reads=globs, publishes=())


def test_channels_by_glob() -> None:
    visitor = reader(b"news.*", b"alerts")
    assert visitor.may_read(b"news.x")
    assert visitor.may_read(b"alerts")
    assert not visitor.may_read(b"alerts2")
    assert not visitor.may_publish(b"alerts")


def test_patterns_that_stay_within() -> None:
    visitor = reader(b"news.*", b"h?llo")
    for pattern in (b"news.*", b"news.a*", b"news.[ab]", b"news.", b"h?llo"):
        assert visitor.may_read_all_of(pattern)
    for pattern in (b"*", b"n*", b"news*", b"new?.*", b"[n]ews.*", b"h*llo", b"hallo*", b"\\*"):
        assert not visitor.may_read_all_of(pattern)
    assert reader(b"*").may_read_all_of(b"anything*")
    assert not reader().may_read_all_of(b"a")


@given(glob=names, pattern=names, channel=names)
def test_no_pattern_reaches_over_its_globs(glob: bytes, pattern: bytes, channel: bytes) -> None:
    visitor = reader(glob)
    if visitor.may_read_all_of(pattern) and matches(pattern, channel):
        assert visitor.may_read(channel)


@pytest.mark.parametrize("way", ["proxy", "redis"])
@pytest.mark.parametrize("name", ["ana", "token", "read"])
def test_who_has_a_name_is_counted_by_it_whatever_it_is(way: str, name: str) -> None:
    """A proxy's visitor has another key in each request, so counting by key would never limit it."""
    visits = [Visitor(link=LINK, name=name, way=way, key=key) for key in ("one", "another")]
    assert [visit.rate_names for visit in visits] == [[f"user {way} {name}"]] * 2


def test_who_shares_a_token_is_counted_by_its_session() -> None:
    assert Visitor(link=LINK, name="token", way="token", key="one").rate_names == ["user one"]
    assert Visitor(link=LINK, name="token", way="bearer").rate_names == []
