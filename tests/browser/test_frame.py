"""The layout: rail, feed and form side by side, or one at a time on a small screen."""

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from arauto.web.locale import LANGUAGES
from tests.browser.conftest import OpenPage
from tests.support.pages import answer, chip, expect_live, expect_texts, log, publish, rows, show_part, view
from tests.support.redis_servers import RedisServer

_WATCH_SHIFTS = """() => {
  window.shifts = new PerformanceObserver((list) => {
    list.getEntries().forEach(({ value }) => (window.sum += value));
  });
  window.sum = 0;
  window.shifts.observe({ type: "layout-shift" });
}"""
_SHIFTS = "() => window.shifts.takeRecords().reduce((sum, { value }) => sum + value, window.sum)"


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Parts of the page").get_by_role("button", name=name)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (360, 740)])
def test_the_feed_has_most_of_a_phone(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(view("a", "b"), width=width, height=height, has_touch=True)
    expect_live(page)
    place = log(page).bounding_box()
    assert place is not None
    assert place["height"] >= 0.75 * height


def test_a_laptop_shows_many_alerts_at_once(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("alerts"))
    expect_live(page)
    alert = {"severity": "error", "title": "login failures", "message": "from one network", "count": 214}
    for _ in range(40):
        valkey.client.publish("alerts", json.dumps(alert))
    expect(rows(page)).to_have_count(40)
    place = log(page).bounding_box()
    assert place is not None
    tops = rows(page).evaluate_all("rows => rows.map((row) => row.getBoundingClientRect().top)")
    assert sum(top >= place["y"] for top in tops) >= 18


def test_a_phone_shows_one_part_at_a_time(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"), width=390, height=844)
    expect_live(page)
    expect(chip(page, "a")).to_be_hidden()
    expect(page.locator("#publish-message")).to_be_hidden()
    tab(page, "Channels").click()
    expect(tab(page, "Channels")).to_have_attribute("aria-pressed", "true")
    expect(chip(page, "a")).to_be_visible()
    expect(page.locator("#publish-message")).to_be_hidden()
    publish(page, "a", "from a phone")
    expect_texts(page, ["from a phone"])
    expect(rows(page).last).to_be_in_viewport()  # above the form
    expect(answer(page)).to_contain_text("1 subscriber received it")
    expect(chip(page, "a")).to_be_hidden()


def test_the_parts_are_reached_by_keyboard(open_page: OpenPage) -> None:
    page = open_page(view("a"), width=390, height=844)
    expect_live(page)
    page.keyboard.press("p")
    expect(page.locator("#publish-message")).to_be_focused()
    page.keyboard.type("not sent yet")
    page.keyboard.press("Escape")
    expect(tab(page, "Publish")).to_be_focused()
    expect(page.locator("#publish-message")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#publish-message")).to_have_value("not sent yet")
    tab(page, "Channels").press("Enter")
    page.get_by_role("button", name="Remove channel a").press("Enter")
    expect(page.get_by_label("Channel or pattern to subscribe to")).to_be_focused()


def test_what_is_refused_shows_on_the_tab(open_page: OpenPage) -> None:
    page = open_page(view("a"), width=390, height=844)
    expect_live(page)
    mark = "(tab) => getComputedStyle(tab, '::after').content"
    assert tab(page, "Channels").evaluate(mark) == "none"
    tab(page, "Channels").click()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.locator("#choose-problem")).not_to_be_empty()
    assert tab(page, "Channels").evaluate(mark) == '""'


def test_fields_grow_for_fingers(open_page: OpenPage) -> None:
    page = open_page(view("a"), width=390, height=844, has_touch=True, is_mobile=True)
    expect_live(page)
    show_part(page, "channels")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")].filter((element) => {
          const { width, height } = element.getBoundingClientRect();
          return element.checkVisibility() && width > 1 && height < 44;
        }).map((element) => element.outerHTML)"""
    )
    assert small == []


def test_nothing_shifts_while_many_channels_are_busy(open_page: OpenPage, valkey: RedisServer) -> None:
    names = [f"team.{n}.events" for n in range(25)]
    page = open_page(view(*names))
    expect_live(page)
    page.evaluate(_WATCH_SHIFTS)
    for first in range(0, 1200, 40):  # more rows than a feed keeps, but never more than it draws at once
        for n in range(first, first + 40):
            alert = {"severity": "error", "title": f"number {n}.", "n": n}
            valkey.client.publish(names[n % 25], json.dumps(alert))
        expect(rows(page).last).to_contain_text(f"number {n}.")
    expect(chip(page, names[0]).locator(".chip__rate")).not_to_be_empty()
    assert page.evaluate(_SHIFTS) < 0.02


def test_what_is_said_of_json_moves_no_button(open_page: OpenPage) -> None:
    for language in LANGUAGES:
        page = open_page(view("a"), language=language)
        expect_live(page)
        buttons = page.locator("#publish-button, #drafts-open, #publish-times").all()
        places = [button.bounding_box() for button in buttons]
        for text, state in (('{"a": ', "#publish-check:not(:empty)"), ('{"a": 1}', "#publish-format")):
            page.locator("#publish-message").fill(text)
            expect(page.locator(state)).to_be_visible()
            assert [button.bounding_box() for button in buttons] == places, (language, text)


def test_a_long_name_of_the_server_gives_way_to_the_status(open_page: OpenPage) -> None:
    page = open_page(view("a"), language="pt-BR")
    expect_live(page)
    status = page.get_by_role("status").filter(has_text="Ao vivo")
    name = page.locator(".standing__redis")
    before = status.bounding_box()
    name.evaluate(
        "(name) => { name.textContent = 'redis+sentinel://' + 'host-of-a-sentinel:26379,'.repeat(4) }"
    )
    for width in (820, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        expect(name).to_be_in_viewport(ratio=1)
        now = status.bounding_box()
        assert before
        assert now
        assert (now["height"], now["width"]) == (before["height"], before["width"]), width


def test_the_channel_dialog_keeps_its_height(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    page.get_by_role("button", name="Browse channels").click()
    dialog = page.get_by_role("dialog", name="Active channels")
    expect(dialog.get_by_role("row")).to_have_count(2)
    place = dialog.bounding_box()
    dialog.get_by_label("Search").fill("nothing is called so")
    expect(dialog.get_by_role("row")).to_have_count(1)
    assert dialog.bounding_box() == place


@pytest.mark.parametrize("width", [390, 1280])
def test_a_filter_that_is_typed_moves_no_button(open_page: OpenPage, valkey: RedisServer, width: int) -> None:
    page = open_page(view("a"), width=width)
    expect_live(page)
    valkey.client.publish("a", "disk full")
    expect_texts(page, ["disk full"])
    buttons = page.locator("#desk .filter__only, #pause, #desk-more button:visible")
    places = [button.bounding_box() for button in buttons.all()]
    page.locator(".filter__text").fill("disk")
    expect(page.locator("#filter-count")).to_have_text("1 of 1")
    assert [button.bounding_box() for button in buttons.all()] == places
