"""Recorded messages: played in the feed, searched, and compared with a late joiner's live ones."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import time

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from arauto.recording_core.log_keys import NAMES
from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_holding import button
from tests.support.accessibility import expect_no_violation
from tests.support.http import publish
from tests.support.logs import gaps, write_log
from tests.support.pages import (
    SERVER_AWAY,
    Contexts,
    Pages,
    expect_live,
    expect_texts,
    let_draw,
    notices,
    overflowing,
    rows,
    status,
    subscribe,
    texts,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

STATUS_400 = ("status of 400",)
HOUR = 3600
TICK = 100  # milliseconds between two steps of a replay, by the page's clock


@pytest.fixture
def redis(own_redis: RedisServer) -> RedisServer:
    """A Redis with a log of an hour with a gap on ``kept.a``, and one message in that hour on ``kept.b``."""
    began = round(time() - HOUR)
    keep(own_redis, "kept.a", began, {0: "first", 600: "second", 3000: "late", HOUR - 60: "last"}, gap=3)
    keep(own_redis, "kept.b", began, {4: "from another channel"})
    own_redis.client.sadd(NAMES, "kept.a", "kept.b")
    return own_redis


@pytest.fixture
def server(start: Start, redis: RedisServer, tmp_path: Path) -> Iterator[ArautoServer]:
    """A server whose recorder has taken both logs, each with a gap until then."""
    with closing(
        ArautoServer(tmp_path / "log", REDIS_URL=redis.url, ARAUTO_RECORD="kept.*", ARAUTO_WORKERS="1")
    ) as server:
        eventually(lambda: (gaps(redis, "kept.a"), gaps(redis, "kept.b")) == (2, 1))
        yield server
        assert "Traceback" not in server.log


@pytest.fixture
def open_page(contexts: Contexts, server: ArautoServer) -> Iterator[OpenPage]:
    """Opens pages, which close before the server: until then its recorder is a subscriber."""
    pages = Pages(contexts, server)
    yield pages.open
    pages.close()


def keep(
    redis: RedisServer, channel: str, began: int, messages: dict[int, str], gap: int | None = None
) -> None:
    entries = [((began + at) * 1000, {"m": text}) for at, text in messages.items()]
    entries += [] if gap is None else [((began + gap) * 1000, {"gap": str((began + gap - 2) * 1000)})]
    write_log(redis, channel, *sorted(entries, key=lambda entry: entry[0]))


def bar(page: Page) -> Locator:
    return page.get_by_role("form", name="Replay")


def said(page: Page) -> Locator:
    return bar(page).get_by_role("status")


def moment(page: Page) -> Locator:
    """The strip, in which a time is chosen."""
    return page.get_by_role("slider", name="Point in time")


def play(page: Page, since: str, speed: str = "no delay") -> None:
    bar(page).get_by_label("From").fill(since)
    bar(page).get_by_label("Speed").select_option(speed)
    bar(page).get_by_role("button", name="Play").click()


def test_the_past_is_played_and_live_goes_on(open_page: OpenPage, server: ArautoServer) -> None:
    page = open_page(view("other"), server=server, allow=STATUS_400)
    expect_live(page)
    expect(page.get_by_text("and nothing from before")).to_be_visible()
    expect(button(page, "Replay")).to_be_hidden()
    subscribe(page, "kept.a")
    subscribe(page, "kept.b")
    button(page, "Replay").click()
    expect(page.get_by_role("heading", name="Listening from now on")).to_be_visible()
    expect(page.get_by_text("and nothing from before")).to_be_hidden()
    publish(server, "kept.a", "live before")
    expect_texts(page, ["live before"])

    play(page, "first")
    past = ["first", "from another channel", "second", "late", "last", "live before"]
    expect_texts(page, past)
    expect(said(page)).to_have_text("The past ends here.")
    expect(page).to_have_url(re.compile("&since=first$"))
    # The first gap was written with the log, the others when the recorder took the logs.
    gaps = [re.compile(f"^{name} was not recorded from") for name in ("kept.a", "kept.[ab]", "kept.[ab]")]
    expect(notices(page)).to_have_text(gaps)
    publish(server, "other", "live meanwhile")
    live = bar(page).get_by_role("button", name="Back to live")
    expect(live).to_have_text("Back to live (1 new)")
    let_draw(page)
    assert texts(page) == past
    expect(status(page)).to_have_text("This is the past, not live.")

    for bad, sentence in (
        ("yesterday", "yesterday is not a point in time: write 10m,"),
        ("-1", "-1 is not a point in time: write 10m, 100"),
        ("25:99", "25:99 is not a point in time:"),
        ("24:00", "24:00 is not a point in time:"),
        ("32503679999", "That time has not come yet."),
    ):
        play(page, bad)
        expect(said(page)).to_contain_text(sentence)
        let_draw(page)
        assert texts(page) == past
    live.click()
    expect(status(page)).to_have_text("Live")
    assert "since" not in page.evaluate("location.search")
    expect_texts(page, ["live before", "live meanwhile"])
    expect(button(page, "Replay")).to_be_focused()


def test_the_time_bar_leads_to_a_moment_and_pause_holds_it(open_page: OpenPage, server: ArautoServer) -> None:
    page = open_page(view("kept.a"), server=server)
    expect_live(page)
    button(page, "Replay").click()
    expect(moment(page)).to_have_attribute("aria-valuetext", re.compile(r"\d message"))
    assert "since" not in page.evaluate("location.search")
    bar(page).get_by_label("Speed").select_option("1×")
    expect(moment(page)).to_have_attribute("aria-valuetext", re.compile(r", \d\d:\d\d:\d\d · \d messages?$"))
    moment(page).press("Home")
    expect_texts(page, ["first"])  # the second comes after ten minutes
    expect(status(page)).to_have_text("This is the past, not live.")
    began = moment(page).get_attribute("aria-valuetext")
    expect(bar(page).locator("time")).to_have_text(re.compile(r"\d\s*$"))
    button(page, "Pause").click()
    bar(page).get_by_label("Speed").select_option("no delay")
    publish(server, "kept.a", "meanwhile")
    expect(button(page, "Resume")).to_be_visible()
    expect(bar(page).get_by_role("button", name="Back to live")).to_have_text("Back to live (1 new)")
    page.evaluate(f"new Promise((done) => setTimeout(done, {TICK}))")
    let_draw(page)
    assert texts(page) == ["first"]
    button(page, "Resume").click()
    expect_texts(page, ["first", "second", "late", "last", "meanwhile"])
    assert moment(page).get_attribute("aria-valuetext") != began

    width = moment(page).evaluate("(strip) => strip.clientWidth")
    moment(page).click(position={"x": 2000 / HOUR * width, "y": 5})
    expect_texts(page, ["late", "last", "meanwhile"])

    moment(page).press("Home")
    expect_texts(page, ["first", "second", "late", "last", "meanwhile"])
    play(
        page,
        moment(page).evaluate(
            "strip => new Date((Number(strip.ariaValueMin) + 2000) * 1000).toTimeString().slice(0, 8)"
        ),
    )
    expect_texts(page, ["late", "last", "meanwhile"])


def test_the_strip_shows_what_is_recorded_and_is_dragged(
    open_page: OpenPage, server: ArautoServer, redis: RedisServer
) -> None:
    keep(
        redis, "kept.c", round(time()) - HOUR, {-60: "first", 600: "second", 3000: "late", HOUR - 60: "last"}
    )
    page = open_page(view("kept.c", "kept.b"), server=server)
    expect_live(page)
    button(page, "Replay").click()
    strip = page.locator("#volume")
    expect(strip.locator(".volume__now")).to_have_text("5 messages recorded, of any severity")
    expect(strip.locator(".volume__sentence")).to_have_text(
        re.compile(r"^.* to .*: 5 messages · messages may be missing$")
    )
    expect(strip.locator(".volume__none").last).to_have_attribute("d", re.compile("^M"))
    table = strip.get_by_role("table")
    expect(table.get_by_role("row").nth(1).get_by_role("cell").first).to_have_text("2")

    bar(page).get_by_label("Speed").select_option("no delay")
    box = moment(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + 5)
    expect(strip.locator(".volume__value")).to_have_text(re.compile(r": \d messages?$"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 5)
    moved = bar(page).locator("time")
    expect(moved).to_have_text(re.compile(r"\d\d:\d\d"))
    before = moved.text_content()
    # The pointer may leave the strip meanwhile.
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 200)
    expect(moved).not_to_have_text(before or "")
    let_draw(page)
    assert rows(page).count() == 0
    page.mouse.up()
    expect_texts(page, ["late", "last"])

    bar(page).get_by_label("Speed").select_option("1×")
    moment(page).focus()
    page.keyboard.press("Home")
    expect_texts(page, ["first"])
    page.keyboard.press("ArrowRight")
    expect_texts(page, ["from another channel"])
    page.keyboard.press(" ")  # the replay pauses too, and the strip keeps the focus
    expect(button(page, "Resume")).to_be_visible()
    shown = strip.locator(".volume__value").text_content() or ""
    assert re.search(r": \d messages?$", shown)
    moment(page).hover(position={"x": 100, "y": 5})
    expect(strip.locator(".volume__value")).not_to_have_text(shown)
    page.mouse.move(640, 700)  # the text is that of the position again
    expect(strip.locator(".volume__value")).to_have_text(shown)
    bar(page).get_by_role("button", name="Back to live").click()
    expect(page.get_by_role("slider", name="Messages of the last 5 minutes")).to_be_visible()
    expect(strip.locator(".volume__sentence")).to_have_text(re.compile("^All channels, last 5 minutes"))


def test_the_filter_searches_the_whole_log(
    open_page: OpenPage, server: ArautoServer, redis: RedisServer
) -> None:
    numbers = {n: "x" * 300_000 * (n % 800 == 0) + f"number {n}" for n in range(4000)}
    keep(redis, "kept.many", round(time()) - 5000, numbers)
    page = open_page(view("kept.many"), server=server)
    expect_live(page)
    search = button(page, "Search the past")
    expect(button(page, "Replay")).to_be_visible()
    expect(search).to_be_hidden()
    filter_field(page).fill("/ (7|39)99$/")
    search.click()
    expect_texts(page, ["number 799", "number 3999"])
    expect(page.get_by_text("Listening from now on")).to_be_hidden()
    expect(said(page)).to_have_text("4,000 searched, 2 found")
    publish(server, "kept.many", "number 799")
    expect_texts(page, ["number 799", "number 3999"])
    bar(page).get_by_role("button", name="Back to live").click()
    expect_texts(page, ["number 799"])
    expect(bar(page)).to_be_hidden()


def test_the_server_searches_the_log_answer_by_answer(
    open_page: OpenPage, server: ArautoServer, redis: RedisServer
) -> None:
    numbers = {n: "x" * 300_000 * (n % 800 == 0) + f"number {n}" for n in range(4000)}
    keep(redis, "kept.many", round(time()) - 5000, numbers)
    page = open_page(view("kept.many"), server=server)
    expect_live(page)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url) if "messages?" in request.url else None)
    filter_field(page).fill("channel:many (xxx OR number=3999 OR 3998)")
    button(page, "Search the past").click()
    expect(said(page)).to_have_text("4,000 searched, 6 found")
    expect(rows(page)).to_have_count(6)
    searched = [url for url in requested if "filter=channel" in url]
    assert 1 < len(searched) < 10
    assert all(
        "limit=1&" in f"{url}&" for url in requested if url not in searched
    )  # the start and the end of the log


def test_another_filter_or_selection_searches_anew(open_page: OpenPage, server: ArautoServer) -> None:
    page = open_page(view("kept.a"), server=server)
    expect_live(page)
    expect(button(page, "Replay")).to_be_visible()
    filter_field(page).fill("second")
    button(page, "Search the past").click()
    expect_texts(page, ["second"])
    filter_field(page).fill("/second|last|another/")
    expect_texts(page, ["second", "last"])
    subscribe(page, "kept.b")
    expect_texts(page, ["from another channel", "second", "last"])
    bar(page).get_by_label("Speed").select_option("1×")
    filter_field(page).fill("")
    expect_texts(page, ["first", "from another channel", "second", "late", "last"])
    expect(said(page)).to_have_text("5 searched, 5 found")
    bar(page).get_by_role("button", name="Back to live").click()
    filter_field(page).fill("s")
    expect_texts(page, [])


def test_a_regex_that_is_too_slow_for_the_past_ends_the_search(
    open_page: OpenPage, server: ArautoServer, redis: RedisServer
) -> None:
    keep(redis, "kept.slow", round(time()) - 100, {1: "quick", 2: "one_" * 8 + "!", 3: "quick again"})
    page = open_page(view("kept.slow"), server=server)
    expect_live(page)
    filter_field(page).fill(r"/^(\w+\s?)+$/")
    button(page, "Search the past").click()
    expect(said(page)).to_contain_text("is too slow: it was stopped")
    filter_field(page).fill("/quick/")
    button(page, "Search the past").click()
    expect(said(page)).to_have_text("3 searched, 2 found")


def test_what_is_wrong_with_a_point_in_time_outlasts_a_search(open_page: OpenPage) -> None:
    page = open_page(view("kept.a"), allow=("net::ERR_ABORTED",))
    expect_live(page)
    filter_field(page).fill("first")
    routes: list[Route] = []
    page.route("**/channels/messages?*", lambda route: routes.append(route))
    button(page, "Search the past").click()
    eventually(lambda: page.evaluate("1") and routes)
    bar(page).get_by_label("From").fill("banana")
    bar(page).get_by_label("From").press("Enter")
    expect(said(page)).to_contain_text("banana is not a point in time")
    routes[0].fulfill(body="")
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    let_draw(page)
    expect(said(page)).to_contain_text("banana is not a point in time")


def test_a_phone_on_its_side_has_one_line_for_the_past(open_page: OpenPage) -> None:
    page = open_page(view("kept.a"), width=844, height=390, has_touch=True, is_mobile=True)
    expect_live(page)
    button(page, "Replay").click()
    play(page, "first")
    expect(button(page, "Back to live")).to_be_visible()
    found = bar(page).bounding_box()
    assert found is not None
    assert found["height"] < 50


def test_axe_finds_no_barrier_in_the_past(open_page: OpenPage, server: ArautoServer) -> None:
    for language in ("en", "pt-BR"):
        page = open_page(view("kept.a", "kept.b"), server=server, language=language, allow=STATUS_400)
        expect_live(page)
        page.locator(".filter__text").fill("a")
        page.locator("[name=search]").click()
        expect(page.locator("#replay p")).to_have_text(re.compile("^5 "))
        page.locator("#replay [name=since]").fill("x")
        page.keyboard.press("Enter")
        expect(page.locator("#replay p")).to_contain_text("10m, 14:30, ")
        expect_no_violation(page, "found in the past, and a bad point")
        for width, height in ((360, 740), (1280, 800)):
            page.set_viewport_size({"width": width, "height": height})
            assert overflowing(page) == [], (width, height)
        page.locator("[name=lanes]").click()
        page.locator("#lanes .button").click()
        expect(page.locator("#lanes .row")).not_to_have_count(0)
        expect_no_violation(page, "two lanes")


def test_a_late_joiner_receives_the_rest_live_and_all_of_it_recorded(
    open_page: OpenPage, server: ArautoServer, redis: RedisServer
) -> None:
    page = open_page(view("kept.a"), server=server, allow=SERVER_AWAY)
    expect_live(page)
    button(page, "Replay").click()
    bar(page).get_by_role("button", name="Arriving late").click()
    view_of_both = page.get_by_role("dialog", name="Arriving late")
    publish(server, "kept.a", "before")
    view_of_both.get_by_role("button", name="Arrive now").click()
    live, recorded = (view_of_both.get_by_role("region", name=name) for name in ("Live only", "Recorded"))
    past = ["first", "second", "late", "last", "before"]
    expect(recorded.locator(".row__data")).to_have_text(past)
    # The log's own gap, and one until the recorder took it.
    expect(recorded.locator(".notice")).to_have_count(2)
    expect(live.locator("li")).to_have_text(["Nothing: I was not here."])
    eventually(
        lambda: redis.client.pubsub_numsub("kept.a") == [(b"kept.a", 3)], why="both lanes are subscribed"
    )
    publish(server, "kept.a", "after")
    expect(live.locator(".row__data")).to_have_text(["after"])
    expect(recorded.locator(".row__data")).to_have_text([*past, "after"])
    for n in range(203):
        redis.client.publish("kept.a", f"flood {n}")
    expect(live.locator(".row__data").last).to_have_text("flood 202")
    expect(recorded.locator(".row__data").last).to_have_text("flood 202")
    expect(live.locator(".notice").first).to_have_text("4 older messages are not shown")
    expect(recorded.locator(".notice").first).to_have_text("9 older messages are not shown")
    redis.client.execute_command("CLIENT KILL TYPE pubsub")
    expect(live.locator(".notice").last).to_contain_text("kept.a was not recorded from")  # the recorder's gap
    view_of_both.get_by_role("button", name="Close").click()
    expect(view_of_both).to_be_hidden()
    expect(rows(page).locator(".row__data")).to_have_text(
        ["before", "after", *map("flood {}".format, range(203))]
    )
