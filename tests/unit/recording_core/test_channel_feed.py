"""One page and one recorded channel, in cases beyond the schedules of tests/simulator."""

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Appended, Closed, Mark, Marked, Resumed, digest
from arauto.recording_core.backlog import Received
from arauto.recording_core.channel_feed import ChannelFeed
from arauto.recording_core.feed_steps import Entry, Gap, Locate, Pages, Place, Read, Show, ShowWaiting
from arauto.recording_core.missing_entries import with_missing

RESUMED = Resumed(Position("e", 5), since=100, at=2000, token=7)


def test_a_page_that_received_all_has_no_gap_where_recording_begins_again() -> None:
    feed = ChannelFeed(None, 0)
    feed.subscribed(0)
    assert feed.received(b"a", 1) == [Show(b"a")]
    assert feed.announced(RESUMED, 2000) == [Place(Position("e", 5))]
    feed.announced(Closed(Position("e", 5)), 3000)
    assert feed.received(b"b", 3001) == [Show(b"b")]
    again = Resumed(Position("f", 6), since=3000, at=4000, token=7)
    assert feed.announced(again, 4000) == [Place(Position("f", 6))]


def test_a_page_that_received_all_has_a_gap_where_the_bus_lost_messages() -> None:
    feed = ChannelFeed(None, 0)
    feed.subscribed(0)
    feed.announced(RESUMED, 2000)
    lossy = Resumed(Position("f", 6), since=1500, at=4000, token=7, is_lossy=True)
    assert feed.announced(lossy, 4000) == [Gap(1500, 4000, "recorder"), Place(Position("f", 6))]


def test_a_page_that_was_away_while_nobody_recorded_has_one() -> None:
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.read(Pages((), Position("e", 4), at=1500, until=100), 1500)
    assert feed.announced(RESUMED, 2000) == [Gap(100, 2000, "recorder"), Place(Position("e", 5))]


def test_what_came_before_the_log_began_is_shown_before_what_is_in_it() -> None:
    """The page subscribed, waited for the log, and found that it began after messages that are in no log."""
    begins = Resumed(Position("e", 5), since=2000, at=2000, token=7)
    feed = ChannelFeed(Position("e", 5), 500, has_waited=True)
    assert feed.subscribed(2001) == [Locate()]
    assert feed.received(b"a", 2002) == []
    assert feed.announced(begins, 2003) == [ShowWaiting((Received(b"a", 2002, 1),)), Place(Position("e", 5))]


def test_a_log_that_begins_with_every_message_is_read_from_there() -> None:
    feed = ChannelFeed(Position("e", 5), 500, has_waited=True)
    feed.subscribed(2001)
    feed.received(b"b", 2002)
    announcement = Appended("e", 6, (digest(b"a"), digest(b"b")), token=7, until=2000, ms=2001)
    assert feed.announced(announcement, 2003) == [Read(Position("e", 5), None)]


def test_a_place_says_up_to_when_everything_was_shown_if_the_position_does_not() -> None:
    feed = ChannelFeed(Position("e", 4, 1000), 50)
    feed.subscribed(0)
    assert feed.read(Pages((), Position("e", 5, 9000), at=9000, until=100), 9000)[-1] == Place(
        Position("e", 5, 9000), 100
    )


def test_what_the_log_has_of_the_epoch_before_is_read() -> None:
    """The page was slow: the next epoch had begun when it read the log."""
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.read(Pages((), Position("f", 5), at=1500, until=100), 1500)
    feed.received(b"a", 1501)
    announcement = Appended("e", 6, (digest(b"a"),), token=7, until=200, ms=1400)
    feed.announced(Mark("m"), 1502)
    assert Read(Position("f", 5), 6) in feed.announced(announcement, 1502)


def test_a_log_that_was_read_beyond_its_closing_shows_nothing_again() -> None:
    """The log was closed and opened again while the page read it."""
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.announced(Closed(Position("e", 4)), 100)
    feed.received(b"a", 150)
    feed.announced(Resumed(Position("f", 6), since=100, at=2000, token=7, left=(digest(b"a"),)), 2000)
    entries = (Entry(5, 2000, b"a"), Entry(6, 2000, None, 100))
    steps = feed.read(Pages(entries, Position("f", 6), at=2500, until=2400), 2500)
    assert [step for step in steps if isinstance(step, Show | Gap)] == [
        Show(b"a", Position("f", 5)),
        Gap(100, 2000, "recorder"),
    ]


def test_a_log_with_lower_numbers_is_read() -> None:
    """All data were lost and the clock went back: the announced messages are not those the page has."""
    feed = ChannelFeed(Position("e", 4000), 50)
    feed.subscribed(0)
    feed.read(Pages((), Position("e", 4000), at=1500, until=100), 1500)
    feed.received(b"a", 1501)
    announcement = Appended("f", 6, (digest(b"a"),), token=7, until=200, ms=1400)
    feed.announced(Mark("m"), 1502)
    assert Read(Position("e", 4000), 4000) in feed.announced(announcement, 1502)


def test_an_unreadable_log_does_not_have_the_page_show_what_it_has_read() -> None:
    """It had read beyond the start of an epoch, and the next gap covers the messages it had not read."""
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.received(b"a", 1)
    feed.read(Pages((Entry(5, 2000, None, 100),), Position("f", 6), at=2500, until=2400), 2500)
    assert feed.announced(RESUMED, 2501) == [Read(Position("f", 6), 5)]
    feed.unreadable(2502)
    steps = feed.caught_up(2600)
    assert any(isinstance(step, Gap) for step in steps)
    assert not any(isinstance(step, Show) for step in steps)


