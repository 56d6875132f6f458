"""Characters that a browser's field would change are published, kept and copied unchanged."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_publish_form import forgetful, recent  # noqa: F401 - a fixture
from tests.browser.test_reading import choose
from tests.support.pages import (
    answer,
    expect_live,
    expect_noted,
    expect_texts,
    message_field,
    publish,
    publish_button,
    rows,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.waiting import PATIENCE

TEXTS = [
    "a\r\nb\r\n",
    "a\rb\n\nc\r",
    "\ufeffmark",
    "a\u2028b\u2029c\x85d",
    "nul\0\t\x0b\x1b[31m",
    '{"a":\r\n1}',
]


@pytest.fixture
def page(open_page: OpenPage, valkey: RedisServer) -> Page:
    page = open_page(view("exact"))
    expect_live(page)
    return page


@pytest.mark.parametrize("text", TEXTS)
def test_publish_again_sends_the_same_bytes(page: Page, valkey: RedisServer, text: str) -> None:
    valkey.client.publish("exact", text)
    choose(page, rows(page), "Edit and resend")
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("exact")
        assert pubsub.get_message(timeout=PATIENCE) is None  # the confirmation
        publish_button(page).click()
        message = pubsub.get_message(timeout=PATIENCE)
    assert message is not None
    assert message["data"] == text.encode()
    expect(message_field(page)).to_have_value("")


def test_what_becomes_of_carriage_returns_is_said(page: Page, valkey: RedisServer) -> None:
    valkey.client.publish("exact", "one\r\ntwo")
    choose(page, rows(page), "Edit and resend")
    note = page.locator("#publish-check")
    expect(page.locator("#publish-size")).to_have_text("8 bytes of 1 MB")
    expect(note).to_have_text("its carriage returns are sent too, unless you edit it")
    message_field(page).press("End")
    message_field(page).press("x")
    expect(note).to_have_text("edited: its carriage returns are gone")
    message_field(page).press("Backspace")
    expect(note).to_have_text("its carriage returns are sent too, unless you edit it")
    message_field(page).press("x")
    publish_button(page).click()
    expect(rows(page)).to_have_count(2)
    expect(note).to_have_text("")
    expect_texts(page, ["one\r\ntwo", rows(page).nth(1).locator(".row__data").text_content() or ""])
    assert "\r" not in str(rows(page).nth(1).locator(".row__data").text_content())


def test_last_sends_and_templates_keep_it(
    forgetful: OpenPage,  # noqa: F811
    valkey: RedisServer,
) -> None:
    page = forgetful(view("exact"))
    expect_live(page)
    text = "one\r\ntwo\rthree"
    valkey.client.publish("exact", text)
    choose(page, rows(page), "Edit and resend")
    dialog = recent(page)
    dialog.get_by_label("Name of the template").fill("Lines")
    dialog.get_by_role("button", name="Save as template").click()
    page.keyboard.press("Escape")
    publish_button(page).click()
    expect_texts(page, [text] * 2)
    page.reload()
    expect_live(page)
    for name in ("Lines exact one two three", "exact one two three"):
        recent(page).get_by_role("button", name=name, exact=True).click()
        expect(message_field(page)).to_have_value("one\ntwo\nthree")
        publish_button(page).click()
        expect(answer(page)).to_contain_text("1 subscriber received it")
        expect(message_field(page)).to_have_value("")
    expect_texts(page, [text] * 2)


@pytest.mark.parametrize("text", TEXTS)
def test_copying_on_plain_http_copies_the_same_text(
    open_page: OpenPage, valkey: RedisServer, text: str
) -> None:
    page = open_page(view("exact"), permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    page.evaluate("""() => {
      const kept = navigator.clipboard;
      window.readClipboard = () => kept.readText();
      delete Navigator.prototype.clipboard;
    }""")
    valkey.client.publish("exact", text)
    choose(page, rows(page), "Copy text")
    expect_noted(page, "Copied")
    assert page.evaluate("readClipboard()") == text


def test_without_scripts_a_line_end_is_a_line_feed(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(java_script_enabled=False)
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("exact")
        assert pubsub.get_message(timeout=PATIENCE) is None  # the confirmation
        publish(page, "exact", "one\ntwo\n")
        message = pubsub.get_message(timeout=PATIENCE)
    assert message is not None
    assert message["data"] == b"one\ntwo\n"
