"""The channel browser: active channels of Redis are listed, searched, subscribed to and left."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import (
    STATUS_503,
    chips,
    expect_confirmed,
    expect_live,
    expect_texts,
    stop_clock,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import PATIENCE

REFRESH = 3_000  # milliseconds


@contextmanager
def listening(redis_server: RedisServer, *channels: bytes) -> Iterator[None]:
    """A subscriber that is not a tab."""
    with socket.create_connection(("127.0.0.1", redis_server.port), timeout=PATIENCE) as sock:
        parts = [b"SUBSCRIBE", *channels]
        sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts))
        assert sock.recv(9999)
        yield


def open_browser(page: Page) -> Locator:
    page.get_by_role("button", name="Browse channels").click()
    dialog = page.get_by_role("dialog", name="Active channels")
    expect(dialog).to_be_visible()
    return dialog


def row(dialog: Locator, name: str) -> Locator:
    return dialog.get_by_role("row").filter(has=dialog.page.get_by_role("rowheader", name=name, exact=True))


def test_what_is_alive_is_listed_and_watched_with_a_click(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("mine"), server=server, own_clock=True)
    expect_live(page)
    with listening(own_redis, b"with space", b"news.a", b"mine", b"\xff"):
        dialog = open_browser(page)
        expect(dialog.get_by_role("status")).to_have_text("4 channels, 0 patterns.")
        expect(dialog.get_by_role("rowheader")).to_have_text(["mine", "news.a", "with space", "\\xff"])
        expect(row(dialog, "mine").get_by_role("cell").first).to_have_text("2")
        expect(row(dialog, "\\xff").get_by_role("button")).to_be_disabled()
        dialog.get_by_role("button", name="Watch with space").click()
        expect(dialog.get_by_role("button", name="Stop watching with space")).to_be_focused()
        expect_confirmed(page, "with space")
        stop_clock(page)  # a rate covers the last five seconds
        with page.expect_response(lambda response: "/channels?" in response.url):
            page.clock.run_for(REFRESH)  # one that was on its way would begin the next too late
        own_redis.client.publish("with space", "received")
        expect_texts(page, ["received"])
        page.clock.run_for(REFRESH)
        expect(row(dialog, "with space").get_by_role("cell").nth(1)).to_have_text("0.2/s")
        expect(row(dialog, "with space").get_by_role("cell").first).to_have_text("2")
        dialog.get_by_role("button", name="Stop watching mine").click()
        assert chips(page) == ["with space"]
        expect(dialog.get_by_role("button", name="Watch mine")).to_be_visible()


def test_the_list_is_searched_and_keeps_step_while_open(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a[b"), server=server, own_clock=True)
    expect_live(page)
    with listening(own_redis, b"news.a", b"news.b", b"other"):
        dialog = open_browser(page)
        search = dialog.get_by_role("searchbox", name="Search")
        search.fill("news")
        expect(dialog.get_by_role("rowheader")).to_have_text(["news.a", "news.b"])
        search.fill("a[")  # not a glob without its closing bracket
        expect(dialog.get_by_role("rowheader")).to_have_text(["a[b"])
        search.fill("*.b")
        expect(dialog.get_by_role("rowheader")).to_have_text(["news.b"])
        with listening(own_redis, b"late.b"):
            page.clock.fast_forward(REFRESH)
            expect(dialog.get_by_role("rowheader")).to_have_text(["late.b", "news.b"])
        page.clock.fast_forward(REFRESH)
        expect(dialog.get_by_role("rowheader")).to_have_text(["news.b"])
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.clock.fast_forward(2 * REFRESH)
    page.evaluate("fetch('channels?match=after').then((answer) => answer.text())")
    assert [url.partition("channels?")[2] for url in requested if "channels?" in url] == ["match=after"]


def test_a_long_list_says_that_it_is_cut(open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
    page = open_page(view("a"), server=start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1"))
    expect_live(page)
    with listening(own_redis, *[b"many %d" % n for n in range(1100)]):
        dialog = open_browser(page)
        expect(dialog.get_by_role("status")).to_have_text(
            "1,101 channels, 0 patterns. The first 1,000 are shown: search for the rest."
        )
        expect(dialog.get_by_role("rowheader")).to_have_count(1000)


def test_a_redis_that_is_away_is_said(open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server, allow=STATUS_503)
    expect_live(page)
    own_redis.stop()
    dialog = open_browser(page)
    expect(dialog.get_by_role("status")).to_have_text("Redis does not answer.")
    own_redis.start()
    expect(dialog.get_by_role("rowheader")).to_have_text(["a"])
