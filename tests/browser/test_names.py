"""Any name is readable in the page's sentences, and does not change the text direction around it."""

import re

import pytest
from playwright.sync_api import Page, expect

from arauto.web.locale import LANGUAGES
from tests.browser.conftest import OpenPage
from tests.support.fake_server import NOON, FakeServer
from tests.support.pages import notices, overflowing, view

LONG = "orders." + "europe-" * 27 + "west"  # 200 characters, no space
TURNING = "a\u202eb"  # a right-to-left override
SINCE = {"from": NOON.timestamp() - 60, "to": NOON.timestamp()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_long_name_is_seen_whole(open_page: OpenPage, width: int, language: str) -> None:
    server = FakeServer(open_page(view("other"), width=width, language=language))
    page = server.page
    for reason in ("recorder", "log", "replaced", "unrecorded"):
        server.send("gap", reason=reason, channel=LONG, **SINCE)
    server.send("error", error=f"Redis does not let the user listen to {LONG}.")
    expect(page.locator("#choose-problem")).to_contain_text(LONG)
    expect(notices(page)).to_have_count(4)
    for place in (*notices(page).all(), page.locator("#choose-problem")):
        expect(place).to_contain_text(LONG)
        assert place.evaluate("({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth")
    assert overflowing(page) == []


def test_a_long_name_is_seen_whole_in_the_settings(open_page: OpenPage) -> None:
    page = FakeServer(open_page(view("other"), width=390), channels=[LONG]).page
    page.get_by_role("button", name="Settings").click()
    name = page.locator(".levels bdi").last
    expect(name).to_have_text(LONG)
    assert name.evaluate("({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth")


@pytest.mark.parametrize("name", [TURNING, "قناة \u202e", "\u2069\u202e"])
def test_a_name_turns_nothing_around_it(open_page: OpenPage, name: str) -> None:
    server = FakeServer(open_page(view("other")))
    server.send("gap", reason="recorder", channel=name, **SINCE)
    page = server.page
    expect(notices(page)).to_have_text(re.compile("was not recorded from 11:59:00 to 12:00:00"))
    assert left_of(page, "recorded") < left_of(page, "missing")


def left_of(page: Page, word: str) -> float:
    """The left edge of a word in the only notice."""
    return float(
        notices(page).evaluate(
            """(notice, word) => {
              const range = new Range();
              const at = notice.firstChild.data.indexOf(word);
              range.setStart(notice.firstChild, at);
              range.setEnd(notice.firstChild, at + word.length);
              return range.getBoundingClientRect().left;
            }""",
            word,
        )
    )
