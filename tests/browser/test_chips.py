"""Chips of many channels: colour, rate and last time; one alone, some hidden; by mouse and keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.fake_server import FakeServer
from tests.support.pages import (
    chip,
    chips,
    expect_confirmed,
    expect_live,
    expect_texts,
    hide,
    log,
    overflowing,
    rows,
    show_part,
    solo,
    stop_clock,
    unsubscribe,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually


def shown(page: Page) -> list[str]:
    """The visible messages."""
    return page.locator(".row:not([hidden]) .row__data").all_text_contents()


def test_one_name_is_shown_alone_and_the_rest_comes_back(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a", "with space", patterns=("p*",)))
    expect_live(page)
    for channel in ("a", "with space", "px"):
        valkey.client.publish(channel, f"1 {channel}")
    expect(rows(page)).to_have_count(3)
    solo(page, "with space").click()
    expect(solo(page, "with space")).to_have_attribute("aria-pressed", "true")
    # The buttons have the chip's background, and as much contrast as its name.
    name_color = solo(page, "with space").evaluate("(one) => getComputedStyle(one).color")
    buttons = page.locator('.chip:has([aria-pressed="true"]) > button:not(.chip__solo)')
    expect(buttons).to_have_count(3)
    for button in buttons.all():
        expect(button).to_have_css("color", name_color)
    eventually(lambda: shown(page) == ["1 with space"])
    for channel in ("a", "with space", "px"):
        valkey.client.publish(channel, f"2 {channel}")
    eventually(lambda: shown(page) == ["1 with space", "2 with space"])
    solo(page, "p*").click()
    eventually(lambda: shown(page) == ["1 px", "2 px"])
    solo(page, "p*").click()
    eventually(lambda: len(shown(page)) == 6)


def test_a_hidden_name_stays_subscribed(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a", "b"))
    expect_live(page)
    hide(page, "a").click()
    expect(hide(page, "a")).to_have_attribute("aria-pressed", "true")
    assert valkey.client.publish("a", "hidden") == 1
    valkey.client.publish("b", "seen")
    eventually(lambda: shown(page) == ["seen"])
    hide(page, "a").click()
    eventually(lambda: shown(page) == ["hidden", "seen"])


def test_a_feed_of_hidden_names_says_why_it_is_blank(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    hide(page, "a").click()
    valkey.client.publish("a", "unseen")
    blank = page.get_by_text("Hidden with their channels: 1")
    expect(blank).to_be_visible()
    hide(page, "a").click()
    expect(blank).to_be_hidden()
    eventually(lambda: shown(page) == ["unseen"])


def test_removing_the_one_that_is_alone_shows_the_others(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a", "b"))
    expect_live(page)
    valkey.client.publish("b", "of b")
    expect_texts(page, ["of b"])
    solo(page, "a").click()
    eventually(lambda: shown(page) == [])
    unsubscribe(page, "a")
    eventually(lambda: shown(page) == ["of b"])


def test_a_chip_has_the_colour_of_its_rows_its_rate_and_the_last_time(open_page: OpenPage) -> None:
    page = open_page(view("other"), own_clock=True)
    server = FakeServer(page, channels=["quick", "quiet"])
    expect(solo(page, "quiet")).to_have_attribute("title", re.compile("No message yet"))
    stop_clock(page)
    server.publish(*map(str, range(40)))
    expect(page.locator("#welcome")).to_be_hidden()
    page.clock.run_for(2_500)
    expect(rows(page)).to_have_count(40)
    assert dot(page, ".row__channel") == dot(page, ".chip__solo")
    expect(chip(page, "quick").locator(".chip__rate")).to_have_text("8/s")
    page.clock.run_for(5_000)
    expect(chip(page, "quick").locator(".chip__rate")).to_have_text(re.compile("^[67]s$"))
    expect(solo(page, "quick")).to_have_attribute("title", re.compile(r"Last message at \d\d:\d\d:\d\d"))
    expect(chip(page, "quiet").locator(".chip__rate")).to_have_text("")


def dot(page: Page, selector: str) -> str:
    """The colour of the dot before the element."""
    color = "(element) => getComputedStyle(element, '::before').backgroundColor"
    return str(page.locator(selector).first.evaluate(color))


def test_rates_that_come_and_go_move_nothing(open_page: OpenPage) -> None:
    page = open_page(view("other"), own_clock=True)
    server = FakeServer(page, channels=["orders", "payments", "users.signup", "deploys", "audit", "alerts"])
    place = log(page).bounding_box()
    width = chip(page, "orders").bounding_box()
    stop_clock(page)
    server.publish(*map(str, range(40)))
    expect(page.locator("#welcome")).to_be_hidden()
    for moment, rate in ((2_500, re.compile("^[0-9.]+/s$")), (5_000, re.compile("^[67]s$"))):
        page.clock.run_for(moment)
        expect(chip(page, "orders").locator(".chip__rate")).to_have_text(rate)
        assert chip(page, "orders").bounding_box() == width
        assert log(page).bounding_box() == place


def test_few_of_many_names_share_a_colour(open_page: OpenPage) -> None:
    page = open_page(view(*map("channel {}".format, range(25))))
    chips = page.locator(".chip__solo")
    expect(chips).to_have_count(25)
    colours = chips.evaluate_all(
        "chips => chips.map((chip) => getComputedStyle(chip, '::before').borderColor)"
    )
    assert len(set(colours)) > 20


def test_fifty_chips_by_keyboard(open_page: OpenPage, valkey: RedisServer) -> None:
    names = [f"channel {n}" for n in range(50)]
    page = open_page(view(*names))
    expect_live(page)
    expect_confirmed(page, "channel 49")
    solo(page, "channel 0").focus()
    page.keyboard.press("End")
    expect(solo(page, "channel 49")).to_be_focused()
    expect(solo(page, "channel 49")).to_be_in_viewport()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(solo(page, "channel 48")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    expect(hide(page, "channel 48")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # four stops, not two hundred
    assert not page.evaluate("document.activeElement.closest('.chips')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Delete")
    expect(page.locator(".chip")).to_have_count(49)
    assert "channel 48" not in chips(page)
    expect(page.get_by_role("button", name="Remove channel channel 49")).to_be_focused()
    for name in names:
        valkey.client.publish(name, name)
    expect_texts(page, [name for name in names if name != "channel 48"])
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        show_part(page, "channels")
        box = page.locator("#chips").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < height - 40  # the form to add a name stays in view
        assert overflowing(page) == []
        show_part(page, "feed")
        expect(rows(page).last).to_be_in_viewport()
