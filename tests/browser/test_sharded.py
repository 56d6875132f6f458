"""Sharded channels in the page, beside the channel of the same name, and never mistaken for it."""

import json
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect
from redis.crc import key_slot

from tests.browser.conftest import OpenPage
from tests.browser.test_channel_browser import open_browser
from tests.browser.test_exporting import export
from tests.support.clusters import ClusterNode, info_of
from tests.support.pages import (
    answer,
    chips,
    expect_live,
    expect_texts,
    hide,
    notices,
    publish,
    publish_button,
    row,
    rows,
    subscribe,
    unsubscribe,
)
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import Start
from tests.support.waiting import eventually


def test_a_sharded_channel_beside_the_channel_of_its_name(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page("/?channel=same&pattern=sam*")
    subscribe(page, "same", "shard")
    expect_live(page)
    assert parse_qs(urlsplit(page.url).query)["shard"] == ["same"]
    assert chips(page) == ["same", "sam*", "same"]
    assert valkey.client.spublish("same", "sharded") == 1
    expect_texts(page, ["sharded"])
    valkey.client.publish("same", "plain")
    expect_texts(page, ["sharded", "plain"])
    expect(rows(page).first).to_contain_text("shard")
    expect(row(page, "plain").locator(".row__kind")).to_have_count(0)
    hues = page.locator(".row").evaluate_all("all => all.map((row) => row.style.getPropertyValue('--Hue'))")
    assert len(set(hues)) == 2

    records = [json.loads(line) for line in export(page, "NDJSON").read_text().splitlines()]
    assert [(one.get("shard"), one.get("channel")) for one in records] == [("same", None), (None, "same")]

    hide(page, "same (shard)").click()
    expect_texts(page, ["plain"])
    valkey.client.spublish("same", "unseen")
    expect(page.locator('[data-key="shard same"] .chip__unread')).to_have_text("1")
    expect(page.locator(".chip__unread")).to_have_count(1)
    hide(page, "same (shard)").click()
    dialog = open_browser(page)
    expect(dialog.get_by_role("status")).to_have_text("2 channels, 1 pattern.")
    dialog.get_by_role("button", name="Stop watching same", exact=True).click()
    dialog.get_by_role("button", name="Close").click()
    assert chips(page) == ["sam*", "same"]
    valkey.client.spublish("same", "still here")
    expect_texts(page, ["sharded", "plain", "unseen", "still here"])

    row(page, "still here").click()
    row(page, "still here").press("Enter")
    expect(page.locator("#detail")).to_contain_text("Sharded channel")
    page.locator("#detail").get_by_role("button", name="Edit and resend").click()
    expect(page.get_by_label("shard", exact=True)).to_be_checked()
    publish_button(page).click()
    expect(answer(page)).to_contain_text("1 subscriber received it: 1 tab, 0 others")
    expect(rows(page).last.locator(".row__fact")).to_be_visible()
    page.get_by_label("shard", exact=True).uncheck()
    publish(page, "same", "to the channel")
    expect(rows(page).last.locator(".row__pattern")).to_have_text("sam*")
    unsubscribe(page, "same", "sharded channel")
    assert chips(page) == ["sam*"]
    eventually(lambda: valkey.client.spublish("same", "gone") == 0)


def test_the_form_without_scripts(open_page: OpenPage, valkey: RedisServer) -> None:
    listening = open_page("/?shard=noticias")
    expect_live(listening)
    expect(listening.locator("#welcome code")).to_contain_text(" SPUBLISH noticias ")
    page = open_page(java_script_enabled=False)
    page.get_by_label("Channel", exact=True).fill("noticias")
    page.get_by_label("shard", exact=True).check()
    page.get_by_role("textbox", name="Message").fill("by hand")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("main")).to_contain_text("1 subscriber received it.")
    expect_texts(listening, ["by hand"])


def test_a_sharded_channel_that_no_node_serves(open_page: OpenPage, start: Start, tmp_path: Path) -> None:
    """Its chip has the reason, and other names of the page still work; then a gap row appears."""
    with closing(ClusterNode(binaries()["valkey"], tmp_path)) as node:
        node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: b"cluster_state:ok" in info_of(node))
        url = f"redis+cluster://127.0.0.1:{node.port}"
        server = start(REDIS_URL=url, ARAUTO_WORKERS="1", ARAUTO_RECORDING="off")
        page = open_page("/?channel=plain&shard=jobs", server=server)
        expect_live(page)
        node.client.execute_command("CLUSTER", "DELSLOTS", key_slot(b"jobs"))
        refused = page.locator('[data-key="shard jobs"][data-state=refused]')
        expect(refused).to_be_visible()
        expect_live(page)
        node.client.publish("plain", "goes on")
        expect_texts(page, ["goes on"])
        node.client.execute_command("CLUSTER", "ADDSLOTS", key_slot(b"jobs"))
        expect(notices(page)).to_contain_text("The sharded channel jobs was not received from ")
        expect(refused).to_have_count(0)
        node.client.execute_command("SPUBLISH", "jobs", "is back")
        expect_texts(page, ["goes on", "is back"])
        page.close()
