"""The strip above the feed: messages by time and severity, visible, reachable by keyboard, accessible."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_notifications import leave
from tests.browser.test_reading_modules import call
from tests.support.fake_server import NOON, FakeServer
from tests.support.pages import (
    chip,
    expect_live,
    expect_state,
    expect_texts,
    let_draw,
    rows,
    solo,
    stop_clock,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start

STATUS_503 = ("status of 503", "WebSocket connection to")


def strip(page: Page) -> Locator:
    return page.locator("#volume")


def sentence(page: Page) -> Locator:
    return strip(page).locator(".volume__sentence")


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Messages of the last 5 minutes")


def value(page: Page) -> Locator:
    return strip(page).locator(".volume__value")


def drawn(page: Page, kind: str) -> int:
    """The number of rectangles of a severity, or of none."""
    return int(
        strip(page).evaluate(
            """(strip, kind) => [...strip.querySelectorAll(`.volume__${kind}`)]
                 .flatMap((path) => path.getAttribute("d")?.match(/M/g) ?? []).length""",
            kind,
        )
    )


def gaps(page: Page) -> Locator:
    return strip(page).locator("svg > path").first


def alert(severity: str) -> str:
    return json.dumps({"severity": severity, "title": "Disk"})


# Counting


def test_messages_are_counted_at_their_time_by_severity(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other")))
    page = server.page
    expect(sentence(page)).to_have_text("All channels, last 5 minutes: 0 messages, 0 a second now, 0 at most")
    noon = NOON.timestamp()
    for seconds, data in (
        (65, alert("critical")),
        (65, alert("debug")),
        (65, "text"),
        (30, alert("error")),
        (30, alert("warn")),
        (30, '{"level": 30}'),
        (400, alert("critical")),  # too old for the strip
    ):
        server.send("message", data=data, at=noon - seconds, past=True)
    expect(sentence(page)).to_have_text(
        "All channels, last 5 minutes: 6 messages, 0 a second now, 3 at most; last critical 1m ago"
    )
    assert {kind: drawn(page, kind) for kind in ("none", "info", "warning", "error", "critical")} == {
        "none": 1, "info": 1, "warning": 1, "error": 1, "critical": 1,
    }  # fmt: skip
    expect(strip(page).locator(".volume__now")).to_have_text("0/s last critical 1m ago")
    table = strip(page).get_by_role("table", name="Messages of the last 5 minutes")
    head = ["From", "Messages", "Critical", "Error", "Warning", "Info", "Gaps"]
    expect(table.get_by_role("columnheader")).to_have_text(head)
    times = table.get_by_role("rowheader").all_text_contents()
    assert len(times) == 9
    assert all(re.fullmatch(r"\d\d:\d\d:[03]0", time) for time in times)


def test_the_table_is_of_the_half_minutes_that_are_over(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), own_clock=True))
    page = server.page
    for data in (alert("critical"), "text"):
        server.send("message", data=data, at=NOON.timestamp() - 100, past=True)
    server.send("gap", reason="recorder", **{"from": NOON.timestamp() - 220, "to": NOON.timestamp() - 215})
    expect_texts(page, ["text"])
    page.clock.run_for(31_000)
    row = strip(page).get_by_role("row").filter(has_text="11:58:00")
    expect(row.get_by_role("cell")).to_have_text(["2", "1", "0", "0", "0", ""])
    missing = strip(page).get_by_role("row").filter(has_text="messages may be missing")
    expect(missing.get_by_role("rowheader")).to_have_text(["11:56:00"])


@pytest.fixture
def busy(open_page: OpenPage, valkey: RedisServer) -> Page:
    """Thirty messages that come by a channel and by a pattern."""
    page = open_page(view("busy", "quiet", patterns=("b*",)))
    expect_live(page)
    for number in range(30):
        valkey.client.publish("busy", number)
    expect(sentence(page)).to_have_text(re.compile(r"^All channels, last 5 minutes: 30 messages, "))
    return page


def test_what_comes_by_a_pattern_and_by_its_channel_counts_once(busy: Page) -> None:
    page = busy
    assert drawn(page, "none") > 0


def test_a_channel_that_is_pointed_at_takes_the_place_of_all(busy: Page) -> None:
    page = busy
    chip(page, "quiet").hover()
    expect(sentence(page)).to_have_text(re.compile("^quiet, last 5 minutes: 0 messages"))
    assert drawn(page, "none") == 0
    solo(page, "b*").focus()
    page.mouse.move(640, 500)
    solo(page, "busy").focus()
    expect(sentence(page)).to_have_text(re.compile("^busy, last 5 minutes: 30 messages"))
    expect(strip(page).locator(".volume__now span")).to_have_text("busy")
    assert drawn(page, "none") > 0
    page.locator("#choose-name").focus()
    expect(sentence(page)).to_have_text(re.compile("^All channels"))


def test_what_may_be_missing_is_hatched(open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server, allow=STATUS_503)
    expect_live(page)
    own_redis.client.publish("a", "before")
    expect(sentence(page)).to_have_text(re.compile(": 1 message,"))
    expect(gaps(page)).to_have_attribute("d", "")
    own_redis.stop()
    expect_state(page, "reconnecting")
    expect(gaps(page)).to_have_attribute("d", re.compile("^M"))  # messages may be missing now
    own_redis.start()
    expect_live(page)
    expect(gaps(page)).to_have_attribute("d", re.compile("^M"))
    slider(page).focus()
    walk_back(page, lambda bar: bar.endswith("messages may be missing"))


# Keyboard and pointer


def test_keys_and_the_pointer_move_over_the_bars_and_nothing_else_moves(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), own_clock=True))
    page = server.page
    for seconds in (3, 100):
        server.send("message", data=alert("error"), at=NOON.timestamp() - seconds, past=True)
    expect(sentence(page)).to_have_text(re.compile(": 2 messages,"))
    stop_clock(page)
    page.clock.run_for(1_000)
    top = page.locator("#log").bounding_box()

    slider(page).focus()
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile(r"^12:0\d:\d\d to .*: 0 messages$"))
    newest = position(page)
    expect(value(page)).to_have_text(slider(page).get_attribute("aria-valuetext") or "")
    page.keyboard.press("ArrowLeft")
    step = newest - position(page)
    assert step in (1, 2, 3, 5)
    page.keyboard.press("ArrowUp")
    assert position(page) == newest
    page.keyboard.press("PageDown")
    assert position(page) == newest - 10 * step
    page.keyboard.press("Home")
    assert position(page) == float(slider(page).get_attribute("aria-valuemin") or 0) == newest + step - 300
    page.keyboard.press("ArrowLeft")
    assert position(page) == newest + step - 300
    found = walk_back(page, lambda bar: not bar.endswith(" 0 messages"))
    assert re.fullmatch(r"11:5\d:\d\d to 1[12]:\d\d:\d\d: 1 message · Error: 1", found)
    reached = position(page)
    page.clock.run_for(10_000)  # the bar moves; the cursor stays on it, and its sentence does not change
    assert (position(page), slider(page).get_attribute("aria-valuetext")) == (reached, found)
    expect(value(page)).to_have_text(found)

    slider(page).hover(position={"x": 2, "y": 5})
    expect(value(page)).not_to_have_text(found)
    page.mouse.move(640, 600)
    expect(value(page)).to_have_text(found)
    slider(page).blur()
    expect(value(page)).to_be_empty()
    assert page.locator("#log").bounding_box() == top


def walk_back(page: Page, is_meant: Callable[[str], bool]) -> str:
    """Move from the newest bar back to the first whose sentence is meant; newer bars may appear meanwhile."""
    page.keyboard.press("End")
    while not is_meant(found := slider(page).get_attribute("aria-valuetext") or ""):
        at = position(page)
        page.keyboard.press("ArrowLeft")
        assert position(page) < at, "no bar is meant"
    return found


def position(page: Page) -> float:
    return float(slider(page).get_attribute("aria-valuenow") or 0)


def test_it_has_its_place_before_it_comes(open_page: OpenPage) -> None:
    page = open_page(allow=("net::ERR_FAILED",))
    page.route("**/volume_strip*", lambda route: route.abort())
    page.goto(f"{page.url.partition('?')[0]}{view('a')}")
    expect_live(page)
    before = page.locator("#log").bounding_box(), strip(page).bounding_box()
    page.unroute("**/volume_strip*")
    expect(sentence(page)).not_to_be_empty()
    assert (page.locator("#log").bounding_box(), strip(page).bounding_box()) == before


def test_what_came_before_it_came_is_counted(open_page: OpenPage) -> None:
    page = open_page(allow=("net::ERR_FAILED",))
    page.route("**/volume_strip*", lambda route: route.abort())
    server = FakeServer(page)
    server.publish("early", alert("error"))
    expect(rows(page)).to_have_count(2)
    page.unroute("**/volume_strip*")
    expect(sentence(page)).to_have_text(re.compile(": 2 messages,"))


# Drawing


def test_it_is_not_drawn_while_nobody_sees_it(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other"), own_clock=True))
    page = server.page
    server.publish("seen")
    page.clock.run_for(2_000)
    expect(sentence(page)).to_have_text(re.compile(": 1 message,"))
    leave(page)
    let_draw(page)  # it is also drawn after its layout
    page.evaluate(
        """() => {
          window.drawn = 0;
          new MutationObserver((all) => (drawn += all.length))
            .observe(document.getElementById("volume"), { subtree: true, childList: true, attributes: true });
        }"""
    )
    server.publish("unseen")
    page.clock.run_for(5_000)
    let_draw(page)
    assert page.evaluate("drawn") == 0
    leave(page, hidden=False)
    page.clock.run_for(1_000)
    expect(sentence(page)).to_have_text(re.compile(": 2 messages,"))


def test_it_is_drawn_once_a_second_in_a_flood(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other")))
    page = server.page
    server.publish("first")
    expect(sentence(page)).to_have_text(re.compile(": 1 message,"))
    page.evaluate(
        """() => {
          [window.drawn, window.began] = [0, performance.now()];
          new MutationObserver((all) => (drawn += all.length))
            .observe(document.querySelector("path.volume__critical"), { attributes: true });
        }"""
    )
    for _ in range(20):
        server.publish(*[alert("critical")] * 50)
    expect(sentence(page)).to_have_text(re.compile(": 1,001 messages,"))
    assert page.evaluate("drawn <= (performance.now() - began) / 1000 + 2")


def test_severities_differ_in_every_appearance(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    kinds = ["none", "info", "warning", "error", "critical"]
    fills = """(strip, kinds) => kinds.map((kind) => strip.querySelector(`.volume__${kind}`))
      .map((path) => getComputedStyle(path).fill)"""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert len(set(strip(page).evaluate(fills, kinds))) == 5
    page.emulate_media(forced_colors="active")
    assert len(set(strip(page).evaluate(fills, kinds))) == 3


# The modules


def bars(page: Page, body: str) -> Any:
    return call(page, "volume/volume_counts", f"({{ VolumeCounts, KINDS, stepFor }}) => {{ {body} }}")


def test_counts_are_kept_for_five_minutes_of_a_clock_that_may_be_set(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    found = bars(
        page,
        """
        const counts = new VolumeCounts();
        const all = (now) => counts.bars(now, 1).filter(({ counts }) => counts.some(Boolean))
          .map(({ from, counts }) => [from, ...counts]);
        counts.add(1000.5, "critical", 1000.9);
        counts.add(1003, "none", 1001); // of a clock that is ahead
        counts.add(900, "error", 1001);
        counts.add(600, "critical", 1001); // too late
        const totals = [all(1001), all(1199.5), all(1200.5), counts.lastCritical];
        counts.add(1500, "info", 1500);
        totals.push(all(1500));
        counts.add(50, "warning", 50); // set back
        totals.push(all(50));
        const coarse = counts.bars(50, 30);
        return [...totals, coarse.length, coarse[0].from, coarse.at(-1).from, KINDS];
        """,
    )
    kinds = ["unread", "none", "info", "warning", "error", "critical"]
    recent = [[1000, 0, 0, 0, 0, 0, 1], [1001, 0, 1, 0, 0, 0, 0]]
    both = [[900, 0, 0, 0, 0, 1, 0], *recent]
    info, warning = [[1500, 0, 0, 1, 0, 0, 0]], [[50, 0, 0, 0, 1, 0, 0]]
    assert found == [both, both, recent, 1000.5, info, warning, 10, -240, 30, kinds]
    assert bars(page, "return [60, 75, 149, 150, 200, 300, 1].map(stepFor)") == [5, 5, 3, 2, 2, 1, 30]


def test_no_message_is_newer_than_now(open_page: OpenPage) -> None:
    """A producer may give its messages times of the future."""
    page = open_page(view("a"))
    counted = (
        "const counts = new VolumeCounts(); counts.add(1e9, 'critical', 1001); return counts.lastCritical"
    )
    assert bars(page, counted) == 1001


def test_a_single_serious_message_is_seen_among_many(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    paths = "({ paths }, [bars, ...size]) => paths(bars.map((counts) => ({ from: 0, counts })), ...size)"
    many = [0, 10_000, 1, 1, 1, 1]
    found = call(page, "volume/bar_paths", paths, [[many, [0] * 6], 20, 20])
    assert found == [
        "", "M0 7h9v13h-9z", "M0 6h9v1h-9z", "M0 4h9v2h-9z", "M0 2h9v2h-9z", "M0 0h9v2h-9z",
    ]  # fmt: skip
    # One message is no flood, and thin bars touch.
    assert call(page, "volume/bar_paths", paths, [[[0, 1, 0, 0, 0, 0]] * 2, 4, 20])[1] == (
        "M0 16h2v4h-2zM2 16h2v4h-2z"
    )
    assert call(page, "volume/bar_paths", paths, [[], 20, 20]) == []


def test_too_many_characters_are_counted_unread(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    read = """({ SeverityReader }, data) => {
      const reader = new SeverityReader();
      const kinds = Array.from({ length: 200 }, () => reader.kindOf({ data }));
      const others = [{ data: "text" }, { data, encoding: "base64" }];
      return [kinds[0], kinds.at(-1), ...others.map((event) => reader.kindOf(event))];
    }"""
    large = json.dumps({"severity": "error", "text": "x" * 32_000})
    assert call(page, "volume/severity_reader", read, large) == ["error", "unread", "none", "none"]
    assert call(page, "volume/severity_reader", read, alert("error"))[1] == "error"


def test_times_are_whole_by_the_clock_that_is_shown(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    body = "({ axisTicks }, [from, to, room]) => axisTicks(from, to, room).map(({ text }) => text)"
    noon = NOON.timestamp()
    assert call(page, "volume/time_axis", body, [noon - 130, noon + 1, 5]) == ["11:58", "11:59", "12:00"]
    day = timedelta(days=1).total_seconds()
    assert call(page, "volume/time_axis", body, [noon - day, noon, 5]) == [
        "12:00",
        "18:00",
        "Nov 23",
        "06:00",
    ]
    assert call(page, "volume/time_axis", body, [noon - 2 * day, noon, 3]) == ["Nov 22", "Nov 23"]


def test_on_a_phone_the_severities_are_counted_without_a_line_more(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a"), width=390, height=844)
    expect_live(page)
    expect(strip(page).locator(".volume__now b")).to_have_text("0/s")
    height = strip(page).bounding_box()
    for severity in ("info", "info", "warning", "critical"):
        valkey.client.publish("a", f'{{"severity": "{severity}", "title": "x"}}')
    expect(strip(page).locator(".volume__levels > *")).to_have_text(["1", "0", "1", "2"])
    assert strip(page).bounding_box() == height
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(strip(page).locator(".volume__levels")).to_be_hidden()
