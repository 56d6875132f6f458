"""The filter bar: what it finds, hides, marks, counts and keeps in the address."""

import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import expect_live, expect_texts, log, notices, row, rows, view
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

ORDER = '{"order": 12345678901234567890, "total": 1.0, "customer": {"name": "Ana"}, "tags": ["vip", "new"]}'
ALARM = '{"severity": "error", "note": "disk full"}'
MESSAGES = ["Disk at 91%", "disk full on db-2", ORDER, ALARM, "see /var/log at 12:30", "a.c abc"]

FINDS = [
    ("disk", [0, 1, 3]),
    ("disk full", [1, 3]),
    ('"full on"', [1]),
    ("disk -full", [0]),
    ('-"disk"', [2, 4, 5]),
    ("/D.sk/", [0]),
    ("/D.sk/i", [0, 1, 3]),
    (r"/\d\/?%$/", [0]),
    ("-/D.sk/i -see", [2, 5]),
    ("/var/log", [4]),
    ("12:30", [4]),
    ("a.c", [5]),
    ("channel:found*", [0, 1, 2, 3, 4, 5]),
    ("channel:fo", []),
    ("severity>=warning", [3]),
    ("severity:info", []),
    ("customer.name:ana", [2]),
    ('customer.name:"a*a"', [2]),
    ("order:12345678901234567890", [2]),
    ("order:12345678901234567891", []),
    ("total:1.0", [2]),
    ("total>0 tags:vip", [2]),
    ("total>1", []),
    ("note:disk*", [3]),
]


def filter_field(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Filter")


def note(page: Page) -> Locator:
    return page.locator("#filter-note")


def count(page: Page) -> Locator:
    return page.locator("#filter-count")


def highlighted(page: Page) -> list[str]:
    """The marked texts."""
    return list(
        page.evaluate(
            """() => [...CSS.highlights.get("found")].map((range) => {
                 const live = document.createRange();
                 live.setStart(range.startContainer, range.startOffset);
                 live.setEnd(range.endContainer, range.endOffset);
                 return live.toString();
               })"""
        )
    )


def test_each_kind_of_term_finds_what_it_says(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("found.it"))
    expect_live(page)
    for message in MESSAGES:
        valkey.client.publish("found.it", message)
    expect_texts(page, MESSAGES)
    for text, found in FINDS:
        filter_field(page).fill(text)
        filter_field(page).press("Enter")
        expect_texts(page, [MESSAGES[number] for number in found])
        expect(count(page)).to_have_text(f"{len(found)} of 6")
    filter_field(page).fill("")
    expect_texts(page, MESSAGES)
    expect(count(page)).to_be_empty()


def test_what_comes_later_is_filtered_too_and_marked(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("later"))
    expect_live(page)
    filter_field(page).fill("a.b")
    valkey.client.publish("later", "nothing")
    expect(note(page)).to_have_text("Nothing matches. Messages kept: 1")
    valkey.client.publish("later", "one A.B, two a.b")
    expect_texts(page, ["one A.B, two a.b"])
    expect(count(page)).to_have_text("1 of 2")
    expect(note(page)).to_be_empty()
    assert highlighted(page) == ["A.B", "a.b"]
    assert rows(page).locator(".row__data *").count() == 0


def test_a_filter_can_only_highlight(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("marked"))
    expect_live(page)
    for message in ("plain", '{"level": "error"}', "an error"):
        valkey.client.publish("marked", message)
    filter_field(page).fill("error")
    expect_texts(page, ['{"level": "error"}', "an error"])
    page.get_by_label("Only highlight").check()
    expect(rows(page)).to_have_count(3)
    expect(count(page)).to_have_text("2 of 3")
    assert highlighted(page) == ["error", "error"]
    filter_field(page).fill("severity:error")
    expect(page.locator(".row[data-matches=true]")).to_have_count(1)
    expect(page.locator(".row[data-matches=true]")).to_contain_text("level")


def test_what_was_found_stays_marked_however_it_is_shown(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("shown"))
    expect_live(page)
    filter_field(page).fill("needle")
    valkey.client.publish("shown", '{"level": "error", "hay": ["needle"]}')
    expect(count(page)).to_have_text("1 of 1")
    expect(rows(page).locator(".json-string")).not_to_have_count(0)
    eventually(lambda: highlighted(page) == ["needle"], why="the coloured text is marked")
    rows(page).get_by_role("button", name="Tree").click()
    expect(rows(page).locator(".tree")).to_be_visible()
    eventually(lambda: highlighted(page) == ["needle"], why="the tree is marked")


def test_a_bad_regex_says_so_and_filters_nothing(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("bad"))
    expect_live(page)
    valkey.client.publish("bad", "here")
    filter_field(page).fill("/(/")
    expect(note(page)).to_have_text("/(/ is not a regular expression; nothing is filtered.")
    expect(filter_field(page)).to_have_attribute("aria-invalid", "true")
    expect(rows(page)).to_have_count(1)
    filter_field(page).fill("severity>=awful")
    expect(note(page)).to_contain_text("awful is no severity")
    expect(rows(page)).to_have_count(1)
    filter_field(page).fill("/(h)/")
    expect(note(page)).to_be_empty()
    expect(filter_field(page)).to_have_attribute("aria-invalid", "false")


def test_the_filter_is_in_the_address_and_survives_a_reload(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("here"))
    expect_live(page)
    filter_field(page).fill('"a b" -c')
    page.get_by_label("Only highlight").check()
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"channel": ["here"], "filter": ['"a b" -c'], "highlight": ["only"]}
    page.get_by_role("link", name="Português").click()
    expect(page.locator("#filter-text")).to_have_value('"a b" -c')
    page.reload()
    expect_live(page)
    expect(page.locator("#filter-text")).to_have_value('"a b" -c')
    expect(page.get_by_label("Só realçar")).to_be_checked()

    shared = open_page(view("here") + "&filter=" + quote("a"))
    expect_live(shared)
    valkey.client.publish("here", "b")
    valkey.client.publish("here", "a")
    expect_texts(shared, ["a"])


