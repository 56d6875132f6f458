"""Parts of one gap share a row: a channel's log and its connection may each report one."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_reading_modules import call
from tests.support.fake_server import NOON, FakeServer
from tests.support.pages import expect_texts, notices, view

FIRST = {"type": "gap", "channel": "a", "reason": "recorder", "from": 10, "to": 20}
MERGE = """({ GapMerge }, { parts }) => {
  const merge = new GapMerge();
  const shown = [];
  for (const part of parts) {
    if (part.type === "gap") shown.push(...merge.take(part).filter(({ type }) => type === "gap"));
    else merge.forget(part.channel);
  }
  return shown.map(({ from, to }) => [from, to]);
}"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{"from": 20, "to": 30}], [[10, 30]]),
        ([{"from": 5, "to": 12}], [[5, 20]]),
        ([{"from": 12, "to": 18}], [[10, 20]]),
        ([{"from": 20, "to": 30}, {"from": 30, "to": 31}], [[10, 31]]),
        ([{"from": 21, "to": 30}], [[10, 20], [21, 30]]),
        ([{"from": 5, "to": 9}], [[10, 20], [5, 9]]),
        ([{"from": 20, "to": 30, "reason": "log"}], [[10, 20], [20, 30]]),
        ([{"from": 20, "to": 30, "channel": "b"}, {"from": 20, "to": 31}], [[10, 31], [20, 30]]),
        ([{"from": 20, "to": 30, "missing": 3}], [[10, 20], [20, 30]]),
        ([{"type": "message"}, {"from": 20, "to": 30}], [[10, 20], [20, 30]]),
        ([{"type": "message", "channel": "b"}, {"from": 20, "to": 30}], [[10, 30]]),
    ],
)
def test_parts_that_touch_are_one_gap(
    module_page: Page, changes: list[dict[str, Any]], expected: list[list[int]]
) -> None:
    given = {"parts": [FIRST, *(FIRST | change for change in changes)]}
    assert call(module_page, "stream/gap_merge", MERGE, given) == expected


def test_a_second_part_makes_the_row_longer(open_page: OpenPage) -> None:
    server = FakeServer(open_page(view("other")))
    page = server.page
    noon = NOON.timestamp()

    def gap(since: int, until: int) -> None:
        server.send("gap", channel="a", reason="recorder", **{"from": noon + since, "to": noon + until})

    gap(-60, -30)
    expect(notices(page)).to_contain_text("from 11:59:00 to 11:59:30")
    gap(-30, -10)
    expect(notices(page)).to_contain_text("from 11:59:00 to 11:59:50")
    server.publish("between")
    expect_texts(page, ["between"])
    gap(-10, 0)
    expect(notices(page)).to_contain_text(["from 11:59:00 to 11:59:50", "from 11:59:50 to 12:00:00"])
