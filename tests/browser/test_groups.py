"""Equal alerts share a row with their number; each message can still be opened."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_detail import detail, panel
from tests.browser.test_exporting import export
from tests.browser.test_filter import filter_field
from tests.browser.test_reading_modules import call
from tests.support.accessibility import expect_no_violation
from tests.support.pages import expect_live, notices, open_more, row, rows, view
from tests.support.redis_servers import RedisServer


def alert(title: str, **more: Any) -> str:
    return json.dumps({"severity": "error", "title": title, "message": "it is so"} | more)


def grouped(open_page: OpenPage, *channels: str, **options: Any) -> Page:
    page = open_page(view(*channels), **options)
    expect_live(page)
    switch(page)
    return page


def switch(page: Page) -> None:
    open_more(page)
    page.get_by_role("button", name="Group equal messages").click()


def publish(valkey: RedisServer, channel: str, *messages: str) -> None:
    with valkey.client.pipeline(transaction=False) as pipeline:
        for message in messages:
            pipeline.publish(channel, message)
        pipeline.execute()


def badge(page: Page, text: str) -> Locator:
    return row(page, text).get_by_role("button", name=re.compile("×"))


def test_equal_alerts_share_a_row_and_all_else_is_exact(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    for n in range(3):
        publish(valkey, "alerts", alert("disk full", n=n), f"text {n}", alert("memory", severity="info"))
    expect(rows(page)).to_have_count(5)
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×3, last "))
    expect(badge(page, "memory")).to_have_text(re.compile(r"^×3, last "))
    expect_no_violation(page, "grouped")
    exported = [json.loads(line) for line in export(page, "NDJSON").read_text().splitlines()]
    assert len(exported) == 9
    filter_field(page).fill("disk")
    expect(page.locator("#filter-count")).to_have_text("3 of 9")
    expect(rows(page)).to_have_count(1)
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×3, last "))
    filter_field(page).fill("")
    switch(page)
    expect(rows(page)).to_have_count(9)
    expect(page.get_by_role("button", name=re.compile("×"))).to_have_count(0)
    switch(page)
    expect(rows(page)).to_have_count(5)


def test_a_group_opens_and_each_of_its_messages_too(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    publish(valkey, "alerts", *(alert("disk full", n=n) for n in range(103)))
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×103, last "))
    page.keyboard.press("k")
    badge(page, "disk full").focus()
    page.keyboard.press("Enter")
    members = rows(page).get_by_role("listitem")
    expect(members).to_have_count(101)
    expect(members.first).to_have_text("3 older messages are not shown")
    expect(badge(page, "disk full")).to_have_attribute("aria-expanded", "true")
    expect_no_violation(page, "a group is open")
    members.last.get_by_role("button").click()
    expect(detail(page)).to_be_visible()
    expect(panel(page)).to_contain_text("102")
    badge(page, "disk full").click()
    expect(members).to_have_count(0)


def test_who_reads_an_open_group_stays_where_they_are(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    publish(valkey, "alerts", *(alert("disk full", n=n) for n in range(3)))
    badge(page, "disk full").click()
    members = rows(page).get_by_role("listitem")
    expect(members).to_have_count(3)
    members.nth(1).get_by_role("button").focus()
    publish(valkey, "alerts", alert("disk full", n=3))
    expect(members).to_have_count(4)
    expect(members.nth(1).get_by_role("button")).to_be_focused()
    publish(valkey, "alerts", *(alert("disk full", n=n) for n in range(4, 110)))
    expect(members.first).to_have_text("10 older messages are not shown")
    expect(members).to_have_count(101)
    expect(members.nth(1).get_by_role("button")).to_be_focused()


def test_the_address_and_the_browser_keep_it(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    assert "group=on" in page.url
    page.reload()
    expect_live(page)
    publish(valkey, "alerts", alert("disk full"), alert("disk full"))
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×2, last "))
    page.goto(page.url.replace("group=on", "group=off"))
    expect_live(page)
    publish(valkey, "alerts", alert("disk full"), alert("disk full"))
    expect(rows(page)).to_have_count(2)
    page.goto(page.url.replace("&group=off", ""))
    expect(page.get_by_role("button", name="Group equal messages")).to_have_attribute("aria-pressed", "true")


def test_what_is_resolved_is_said_to_be_and_begins_anew(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    for one in ({"fingerprint": "f1"}, {}):
        title = f"disk {len(one)}"
        publish(
            valkey, "alerts", alert(title, **one), alert(title, **one),
            alert(title, **one | {"status": "resolved", "severity": "info"}), alert(title, **one),
        )  # fmt: skip
        expect(badge(page, title)).to_have_text("resolved, ×3")
        expect(row(page, title)).to_have_count(2)


def test_what_is_resolved_was_all_of_its_severities(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    for title, severity in (("slow", "warning"), ("dead", "critical")):
        publish(valkey, "alerts", alert(title, fingerprint="f", severity=severity))
    publish(valkey, "alerts", alert("over", fingerprint="f", status="resolved"))
    expect(badge(page, "dead")).to_have_text("resolved, ×2")
    expect(badge(page, "slow")).to_have_text("resolved, ×1")
    expect(rows(page)).to_have_count(2)


def test_a_pause_holds_what_a_row_says(open_page: OpenPage, valkey: RedisServer) -> None:
    page = grouped(open_page, "alerts")
    publish(valkey, "alerts", alert("disk full"), alert("disk full"))
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×2, last "))
    page.get_by_role("button", name="Pause").click()
    publish(valkey, "alerts", alert("disk full"), "text")
    expect(page.locator("#new")).to_have_text("2 new")
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×2, last "))
    page.get_by_role("button", name="Resume").click()
    expect(badge(page, "disk full")).to_have_text(re.compile(r"^×3, last "))
    expect(rows(page)).to_have_count(2)


def test_what_is_on_the_other_side_of_a_gap_is_another_row(
    open_page: OpenPage, own_redis: RedisServer, start: Any
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = grouped(open_page, "alerts", server=server)
    own_redis.client.publish("alerts", alert("disk full"))
    expect(rows(page)).to_have_count(1)
    own_redis.client.client_kill_filter(_type="pubsub")
    expect(notices(page)).to_have_count(1)
    expect_live(page)
    own_redis.client.publish("alerts", alert("disk full"))
    expect(rows(page)).to_have_count(2)


WHAT = """({ MessageGroups }, { messages }) => {
  const rows = [];
  const ring = {
    start: 0, get end() { return rows.length; }, push(event) { rows.push(event); }, absorb() {},
  };
  const groups = new MessageGroups();
  for (const [channel, data] of messages) {
    groups.add({ type: "message", channel, data, patterns: [], at: 0 }, ring);
  }
  return rows.map((event) => groups.of(event)?.n ?? 0);
}"""
OTHERS = [f"other {n}" for n in range(60)]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([alert("a"), alert("a", severity="info")], [1, 1]),
        ([alert("a", fingerprint="x"), alert("b", fingerprint="x")], [2]),
        ([alert("a", dedup_key="x", severity=s) for s in ("info", "error", "info", "error")], [1, 3]),
        ([alert("a", group="x", severity=s) for s in ("", "debug", "")], [1, 2]),
        ([alert("a", dedup_key="x"), alert("a", group="x")], [1, 1]),
        ([alert("a", fingerprint=""), alert("a", fingerprint=None)], [2]),
        ([alert("a", fingerprint=7), alert("a", fingerprint=8), alert("b", fingerprint="7")], [2, 1]),
        ([alert("a", fingerprint=0), alert("a"), alert("b", fingerprint=0)], [2, 1]),
        ([alert("a", group=2**53 + n) for n in (0, 1, 1)], [1, 2]),
        (["text", "text", '{"a": 1}', '{"a": 1}', "{", '["title"]'], [0] * 6),
        ([alert("a"), *OTHERS[:49], alert("a")], [2, *[0] * 49]),
        ([alert("a"), *OTHERS[:51], alert("a")], [1, *[0] * 51, 1]),
        ([alert("a", status="resolved")], [0]),
        ([json.dumps({"title": "a", "text": "x" * 40_000, "severity": "error"})] * 2, [0, 0]),
    ],
)
def test_what_is_equal(module_page: Page, messages: list[str], expected: list[int]) -> None:
    given = {"messages": [["a", message] for message in messages]}
    assert call(module_page, "feed/message_groups", WHAT, given) == expected


def test_other_channels_are_others(module_page: Page) -> None:
    given = {"messages": [["a", alert("a")], ["b", alert("a")], ["a", alert("a")]]}
    assert call(module_page, "feed/message_groups", WHAT, given) == [2, 1]
