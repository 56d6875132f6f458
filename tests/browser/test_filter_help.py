"""Help to write a filter: suggestions, corrections, severities and examples."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import expect_live, expect_texts, open_more, rows, view
from tests.support.redis_servers import RedisServer

SALE = {"severity": "info", "service": "checkout", "ms": 40, "user": {"name": "Ana Souza"}}
FAULT = {"severity": "error", "service": "payments", "ms": 3000, "user": {"name": "Rui"}}
ALARM = {"severity": "critical", "service": "payments", "region": "sa-east-1"}
TEXT = "cache miss level=warn"
MESSAGES = [json.dumps(SALE), json.dumps(FAULT), json.dumps(ALARM), TEXT]

# Nodes that moved in the feed or the field; a shift of the field's clear button has no node.
WATCH_SHIFTS = """() => {
  window.moved = [];
  const isOurs = (node) => !node || (node.parentElement?.closest(".feed__body, .filter") ?? false);
  new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries())
      for (const { node, currentRect } of sources)
        if (isOurs(node)) moved.push(`${node?.textContent} at ${currentRect.x}, ${currentRect.y}`);
  }).observe({ type: "layout-shift" });
}"""
# After two frames all shifts are reported.
MOVED = """async () => {
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
  return moved;
}"""


@pytest.fixture
def page(open_page: OpenPage, valkey: RedisServer) -> Page:
    """A page with the messages and the focus in the filter."""
    page = open_page(view("taught", "svc.other"))
    show(page, valkey)
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_attribute("aria-autocomplete", "list")  # the suggestions are loaded
    return page


def show(page: Page, valkey: RedisServer) -> None:
    expect_live(page)
    for message in MESSAGES:
        valkey.client.publish("taught", message)
    expect(rows(page)).to_have_count(4)


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Filter")


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def meant(page: Page) -> Locator:
    return page.get_by_role("button", name="Did you mean")


def card(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Levels and examples")


def example(page: Page, text: str) -> Locator:
    return card(page).get_by_role("button", name=re.compile(f"^{re.escape(text)} "))


def chosen(page: Page) -> str | None:
    """The suggestion that the field marks as chosen."""
    found: str | None = field(page).evaluate(
        "field => document.getElementById(field.getAttribute('aria-activedescendant'))"
        "?.querySelector('span').textContent ?? null"
    )
    return found


def test_fields_and_their_values_are_suggested_as_they_are_typed(page: Page) -> None:
    page.keyboard.type("serv")
    expect(suggestions(page)).to_have_text(["service: payments"])
    expect(field(page)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "service:"
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("service:")
    expect(suggestions(page)).to_have_text(["payments", "checkout"])  # the most frequent first
    page.keyboard.press("ArrowUp")
    assert chosen(page) == "checkout"
    page.keyboard.press("Tab")
    expect(field(page)).to_have_value("service:checkout")
    expect(field(page)).to_be_focused()
    expect(suggestions(page)).to_have_count(0)
    expect(rows(page)).to_have_count(1)


def test_a_value_with_blanks_is_put_in_quotes(page: Page) -> None:
    page.keyboard.type("user.name=an")
    expect(suggestions(page)).to_have_text(['"Ana Souza"'])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value('user.name="Ana Souza"')
    expect_texts(page, [MESSAGES[0]])


def test_severities_operators_and_names_are_suggested(page: Page) -> None:
    page.keyboard.type("severity>=")
    expect(suggestions(page)).to_have_text(["critical", "error", "warning", "info", "debug"])
    page.keyboard.type("err")
    expect(suggestions(page)).to_have_text(["error"])
    page.keyboard.type("or or")
    expect(suggestions(page).first).to_have_text("OR one of them")
    page.keyboard.type(" channel:")
    expect(suggestions(page)).to_have_text(["taught"])
    page.keyboard.type("taught has:us")
    expect(suggestions(page)).to_have_text(["user", "user.name Rui"])


def test_nothing_is_taken_that_was_not_chosen(page: Page) -> None:
    page.keyboard.type("serv")
    expect(suggestions(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(suggestions(page)).to_have_count(0)
    expect(field(page)).to_have_value("serv")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")  # there is none after the last
    assert chosen(page) is None
    page.keyboard.press("Tab")
    expect(field(page)).to_have_value("serv")
    expect(field(page)).not_to_be_focused()
    expect(suggestions(page)).to_have_count(0)


def test_escape_closes_the_list_and_then_leaves_the_field(page: Page) -> None:
    page.keyboard.type("serv")
    expect(suggestions(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(suggestions(page)).to_have_count(0)
    expect(field(page)).to_have_value("serv")
    expect(field(page)).to_have_attribute("aria-expanded", "false")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("log").first).to_be_focused()


def test_a_suggestion_can_be_clicked(page: Page) -> None:
    field(page).click()
    suggestions(page).filter(has_text="severity>=").click()
    expect(field(page)).to_have_value("severity>=")
    suggestions(page).filter(has_text="critical").click()
    expect(field(page)).to_have_value("severity>=critical")
    expect(field(page)).to_be_focused()
    expect_texts(page, [MESSAGES[2]])


@pytest.mark.parametrize(
    ("text", "correction"),
    [
        ("servic=payments", "service=payments"),
        ("sevrity>=error", "severity>=error"),
        ("severity:eror", "severity:error"),
        ("service:paymnets", "service:payments"),
        ("level>=error", "severity>=error"),
        ("ms>3s", "ms>3000"),
        ("/miss(/", '"miss("'),
        ("name=rui", "user.name=rui"),
        ("cache or payments", "cache OR payments"),
    ],
)
def test_what_was_meant_is_offered_and_takes_no_place(page: Page, text: str, correction: str) -> None:
    page.evaluate(WATCH_SHIFTS)
    field(page).fill(text)
    expect(meant(page)).to_have_text(f"Did you mean: {correction}")
    assert page.evaluate(MOVED) == []
    meant(page).click()
    expect(field(page)).to_have_value(correction)
    expect(field(page)).to_be_focused()
    expect(meant(page)).to_have_count(0)


def test_what_was_meant_is_in_the_list_for_the_keyboard(page: Page) -> None:
    field(page).fill("severity:eror")
    expect(meant(page)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("severity:error")
    expect_texts(page, [MESSAGES[1]])
    expect(meant(page)).to_have_count(0)


def test_what_an_address_meant_is_offered_too(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("taught") + "&filter=servce:payments")
    expect_live(page)
    # The first message does not suffice for a correction, and after the last none would ask for it again.
    valkey.client.publish("taught", TEXT)
    expect(page.locator("#filter-note")).to_have_text("Nothing matches. Messages kept: 1")
    page.evaluate("() => new Promise(requestIdleCallback)")
    for message in MESSAGES[:3]:
        valkey.client.publish("taught", message)
    meant(page).click()
    expect(field(page)).to_have_value("service:payments")
    expect_texts(page, MESSAGES[1:3])


def test_severities_are_chosen_with_buttons_and_read_from_the_text(page: Page) -> None:
    field(page).fill("payments")
    page.get_by_role("button", name="Levels and examples").click()
    levels = card(page).get_by_role("group", name="Levels").get_by_role("button")
    expect(levels).to_have_text(["Critical", "Error", "Warning", "Info", "Debug"])
    expect(levels.first).to_be_focused()
    page.keyboard.press("Space")
    expect(field(page)).to_have_value("payments severity:critical")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(field(page)).to_have_value("payments severity>=error")
    assert [level.get_attribute("aria-pressed") for level in levels.all()] == [
        "true", "true", "false", "false", "false",
    ]  # fmt: skip
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(field(page)).to_have_value("payments")
    page.keyboard.press("Escape")
    expect(card(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Levels and examples")).to_be_focused()
    field(page).fill("severity:info|warn")
    page.get_by_role("button", name="Levels and examples").click()
    expect(levels.and_(page.locator("[aria-pressed=true]"))).to_have_text(["Warning", "Info"])


def test_examples_are_of_what_there_is_and_count_what_they_find(page: Page, valkey: RedisServer) -> None:
    page.get_by_role("button", name="Levels and examples").click()
    expect(example(page, "service=payments")).to_have_text(re.compile(r" 2$"))
    expect(example(page, "severity>=error")).to_have_text(re.compile(r" 2$"))
    expect(example(page, "channel:taught")).to_have_text(re.compile(r" 4$"))
    expect(card(page).get_by_role("button", name="a regular expression")).to_have_text(re.compile(r" 1$"))
    valkey.client.publish("taught", json.dumps(FAULT))
    expect(example(page, "service=payments")).to_have_text(re.compile(r" 3$"))
    example(page, "severity>=error").focus()
    page.keyboard.press("Enter")
    expect(card(page)).to_have_count(0)
    expect(field(page)).to_have_value("severity>=error")
    expect(field(page)).to_be_focused()
    expect(rows(page)).to_have_count(3)


def test_without_messages_the_examples_are_those_of_the_book(open_page: OpenPage) -> None:
    page = open_page(view("silent"))
    expect_live(page)
    page.get_by_role("button", name="Levels and examples").click()
    for text in ("disk", "severity>=warning", "user.name=ana", "ms>1000", "has:user"):
        expect(example(page, text).first).to_have_text(re.compile(r" 0$"))


def test_on_a_phone_the_card_is_in_the_menu(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("taught"), width=390, height=844)
    show(page, valkey)
    open_more(page)
    page.get_by_role("button", name="Levels and examples").click()
    expect(card(page)).to_be_in_viewport(ratio=1)
    example(page, "severity>=error").click()
    expect(rows(page)).to_have_count(2)
    field(page).fill("user")
    expect(suggestions(page).first).to_be_in_viewport(ratio=1)
