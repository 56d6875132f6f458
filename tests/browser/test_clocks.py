"""All times in the page are by the server's clock, not the browser's; other days have a date."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_appearance import choose
from tests.browser.test_state import UNDER_WAY, clock, expect_one_gap, expect_order, suspended
from tests.support.fake_server import NOON, FakeServer
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    chip,
    expect_live,
    expect_state,
    expect_texts,
    notices,
    rows,
    solo,
    status,
    stop_clock,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually

HOUR = 3_600_000  # milliseconds
SHIFTED = """
window.shift = %d; // milliseconds
const Given = Date;
window.Date = class extends Given {
  constructor(...given) { given.length ? super(...given) : super(Date.now()); }
  static now() { return Given.now() + shift; }
};
"""


def shifted(page: Page, milliseconds: int) -> None:
    """Load the page again in a browser whose clock is wrong."""
    page.add_init_script(SHIFTED % milliseconds)
    page.reload()
    expect_live(page)


@pytest.mark.parametrize("shift", [HOUR, -HOUR])
def test_a_browser_whose_clock_is_wrong_shows_the_servers_times(
    open_page: OpenPage, own_redis: RedisServer, start: Start, shift: int
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(view("a"), server=server, allow=[*SERVER_AWAY, *STATUS_503])
    shifted(page, shift)
    choose(page, Times="how long ago")
    began = clock(UNDER_WAY)
    own_redis.client.publish("a", "before")
    expect(rows(page).get_by_role("time")).to_have_text(re.compile(r"^(now|\d+s ago)$"))
    expect(solo(page, "a")).to_have_attribute("title", re.compile(r"at \d\d:\d\d:\d\d$"))
    last = re.search(r"\d\d:\d\d:\d\d", solo(page, "a").get_attribute("title") or "")
    assert last is not None
    expect_order(began, last[0], clock())
    assert server.stop() == 0
    expect(status(page)).to_contain_text("Reconnecting to the server, lost since")
    since = re.search(r"\d\d:\d\d:\d\d", status(page).text_content() or "")
    assert since is not None
    expect_order(began, since[0], clock())
    start(REDIS_URL=own_redis.url, PORT=str(server.port))
    expect_live(page)
    expect_one_gap(page, "the server", began)


@pytest.mark.parametrize("shift", [HOUR, -HOUR])
def test_a_clock_that_is_set_during_a_break_does_not_move_the_gap(
    open_page: OpenPage, own_redis: RedisServer, start: Start, shift: int
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(view("a"), server=server, allow=[*SERVER_AWAY, *STATUS_503])
    shifted(page, 0)
    began = clock(UNDER_WAY)
    own_redis.client.publish("a", "before")
    expect_texts(page, ["before"])
    assert server.stop() == 0
    expect_state(page, "reconnecting")
    page.evaluate(f"shift = {shift}")
    start(REDIS_URL=own_redis.url, PORT=str(server.port))
    expect_live(page)
    expect_one_gap(page, "the server", began)


def test_silence_is_noticed_though_the_clock_was_set_back(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(view("a"), server=server, own_clock=True, allow=SERVER_AWAY)
    expect_live(page)
    with suspended(server):
        page.clock.set_system_time(datetime.now(UTC) - timedelta(hours=1))
        page.clock.fast_forward(50_000)
        expect_state(page, "reconnecting")


def times(page: Page) -> list[str]:
    return rows(page).get_by_role("time").all_text_contents()


def test_a_gap_of_three_days_says_so(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other")))
    server.publish("before")
    expect_texts(server.page, ["before"])
    server.now += timedelta(days=3, minutes=5)
    server.close()
    expect(notices(server.page)).to_have_text(
        "No connection to the server from Nov 23, 12:00:00 to Nov 26, 12:05:00: messages may be missing."
        " Published since Nov 23, 11:59:59."
    )
    server.send("gap", reason="recorder", **{"from": NOON.timestamp() - 90_000, "to": NOON.timestamp()})
    expect(notices(server.page).last).to_have_text(
        "a was not recorded from Nov 22, 11:00:00 to Nov 23, 12:00:00: messages may be missing."
    )


def test_a_gap_never_ends_before_it_begins(open_page: OpenPage) -> None:
    """After the break the server's clock is behind."""
    server = FakeServer(open_page(view("other")))
    server.now -= timedelta(minutes=10)
    server.close()
    expect(notices(server.page)).to_contain_text("from 11:59:59.000 to 11:59:59.000")


