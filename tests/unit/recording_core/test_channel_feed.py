"""What one page is told of one recorded channel, where the schedules of tests/simulator have no opinion."""

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Closed, Resumed
from arauto.recording_core.channel_feed import ChannelFeed
from arauto.recording_core.feed_steps import Entry, Gap, Pages, Place, Read, Show

RESUMED = Resumed(Position("e", 5), since=100, at=2000, token=7)


def test_a_page_that_has_heard_all_has_no_gap_where_recording_begins_again() -> None:
    feed = ChannelFeed(None, 0)
    feed.subscribed(0)
    assert feed.received(b"a", 1) == [Show(b"a")]
    assert feed.announced(RESUMED, 2000) == [Place(Position("e", 5))]
    feed.announced(Closed(), 3000)
    assert feed.received(b"b", 3001) == [Show(b"b")]
    again = Resumed(Position("f", 6), since=3000, at=4000, token=7)
    assert feed.announced(again, 4000) == [Place(Position("f", 6))]


def test_a_page_that_was_away_while_nobody_recorded_has_one() -> None:
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.read(Pages((), Position("e", 4), at=1500, until=100), 1500)
    assert feed.announced(RESUMED, 2000) == [Gap(100, 2000, "recorder"), Place(Position("e", 5))]


def test_what_came_before_the_log_began_is_shown_by_a_page_that_has_read_that_log() -> None:
    """It subscribed, waited for the log, and found it begun behind messages that are in no log."""
    begins = Resumed(Position("e", 5), since=2000, at=2000, token=7)
    feed = ChannelFeed(Position("e", 5), 2000)
    feed.subscribed(0)
    assert feed.received(b"a", 1990) == []
    feed.read(Pages((), Position("e", 5), at=2001, until=2001), 2001)
    assert feed.announced(begins, 2002) == [Show(b"a")]


def test_what_came_within_a_gap_that_the_page_was_shown_is_not_shown_again() -> None:
    feed = ChannelFeed(Position("e", 5), 2000)
    feed.subscribed(0)
    assert feed.received(b"a", 1990) == []
    feed.read(Pages((), Position("e", 5), at=2001, until=2001), 2001)
    assert feed.announced(RESUMED, 2002) == []


def test_an_unreadable_log_does_not_have_the_page_show_what_it_has_read() -> None:
    """It had read beyond the beginning of an epoch, and the gap that follows covers what it had not."""
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.received(b"a", 1)
    feed.read(Pages((Entry(5, 2000, None, 100),), Position("f", 6), at=2500, until=2400), 2500)
    assert feed.announced(RESUMED, 2501) == [Read(Position("f", 6), 5)]
    feed.unreadable(2502)
    steps = feed.caught_up(2600)
    assert any(isinstance(step, Gap) for step in steps)
    assert not any(isinstance(step, Show) for step in steps)
