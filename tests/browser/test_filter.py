"""The filter bar: it finds, hides, marks and counts messages, and is kept in the address."""

import json
import re
from urllib.parse import parse_qs, quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.machine_time import MachineTime
from tests.support.pages import expect_live, expect_texts, log, notices, row, rows, view
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT
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
    ("/^$/", []),
    ("-/D.sk/i -see", [2, 5]),
    ("/var/log", [4]),
    ("12:30", [4]),
    ("a.c", [5]),
    ("channel:found*", [0, 1, 2, 3, 4, 5]),
    ("channel=fo", []),
    ("(disk OR abc) -full", [0, 5]),
    ("severity>=warning", [3]),
    ("severity:info", []),
    ("customer.name:ana", [2]),
    ("customer.name:a*a", [2]),
    ("order:12345678901234567890", [2]),
    ("order:12345678901234567891", []),
    ("total:1.0", [2]),
    ("total>0 tags:vip", [2]),
    ("total>1", []),
    ("note:disk*", [3]),
]


def filter_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Filter")


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
    page.get_by_label("Highlight only").check()
    expect(rows(page)).to_have_count(3)
    expect(count(page)).to_have_text("2 of 3")
    assert highlighted(page) == ["error", "error"]
    filter_field(page).fill("severity:error")
    expect(page.locator(".row[data-matches=true]")).to_have_count(1)
    expect(page.locator(".row[data-matches=true]")).to_contain_text("level")


def test_neither_a_match_nor_what_is_new_hides_how_bad_a_message_is(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("marked"))
    expect_live(page)
    page.emulate_media(reduced_motion="no-preference")
    # Read when it begins: it may be over before anything else is asked of the page.
    page.evaluate(
        """() => addEventListener("animationstart", ({ target }) => {
            if (!target.matches(".row")) return;
            const [flash] = target.getAnimations();
            window.flash = flash.effect.getKeyframes().map((frame) => frame.backgroundColor ?? null);
        })"""
    )
    valkey.client.publish("marked", '{"level": "warning"}')
    warning = row(page, "warning")
    eventually(lambda: page.evaluate("window.flash"), why="it flashes")
    assert not any(page.evaluate("window.flash"))
    expect(warning).not_to_have_css("border-left-color", "rgba(0, 0, 0, 0)")
    colour = warning.evaluate("row => getComputedStyle(row).borderLeftColor")
    page.get_by_label("Highlight only").check()
    filter_field(page).fill("warning")
    expect(warning).not_to_have_css("background-image", "none")
    expect(warning).to_have_css("border-left-color", colour)
    found = warning.evaluate("row => getComputedStyle(row, '::highlight(found)').backgroundColor")
    mark = warning.locator(".severity").evaluate(
        "mark => [getComputedStyle(mark).color, getComputedStyle(mark).backgroundColor]"
    )
    assert found not in mark


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
    expect(note(page)).to_contain_text("awful is not a severity")
    expect(rows(page)).to_have_count(1)
    filter_field(page).fill("/(h)/")
    expect(note(page)).to_be_empty()
    expect(filter_field(page)).to_have_attribute("aria-invalid", "false")


def test_the_filter_is_in_the_address_and_survives_a_reload(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("here"))
    expect_live(page)
    filter_field(page).fill('"a b" -c')
    page.get_by_label("Highlight only").check()
    query = parse_qs(page.evaluate("location.search")[1:])
    assert query == {"channel": ["here"], "filter": ['"a b" -c'], "highlight": ["only"]}
    page.get_by_role("link", name="Português").click()
    expect(page.locator(".filter__text")).to_have_value('"a b" -c')
    page.reload()
    expect_live(page)
    expect(page.locator(".filter__text")).to_have_value('"a b" -c')
    expect(page.get_by_label("Só destacar")).to_be_checked()

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


CASES = json.loads((ROOT / "tests" / "data" / "filter_cases.json").read_text())

FIND = """async ({ messages, finds, problems }) => {
  const { readFilter } = await import("./static/js/feed/filter_query.js");
  const events = messages.map(([channel, data]) => ({ type: "message", channel, data, patterns: [] }));
  const places = async ({ test, search }) => {
    await search?.learn(events);
    return events.flatMap((event, n) => (!test || test(event) ? [n] : []));
  };
  return [
    await Promise.all(finds.map(async ([text]) => [text, await places(readFilter(text))])),
    problems.map(([text]) => [text, readFilter(text).problem?.[0]]),
  ];
}"""


def test_the_page_filters_as_the_grammar_says(open_page: OpenPage) -> None:
    """docs/filter.md is the specification, and the cases are its examples."""
    page = open_page(view("cases"))
    found, problems = page.evaluate(FIND, CASES)
    assert found == CASES["finds"]
    assert problems == CASES["problems"]