def test_a_break_begins_after_the_last_message_and_is_that_of_redis_where_redis_was_away(
    open_page: OpenPage,
) -> None:
    server = FakeServer(open_page(view("other")))
    page = server.page
    server.publish("at noon")
    expect_texts(page, ["at noon"])
    server.send("reconnecting", reason="redis", detail="", **{"from": NOON.timestamp() - 2})
    expect(status(page)).to_contain_text("lost since 12:00:00.")
    server.now += timedelta(minutes=5)
    server.send("gap", reason="redis", **{"from": NOON.timestamp() - 2, "to": server.now.timestamp()})
    sentence = (
        "No connection to Redis from 12:00:00 to 12:05:00: messages may be missing. Published since 11:59:58."
    )
    expect(notices(page)).to_have_text(sentence)
    server.send("subscribe")
    expect_live(page)
    server.send("reconnecting", reason="redis", detail="", **{"from": server.now.timestamp()})
    server.now += timedelta(minutes=5)
    server.close()
    expect(notices(page)).to_have_text(
        [sentence, "No connection to Redis from 12:05:00 to 12:10:00: messages may be missing."]
    )


def test_what_is_not_of_today_has_its_date(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), own_clock=True))
    page = server.page
    server.send("gap", reason="redis", **{"from": NOON.timestamp() - 60, "to": NOON.timestamp()})
    server.publish("at noon")
    expect_texts(page, ["at noon"])
    assert times(page) == ["12:00:00.000"]
    expect(notices(page)).to_contain_text("from 11:59:00 to 12:00:00")
    server.send("stopped", error="full", **{"from": NOON.timestamp()})
    server.now += timedelta(hours=13)
    server.publish("at one")
    expect_texts(page, ["at noon", "at one"])
    page.clock.run_for(5_000)
    eventually(lambda: times(page) == ["Nov 23, 12:00:00.000", "01:00:00.000"])
    expect(notices(page)).to_contain_text("from Nov 23, 11:59:00 to Nov 23, 12:00:00")
    server.now += timedelta(days=400)
    server.send("heartbeat")
    page.clock.run_for(5_000)
    eventually(lambda: times(page) == ["Nov 23, 2026, 12:00:00.000", "Nov 24, 2026, 01:00:00.000"])
    expect(solo(page, "a")).to_have_attribute("title", re.compile("at Nov 24, 2026, 01:00:0"))


def test_an_outage_that_lasts_says_its_day(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), own_clock=True))
    server.send("reconnecting", reason="redis", detail="", **{"from": NOON.timestamp()})
    expect(status(server.page)).to_contain_text("lost since 12:00:00.")
    server.now += timedelta(days=1)
    server.send("heartbeat")
    server.page.clock.run_for(5_000)
    expect(status(server.page)).to_contain_text("lost since Nov 23, 12:00:00.")


def test_rates_go_on_though_the_clock_was_set_back(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), own_clock=True))
    server.publish("before")
    expect_texts(server.page, ["before"])
    stop_clock(server.page)  # a rate covers the last five seconds
    server.now -= timedelta(hours=1)
    server.publish(*map(str, range(10)))
    server.page.clock.run_for(2_000)
    expect(rows(server.page)).to_have_count(11)
    expect(chip(server.page, "a").locator(".chip__rate")).to_have_text("2/s")


def test_a_gap_over_the_end_of_summer_time_shows_which_hour_it_means(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), timezone_id="America/New_York"))
    begin = datetime(2026, 11, 1, 5, 50, tzinfo=UTC).timestamp()
    server.send("gap", reason="redis", **{"from": begin, "to": begin + 1200})
    expect(notices(server.page)).to_contain_text("from Nov 1, 01:50:00 GMT-4 to Nov 1, 01:10:00 GMT-5")
