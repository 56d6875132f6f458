"""The storage is shared by all tabs: none overwrites newer data, and invalid data stop nothing."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_notifications import level, settings
from tests.browser.test_publish_form import recent
from tests.support.pages import channel_field, expect_live, expect_texts, message_field, publish, view
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

FULL = "This browser cannot save more for this page: changes last until the page is closed."


def kept(page: Page) -> dict[str, Any]:
    return dict(json.loads(page.evaluate("localStorage.getItem('arauto') ?? '{}'")))


def names(page: Page) -> list[str]:
    return [template.get("name") for template in kept(page).get("templates", []) if template]


def save(page: Page, name: str, message: str) -> None:
    message_field(page).fill(message)
    dialog = recent(page)
    dialog.get_by_label("Name of the template").fill(name)
    dialog.get_by_role("button", name="Save as template").click()
    expect(dialog.get_by_role("button", name=f"Delete {name}")).to_be_visible()
    close(page)


def close(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Close").click()


def two(open_page: OpenPage) -> tuple[Page, Page]:
    """Two tabs of one browser, which have both read the storage."""
    first, second = open_page(view("a")), open_page(view("a"))
    expect_live(first)
    expect_live(second)
    return first, second


def test_templates_of_two_tabs_are_both_kept(open_page: OpenPage) -> None:
    first, second = two(open_page)
    save(first, "of the first", "1")
    save(second, "of the second", "2")
    eventually(lambda: names(first) == ["of the second", "of the first"])
    expect(recent(first).get_by_role("button", name="Delete of the")).to_have_count(2)


def test_sends_and_levels_of_two_tabs_are_all_kept(open_page: OpenPage) -> None:
    first, second = two(open_page)
    for page, wanted in ((first, "critical only"), (second, "every message")):
        dialog = settings(page)
        level(dialog, "All channels" if page is first else "a").select_option(wanted)
        close(page)
        publish(page, "a", wanted)
        expect(message_field(page)).to_have_value("")
    eventually(lambda: len(kept(first)["sent"]) == 2)
    assert list(kept(first)["levels"].values()) == ["critical", "every"]
    assert [sent["message"] for sent in kept(first)["sent"]] == ["every message", "critical only"]


def test_what_is_forgotten_is_the_draft_and_not_its_place(open_page: OpenPage) -> None:
    first, second = two(open_page)
    save(first, "old", "1")
    dialog = recent(second)
    expect(dialog.get_by_role("button", name="Delete old")).to_be_visible()
    second.evaluate("addEventListener('storage', (event) => event.stopImmediatePropagation(), true)")
    second.evaluate(  # another tab saves a template at this moment
        """() => {
          const all = JSON.parse(localStorage.arauto);
          all.templates.unshift({ name: "new", channel: "a", message: "2" });
          localStorage.arauto = JSON.stringify(all);
        }"""
    )
    dialog.get_by_role("button", name="Delete old").click()
    expect(dialog.get_by_role("button", name="Delete new")).to_be_visible()
    assert names(second) == ["new"]


def test_a_tab_follows_what_another_changes(open_page: OpenPage) -> None:
    first, second = two(open_page)
    there = settings(second)
    dialog = settings(first)
    dialog.get_by_label("Colours").select_option("dark")
    level(dialog, "a").select_option("never")
    expect(second.locator("html")).to_have_attribute("data-theme", "dark")
    expect(there.get_by_label("Colours")).to_have_value("dark")
    expect(level(there, "a")).to_have_value("never")
    close(first)
    close(second)
    there = recent(second)
    save(first, "shared", "1")
    expect(there.get_by_role("button", name="Delete shared")).to_be_visible()


@pytest.mark.parametrize(
    "spoilt",
    [
        "null",
        "5",
        '{"templates": 5, "sent": null, "levels": "x", "view": [], "keys": 0, "theme": {}, "quiet_from": 1}',
        '{"templates": [null, {"channel": 1}], "sent": [{"message": "x"}, []], "levels": {"": 5}}',
    ],
)
def test_what_somebody_else_wrote_there_stops_nothing(
    open_page: OpenPage, valkey: RedisServer, spoilt: str
) -> None:
    page = open_page(view("a"))
    page.evaluate("(spoilt) => (localStorage.arauto = spoilt)", spoilt)
    page.reload()
    expect_live(page)
    settings(page)
    close(page)
    channel_field(page).fill("a")
    save(page, "Mine", "1")
    recent(page).get_by_role("button", name="Mine a 1", exact=True).click()
    page.keyboard.press("Control+Enter")
    expect_texts(page, ["1"])
    expect(message_field(page)).to_have_value("")
    assert names(page)[0] == "Mine"
    assert kept(page)["sent"][0] == {"kind": "channel", "channel": "a", "message": "1"}


def test_what_cannot_be_read_is_said(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    page.evaluate("localStorage.arauto = '{'")
    page.reload()
    expect_live(page)
    sentence = "What this browser has saved cannot be read: the next choice replaces it."
    expect(settings(page).get_by_role("status")).to_have_text(sentence)


def test_a_full_storage_says_so_and_takes_all_when_there_is_room(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    page.evaluate(
        """() => {
          const setItem = Storage.prototype.setItem;
          window.isFull = true;
          Storage.prototype.setItem = function (...rest) {
            if (isFull) throw new DOMException("full", "QuotaExceededError");
            setItem.apply(this, rest);
          };
        }"""
    )
    expect_live(page)
    save(page, "first", "1")
    dialog = settings(page)
    dialog.get_by_label("Colours").select_option("dark")
    expect(dialog.get_by_role("status")).to_have_text(FULL)
    close(page)
    save(page, "second", "2")
    dialog = recent(page)
    expect(dialog.get_by_role("status")).to_have_text(FULL)
    expect(dialog.get_by_role("button", name="Delete ")).to_have_count(2)
    assert kept(page) == {}
    page.evaluate("void (isFull = false)")
    dialog.get_by_role("button", name="Delete first").click()
    expect(dialog.get_by_role("status")).to_have_text("")
    assert (names(page), kept(page)["theme"]) == (["second"], "dark")