def test_accents_do_not_count_and_are_marked(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("accents"))
    expect_live(page)
    valkey.client.publish("accents", "Sa\u0303o Jo\u00e3o")
    filter_field(page).fill("joao")
    expect(count(page)).to_have_text("1 of 1")
    eventually(lambda: highlighted(page) == ["Jo\u00e3o"], why="the word is marked")
    filter_field(page).fill("SAO")
    eventually(lambda: highlighted(page) == ["Sa\u0303o"], why="the other word is marked")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ms>3s", "3s is no number: write one, such as ms>3000. Nothing is filtered."),
        ("level>=error", "Write severity>=error for a severity. Nothing is filtered."),
        ("severity:awful", "awful is not a severity: choose from debug, info, warning, error, critical."),
    ],
)
def test_what_cannot_be_understood_says_what_to_write(
    open_page: OpenPage, valkey: RedisServer, text: str, sentence: str
) -> None:
    page = open_page(view("meant"))
    expect_live(page)
    valkey.client.publish("meant", "here")
    filter_field(page).fill(text)
    expect(note(page)).to_contain_text(sentence)
    expect_texts(page, ["here"])


def test_a_link_with_too_many_brackets_leaves_the_page_alive(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("deep") + "&filter=" + "(" * 5_000)
    expect_live(page)
    valkey.client.publish("deep", "here")
    expect_texts(page, ["here"])
    expect(note(page)).to_have_text("Too many brackets; nothing is filtered.")


def test_a_thousand_accents_on_a_letter_do_not_hold_up_the_filter(open_page: OpenPage) -> None:
    """Of many in a row only 30 are kept, so that the time to order them grows only with the text."""
    page = open_page(view("marks"))
    length = page.evaluate(
        """async () => {
          const { normal, searchable } = await import("./static/js/message/plain_text.js");
          const text = "a" + "\\u0301\\u0316".repeat(50_000);
          return [normal(text).length, searchable(text)];
        }"""
    )
    assert length[0] <= 31
    assert length[1] == "a"