def test_a_gap_is_shown_whatever_the_filter(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("gap and filter") + "&filter=nothing")
    expect_live(page)
    valkey.client.execute_command("CLIENT KILL TYPE pubsub")
    expect(notices(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("text", "parsed"), [("disk", 0), ("/9{3}/", 0), ("severity>=warning", 1_000), ("user.name:u99*", 1_000)]
)
def test_a_filter_parses_what_it_must_and_once(open_page: OpenPage, text: str, parsed: int) -> None:
    page = open_page(view("quick"))
    expect_live(page)
    line = json.dumps({"user": {"name": "u"}, "severity": "error", "message": "disk"})
    counted = page.evaluate(
        """async ([text, line]) => {
          const { readFilter } = await import("./static/js/query.js");
          const { Store } = await import("./static/js/store.js");
          const store = new Store();
          const event = (data) => ({ type: "message", channel: "quick", data });
          const jsons = Array.from({ length: 1_000 }, (_, n) => event(line.replace('"u"', `"u${n}"`)));
          store.add([...jsons, ...Array.from({ length: 12_000 }, (_, n) => event(`line ${n}`)), ...jsons]);
          const parse = JSON.parse;
          let parsed = 0;
          JSON.parse = (given) => { parsed += 1; return parse(given); };
          const { test } = readFilter(text);
          store.select(test, test);
          JSON.parse = parse;
          return [store.messages, parsed];
        }""",
        [text, line],
    )
    assert counted == [10_000, parsed]


def test_the_empty_log_takes_the_focus_after_escape(open_page: OpenPage) -> None:
    page = open_page(view("escape"))
    expect_live(page)
    page.locator("body").press("/")
    expect(filter_field(page)).to_be_focused()
    page.keyboard.type("/x/ ?")
    expect(filter_field(page)).to_have_value("/x/ ?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(log(page)).to_be_focused()
    expect(row(page, "x")).to_have_count(0)
