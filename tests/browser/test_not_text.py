"""A channel whose name is not UTF-8 is marked, and never mistaken for one that looks the same."""

import csv
import json
import subprocess
from io import StringIO

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_channel_browser import listening, open_browser
from tests.browser.test_exporting import export
from tests.browser.test_reading import choose, clipboard
from tests.support.pages import (
    channel_field,
    expect_live,
    expect_noted,
    message_field,
    rows,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import PATIENCE

NAME = b"bin\xe9 '$x"
TWIN = "bin\\xe9 '$x"
NAME_64 = "Ymlu6SAnJHg="


def open_both(open_page: OpenPage, redis_server: RedisServer, data: bytes = b"same") -> tuple[Page, Locator]:
    """A page with a message of both channels, and the row of the one whose name is not UTF-8."""
    permissions = ["clipboard-read", "clipboard-write"]
    page = open_page(view(TWIN, patterns=("bin? '$x",)), permissions=permissions)
    expect_live(page)
    redis_server.client.publish(TWIN, data)
    redis_server.client.publish(NAME, data)
    expect(rows(page)).to_have_count(2)
    return page, rows(page).nth(1)


def test_it_is_marked_and_its_twin_is_not(open_page: OpenPage, valkey: RedisServer) -> None:
    page, row = open_both(open_page, valkey)
    expect(row.locator(".row__channel")).to_contain_text(f"{TWIN}not UTF-8bin?")
    expect(rows(page).first).not_to_contain_text("not UTF-8")


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("data", [b"it's", b"\xff\x00\r\n"])
def test_the_copied_redis_cli_command_reaches_it(
    open_page: OpenPage, valkey: RedisServer, shell: str, data: bytes
) -> None:
    page, row = open_both(open_page, valkey, data)
    choose(page, row, "Copy as redis-cli")
    expect_noted(page, "Copied")
    command = clipboard(page)
    assert command.startswith("redis-cli") or command.startswith("printf")
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.psubscribe("*")
        assert pubsub.get_message(timeout=PATIENCE) is None
        subprocess.run([shell, "-c", command], check=True, timeout=20, capture_output=True)
        message = pubsub.get_message(timeout=PATIENCE)
    assert message is not None
    assert (message["channel"], message["data"]) == (NAME, data)


@pytest.mark.parametrize("item", ["Edit and resend", "Copy as curl"])
def test_what_only_carries_text_says_why_not(open_page: OpenPage, valkey: RedisServer, item: str) -> None:
    page, row = open_both(open_page, valkey)
    channel_field(page).fill("before")
    message_field(page).fill("draft")
    choose(page, row, item)
    sentence = "The channel's name is not UTF-8, and a form carries only text: use Copy as redis-cli."
    expect_noted(page, sentence)
    expect(channel_field(page)).to_have_value("before")
    expect(message_field(page)).to_have_value("draft")
    choose(page, rows(page).first, "Edit and resend")
    expect(channel_field(page)).to_have_value(TWIN)


def test_every_export_says_so(open_page: OpenPage, valkey: RedisServer) -> None:
    page, _ = open_both(open_page, valkey)
    records = [json.loads(line) for line in export(page, "NDJSON").read_text().splitlines()]
    assert [record.get("channel_base64") for record in records] == [None, NAME_64]
    assert json.loads(export(page, "JSON").read_text()) == records
    table = list(csv.DictReader(StringIO(export(page, "CSV").read_bytes().decode("utf-8-sig"))))
    assert [line["channel_base64"] for line in table] == ["", NAME_64]
    lines = export(page, "Plain text").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [f"{TWIN} same", f"base64:{NAME_64} same"]


def test_the_channel_browser_distinguishes_them(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    page = open_page(view(TWIN), server=start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1"))
    expect_live(page)
    with listening(own_redis, NAME):
        dialog = open_browser(page)
        expect(dialog.get_by_role("rowheader")).to_have_text([TWIN, TWIN])
        buttons = dialog.get_by_role("cell").get_by_role("button")
        expect(buttons).to_have_text(["Stop watching", "Watch"])
        expect(buttons.nth(0)).to_be_enabled()
        expect(buttons.nth(1)).to_be_disabled()
        expect(dialog.get_by_text("not UTF-8")).to_have_count(1)
