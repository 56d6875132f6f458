"""The feed shows each message as it was published, in order, and counts those it does not show."""

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import (
    TIME_ZONE,
    chips,
    expect_live,
    expect_texts,
    let_draw,
    log,
    message_field,
    notices,
    publish,
    row,
    rows,
    texts,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

ROUNDING = timedelta(milliseconds=1)
HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}%s&amp;"


# Idle work never runs, since on a slow machine it might run too soon; formatters note their creator.
FORMATTERS = """
window.setTimeout = window.setInterval = window.requestIdleCallback = () => 0;
window.made = [];
for (const name of Object.getOwnPropertyNames(Intl).filter((name) => typeof Intl[name] === "function"))
  Intl[name] = new Proxy(Intl[name], { construct: (...all) => (made.push(name), Reflect.construct(...all)) });
for (const type of [Number, Date]) for (const name of Object.getOwnPropertyNames(type.prototype))
  if (name.startsWith("toLocale")) type.prototype[name] = () => void made.push(name);
"""


def text_of(row: Locator) -> Locator:
    return row.locator(".row__data")


def publish_many(valkey: RedisServer, channel: str, messages: list[str]) -> None:
    with valkey.client.pipeline(transaction=False) as pipeline:
        for message in messages:
            pipeline.publish(channel, message)
        pipeline.execute()


def older(page: Page) -> int:
    """The number in the line above the feed."""
    line = page.locator("#older")
    return int(re.sub(r"\D", "", line.text_content() or "")) if line.is_visible() else 0


def is_at_end(page: Page) -> bool:
    return bool(
        log(page).evaluate("(log) => Math.abs(log.scrollHeight - log.clientHeight - log.scrollTop) <= 2")
    )


def new_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"new$"))


def test_messages_are_shown_as_published(open_page: OpenPage, valkey: RedisServer) -> None:
    messages = [
        "first\n\n  third, indented\r\nfourth\n",
        "🎺 👩‍👩‍👧‍👦 🇧🇷 e\u0301",
        "שלום עולם, abc",
        "\u202eevil\u202c and \u0000 \u0007 \x1b[31m",
        '{"id": 9007199254740993, "b":1e400, "a":  [1,2]}',
        HOSTILE,
        "<b>bold</b> <script>alert(1)</script> javascript:alert(1)",
    ]
    page = open_page(view("as is"))
    expect_live(page)
    for message in messages:
        valkey.client.publish("as is", message)
    expect_texts(page, [message.replace("\x1b[31m", "") for message in messages])  # a mark replaces it
    assert rows(page).locator(".row__body *:not(p, .mark, [class^=json-])").count() == 0
    expect(text_of(rows(page).nth(0))).to_have_css("white-space", "pre-wrap")
    expect(text_of(rows(page).nth(2))).to_have_css("direction", "rtl")


def test_markup_is_inert_as_channel_pattern_message_and_address(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view(HOSTILE, patterns=(HOSTILE + "*",)))
    expect_live(page)
    assert chips(page) == [HOSTILE, HOSTILE + "*"]
    assert message_field(page).input_value() == ""
    publish(page, HOSTILE, HOSTILE)
    expect(rows(page)).to_have_count(1)
    assert texts(page) == [HOSTILE]
    expect(page.locator(".row__name")).to_have_text(HOSTILE)
    expect(page.locator(".row__pattern")).to_have_text(HOSTILE + "*")
    assert page.locator("img[src=x], #messages img, #chips img, #messages script").count() == 0
    valkey.client.publish(HOSTILE, "sentinel")
    expect(row(page, "sentinel")).to_have_count(1)


def test_a_pattern_names_the_channel_and_the_pattern(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view(patterns=("alertas.*",)))
    expect_live(page)
    valkey.client.publish("alertas.cpu", "99%")
    expect(rows(page).locator(".row__name")).to_have_text("alertas.cpu")
    expect(rows(page).locator(".row__pattern")).to_have_text("alertas.*")


def test_a_message_over_the_cap_shows_its_beginning_and_its_size(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("big"))
    expect_live(page)
    valkey.client.publish("big", "é" * 1_500_000)
    expect(rows(page)).to_contain_text("first 1 MB of 3 MB")
    expect_texts(page, ["é" * 2000])
    page.get_by_role("button", name="Show all (1 MB)").click()
    expect_texts(page, ["é" * (1 << 19)])


def test_long_text_is_folded_and_shown_whole_when_asked(open_page: OpenPage, valkey: RedisServer) -> None:
    lines = [f"line {n}" for n in range(40)]
    page = open_page(view("long"))
    expect_live(page)
    valkey.client.publish("long", "\n".join(lines))
    valkey.client.publish("long", "x" * 1999 + "🎺" + "y" * 9)
    expect_texts(page, ["\n".join(lines[:12]), "x" * 1999])
    page.get_by_role("button", name="Show all").first.click()
    page.get_by_role("button", name="Show all").click()
    expect_texts(page, ["\n".join(lines), "x" * 1999 + "🎺" + "y" * 9])
    expect(page.get_by_role("button", name="Show all")).to_have_count(0)


