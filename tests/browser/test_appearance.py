"""The appearance by the system's and the person's choice, kept in the browser; and installing the page."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.fake_server import NOON, FakeServer
from tests.support.http import get
from tests.support.pages import expect_live, notices, rows, solo, status, stop_clock, view
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

REFRESH = 5_000  # milliseconds after which the page updates relative times


def choose(page: Page, **choices: str) -> None:
    page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    for label, option in choices.items():
        dialog.get_by_role("combobox", name=label).select_option(option)
    dialog.get_by_role("button", name="Close").click()


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_colours_follow_the_system_until_chosen(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light")
    light = background(page)
    page.emulate_media(color_scheme="dark")
    dark = background(page)
    assert light != dark
    choose(page, Colours="light")
    assert background(page) == light
    choose(page, Colours="dark")
    page.emulate_media(color_scheme="light")
    page.reload()
    assert background(page) == dark
    choose(page, Colours="system")
    assert background(page) == light


def test_text_and_rows_have_the_size_that_was_chosen(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"), color_scheme="light")
    expect_live(page)
    valkey.client.publish("a", "x")
    expect(rows(page)).to_have_count(1)
    normal = height(page)
    choose(page, Rows="compact")
    compact = height(page)
    choose(page, Text="large")
    assert compact < normal
    assert height(page) > compact
    expect(page.locator("html")).to_have_css("font-size", "18px")
    page.reload()
    expect(page.locator("html")).to_have_css("font-size", "18px")


def height(page: Page) -> float:
    box = rows(page).first.bounding_box()
    assert box is not None
    return box["height"]


def test_times_are_shown_as_selected(open_page: OpenPage) -> None:
    page = open_page(view("other"), own_clock=True)
    server = FakeServer(page)
    stop_clock(page)
    server.publish("first")
    page.clock.run_for(500)
    time = rows(page).first.get_by_role("time")
    expect(time).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    exact = time.text_content() or ""
    choose(page, Clock="12 hours")
    expect(time).to_have_text(re.compile(r"^(0[1-9]|1[0-2]):\d\d:\d\d\.\d{3} [AP]M$"))
    assert (time.text_content() or "")[2:12] == exact[2:]
    page.clock.run_for(5_000)
    choose(page, Times="how long ago")
    expect(time).to_have_text("5s ago")
    server.now += timedelta(seconds=70)
    server.send("heartbeat")
    page.clock.run_for(REFRESH)
    expect(time).to_have_text(re.compile(r"^1m(in)? ago$"))
    choose(page, Times="with milliseconds", Clock="24 hours")
    expect(time).to_have_text(exact)


def test_times_are_those_of_utc_where_that_is_chosen(open_page: OpenPage) -> None:
    page = open_page(view("other"), own_clock=True)
    server = FakeServer(page)
    late = NOON + timedelta(hours=10)  # in UTC it is the next day
    server.now = late
    server.send("gap", reason="redis", **{"from": late.timestamp() - 7200, "to": late.timestamp()})
    server.publish("late")
    server.send("stopped", error="full", **{"from": late.timestamp()})
    server.send("reconnecting", reason="redis", detail="", **{"from": late.timestamp()})
    time = rows(page).first.get_by_role("time")
    expect(time).to_have_text("22:00:00.000")
    rows(page).first.hover()
    choose(page, **{"Time zone": "UTC"})
    expect(time).to_have_text("01:00:00.000 UTC")
    expect(time).to_have_attribute("title", "Tuesday, November 24, 2026 at 01:00:00 UTC")
    gap = "from Nov 23, 23:00:00 UTC to Nov 24, 01:00:00 UTC"
    expect(notices(page)).to_contain_text(gap)
    expect(status(page)).to_contain_text("lost since 01:00:00 UTC.")
    page.clock.run_for(1_000)
    expect(solo(page, "a")).to_have_attribute("title", re.compile("at 01:00:00 UTC$"))
    choose(page, Clock="12 hours")
    expect(time).to_have_text("01:00:00.000 AM UTC")
    expect(time).to_have_attribute("title", re.compile("1:00:00 AM UTC$"))
    page.reload()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_contain_text(
        "All times are UTC; quiet hours are those of this computer: America/Sao_Paulo, GMT-3"
    )


def test_a_time_of_day_is_looked_for_in_the_zone_that_is_shown(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    last = """async (now) => {
      const { lastTime } = await import("./static/js/ui/timestamps.js");
      const { setServerTime } = await import("./static/js/lib/clock.js");
      setServerTime(now);
      return lastTime(0, 30).toISOString();
    }"""
    now = (NOON + timedelta(hours=10)).timestamp()
    assert page.evaluate(last, now) == "2026-11-23T03:30:00.000Z"
    page.evaluate("localStorage.setItem('arauto', JSON.stringify({ zone: 'utc' }))")
    page.reload()
    assert page.evaluate(last, now) == "2026-11-24T00:30:00.000Z"


def test_the_time_zone_is_shown(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_contain_text(
        "All times are those of this computer: America/Sao_Paulo, GMT-3"
    )


@pytest.mark.parametrize("kept", ["{", "null", "[]", '"x"'])
def test_what_was_kept_may_be_spoilt(open_page: OpenPage, kept: str) -> None:
    page = open_page(view("a"), color_scheme="light")
    page.evaluate("(kept) => localStorage.setItem('arauto', kept)", kept)
    page.reload()
    expect_live(page)
    choose(page, Colours="dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_page_can_be_installed(open_page: OpenPage, plain_arauto: ArautoServer) -> None:
    page = open_page(view("a"))
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/static/manifest.webmanifest")
    problems = eventually(lambda: session.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert [problem["errorId"] for problem in problems if problem["errorId"] != "in-incognito"] == []
    for icon in ("icon-192.png", "icon-512.png"):
        assert get(plain_arauto, f"/static/{icon}").body.startswith(b"\x89PNG")
