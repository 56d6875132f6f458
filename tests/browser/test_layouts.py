"""Single keys on any keyboard layout: by their letter if it is Latin, else by their position."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_holding import button
from tests.support.pages import chip, expect_live, expect_texts, log, message_field, row, solo, view
from tests.support.redis_servers import RedisServer


def press(page: Page, key: str, code: str, **more: Any) -> bool:
    """Press a key of any layout; return whether the page handled it."""
    return not page.evaluate(
        """([key, code, more]) => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...more }))""",
        [key, code, more],
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"k": "л", "j": "о", "p": "з", "/": ".", "?": ","},
        {"k": "κ", "j": "ξ", "p": "π", "/": "/", "?": "?"},
        {"k": "ل", "j": "ت", "p": "ح", "/": "ظ", "?": "؟"},
    ],
    ids=["Cyrillic", "Greek", "Arabic"],
)
def test_letters_that_are_not_latin_act_by_their_place(
    open_page: OpenPage, valkey: RedisServer, keys: dict[str, str]
) -> None:
    page = open_page(view("letters"))
    expect_live(page)
    valkey.client.publish("letters", "first")
    valkey.client.publish("letters", "second")
    expect_texts(page, ["first", "second"])
    press(page, keys["k"], "KeyK")
    expect(row(page, "second")).to_be_focused()
    press(page, keys["k"], "KeyK")
    expect(row(page, "first")).to_be_focused()
    press(page, keys["j"], "KeyJ", repeat=True)
    expect(row(page, "second")).to_be_focused()
    press(page, keys["/"], "Slash")
    expect(filter_field(page)).to_be_focused()
    log(page).focus()
    press(page, keys["p"], "KeyP")
    expect(message_field(page)).to_be_focused()
    log(page).focus()
    press(page, keys["?"], "Slash", shiftKey=True)
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_latin_letters_act_wherever_they_are(open_page: OpenPage) -> None:
    """Dvorak has p in the place of r, and l in that of p; AZERTY needs Shift for a slash."""
    page = open_page(view("a"))
    log(page).focus()
    assert not press(page, "l", "KeyP")
    assert not press(page, "é", "KeyP")
    assert not press(page, ".", "Slash")
    expect(log(page)).to_be_focused()
    assert press(page, "p", "KeyR")
    expect(message_field(page)).to_be_focused()
    log(page).focus()
    assert press(page, "/", "Period", shiftKey=True)
    expect(filter_field(page)).to_be_focused()


@pytest.mark.parametrize(
    "more",
    [
        {"ctrlKey": True},
        {"altKey": True},
        {"metaKey": True},
        {"modifierAltGraph": True},
        {"isComposing": True},
        {"keyCode": 229},
    ],
    ids=lambda more: next(iter(more)),
)
def test_no_key_acts_with_a_modifier_or_in_a_composition(
    open_page: OpenPage, valkey: RedisServer, more: dict[str, Any]
) -> None:
    page = open_page(view("a", "b"))
    expect_live(page)
    valkey.client.publish("a", "first")
    valkey.client.publish("a", "second")
    expect_texts(page, ["first", "second"])
    log(page).focus()
    for key, code in (("p", "KeyP"), ("з", "KeyP"), ("/", "Slash"), (" ", "Space"), ("?", "Slash")):
        assert not press(page, key, code, **more)
    expect(log(page)).to_be_focused()
    solo(page, "a").focus()
    assert not press(page, "ArrowRight", "ArrowRight", **more)
    assert not press(page, "Delete", "Delete", **more)
    expect(chip(page, "a")).to_be_visible()
    expect(solo(page, "a")).to_be_focused()
    row(page, "first").hover()
    actions = row(page, "first").get_by_role("button", name="Actions")
    actions.focus()
    assert not press(page, "ArrowDown", "ArrowDown", **more)
    expect(actions).to_be_focused()
    actions.click()
    item = page.get_by_role("menuitemradio", name="Wrap lines")
    expect(item).to_be_focused()
    assert not press(page, "ArrowDown", "ArrowDown", **more)
    expect(item).to_be_focused()
    expect(button(page, "Pause")).to_be_visible()
