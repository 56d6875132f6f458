"""While the server is down, the page's messages can still be exported, copied and read."""

import json

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_exporting import export
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    expect_live,
    expect_noted,
    expect_state,
    row,
    rows,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually

MODULES = {
    "binary_view.js",
    "export_file.js",
    "history_reader.js",
    "json_tree.js",
    "late_join_demo.js",
    "regex_worker.js",
    "shell_commands.js",
}
NOT_LOADED = "The server does not answer, and this needs it once: try again when it is back."
OBJECT = '{"id": 12345678901234567890}'
BYTES = b"\xff" * 600


def loaded(page: Page) -> set[str]:
    entries = "performance.getEntriesByType('resource').filter(({ responseEnd }) => responseEnd)"
    names: list[str] = page.evaluate(f"{entries}.map(({{ name }}) => name.split('/').at(-1))")
    return set(names)


def choose(page: Page, text: str, item: str) -> None:
    row(page, text).get_by_role("button", name="Actions").click()
    page.get_by_role("menu", name="Actions").get_by_text(item, exact=True).click()


def test_all_that_needs_no_server_works_without_one(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(
        view("a"), server=server, allow=(*SERVER_AWAY, *STATUS_503), permissions=["clipboard-write"]
    )
    expect_live(page)
    own_redis.client.publish("a", OBJECT)
    own_redis.client.publish("a", BYTES)
    expect(rows(page)).to_have_count(2)
    eventually(lambda: loaded(page) >= MODULES)
    server.stop()
    expect_state(page, "reconnecting")
    for name in ("NDJSON", "CSV", "JSON", "Plain text"):
        assert "12345678901234567890" in export(page, name).read_text()
    for item in ("Copy text", "Copy as redis-cli", "Copy as curl"):
        choose(page, OBJECT, item)
        expect_noted(page, "Copied")
    choose(page, OBJECT, "Tree")
    expect(page.locator(".tree")).to_be_visible()
    expect(rows(page).nth(1)).to_contain_text("0070 ff")
    page.get_by_role("combobox", name="Filter").fill("/id.*890/")
    expect(page.locator("#filter-count")).to_contain_text("1 of 2")


def test_what_could_not_be_loaded_says_so_and_comes_with_the_next_attempt(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server, allow=("net::ERR_FAILED",), permissions=["clipboard-write"])
    pattern = (
        "**/{binary_view,export_file,history_reader,json_tree,late_join_demo,regex_worker,shell_commands}.js"
    )
    page.route(pattern, lambda route: route.abort())
    page.reload()
    expect_live(page)
    own_redis.client.publish("a", OBJECT)
    own_redis.client.publish("a", BYTES)
    expect(rows(page)).to_have_count(2)
    said = page.locator("#said")
    choose(page, OBJECT, "Copy as curl")
    expect_noted(page, NOT_LOADED)
    expect(said).to_have_text("")
    choose(page, OBJECT, "Tree")
    expect_noted(page, NOT_LOADED)
    page.get_by_role("button", name="Export", exact=True).click()
    menu = page.get_by_role("group", name="Export")
    menu.get_by_role("button", name="JSON", exact=True).click()
    expect(menu.get_by_role("status")).to_have_text(NOT_LOADED)
    page.keyboard.press("Escape")

    page.unroute(pattern)
    assert json.loads(export(page, "JSON").read_text())[0]["data"] == OBJECT
    choose(page, OBJECT, "Copy as curl")
    expect_noted(page, "Copied")
    own_redis.client.publish("a", BYTES)
    for at in (1, 2):
        expect(rows(page).nth(at)).to_contain_text("0070 ff")  # the waiting message is shown too