@pytest.mark.parametrize(
    ("text", "parsed"), [("disk", 0), ("/9{3}/", 0), ("severity>=warning", 1_000), ("user.name:u99*", 1_000)]
)
def test_a_filter_parses_what_it_must_and_once(open_page: OpenPage, text: str, parsed: int) -> None:
    page = open_page(view("quick"))
    expect_live(page)
    line = json.dumps({"user": {"name": "u"}, "severity": "error", "message": "disk"})
    counted = page.evaluate(
        """async ([text, line]) => {
          const { readFilter } = await import("./static/js/feed/filter_query.js");
          const { MessageStore } = await import("./static/js/feed/message_store.js");
          const store = new MessageStore();
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


SLOW = r"/^(\w+\s?)+$/"
BAIT = "one_one_one_one_one_one_one_one!"
TOO_SLOW = f"{SLOW} is too slow: it was stopped, and nothing is filtered. Make it simpler."


def count_turns(page: Page) -> None:
    """Let the page note the longest time between two turns of its event loop, in milliseconds."""
    page.evaluate(
        """() => {
          window.longest = 0;
          let last = performance.now();
          setInterval(() => {
            window.longest = Math.max(window.longest, performance.now() - last);
            last = performance.now();
          }, 20);
        }"""
    )


@pytest.mark.alone
def test_a_slow_regex_is_named_and_stopped_and_the_page_goes_on(
    open_page: OpenPage, valkey: RedisServer, machine: MachineTime
) -> None:
    page = open_page(view("slow"))
    expect_live(page)
    valkey.client.publish("slow", BAIT)
    expect_texts(page, [BAIT])
    count_turns(page)
    machine.start()
    filter_field(page).fill(SLOW)
    expect(note(page)).to_have_text(TOO_SLOW)
    assert page.evaluate("longest") / machine.slowness < 1500
    expect(filter_field(page)).to_have_attribute("aria-invalid", "true")
    valkey.client.publish("slow", "after")
    expect_texts(page, [BAIT, "after"])
    filter_field(page).fill("/after/")
    expect_texts(page, ["after"])
    expect(note(page)).to_be_empty()


def test_a_slow_regex_in_the_address_does_not_hold_the_page(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("slow address") + "&filter=" + quote(SLOW), language="pt-BR")
    expect(page.locator("#status")).to_have_attribute("data-state", "live")
    for message in ("first", BAIT, "last"):
        valkey.client.publish("slow address", message)
    expect(note(page)).to_contain_text(f"{SLOW} é lenta demais")
    expect_texts(page, ["first", BAIT, "last"])
    page.reload()
    expect(page.locator("#status")).to_have_attribute("data-state", "live")


def test_a_slow_regex_that_is_typed_over_is_not_waited_for(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("typed over"))
    expect_live(page)
    valkey.client.publish("typed over", BAIT)
    expect_texts(page, [BAIT])
    filter_field(page).fill(SLOW)
    filter_field(page).press("Enter")
    filter_field(page).fill("/one!/ -nothing")
    filter_field(page).press("Enter")
    expect(count(page)).to_have_text("1 of 1")
    expect(note(page)).to_be_empty()
    eventually(lambda: highlighted(page) == ["one!"], why="the match is marked")


def test_messages_wait_for_a_regex_in_their_order(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("in order"))
    expect_live(page)
    filter_field(page).fill("/[02468]$/")
    filter_field(page).press("Enter")
    for n in range(300):
        valkey.client.publish("in order", f"number {n}")
    even = [f"number {n}" for n in range(0, 300, 2)]
    expect_texts(page, even)
    expect(count(page)).to_have_text("150 of 300")
    page.get_by_label("Highlight only").check()
    expect(page.locator(".row[data-matches=true]")).to_have_count(150)
    expect(page.locator(".row[data-matches=false]")).to_have_count(150)
    page.get_by_label("Highlight only").uncheck()
    expect_texts(page, even)
    page.get_by_role("button", name="Pause").click()
    valkey.client.publish("in order", "number 300")
    expect(count(page)).to_have_text("151 of 301")
    expect_texts(page, even)
    page.get_by_role("button", name="Resume").click()
    expect_texts(page, [*even, "number 300"])
    page.get_by_role("button", name="Newest first").click()
    expect_texts(page, ["number 300", *reversed(even)])
    page.get_by_role("button", name="Clear").click()
    expect(rows(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect_texts(page, ["number 300", *reversed(even)])


def test_a_browser_without_workers_says_that_it_cannot_search(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("no workers"))
    expect_live(page)
    valkey.client.publish("no workers", "here")
    page.evaluate("() => { window.Worker = class { constructor() { throw new Error(); } }; }")
    filter_field(page).fill("/x/")
    expect(note(page)).to_contain_text("Regular expressions cannot be searched for")
    expect_texts(page, ["here"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text:*error*code*42*", json.dumps({"text": "error code " * 2_000})),
        ("text:" + "*a" * 30 + "*b", json.dumps({"text": "a" * 22_000})),
        ("channel:" + "*a" * 40 + "*b", "any"),
        ("a" * 8_000 + "b", "a" * 900_000),
    ],
)
@pytest.mark.alone
def test_no_glob_and_no_word_holds_up_the_page(
    open_page: OpenPage, valkey: RedisServer, text: str, message: str, machine: MachineTime
) -> None:
    channel = "a" * 250
    page = open_page(view(channel))
    expect_live(page)
    valkey.client.publish(channel, message)
    expect(rows(page)).to_have_count(1)
    count_turns(page)
    machine.start()
    filter_field(page).fill(text)
    filter_field(page).press("Enter")
    expect(note(page)).to_have_text(re.compile("Nothing matches|is too slow"))
    assert page.evaluate("longest") / machine.slowness < 1500


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("a*a", "a", False), ("a*a", "aa", True), ("*", "", True), ("a?c", "a\nc", True),
        ("a?c", "a😀c", True), ("*😀", "a😀", True), ("?", "😀", True), ("??", "😀", False),
        ("*ab*ab", "xabab", True), ("*ab*ab", "xab", False), ("*b?*", "ab", False), ("**a**", "bab", True),
        ("É*", "école", True), ("*ſ", "AS", True), (r"a\?", r"a\b", True),
        ("a.c", "abc", False), ("", "", True), ("*a*b", "ab" * 9 + "a", False), ("*a*b", "ab" * 9, True),
    ],
)  # fmt: skip
def test_a_glob_is_matched_whole(module_page: Page, pattern: str, text: str, is_match: bool) -> None:
    matched = module_page.evaluate(
        """async ([pattern, text]) => (await import("./static/js/lib/glob.js")).glob(pattern)(text)""",
        [pattern, text],
    )
    assert matched is is_match


def test_a_glob_with_a_long_part_is_refused(open_page: OpenPage) -> None:
    page = open_page(view("long glob"))
    expect_live(page)
    filter_field(page).fill("text:*" + "a" * 65 + "*")
    expect(note(page)).to_have_text("Between two * there can be at most 64 characters; nothing is filtered.")


NFC, NFD = "caf\u00e9 S\u00e3o", "cafe\u0301 Sa\u0303o"


@pytest.mark.parametrize("written", [NFC, NFD])
@pytest.mark.parametrize("term", ['"{}"', "/{}/", "channel:*{}", "word:{}*"])
def test_letters_are_the_same_however_they_are_written(
    open_page: OpenPage, valkey: RedisServer, written: str, term: str
) -> None:
    other = NFD if written == NFC else NFC
    name = written.split(" ")[0]
    page = open_page(view(f"at {name}"))
    expect_live(page)
    text = json.dumps({"x\u0302": 1, "word": written}, ensure_ascii=False)
    valkey.client.publish(f"at {name}", text)
    expect(rows(page)).to_have_count(1)
    filter_field(page).fill(term.format(other.split(" ")[0] if "word" in term or "chan" in term else other))
    expect(count(page)).to_have_text("1 of 1")
    if term[0] in '"/':
        eventually(lambda: highlighted(page) == [written], why="it is marked as it is written")
