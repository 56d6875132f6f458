"""On recorded channels a page that reconnects shows exactly the missed messages, or a gap row."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from arauto.recording_core.log_keys import SWITCHED
from tests.browser.conftest import OpenPage
from tests.support.accessibility import expect_no_violation
from tests.support.http import publish
from tests.support.logs import entries, is_recording, logged
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    chip,
    expect_live,
    expect_state,
    expect_texts,
    notices,
    show_part,
    view,
)
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

RECORD: dict[str, Any] = {"ARAUTO_RECORD": "kept.*", "ARAUTO_WORKERS": "1"}


@pytest.fixture
def other(own_redis: RedisServer, tmp_path: Path) -> Iterator[ArautoServer]:
    """Another server on the same Redis, which records while the page's server is down."""
    server = ArautoServer(tmp_path / "other.log", REDIS_URL=own_redis.url, **RECORD)
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    yield server
    server.close()


def end(page: Page, *servers: ArautoServer) -> None:
    """Close the page and stop the servers: a recorder is a subscriber, and the fixtures check for any."""
    page.close()
    for server in servers:
        server.stop()


def test_what_was_missed_comes_when_the_page_is_back(
    open_page: OpenPage, start: Start, own_redis: RedisServer, other: ArautoServer
) -> None:
    port = str(free_port())
    server = start(PORT=port, REDIS_URL=own_redis.url, **RECORD)
    page = open_page(view("kept.a"), server=server, allow=[*SERVER_AWAY, *STATUS_503])
    expect(chip(page, "kept.a").get_by_text("recorded")).to_be_visible()  # it has a position to resume from
    publish(other, "kept.a", "inside before")
    own_redis.client.publish("kept.a", "outside before")
    expect_texts(page, ["inside before", "outside before"])
    server.stop()
    expect_state(page, "reconnecting")
    publish(other, "kept.a", "inside missed")
    own_redis.client.publish("kept.a", "outside missed")
    server = start(PORT=port, REDIS_URL=own_redis.url, **RECORD)
    expect_live(page)
    own_redis.client.publish("kept.a", "after")
    shown = ["inside before", "outside before", "inside missed", "outside missed", "after"]
    expect_texts(page, shown)
    expect(notices(page)).to_have_count(0)
    end(page, server, other)


def test_the_address_says_since_when(
    open_page: OpenPage, own_redis: RedisServer, other: ArautoServer
) -> None:
    for text in ("1", "2", "3"):
        publish(other, "kept.a", text)
    eventually(lambda: len(logged(own_redis, "kept.a")) == 3, why="the last two are those of the log")
    page = open_page(view("kept.a") + "&since=2", server=other, allow=SERVER_AWAY)
    expect_texts(page, ["2", "3"])
    own_redis.client.publish("kept.a", "4")
    expect_texts(page, ["2", "3", "4"])
    expect(chip(page, "kept.a").get_by_text("recorded")).to_be_visible()
    own_redis.client.execute_command("CLIENT KILL TYPE pubsub")  # the recorder and the page reconnect
    expect(notices(page)).to_have_text(re.compile(r"kept\.a was not recorded from [\d:.]+ to"))
    end(page, other)


def more(page: Page, sentence: str) -> Locator:
    """The menu button of a chip, by its sentence about the channel."""
    return page.get_by_role("button", name=sentence)


def choose(page: Page, sentence: str, item: str) -> None:
    more(page, sentence).click()
    page.get_by_role("menuitem", name=item).click()


def test_a_channel_is_switched_on_its_chip(open_page: OpenPage, start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_DELETE_LOGS="on")
    page = open_page(view("a", "b", patterns=("a*",)), server=server, width=390)
    expect_live(page)
    show_part(page, "channels")
    recorded = chip(page, "a").get_by_text("recorded", exact=True)
    more(page, "a is live only: a page that was away misses what was published meanwhile.").press("Enter")
    expect(page.get_by_role("menu")).to_contain_text(
        "a is live only: a page that was away misses what was published meanwhile."
    )
    expect_no_violation(page, "menu of a chip")
    expect(page.get_by_role("menuitem", name="Record from now on")).to_be_focused()
    page.keyboard.press("Enter")
    expect(recorded).to_be_visible()
    expect(more(page, "a is recorded")).to_be_focused()
    expect(more(page, "b is live only")).to_be_visible()
    own_redis.client.publish("a", "outside")
    eventually(lambda: len(entries(own_redis, "a")) == 1)

    own_redis.client.config_set("maxmemory", "1")
    own_redis.client.publish("a", "unrecorded")
    expect(chip(page, "a")).to_contain_text(re.compile(r"not recorded since \d\d:\d\d:\d\d"))
    expect(more(page, "a has not been recorded since")).to_have_attribute(
        "title", re.compile("OOM command not")
    )
    expect_no_violation(page, "recording has stopped")
    own_redis.client.config_set("maxmemory", "0")
    expect(recorded).to_be_visible()

    choose(page, "a is recorded", "Delete the recording")
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    choose(page, "a is recorded", "Delete the recording")
    assert entries(own_redis, "a")
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    eventually(lambda: not entries(own_redis, "a"))
    choose(page, "a is recorded", "Stop recording")
    expect(more(page, "a is live only")).to_be_visible()
    assert not own_redis.client.exists(SWITCHED)


def test_what_cannot_be_switched_says_why(
    open_page: OpenPage, start: Start, own_redis: RedisServer, other: ArautoServer
) -> None:
    page = open_page(view("kept.a"), server=other, allow=["status of 409"])
    choose(page, "kept.a is recorded", "Stop recording")
    expect(page.get_by_text("ARAUTO_RECORD has this channel recorded")).to_be_visible()
    more(page, "kept.a is recorded").click()
    expect(page.get_by_role("menuitem")).to_have_text(
        ["Stop recording", "Another colour"]
    )  # deletion is not enabled in the settings
    end(page, other)
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORDING="off")
    page = open_page(view("kept.a"), server=server)
    expect_live(page)
    expect(chip(page, "kept.a").get_by_role("button")).to_have_count(3)


def test_a_log_that_comes_back_does_not_show_twice_what_was_shown(open_page: OpenPage) -> None:
    def message(id: str, data: str, **more: bool) -> dict[str, Any]:
        return {"type": "message", "channel": "a", "id": id, "at": 1_790_000_000.0, "data": data} | more

    sockets: list[WebSocketRoute] = []

    def say(*events: dict[str, Any]) -> None:
        sockets[-1].send(json.dumps(events))

    page = open_page("/")
    page.route_web_socket(re.compile("/feed"), lambda socket: sockets.append(socket))
    page.goto(page.url.rstrip("/") + view("a"))
    eventually(lambda: page.evaluate("1") and sockets)
    say({"type": "subscribe", "channel": "a", "at": 1_790_000_000.0})
    say({"type": "following", "channel": "a", "epoch": "first", "id": "1000-1"})
    say(message("1001-2", "one"), message("1002-3", "two"))
    expect_texts(page, ["one", "two"])
    gap = {
        "type": "gap",
        "channel": "a",
        "from": 1_790_000_000.0,
        "to": 1_790_000_001.0,
        "reason": "replaced",
    }
    say(gap, message("1002-3", "two", past=True), message("1003-4", "three", past=True))
    say(message("1001-2", "another one", past=True))  # a log with the same numbers for other messages
    expect_texts(page, ["one", "two", "three", "another one"])
    expect(notices(page)).to_have_count(1)
