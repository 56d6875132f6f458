"""Helpers of the form: templates, history, JSON, bursts, protected channels."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_reading import choose
from tests.support.pages import (
    STATUS_503,
    answer,
    channel_field,
    expect_live,
    expect_texts,
    message_field,
    publish,
    publish_button,
    rows,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import PATIENCE, eventually

PROTECTED = ("status of 409",)


@pytest.fixture
def forgetful(open_page: OpenPage) -> Iterator[OpenPage]:
    """Opens pages whose storage is emptied after the test."""
    opened: list[Page] = []

    def run(*arguments: object, **options: object) -> Page:
        page = open_page(*arguments, **options)
        opened.append(page)
        return page

    yield run
    for page in opened:
        page.evaluate("localStorage.clear()")


def recent(page: Page) -> Locator:
    page.get_by_role("button", name="Templates & history").click()
    return page.get_by_role("dialog", name="Templates & history")


def times(page: Page) -> Locator:
    return page.get_by_role("spinbutton", name="Repeat", exact=True)


# Sent messages and templates


def test_the_last_twenty_sends_come_back_after_a_reload(forgetful: OpenPage) -> None:
    page = forgetful(view("a"))
    expect_live(page)
    for number in range(22):
        publish(page, "a b", f"message {number}")
        expect(message_field(page)).to_have_value("")
    publish(page, "a b", "message 20")  # sent again: it moves up
    expect(message_field(page)).to_have_value("")
    page.reload()
    sends = recent(page).get_by_role("button", name=re.compile("^a b message"))
    expect(sends).to_have_count(20)
    expect(sends.first).to_have_text(re.compile("a b message 20"))
    expect(sends.last).to_have_text(re.compile("a b message 2$"))
    sends.nth(1).click()
    expect(channel_field(page)).to_have_value("a b")
    expect(message_field(page)).to_have_value("message 21")
    expect(message_field(page)).to_be_focused()


def test_a_template_is_kept_used_and_forgotten(forgetful: OpenPage, valkey: RedisServer) -> None:
    page = forgetful(view("a"))
    expect_live(page)
    channel_field(page).fill("a")
    message_field(page).fill('{"title":\n "disk <b>full</b>"}')
    dialog = recent(page)
    name = dialog.get_by_label("Name of the template")
    name.fill("  ")
    dialog.get_by_role("button", name="Save as template").click()
    expect(name).to_have_value("")  # the browser says that it is missing
    name.fill(" Disk ")
    dialog.get_by_role("button", name="Save as template").click()
    page.reload()
    expect_live(page)
    dialog = recent(page)
    dialog.get_by_role("button", name="Disk a", exact=False).first.click()
    publish_button(page).click()
    expect_texts(page, ['{"title":\n "disk <b>full</b>"}'])
    dialog = recent(page)
    dialog.get_by_role("button", name="Delete Disk").click()
    expect(dialog.get_by_role("button", name="Delete Disk")).to_have_count(0)


def test_what_is_not_kept_is_reported(forgetful: OpenPage) -> None:
    page = forgetful(view("a"))
    expect_live(page)
    page.evaluate("""() => {
      const template = (_, n) => ({ name: `t${n}`, channel: "a", message: `${n}` });
      localStorage.setItem("arauto", JSON.stringify({ templates: Array.from({ length: 100 }, template) }));
    }""")
    page.reload()
    expect_live(page)
    dialog = recent(page)
    dialog.get_by_label("Name of the template").fill("one more")
    dialog.get_by_role("button", name="Save as template").click()
    expect(dialog.get_by_role("status")).to_have_text("At most 100 templates are kept: delete one first.")
    expect(dialog.get_by_role("button", name=re.compile("^Delete"))).to_have_count(100)
    expect(dialog.get_by_role("button", name="Delete t99", exact=True)).to_have_count(1)
    page.keyboard.press("Escape")
    too_long = "A message of more than 20,000 characters is not kept here."
    publish(page, "a", "x" * 20_001)
    expect(message_field(page)).to_have_value("")
    dialog = recent(page)
    expect(dialog.get_by_role("status")).to_have_text(too_long)
    page.keyboard.press("Escape")
    publish(page, "a", "short")
    expect(message_field(page)).to_have_value("")
    expect(recent(page).get_by_role("status")).to_have_text("")
    page.keyboard.press("Escape")
    message_field(page).fill("x" * 20_001)
    dialog = recent(page)
    dialog.get_by_label("Name of the template").fill("t1")
    dialog.get_by_role("button", name="Save as template").click()
    expect(dialog.get_by_role("status")).to_have_text(too_long)


def test_a_browser_that_keeps_nothing_still_publishes(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"), own_clock=True)
    page.evaluate("void (Storage.prototype.setItem = () => { throw new DOMException('full') })")
    expect_live(page)
    publish(page, "a", "kept nowhere")
    expect_texts(page, ["kept nowhere"])
    expect(recent(page).get_by_role("button", name="kept nowhere").first).to_be_visible()


def test_a_row_can_be_published_again(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    page.locator("#messages").evaluate(
        """(list) => list.dispatchEvent(new CustomEvent("republish",
             { bubbles: true, detail: { channel: "x y", message: "once more" } }))"""
    )
    expect(channel_field(page)).to_have_value("x y")
    expect(message_field(page)).to_have_value("once more")
    expect(message_field(page)).to_be_focused()


def test_what_was_written_comes_back_where_something_takes_its_place(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    publish(page, "a", "sent before")
    expect_texts(page, ["sent before"])
    expect(message_field(page)).to_have_value("")
    choose(page, rows(page), "Edit and resend")
    expect(message_field(page)).to_have_value("sent before")
    expect(answer(page).get_by_role("button", name="Undo")).to_be_hidden()
    ways: list[Callable[[], None]] = [
        lambda: choose(page, rows(page), "Edit and resend"),
        lambda: recent(page).get_by_role("button", name="a sent before").first.click(),
    ]
    for replace in ways:
        channel_field(page).fill("b")
        message_field(page).fill("half a thought")
        replace()
        expect(message_field(page)).to_have_value("sent before")
        expect(answer(page)).to_contain_text("This replaced what was in the form.")
        for text, channel in (("half a thought", "b"), ("sent before", "a"), ("half a thought", "b")):
            answer(page).get_by_role("button", name="Undo").click()
            expect(message_field(page)).to_have_value(text)
            expect(message_field(page)).to_be_focused()
            expect(channel_field(page)).to_have_value(channel)


def test_an_empty_message_asks_first(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    publish_button(page).click()
    dialog = page.get_by_role("dialog", name="Publish all the same?")
    expect(dialog).to_contain_text("The message is empty.")
    page.keyboard.press("Escape")
    expect(answer(page)).to_have_text("Nothing was published.")
    expect(message_field(page)).to_be_focused()
    publish(page, "a", "the first")
    expect_texts(page, ["the first"])


def test_channels_are_suggested(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("selected"))
    expect_live(page)
    with valkey.client.pubsub() as pubsub:
        pubsub.subscribe("alive elsewhere")
        assert pubsub.get_message(timeout=PATIENCE)
        channel_field(page).focus()
        offered = page.locator("#channels option[value='alive elsewhere'], #channels option[value=selected]")
        expect(offered).to_have_count(2)


# JSON and size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id":12345678901234567890,"x":1.0,"e":1e400}',
         '{\n  "id": 12345678901234567890,\n  "x": 1.0,\n  "e": 1e400\n}'),
        ('[ ]', '[]'),
        ('\n{"a":{},"b":[1,[{"c":null}]],"a":true}',
         '{\n  "a": {},\n  "b": [\n    1,\n    [\n      {\n        "c": null\n      }\n    ]\n  ],\n'
         '  "a": true\n}'),
        ('{"k\\u00e9 \\"{": "  spaces  stay  "}', '{\n  "k\\u00e9 \\"{": "  spaces  stay  "\n}'),
    ],
)  # fmt: skip
def test_json_is_indented_and_nothing_else_is_changed(open_page: OpenPage, text: str, expected: str) -> None:
    page = open_page(view("a"))
    message_field(page).fill(text)
    expect(page.locator("#publish-check")).to_have_text("valid JSON")
    page.get_by_role("button", name="Format").click()
    expect(message_field(page)).to_have_value(expected)


def test_json_that_breaks_says_where(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    check = page.locator("#publish-check")
    for text, line, column in (
        ('{"a": 1,}', 1, 9),
        ('{"a": 01}', 1, 7),
        ("[1\n 2]", 2, 2),
        ('{"a"\n  : [}', 2, 6),
        ('{"a": "x\ny"}', 1, 7),
        ("{a: 1}", 1, 2),
        ("[1] 2", 1, 5),
        ("[", 1, 2),
        ("{} ,", 1, 4),
        ("[1.]", 1, 2),
        ("[truey]", 1, 2),
        ('["\\x"]', 1, 2),
        ("{]", 1, 2),
        ("[,1]", 1, 2),
    ):
        message_field(page).fill("")
        expect(check).to_have_text("")  # the sentence of the text before is gone
        message_field(page).fill(text)
        expect(check).to_have_text(f"Invalid JSON at line {line}, column {column}")
        expect(page.get_by_role("button", name="Format")).to_be_hidden()
        assert page.evaluate("(text) => { try { JSON.parse(text) } catch { return true } }", text)


def test_text_is_no_json_and_its_bytes_are_counted(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    message_field(page).fill("é🎺")
    expect(page.locator("#publish-size")).to_have_text("6 bytes of 1 MB")
    expect(page.locator("#publish-check")).to_have_text("")
    message_field(page).fill("x" * 1_100_000)
    expect(page.locator("#publish-size")).to_have_text("1.1 MB of 1 MB")
    expect(page.locator("#publish-size")).to_have_class(re.compile("is-over"))


# Bursts


def test_a_burst_is_published_in_order_and_numbered(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("burst"))
    expect_live(page)
    times(page).fill("30")
    publish(page, "burst", '{"n": {n}}')
    expect_texts(page, [f'{{"n": {n}}}' for n in range(1, 31)])
    expect(answer(page)).to_have_text("1 subscriber received it: 1 tab, 0 others the last of 30 messages")
    expect(times(page)).to_have_value("1")


def test_a_burst_can_be_stopped(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("burst"))
    expect_live(page)
    routes: list[Route] = []

    def let_twenty_through(route: Route) -> None:
        routes.append(route)
        if len(routes) <= 20:
            route.continue_()

    page.route("**/publish", let_twenty_through)
    times(page).fill("1000")
    publish(page, "burst", "message {n}")
    page.get_by_role("button", name="Stop (21 of 1,000)", exact=True).click()
    # Playwright handles routes during its own calls.
    eventually(lambda: page.evaluate("1") and len(routes) == 21)
    routes[20].continue_()
    expect(answer(page)).to_contain_text("the last of 21 messages")
    expect_texts(page, [f"message {n}" for n in range(1, 22)])
    assert len(routes) == 21


@pytest.mark.parametrize("wrong", ["0", "1001", "1.5", ""])
def test_a_number_that_is_none_gets_a_sentence(open_page: OpenPage, valkey: RedisServer, wrong: str) -> None:
    page = open_page(view("a"))
    expect_live(page)
    times(page).fill(wrong)
    publish(page, "a", "x")
    expect(answer(page)).to_have_text("Publish it from 1 to 1,000 times.")
    expect(times(page)).to_be_focused()
    valkey.client.publish("a", "sentinel")
    expect_texts(page, ["sentinel"])


# Protected channels


def test_a_protected_channel_asks_first(open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_PROTECTED="prod.*")
    page = open_page(view("prod.eu", "free"), server=server, allow=PROTECTED)
    expect_live(page)
    publish(page, "prod.eu", "careful")
    dialog = page.get_by_role("dialog", name="Publish all the same?")
    expect(dialog).to_contain_text("prod.eu")
    dialog.get_by_role("button", name="Do not publish").click()
    expect(answer(page)).to_have_text("Nothing was published.")
    expect(message_field(page)).to_have_value("careful")
    publish_button(page).click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(publish_button(page)).to_be_enabled()
    expect(answer(page)).to_have_text("Nothing was published.")
    times(page).fill("3")
    publish_button(page).click()
    dialog.get_by_role("button", name="Publish it").click()
    expect_texts(page, ["careful"] * 3)  # routes once
    publish(page, "free", "no question")
    expect_texts(page, ["careful"] * 3 + ["no question"])


def test_without_javascript_a_protected_channel_needs_the_box(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_PROTECTED="noticias")
    page = open_page(server=server, java_script_enabled=False, allow=PROTECTED)
    publish(page, "noticias", "x")
    expect(page.get_by_text("The channel is protected")).to_be_visible()
    page.get_by_role("link", name="Back to the feed").click()
    page.get_by_label("Also to a protected channel").check()
    publish(page, "noticias", "x")
    expect(page.get_by_role("heading", name="Published")).to_be_visible()
    eventually(lambda: own_redis.subscribers() == 0)


def test_a_text_that_is_restored_is_checked_though_redis_is_away(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    page = open_page(view("a"), server=start(REDIS_URL=own_redis.url), allow=STATUS_503)
    expect_live(page)
    message_field(page).fill('{"a":')
    own_redis.stop()
    page.reload()
    expect(message_field(page)).to_have_value('{"a":')
    expect(page.locator("#publish-size")).to_have_text("5 bytes of 1 MB")
    expect(page.locator("#publish-check")).to_have_text("Invalid JSON at line 1, column 6")
    own_redis.start()