def test_what_is_read_late_stays_as_far_open_as_it_was(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("read late"))
    page.add_init_script("window.put_off = []; window.requestIdleCallback = (work) => put_off.push(work)")
    page.reload()
    expect_live(page)
    text = json.dumps([f"line {n}" for n in range(4_000)], indent=0)
    valkey.client.publish("read late", text)
    valkey.client.publish("read late", b"\xff" * 40_000)
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Show more").click()
    expect(text_of(rows(page).first)).to_have_text(text)
    dump = text_of(rows(page).last).text_content() or ""
    assert dump.count("\n") == 512 / 16 - 1
    log(page).evaluate(
        "(log) => log.addEventListener('grow', () => (window.grown = (window.grown ?? 0) + 1))"
    )
    eventually(lambda: page.evaluate("put_off.splice(0).forEach((work) => work()), window.grown") == 2)
    assert texts(page) == [text, dump]


def test_the_time_is_the_readers_own(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("time"))
    expect_live(page)
    sent = datetime.now(UTC)
    valkey.client.publish("time", "now")
    time = rows(page).get_by_role("time")
    stamp = datetime.fromisoformat(time.get_attribute("datetime") or "")
    assert sent - ROUNDING <= stamp <= datetime.now(UTC) + ROUNDING
    there = stamp.astimezone(ZoneInfo(TIME_ZONE))
    expect(time).to_have_text(f"{there:%H:%M:%S}.{there.microsecond // 1000:03}")
    in_full = re.escape(f"{there:%A, %B} {there.day}, {there.year} at ")
    expect(time).to_have_attribute("title", re.compile(in_full))


def test_the_first_message_waits_for_no_formatter(open_page: OpenPage, valkey: RedisServer) -> None:
    """The first formatter of numbers or dates in a tab takes tens of milliseconds."""
    page = open_page(view("first"))
    expect_live(page)
    page.add_init_script(FORMATTERS)
    page.reload()
    expect_live(page)
    valkey.client.publish("first", '{"severity":"error","message":"here"}')
    expect(rows(page)).to_have_count(1)
    assert page.evaluate("made") == []
    assert page.evaluate("[new Intl.NumberFormat('en').format(1), (1).toLocaleString(), made]") == [
        "1", None, ["NumberFormat", "toLocaleString"],
    ]  # fmt: skip


def test_a_late_tab_shows_nothing_of_before(open_page: OpenPage, valkey: RedisServer) -> None:
    early = open_page(view("late"))
    expect_live(early)
    valkey.client.publish("late", "before")
    late = open_page(view("late"))
    expect_live(late)
    expect(late.get_by_role("heading", name="Listening from now on")).to_be_visible()
    valkey.client.publish("late", "after")
    expect_texts(late, ["after"])
    expect_texts(early, ["before", "after"])
    expect(late.get_by_role("heading", name="Listening from now on")).to_be_hidden()


def test_the_feed_follows_its_end_until_the_reader_scrolls_up(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("follow"))
    expect_live(page)
    publish_many(valkey, "follow", [f"message {n}" for n in range(100)])
    expect(row(page, "message 99")).to_be_in_viewport()
    eventually(lambda: is_at_end(page))

    log(page).hover()
    page.mouse.wheel(0, -600)
    expect(row(page, "message 99")).not_to_be_in_viewport()
    top = eventually(lambda: settled_top(page))
    expect(new_button(page)).to_be_hidden()
    publish_many(valkey, "follow", ["unseen 1", "unseen 2", "unseen 3"])
    expect(new_button(page)).to_have_text("3 new")
    expect(rows(page)).to_have_count(103)
    assert log(page).evaluate("(log) => log.scrollTop") == top

    new_button(page).click()
    expect(row(page, "unseen 3")).to_be_in_viewport()
    expect(new_button(page)).to_be_hidden()
    expect(log(page)).to_be_focused()
    valkey.client.publish("follow", "seen")
    expect(row(page, "seen").last).to_be_in_viewport()


def settled_top(page: Page) -> float | None:
    """The scroll position of the feed, once it has not moved for two frames."""
    before, after = log(page).evaluate(
        """(log) => new Promise((done) => {
             const before = log.scrollTop;
             requestAnimationFrame(() => requestAnimationFrame(() => done([before, log.scrollTop])));
           })"""
    )
    return float(after) if before == after else None


def test_scrolling_back_to_the_end_by_keyboard_follows_again(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("keyboard"))
    expect_live(page)
    publish_many(valkey, "keyboard", [f"message {n}" for n in range(100)])
    expect(row(page, "message 99")).to_be_in_viewport()
    expect(rows(page)).to_have_count(100)
    log(page).focus()
    page.keyboard.press("Home")
    expect(rows(page).first).to_be_in_viewport()
    valkey.client.publish("keyboard", "unseen")
    expect(new_button(page)).to_have_text("1 new")
    page.keyboard.press("End")
    expect(new_button(page)).to_be_hidden()
    valkey.client.publish("keyboard", "the last")
    expect(row(page, "the last")).to_be_in_viewport()


