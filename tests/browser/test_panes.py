"""Panes: up to four pages side by side, each with a socket and a subscriber of its own."""

import re

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_reading_modules import call
from tests.browser.test_views import ALERT, act, link, save, views
from tests.support.accessibility import expect_no_violation
from tests.support.pages import (
    STATUS_503,
    chips,
    expect_live,
    expect_noted,
    message_field,
    overflowing,
    show_part,
    texts,
    timers_held,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually

FULL = "At most 4 panes are shown: close one first. Each counts as a page."


def pane(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def inside(page: Page, name: str) -> FrameLocator:
    return pane(page, name).frame_locator("iframe")


def listeners(redis: RedisServer, channel: str) -> int:
    ((_, number),) = redis.client.pubsub_numsub(channel)
    return int(number)


def panes_in_address(page: Page) -> int:
    return int(page.evaluate("new URLSearchParams(location.search).getAll('pane').length"))


def on_the_last_seat(open_page: OpenPage, redis: RedisServer, start: Start) -> Page:
    """A page of a server that takes no other."""
    server = start(REDIS_URL=redis.url, ARAUTO_MAX_SOCKETS="1", ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server, color_scheme="light", allow=STATUS_503)
    expect_live(page)
    return page


def test_a_view_is_opened_beside_and_closed_with_the_keyboard_alone(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a", "b"), color_scheme="light")
    expect_live(page)
    views(page).get_by_role("button", name="Actions of the view Problems").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem")).to_have_text(["Open beside", "Copy link"])
    page.keyboard.press("Enter")
    expect(inside(page, "Problems").get_by_role("status").first).to_have_text("Live")
    assert listeners(valkey, "a") == 2
    valkey.client.publish("a", "all is well")
    valkey.client.publish("b", ALERT)
    expect(page.get_by_role("log").get_by_text("all is well")).to_be_visible()
    expect(inside(page, "Problems").get_by_role("log").get_by_text("Down")).to_be_visible()
    expect(inside(page, "Problems").get_by_text("all is well")).to_be_hidden()
    expect(inside(page, "Problems").get_by_role("button", name="Publish")).to_have_count(0)
    expect(inside(page, "Problems").get_by_role("region", name="Selection")).to_have_count(0)

    page.reload()
    field = inside(page, "Problems").get_by_role("combobox", name="Filter")
    expect(field).to_have_value("severity>=warning")
    field.fill("severity>=error")
    eventually(lambda: "severity%253E%253Derror" in page.evaluate("location.search"))
    page.reload()
    expect(field).to_have_value("severity>=error")
    expect(pane(page, "Problems").get_by_role("link", name="Open alone")).to_have_attribute(
        "href", re.compile("severity%3E%3Derror")
    )

    pane(page, "Problems").get_by_role("button", name="Close the pane Problems").focus()
    page.keyboard.press("Enter")
    expect(pane(page, "Problems")).to_have_count(0)
    expect(page.get_by_role("log")).to_be_focused()
    assert panes_in_address(page) == 0
    eventually(lambda: listeners(valkey, "a") == 1)


def test_tab_leads_through_a_pane(open_page: OpenPage) -> None:
    page = open_page(f"{view('a')}&pane=name%3DB%26channel%3Db", color_scheme="light")
    expect(inside(page, "B").get_by_role("status").first).to_have_text("Live")
    pane(page, "B").get_by_role("button", name="Close the pane B").focus()
    page.keyboard.press("Tab")
    expect(inside(page, "B").get_by_role("combobox", name="Filter")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(pane(page, "B").get_by_role("button", name="Close the pane B")).to_be_focused()


def test_four_are_shown_and_no_more(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"), color_scheme="light", width=1920, height=1080)
    expect_live(page)
    filter_field(page).fill("x")
    save(page, "Mine")
    for name in ("Everything", "Problems", "Mine"):
        act(page, name, "Open beside")
        expect(inside(page, name).get_by_role("status").first).to_have_text("Live")
    assert listeners(valkey, "a") == 4
    said = views(page).get_by_role("status")
    with timers_held(page):
        act(page, "Mine", "Open beside")
        expect(said).to_have_text(FULL)
        for width, height in ((1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            assert said.evaluate("(said) => said.scrollWidth <= said.clientWidth")
    assert panes_in_address(page) == 3
    link(page, "Problems").click()
    expect(filter_field(page)).to_have_value("severity>=warning")
    assert panes_in_address(page) == 3
    assert overflowing(page) == []
    expect_no_violation(page, "panes")


def test_a_link_with_too_many_panes_says_so(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a") + "".join(f"&pane=channel%3D{name}" for name in "bcde"), color_scheme="light")
    expect_noted(page, FULL)
    for name in ("Pane 2", "Pane 3", "Pane 4"):
        expect(inside(page, name).get_by_role("status").first).to_have_text("Live")
    expect_live(page)
    assert [listeners(valkey, name) for name in "abcde"] == [1, 1, 1, 1, 0]


def test_a_pane_for_which_there_is_no_seat_says_so(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    page = on_the_last_seat(open_page, own_redis, start)
    act(page, "Problems", "Open beside")
    expect(inside(page, "Problems").get_by_role("status").first).to_contain_text(
        "Too many pages are open: try again when one has been closed. A pane is a page, too."
    )
    expect_live(page)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (820, 1180)])
def test_a_phone_shows_one_pane_at_a_time(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(view("a"), width=width, height=height, has_touch=True)
    expect_live(page)
    show_part(page, "channels")
    act(page, "Problems", "Open beside")
    panes = page.get_by_role("navigation", name="Panes")
    expect(panes.get_by_role("button", name="Problems")).to_have_attribute("aria-pressed", "true")
    expect(pane(page, "Problems")).to_be_visible()
    expect(inside(page, "Problems").get_by_role("log")).to_be_visible()
    assert overflowing(page) == []
    expect_no_violation(page, "a pane on a phone")
    panes.get_by_role("button", name="This page").click()
    expect(pane(page, "Problems")).to_be_hidden()
    expect(page.get_by_role("log")).to_be_visible()
    panes.get_by_role("button", name="Problems").press("Enter")
    pane(page, "Problems").get_by_role("button", name="Close the pane Problems").click()
    expect(panes).to_be_hidden()
    expect(page.get_by_role("log")).to_be_visible()


def test_a_step_back_leads_to_the_view_before_and_leaves_the_panes(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light")
    expect_live(page)
    link(page, "Problems").click()
    expect(filter_field(page)).to_have_value("severity>=warning")
    act(page, "Everything", "Open beside")
    page.go_back()
    expect(filter_field(page)).to_have_value("")
    expect(pane(page, "Everything")).to_be_visible()
    assert panes_in_address(page) == 1


def test_what_is_written_survives_a_pane(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light")
    expect_live(page)
    message_field(page).fill("not sent yet")
    act(page, "Problems", "Open beside")
    expect(inside(page, "Problems").get_by_role("status").first).to_have_text("Live")
    pane(page, "Problems").get_by_role("button", name="Close the pane Problems").click()
    page.reload()
    expect(message_field(page)).to_have_value("not sent yet")


def test_panes_are_there_again_and_nothing_moves_for_them(open_page: OpenPage) -> None:
    page = open_page(f"{view('a')}&pane=name%3DB%26channel%3Db&pane=channel%3Dc", color_scheme="light")
    place = page.get_by_role("log").bounding_box()
    expect(inside(page, "B").get_by_role("status").first).to_have_text("Live")
    expect(inside(page, "Pane 3").get_by_role("status").first).to_have_text("Live")
    assert page.get_by_role("log").bounding_box() == place
    assert chips(page) == ["a"]


def test_a_pane_is_written_and_read_again(open_page: OpenPage) -> None:
    page = open_page(view("unused"))
    through = """({ paneText, readPanes }, [name, query]) => readPanes(new URLSearchParams([
      ["pane", paneText({ name, query: new URLSearchParams(query) })],
    ])).map(({ name, query }) => [name, String(query)])"""
    rest = "&order=oldest&as=wrapped&rows=comfortable"
    for name, query, expected in (
        ("Água & sal = 1#2+3", "channel=%C3%A1gua+%26+sal", "channel=%C3%A1gua+%26+sal" + rest),
        ("", "channel=a&pane=channel%3Db&wall=1&message=1-1", "channel=a" + rest),
        ("x", "channel=a&since=15m&hide=channel+a", f"channel=a&hide=channel+a{rest}&since=15m"),
    ):
        assert call(page, "views/pane_query", through, [name, query]) == [[name, expected]]
    many = "({ readPanes }) => readPanes(new URLSearchParams('pane=a&pane=b&pane=c&pane=d')).length"
    assert call(page, "views/pane_query", many) == 3
    assert texts(page) == []