def test_of_an_epoch_that_has_ended_not_each_announcement_has_the_log_read() -> None:
    """Two epochs ended while the page was away and returning: the log is read once for each."""
    feed = ChannelFeed(Position("a", 4), 50)
    feed.subscribed(0)
    feed.read(Pages((), Position("c", 90), at=1500, until=100), 1500)
    feed.announced(Mark("m"), 1501)
    reads = 0
    for number in range(10, 40):
        word = Appended("b" if number > 20 else "a", number, (digest(b"x"),), token=7, until=200, ms=1400)
        for step in feed.announced(word, 1502):
            if isinstance(step, Read):
                reads += 1
                feed.read(Pages((), Position("c", 90), at=1503, until=100), 1503)
    reads += sum(isinstance(step, Read) for step in feed.announced(Marked("m", Position("c", 90), 90), 1504))
    assert reads <= 2


def test_what_another_log_begins_with_is_taken_once() -> None:
    """Of two equal messages the log has the first: the second waits."""
    feed = ChannelFeed(None, 0)
    feed.subscribed(0)
    feed.announced(Resumed(Position("p", 50), since=1, at=1, token=7), 1)
    feed.received(b"a", 2)
    feed.received(b"a", 3)
    word = Appended("x", 11, (digest(b"a"),), token=9, until=4, ms=4)
    assert Read(Position("p", 50), 50) in feed.announced(word, 4)
    feed.read(Pages((Entry(11, 4, b"a"),), Position("x", 11), at=5, until=4, is_other=True), 5)
    resumed = Resumed(Position("y", 12), since=4, at=6, token=10)
    assert Show(b"a") in feed.announced(resumed, 6)


def test_what_another_log_begins_with_is_found_in_its_order() -> None:
    """Of b, a, b the log has the last two: the first is within the gap."""
    feed = ChannelFeed(None, 0)
    feed.subscribed(0)
    feed.announced(Resumed(Position("p", 50), since=1, at=1, token=7), 1)
    for data in (b"b", b"a", b"b"):
        feed.received(data, 2)
    feed.announced(Appended("x", 11, (digest(b"a"), digest(b"b")), token=9, until=4, ms=4), 4)
    entries = (Entry(11, 4, b"a"), Entry(12, 4, b"b"))
    feed.read(Pages(entries, Position("x", 12), at=5, until=4, is_other=True), 5)
    resumed = Resumed(Position("y", 13), since=4, at=6, token=10)
    assert not any(isinstance(step, Show) for step in feed.announced(resumed, 6))


def test_a_log_whose_head_alone_was_lost_is_read_from_its_first_entry() -> None:
    feed = ChannelFeed(Position("y", 5), 500, has_waited=True)
    feed.subscribed(2001)
    steps = feed.announced(Resumed(Position("y", 900), since=2000, at=2002, token=7), 2003)
    assert steps == [Read(Position("y", 5), None)]


def test_numbers_that_a_recorder_skips_are_none_of_messages_from_before() -> None:
    """The previous recorder had not written a message that was published before the page subscribed."""
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    feed.read(Pages((), Position("e", 4), at=1500, until=100), 1500)
    feed.announced(Mark("m"), 1501)
    feed.announced(Marked("m", Position("e", 5), 4), 1502)
    resumed = Resumed(Position("f", 900), since=100, at=2000, token=7)
    assert feed.announced(resumed, 2000) == [Read(Position("e", 4), 899)]
    pages = with_missing(Pages((), Position("f", 899), at=2000, until=2000), 4, (0, 899), lambda: True)
    assert feed.read(pages, 2001) == [Gap(100, 2000, "recorder"), Place(Position("f", 900))]


def test_entries_that_are_missing_are_a_gap_behind_what_is_shown_of_another_log() -> None:
    """Before the first such message, they are within the gap between the two logs."""
    feed = ChannelFeed(Position("e", 4, 5000), 3500)
    feed.subscribed(0)
    entries = (Entry(4, 4000, b"a"), Entry(7, 5500, b"b"), Entry(9, 6000, b"c"))
    pages = Pages(entries, Position("f", 10), at=7000, until=7000, is_other=True)
    steps = feed.read(with_missing(pages, 3, (3,), lambda: True), 7001)
    assert [(step.start, step.end, step.reason) if isinstance(step, Gap) else step.data
            for step in steps if isinstance(step, Gap | Show)] == [
        (3500, 5500, "replaced"), b"b", (3500, 6000, "log"), b"c", (3500, 7000, "log"),
    ]  # fmt: skip


def test_a_gap_since_nobody_knows_when_begins_where_the_page_was_shown_everything() -> None:
    """A log that lost its head, and had only promised messages."""
    entries = (Entry(5, 2000, None, 0),)
    feed = ChannelFeed(Position("e", 4), 50)
    feed.subscribed(0)
    steps = feed.read(Pages(entries, Position("e", 5), at=2000, until=2000), 2001)
    assert steps[0] == Gap(50, 2000, "recorder")
    resumed = Resumed(Position("f", 6), since=0, at=4000, token=7)
    assert Gap(2000, 4000, "recorder") in feed.announced(resumed, 4000)