def test_the_end_is_reached_though_a_row_comes_on_the_way(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("on the way"))
    page.add_init_script(
        """const ask = requestAnimationFrame.bind(window);
        window.put_off = null; // frames, while they are held back
        window.requestAnimationFrame = (work) => (put_off ? put_off.push(work) : ask(work));"""
    )
    page.reload()
    expect_live(page)
    publish_many(valkey, "on the way", [f"message {n}" for n in range(100)])
    expect(rows(page)).to_have_count(100)
    log(page).focus()
    page.keyboard.press("Home")
    expect(rows(page).first).to_be_in_viewport()
    page.evaluate("void (put_off = [])")
    valkey.client.publish("on the way", "unseen")
    expect(new_button(page)).to_have_text("1 new")
    page.keyboard.press("End")
    page.evaluate("() => { const works = put_off; put_off = null; works.forEach(requestAnimationFrame); }")
    expect(row(page, "unseen")).to_be_in_viewport()
    expect(new_button(page)).to_be_hidden()


def test_the_list_keeps_five_hundred_rows_and_counts_the_older(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("capped"))
    expect_live(page)
    for start in range(0, 1500, 250):
        publish_many(valkey, "capped", [str(n) for n in range(start, start + 250)])
        expect(row(page, str(start + 249)).last).to_be_attached()
    expect(page.locator("#older")).to_have_text("1,000 older messages are not shown")
    assert texts(page) == [str(n) for n in range(1000, 1500)]
    eventually(lambda: is_at_end(page))


def test_what_a_reader_scrolled_up_to_is_not_taken_away(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("reading"))
    expect_live(page)
    publish_many(valkey, "reading", [f"early {n}" for n in range(200)])
    expect(row(page, "early 199")).to_be_in_viewport()
    expect(rows(page)).to_have_count(200)  # earlier ones are drawn later
    log(page).focus()
    page.keyboard.press("Home")
    expect(row(page, "early 0")).to_be_in_viewport()
    publish_many(valkey, "reading", [f"late {n}" for n in range(1500)])
    expect(new_button(page)).to_have_text("1,500 new")
    expect(row(page, "early 0")).to_be_in_viewport()
    expect(rows(page)).to_have_count(500)  # the most there may be, drawn piece by piece
    new_button(page).click()
    expect(row(page, "late 1499")).to_be_in_viewport()
    expect(notices(page)).to_have_text("1,140 messages arrived meanwhile and are not shown")
    assert texts(page)[-61:-59] == ["late 299", "late 1440"]
    eventually(lambda: accounted_for(page) == 1700)

    page.get_by_role("button", name="Show more of them").click()
    expect(rows(page)).to_have_count(1000)
    expect_texts(page, [f"late {n}" for n in range(500, 1500)])
    expect(notices(page)).to_have_count(0)
    assert accounted_for(page) == 1700


def test_older_rows_are_shown_when_asked_and_what_is_read_stays(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("older"))
    expect_live(page)
    publish_many(valkey, "older", [f"message {n}" for n in range(1200)])
    expect(rows(page)).to_have_count(500)
    expect(row(page, "message 1199")).to_be_in_viewport()
    log(page).focus()
    page.keyboard.press("Home")
    expect(row(page, "message 700")).to_be_in_viewport()
    page.get_by_role("button", name="Show more of them").click()
    expect(rows(page)).to_have_count(1000)
    expect(row(page, "message 700")).to_be_in_viewport()
    page.get_by_role("button", name="Show more of them").click()
    expect(rows(page)).to_have_count(1200)
    expect(row(page, "message 200")).to_be_in_viewport()  # the button is above the rows
    expect(page.locator("#older")).to_be_hidden()
    valkey.client.publish("older", "not drawn yet")
    expect(new_button(page)).to_have_text("1 new")
    let_draw(page)
    assert texts(page) == [f"message {n}" for n in range(1200)]
    expect(row(page, "message 200")).to_be_in_viewport()


def test_a_burst_is_accounted_for_to_the_last_message(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("burst"))
    expect_live(page)
    for start in range(0, 20_000, 1000):
        publish_many(valkey, "burst", [f"message {n}" for n in range(start, start + 1000)])
    expect(row(page, "message 19999")).to_be_in_viewport()
    eventually(lambda: accounted_for(page) == 20_000)
    assert log(page).get_by_role("listitem").count() <= 500


def accounted_for(page: Page) -> int:
    """The sum of messages shown, counted as not drawn, and counted as older."""
    counts = page.evaluate(
        "[...document.querySelectorAll('#messages > li')].map((row) => row.dataset.messages)"
    )
    return older(page) + sum(map(int, counts))
