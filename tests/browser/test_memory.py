"""On recorded channels the page comes back to exactly what it missed, or a row says what it did not get."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.http import publish
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    chip,
    expect_live,
    expect_state,
    expect_texts,
    notices,
    view,
)
from tests.support.redis_servers import RedisServer, free_port
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

RECORD = {"ARAUTO_RECORD": "kept.*", "ARAUTO_WORKERS": "1"}


@pytest.fixture
def other(own_redis: RedisServer, tmp_path: Path) -> Iterator[ArautoServer]:
    """Another server on the same Redis, which records while the page's own is away."""
    server = ArautoServer(tmp_path / "other.log", REDIS_URL=own_redis.url, **RECORD)
    eventually(lambda: own_redis.client.hget("arauto:recorder", "until"), why="a recorder is at work")
    yield server
    server.close()


def end(page: Page, *servers: ArautoServer) -> None:
    """Before the fixtures look whether a subscriber is left: the recorder is one."""
    page.close()
    for server in servers:
        server.stop()


def test_what_was_missed_comes_when_the_page_is_back(
    open_page: OpenPage, start: type[ArautoServer], own_redis: RedisServer, other: ArautoServer
) -> None:
    port = str(free_port())
    server = start(PORT=port, REDIS_URL=own_redis.url, **RECORD)
    page = open_page(view("kept.a"), server=server, allow=[*SERVER_AWAY, *STATUS_503])
    expect_live(page)
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
    page = open_page(view("kept.a") + "&since=2", server=other, allow=SERVER_AWAY)
    expect_texts(page, ["2", "3"])
    own_redis.client.publish("kept.a", "4")
    expect_texts(page, ["2", "3", "4"])
    expect(chip(page, "kept.a")).to_contain_text("recorded")
    own_redis.client.execute_command("CLIENT KILL TYPE pubsub")  # the recorder and the page come again
    expect(notices(page)).to_have_text(re.compile(r"kept\.a was not recorded from [\d:.]+ to"))
    end(page, other)
