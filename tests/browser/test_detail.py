"""One message in detail beside the feed: opened, seen in several ways and closed, by mouse or keyboard."""

import gzip
import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_injection import PAYLOADS, Guard, messages_of
from tests.browser.test_odd_messages import HOSTILE, publish_together
from tests.browser.test_reading_modules import call
from tests.browser.test_watching import publish_many
from tests.support.accessibility import expect_no_violation
from tests.support.http import publish
from tests.support.logs import entries, is_recording, logged
from tests.support.pages import (
    channel_field,
    chip,
    expect_live,
    expect_noted,
    log,
    message_field,
    overflowing,
    row,
    rows,
    status,
    stop_clock,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

ALERT = {
    "severity": "critical",
    "title": "Card processor unreachable",
    "message": "3 of 3 endpoints time out",
    "tags": ["payments", "prod"],
    "link": "https://runbooks.example/payments",
    "order": 12345678901234567890,
}


def detail(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Message")


def tab(page: Page, name: str) -> Locator:
    return detail(page).get_by_role("tab", name=name, exact=True)


def panel(page: Page) -> Locator:
    return detail(page).get_by_role("tabpanel")


def act(page: Page, name: str) -> Locator:
    return detail(page).get_by_role("button", name=name, exact=True)


def open_row(page: Page, text: str) -> None:
    """Click a row."""
    row(page, text).locator(".row__time").click()
    expect(detail(page)).to_be_visible()


def listening(open_page: OpenPage, channel: str, **options: object) -> Page:
    page = open_page(view(channel), **options)
    expect_live(page)
    return page


def test_the_keyboard_opens_it_moves_it_and_closes_it(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "keys", permissions=["clipboard-read", "clipboard-write"])
    for n in range(4):
        valkey.client.publish("keys", json.dumps({"n": n}))
    expect(rows(page)).to_have_count(4)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(panel(page)).to_contain_text('"n": 3')
    expect(tab(page, "Card")).to_be_focused()
    expect(row(page, '"n": 3')).to_have_attribute("aria-current", "true")

    page.keyboard.press("k")  # the focus is in the detail, and stays there
    expect(panel(page)).to_contain_text('"n": 2')
    expect(tab(page, "Card")).to_be_focused()
    page.keyboard.press("Escape")
    expect(detail(page)).to_be_hidden()
    expect(row(page, '"n": 2')).to_be_focused()
    expect(log(page).locator("[aria-current]")).to_have_count(0)

    page.keyboard.press("Enter")
    page.keyboard.press("c")
    expect_noted(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == '{"n": 2}'
    row(page, '"n": 2').focus()
    page.keyboard.press("k")  # the focus is on its row: both move
    expect(row(page, '"n": 1')).to_be_focused()
    expect(panel(page)).to_contain_text('"n": 1')
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(panel(page)).to_contain_text('"n": 3')
    page.keyboard.press("Escape")
    expect(row(page, '"n": 3')).to_be_focused()
    page.keyboard.press("Escape")
    expect(log(page)).to_be_focused()


@pytest.mark.parametrize("key", ["Shift+F10", "ContextMenu"])
def test_a_key_opens_the_actions_of_a_row(open_page: OpenPage, valkey: RedisServer, key: str) -> None:
    page = listening(open_page, "menu")
    valkey.client.publish("menu", "a row")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("k")
    page.keyboard.press(key)
    expect(page.get_by_role("menuitemradio", name="Wrap lines")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows(page)).to_be_focused()


def test_the_views_are_tabs(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "views")
    text = json.dumps(ALERT)
    valkey.client.publish("views", text)
    valkey.client.publish("views", "a text")
    valkey.client.publish("views", b"\x81\xa1a\xff")
    expect(rows(page)).to_have_count(3)
    open_row(page, "Card processor")
    expect(panel(page).get_by_role("heading", name="Card processor unreachable")).to_be_visible()
    expect(panel(page).get_by_role("link")).to_have_attribute("href", "https://runbooks.example/payments")
    expect(panel(page).locator(".tree")).to_contain_text("12345678901234567890")
    tab(page, "Card").focus()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Tree")).to_be_focused()
    expect(tab(page, "Tree")).to_have_attribute("aria-selected", "true")
    expect(panel(page).get_by_role("heading")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(panel(page).locator(".row__data")).to_have_text(text)
    page.keyboard.press("End")
    expect(panel(page).locator(".hex")).to_contain_text('0000 7b 22 73 65 76 65 72 69  {"severi')
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Card")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(tab(page, "Tree")).to_be_focused()
    assert detail(page).locator("[role=tab][tabindex='0']").count() == 1

    page.keyboard.press("j")  # a text has no tree: its other view is shown
    expect(panel(page).locator(".row__data")).to_have_text("a text")
    expect(tab(page, "Tree")).to_be_disabled()
    expect(tab(page, "Card")).to_be_focused()
    page.keyboard.press("j")
    expect(panel(page).locator(".tree")).to_contain_text('"a": -1')
    expect(tab(page, "Tree")).to_have_attribute("aria-selected", "true")
    expect(tab(page, "As sent")).to_be_disabled()
    tab(page, "Hex").click()
    expect(panel(page).locator(".hex")).to_contain_text("81 a1 61 ff")


def test_a_click_opens_it_but_not_one_that_means_something_else(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = listening(open_page, "click")
    valkey.client.publish("click", "word another")
    valkey.client.publish("click", '{"level": "info", "title": "t", "text": "x", "url": "https://a.invalid"}')
    expect(rows(page)).to_have_count(2)
    row(page, "word").get_by_text("word").dblclick(position={"x": 12, "y": 8})
    assert page.evaluate("String(getSelection())").strip() == "word"
    row(page, "word").locator(".row__time").click()  # only ends the selection
    rows(page).last.get_by_role("button", name="Tree").click()
    rows(page).last.get_by_role("button", name="Actions").click()
    page.keyboard.press("Escape")
    expect(detail(page)).to_be_hidden()
    row(page, "word").locator(".row__time").click()
    expect(detail(page)).to_be_visible()
    expect(row(page, "word")).to_be_focused()
    act(page, "Close").click()
    expect(detail(page)).to_be_hidden()
    expect(row(page, "word")).to_be_focused()


def test_the_form_has_its_place_back_with_all_that_was_typed(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = listening(open_page, "form")
    valkey.client.publish("form", "a message")
    channel_field(page).fill("elsewhere")
    message_field(page).fill("a draft")
    expect(rows(page)).to_have_count(1)
    open_row(page, "a message")
    expect(message_field(page)).to_be_hidden()
    page.keyboard.press("p")
    expect(detail(page)).to_be_hidden()
    expect(message_field(page)).to_be_focused()
    expect(message_field(page)).to_have_value("a draft")
    expect(channel_field(page)).to_have_value("elsewhere")
    open_row(page, "a message")
    act(page, "Edit and resend").click()
    expect(detail(page)).to_be_hidden()
    expect(message_field(page)).to_be_focused()
    expect(message_field(page)).to_have_value("a message")


def test_a_click_opens_nothing_after_another_act(open_page: OpenPage, valkey: RedisServer) -> None:
    """A click waits for a second one, which selects a word; another action meanwhile cancels it."""
    page = listening(open_page, "late", own_clock=True)
    valkey.client.publish("late", "a message")
    found = row(page, "a message")
    stop_clock(page)
    found.click()
    expect(detail(page)).to_be_hidden()
    found.press("Enter")
    act(page, "Edit and resend").click()
    page.clock.run_for(1_000)
    expect(detail(page)).to_be_hidden()
    expect(message_field(page)).to_have_value("a message")


def test_it_is_pinned_and_copied(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "pin", permissions=["clipboard-read", "clipboard-write"])
    valkey.client.publish("pin", "a message")
    expect(rows(page)).to_have_count(1)
    open_row(page, "a message")
    act(page, "Pin").click()
    expect(page.get_by_role("region", name="Pinned").get_by_text("a message")).to_be_visible()
    expect(act(page, "Unpin")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Pinned")).to_be_hidden()
    act(page, "Copy text").click()
    expect_noted(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "a message"


def test_it_stays_while_the_feed_goes_on_without_it(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "flood")
    valkey.client.publish("flood", '{"chosen": 1}')
    expect(rows(page)).to_have_count(1)
    open_row(page, "chosen")
    tab(page, "Tree").click()
    for start in range(0, 11_000, 1_000):
        publish_many(valkey, "flood", [str(n) for n in range(start, start + 1_000)])
    expect(row(page, "10999")).to_be_visible()
    expect(row(page, "chosen")).to_have_count(0)
    expect(panel(page).locator(".tree")).to_contain_text('"chosen": 1')
    expect(tab(page, "Tree")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(log(page)).to_be_focused()


def test_no_message_breaks_it(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "hostile")
    packed = [gzip.compress(json.dumps(ALERT).encode()), "x" * 300_000, "line\n" * 5_000, ""]
    publish_together(valkey, "hostile", ['{"the": "first"}', *HOSTILE, *packed])
    many = 1 + len(HOSTILE) + len(packed)
    expect(rows(page)).to_have_count(many)
    for name in ("Card", "Tree", "As sent", "Hex"):
        rows(page).first.locator(".row__time").click()
        expect(panel(page)).to_contain_text("first")
        tab(page, name).click()
        for n in range(1, many):
            page.keyboard.press("j")
            expect(rows(page).nth(n)).to_have_attribute("aria-current", "true")
            expect(panel(page)).to_be_visible()
        expect(page.locator("[data-odd]")).to_have_count(0)
    tab(page, "Card").click()
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(panel(page).get_by_text("decoded from gzip")).to_be_visible()
    expect(panel(page).get_by_role("heading", name="Card processor unreachable")).to_be_visible()


def test_nothing_of_a_message_becomes_markup(
    open_page: OpenPage, plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    page = open_page()
    guard = Guard(page, plain_arauto)
    page.goto(plain_arauto.url + view(*PAYLOADS))
    expect_live(page)
    for channel, message in zip([*PAYLOADS, *PAYLOADS], reversed(messages_of(PAYLOADS)), strict=True):
        valkey.client.publish(channel, message)
    expect(rows(page)).to_have_count(2 * len(PAYLOADS))
    for name in ("Card", "Tree", "As sent"):
        rows(page).first.locator(".row__time").click()
        tab(page, name).click()
        for n in range(1, 2 * len(PAYLOADS)):
            page.keyboard.press("j")
            expect(rows(page).nth(n)).to_have_attribute("aria-current", "true")
            guard.expect_nothing(name)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_on_a_phone_it_is_a_sheet_over_all_else(
    open_page: OpenPage, valkey: RedisServer, language: str
) -> None:
    size = {"width": 390, "height": 844}
    page = listening(open_page, "phone", language=language, has_touch=True, is_mobile=True, **size)
    valkey.client.publish("phone", json.dumps(ALERT))
    expect(rows(page)).to_have_count(1)
    rows(page).first.locator(".row__time").tap()
    sheet = page.locator("#detail")
    expect(sheet).to_be_visible()
    assert sheet.bounding_box() == {"x": 0, "y": 0} | size
    expect(sheet.get_by_role("tab").first).to_be_focused()
    expect(page.locator("#status")).to_be_hidden()
    expect(rows(page)).to_be_hidden()
    assert overflowing(page) == []
    for target in sheet.locator(".detail__close, [role=tab], .detail__foot button:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    sheet.locator(".detail__close").tap()
    expect(sheet).to_be_hidden()
    expect(rows(page).first).to_be_focused()


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_barrier_in_it(open_page: OpenPage, valkey: RedisServer, width: int) -> None:
    page = listening(open_page, "axe", width=width)
    valkey.client.publish("axe", json.dumps(ALERT))
    valkey.client.publish("axe", "a text")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(panel(page)).to_contain_text("a text")
    expect_no_violation(page, "a text")
    page.keyboard.press("k")
    for name in ("Card", "Tree", "As sent", "Hex"):
        tab(page, name).click()
        expect_no_violation(page, name)


ODD: dict[str, object] = {
    "plain": "x",
    "two words": "x y",
    "a.b": "dotted",
    "ünï": "João",
    "ünï2": "JOAO 2",
    "1st": 1,
    "": "nameless",
    "channel": "not the channel",
    "severity": "high",
    "quote": 'say "hi"',
    "quotes": '"',
    "single": "it's",
    "star": "a*b?",
    "pipe": "a|b",
    "bracket": "(a",
    "close": "a)",
    "colon": "a:b=c",
    "slash": "a/b\\c",
    "lines": "a\nb",
    "space": " ",
    "empty": "",
    "minus": "-x",
    "or": "OR",
    "not": "NOT x",
    "number": 12345678901234567890,
    "one": 1.0,
    "negative": -0.5,
    "text of a number": "5",
    "yes": True,
    "nothing": None,
    "long": "w" * 5_000,
    "curly": "“so”",
    "control": "\x00\x1b[1m\u2028",
    "sign": ">=3",
    "name:": 1,
    'na"me': 1,
    "<b>": "<i>",
    "🎺": "🎺",
    "$@_-": "$@_-",
    "nested": {"deep er": {"k": [1, {"z": "q"}]}, "list": ["a b", [2]], "none": {}},
}
TERMS = """async ({ termOf, pathOf, withTerm }, texts) => {
  const { readFilter } = await import("/static/js/feed/filter_query.js");
  const { members, root } = await import("/static/js/lib/json_scanner.js");
  const { plain, normal } = await import("/static/js/message/plain_text.js");
  const terms = [];
  for (const data of texts) {
    const event = { type: "message", channel: "c", data, patterns: [], at: 0 };
    const waiting = [[null, root(data)]];
    while (waiting.length) {
      const [path, { kind, start, end, count }] = waiting.pop();
      if (path) {
        const term = termOf(event, { path, kind, written: data.slice(start, count ? start + 1 : end) });
        const regex = term?.match(/^[/](.*)[/]$/s);
        const finds = (text) => {
          const { test, problem, search } = readFilter(text);
          if (problem) return String(problem);
          if (!search) return Boolean(test(event));
          return new RegExp(regex[1]).test(normal(plain(data))) !== text.startsWith("-");
        };
        const both = term === null ? [] : [finds(term), finds(`-${term}`), withTerm("", term) === term];
        terms.push([pathOf(path), term, ...both]);
      }
      let at = 0;
      if (count) for (const { key, value } of members(data, start)) {
        waiting.push([{ name: key ? data.slice(key.start, key.end) : at++, parent: path }, value]);
      }
    }
  }
  return terms;
}"""


def test_the_term_of_any_field_finds_its_message(open_page: OpenPage) -> None:
    page = open_page(view("unused"))
    texts = [
        json.dumps(ODD, ensure_ascii=plain, indent=indent) for plain in (True, False) for indent in (None, 2)
    ]
    texts += ['[{"a": 1}, ["b c", 2]]', '{"deep": ' * 40 + "1" + "}" * 40]
    found = call(page, "detail/field_term", TERMS, texts)
    assert len(found) > 150
    assert [one for one in found if one[1:] != [one[1], True, False, True]] == []
    terms = {path: term for path, term, *_ in found}
    assert terms["plain"] == "plain=x"
    assert terms["ünï"] == "ünï=João"
    assert terms["star"] == 'star="a*b?"'
    assert terms["number"] == "number=12345678901234567890"
    assert terms["nested.list[0]"] == 'nested.list[0]="a b"'
    assert terms["nested"] == "has:nested"
    assert terms["[0].a"] == "a=1"
    assert terms['["two words"]'].startswith("/")


def test_a_term_is_added_to_any_filter(open_page: OpenPage) -> None:
    page = open_page(view("unused"))
    cases = {
        "": "a=1",
        "a=1": "a=1",
        "x a=1 y": "x a=1 y",
        "x": "x a=1",
        "x OR y": "(x OR y) a=1",
        "x | y z": "(x | y z) a=1",
        "(x": "(x a=1",
        '"x y': '"x y" a=1',
        '(x OR "y': '(x OR "y") a=1',
        "x OR": "(x OR) a=1",
        "-x": "-x a=1",
        "/(/": "a=1",
        "ms>3s": "a=1",
    }
    added = call(
        page,
        "detail/field_term",
        "({ withTerm }, all) => all.map((text) => withTerm(text, 'a=1'))",
        list(cases),
    )
    assert dict(zip(cases, added, strict=True)) == cases


def test_a_field_is_filtered_for_excluded_and_named(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "fields", permissions=["clipboard-read", "clipboard-write"])
    for n in range(3):
        valkey.client.publish("fields", json.dumps({"n": n, "two words": f"v {n}", "items": [{"sku": n}]}))
    expect(rows(page)).to_have_count(3)
    row(page, '"n": 1').locator(".row__time").click()
    field = panel(page).locator(".tree__node").filter(has=page.locator(".json-key", has_text='"n"')).last
    field.hover()
    field.get_by_role("button", name="Filter for n", exact=True).click()
    expect(filter_field(page)).to_have_value("n=1")
    expect(rows(page)).to_have_count(1)
    expect(row(page, '"n": 1')).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowRight")
    expect(panel(page).get_by_role("button", name="Exclude n", exact=True)).to_be_focused()
    filter_field(page).fill("")
    expect(rows(page)).to_have_count(3)
    panel(page).get_by_role("button", name="Exclude n", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(panel(page).get_by_role("button", name='Exclude ["two words"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(2)
    expect(row(page, '"n": 1')).to_have_count(0)
    expect(panel(page).locator(".tree")).to_contain_text('"n": 1')  # it stays
    tree = panel(page).locator(".tree")
    assert tree.locator(".field__tools [tabindex='0']").count() == 1
    tree.locator(".tree__toggle[aria-expanded=false]").click()
    tree.get_by_role("button", name="Copy the path items[0].sku").focus()
    page.keyboard.press("Enter")
    expect_noted(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "items[0].sku"


def test_a_finger_chooses_a_field(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "finger", has_touch=True, is_mobile=True, width=390, height=844)
    valkey.client.publish("finger", '{"n": 1, "m": 2}')
    expect(rows(page)).to_have_count(1)
    rows(page).first.locator(".row__time").tap()
    panel(page).get_by_text('"m"').tap()
    button = panel(page).get_by_role("button", name="Filter for m", exact=True)
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    button.tap()
    detail(page).get_by_role("button", name="Close").tap()
    expect(filter_field(page)).to_have_value("m=2")


def context(page: Page) -> Locator:
    return detail(page).get_by_role("region", name="In context")


def test_what_came_before_and_after_is_shown_whatever_the_filter(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("context", "other"))
    expect_live(page)
    for n in range(12):
        valkey.client.publish("context", f"message {n}")
        valkey.client.publish("other", "another channel")
    expect(rows(page)).to_have_count(24)
    filter_field(page).fill('"message 7"')
    expect(rows(page)).to_have_count(1)
    open_row(page, "message 7")
    act(page, "Show in context").click()
    shown = context(page).get_by_role("listitem")
    expect(shown).to_have_text([re.compile(rf" message {n}$") for n in range(2, 12)])
    expect(context(page).locator("[aria-current]")).to_contain_text("message 7")
    valkey.client.publish("context", "message 12")
    expect(shown.last).to_contain_text("message 12")
    filter_field(page).fill("")
    expect(rows(page)).to_have_count(25)
    context(page).get_by_role("button", name="message 2").click()
    expect(panel(page).locator(".row__data")).to_have_text("message 2")
    expect(row(page, "message 2")).to_have_attribute("aria-current", "true")
    expect(context(page).locator("[aria-current] > button")).to_be_focused()
    context(page).get_by_role("button", name="message 0").click()
    expect(shown.first).to_have_text("Nothing came before it here.")
    expect_no_violation(page, "context")
    act(page, "Show in context").click()
    expect(context(page)).to_be_hidden()


# Recorded messages


@pytest.fixture
def recorder(own_redis: RedisServer, start: Start) -> ArautoServer:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*", ARAUTO_WORKERS="1")
    eventually(lambda: is_recording(own_redis), why="there is a recorder")
    return server


def written(own_redis: RedisServer, server: ArautoServer, many: int) -> list[str]:
    """Publish ``many`` messages, and return their ids."""
    for n in range(many):
        publish(server, "kept.a", f"message {n}")
    eventually(lambda: len(logged(own_redis, "kept.a")) == many)
    return [str(id) for id, fields in entries(own_redis, "kept.a") if b"m" in fields]


def link(id: str, channel: str = "kept.a") -> str:
    return "/?" + urlencode({"channel": channel, "message": id})


def test_a_link_opens_the_message_in_another_browser(
    open_page: OpenPage, own_redis: RedisServer, recorder: ArautoServer
) -> None:
    page = open_page(
        view("kept.a", "live"), server=recorder, permissions=["clipboard-read", "clipboard-write"]
    )
    expect(chip(page, "kept.a").get_by_text("recorded")).to_be_visible()
    ids = written(own_redis, recorder, 30)
    publish(recorder, "live", "not recorded")
    expect(rows(page)).to_have_count(31)
    row(page, "message 11").locator(".row__time").click()
    expect(panel(page)).to_contain_text(ids[11])
    act(page, "Copy link").click()
    expect_noted(page, "Copied")
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == recorder.url + link(ids[11])
    open_row(page, "not recorded")
    expect(panel(page)).to_contain_text("no: there is no link to what is live only")
    expect(act(page, "Copy link")).to_be_hidden()
    page.close()

    other = open_page(address.removeprefix(recorder.url), server=recorder, storage_state=None)
    expect(panel(other).locator(".row__data")).to_have_text("message 11")
    expect(row(other, "message 11")).to_have_attribute("aria-current", "true")
    expect(row(other, "message 11")).to_be_in_viewport()
    assert "message=" in other.url
    expect(rows(other)).to_have_count(30)
    expect(status(other)).to_contain_text("This is the past, not live.")
    other.get_by_role("button", name="Back to live").click()
    expect(status(other)).to_have_text("Live")
    expect(panel(other).locator(".row__data")).to_have_text("message 11")
    act(other, "Show in context").click()  # this page never received it
    expect(context(other).get_by_role("listitem")).to_have_count(11)
    expect(context(other).locator("[aria-current]")).to_contain_text("message 11")
    act(other, "Close").click()
    assert "message=" not in other.url
    other.close()
    recorder.stop()


def test_a_link_that_leads_nowhere_says_so(
    open_page: OpenPage, own_redis: RedisServer, recorder: ArautoServer
) -> None:
    written(own_redis, recorder, 3)
    gone = "The recording of kept.a no longer has this message."
    for address, sentence in (
        (link("1-1"), gone),
        (link("999999999999999-999999999999999"), gone),
        (link("<img src=x onerror=alert(1)>"), "The link names no message: the id is one such as"),
        (link("1" * 2_000), "The link names no message"),
        (link("1-1", "live"), "This channel is not recorded: switch it on in the page, or by ARAUTO_RECORD."),
    ):
        page = open_page(address, server=recorder, allow=("status of 404",))
        expect_live(page)
        expect(detail(page).get_by_role("status")).to_contain_text(sentence)
        expect(detail(page).get_by_role("button")).to_have_count(1)
        expect_no_violation(page, "no message")
        act(page, "Close").click()
        expect(detail(page)).to_be_hidden()
        page.close()
    recorder.stop()


def test_a_link_to_what_may_not_be_read_says_so(
    open_page: OpenPage, own_redis: RedisServer, recorder: ArautoServer
) -> None:
    page = open_page("/login", server=recorder, allow=("status of 40",))
    page.route(
        "**/channels/messages?*", lambda route: route.fulfill(status=403, json={"error": "You may not."})
    )
    page.goto(recorder.url + link("1-1"))
    expect(detail(page).get_by_role("status")).to_have_text("You may not.")
    page.close()
    recorder.stop()
