"""Messages are exported exactly, and without formulas for a spreadsheet."""

import csv
import json
import re
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_watching import publish_many
from tests.support.pages import expect_live, expect_texts, rows, view
from tests.support.redis_servers import RedisServer

MESSAGES = [
    "plain",
    '{"id": 12345678901234567890, "b": 1.0}',
    "two\r\nlines, \"quoted\" and 'single'",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@cmd",
    "\ttab",
    "🎺 São Paulo",
]
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def export(page: Page, name: str) -> Path:
    """Export in a format, and return the path of the file."""
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("group", name="Export").get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("group", name="Export").get_by_role("status")).to_contain_text("exported")
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Export")).to_be_hidden()
    name = r"arauto-20\d\d-\d\d-\d\dT\d\d-\d\d-\d\dZ\.\w+"
    assert re.fullmatch(name, download.value.suggested_filename)
    return download.value.path()


def test_each_format_carries_time_channel_and_data(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("export", patterns=("exp*",)))
    expect_live(page)
    publish_many(valkey, "export", MESSAGES)
    valkey.client.publish("export", b"\xff\x00")
    expect(rows(page)).to_have_count(len(MESSAGES) + 1)

    lines = export(page, "NDJSON").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["data"] for record in records] == [*MESSAGES, "/wA="]
    assert {record["channel"] for record in records} == {"export"}
    assert records[0]["patterns"] == ["exp*"]
    assert records[-1]["encoding"] == "base64"
    assert datetime.fromisoformat(records[0]["time"]).tzinfo is not None
    assert json.loads(export(page, "JSON").read_text()) == records

    table = list(csv.DictReader(StringIO(export(page, "CSV").read_bytes().decode("utf-8-sig"), newline="")))
    assert not any(line["data"].startswith(FORMULAS) for line in table)
    plain = [line["data"].removeprefix("'") for line in table]
    assert plain == [*MESSAGES, "/wA="]
    assert table[0]["time"] == records[0]["time"]
    assert table[0]["patterns"] == "exp*"

    text = export(page, "Plain text").read_bytes().decode()
    assert text.startswith(f"{records[0]['time']} export plain\n")
    assert text.count(" export ") == len(MESSAGES) + 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(
    open_page: OpenPage, valkey: RedisServer, delimiter: str
) -> None:
    page = open_page(view(patterns=("*formula*",)))
    expect_live(page)
    sent = [
        f"{before}{between}{formula}HYPERLINK(0)"
        for before in ("", "ok;", "ok\t", "ok|", "ok\n", "ok\r\n", '"ok"\n;', "ok; \x0b")
        for between in ("", '"', ' " ', "\t", '\n"')
        for formula in "=+-@＝"
    ]
    publish_many(valkey, "a formula", sent)
    valkey.client.publish("formula;=1", "x")
    valkey.client.publish("formula", '[1,-2,"-3"]')
    expect(rows(page)).to_have_count(len(sent) + 2)
    text = export(page, "CSV").read_bytes().decode("utf-8-sig")
    for line in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
        for cell in line:
            assert not cell.lstrip(' "\t\r\n\x0b').startswith((*"=+-@＝",)), line
    if delimiter == ",":
        table = list(csv.DictReader(StringIO(text, newline="")))
        assert [line["data"].replace("'", "") for line in table[:-2]] == sent
        assert [line["data"] for line in table[-2:]] == ["x", '[1,-2,"-3"]']


def test_only_what_passes_the_filter_is_exported(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("part") + "&filter=odd")
    expect_live(page)
    publish_many(valkey, "part", [f"{n} {'odd' if n % 2 else 'even'}" for n in range(2000)])
    expect(page.locator("#filter-count")).to_have_text("1,000 of 2,000")
    records = [json.loads(line) for line in export(page, "NDJSON").read_text().splitlines()]
    assert [record["data"] for record in records] == [f"{n} odd" for n in range(1, 2000, 2)]


def test_an_empty_export_is_still_a_file(open_page: OpenPage) -> None:
    page = open_page(view("nothing to export"))
    expect_live(page)
    assert json.loads(export(page, "JSON").read_text()) == []
    expect_texts(page, [])


def test_many_rows_are_written_a_few_at_a_time(open_page: OpenPage) -> None:
    """On a machine so slow that every check of the clock finds the time over."""
    page = open_page(view("many"))
    expect_live(page)
    sizes, turns, most = page.evaluate(
        """async () => {
          const { FORMATS, write } = await import("./static/js/feed/export_file.js");
          const line = { type: "message", channel: "many", patterns: [] };
          const event = (_, n) => ({ ...line, at: n / 10, data: `"line" ${n}` });
          const events = Array.from({ length: 10_000 }, event);
          let clock = 0, turns = 0, most = 0;
          performance.now = () => (clock += 1000);
          const isText = (part) => typeof part === "string";
          const count = (parts) => parts.filter(isText).join().split("line").length - 1;
          window.Blob = class extends Blob {
            constructor(parts, options) {
              super(parts, options);
              most = Math.max(most, count(parts));
            }
          };
          const others = new MessageChannel();
          others.port1.onmessage = () => { turns += 1; others.port2.postMessage(""); };
          others.port2.postMessage("");
          const sizes = [];
          for (const format of Object.values(FORMATS)) {
            const blob = await write(events, format, () => {});
            sizes.push((await blob.text()).trim().split("\\n").length);
          }
          others.port1.close();
          return [sizes, turns, most];
        }"""
    )
    assert sizes == [10_000, 10_001, 10_002, 10_000]
    assert most == 200
    assert turns >= 4 * 10_000 / 200
