"""The core of the page in Firefox: its main uses, by mouse and keyboard, in every language and size."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from arauto.web.locale import LANGUAGES
from tests.support.bidi import Result, Session, session
from tests.support.firefox import running
from tests.support.firefox_pages import EVENTS, FirefoxPage, FirefoxPages
from tests.support.http import publish
from tests.support.logs import is_recording, logged
from tests.support.pages import overflowing, view
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import PATIENCE, eventually

Firefox = tuple[Session, list[tuple[str, Result]]]
SAID = {
    "en": ("Live", "Feed", "Channels", "Publish"),
    "es": ("En vivo", "Mensajes", "Canales", "Publicar"),
    "pt-BR": ("Ao vivo", "Mensagens", "Canais", "Publicar"),
}
AWAY = ("can’t establish a connection", "was interrupted while")
ORDER = '{"customer": {"name": "João"}, "total": 184467440737095516}'
CARD = {"severity": "critical", "title": "Disk full", "message": "/var at 97 %", "tags": ["db-2"]}


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """One Firefox for all tests, and the events that it reports."""
    events: list[tuple[str, Result]] = []

    def on_event(event: str, params: Result) -> None:
        events.append((event, params))

    with (
        running(tmp_path_factory.mktemp("firefox")) as address,
        session(address, on_event, *EVENTS) as made,
    ):
        yield made, events


@pytest.fixture
def pages(
    request: pytest.FixtureRequest, firefox: Firefox, plain_arauto: ArautoServer, start: Start
) -> Iterator[FirefoxPages]:
    """Opens pages; they close before servers, and leave no subscriber."""
    own = "own_redis" in request.fixturenames
    redis_server: RedisServer = request.getfixturevalue("own_redis" if own else "valkey")
    pages = FirefoxPages(*firefox)
    yield pages
    pages.close()
    eventually(lambda: redis_server.subscribers() == 0, why="no subscriber is left at Redis")


def show(page: FirefoxPage, *texts: str) -> None:
    page.expect_texts(".row__data", *texts)


def kill(server: ArautoServer) -> None:
    """Kill all processes, as a machine without memory does: no close frame is sent."""
    workers = server.workers()
    server.stop(signal.SIGKILL)
    for worker in workers:
        worker.kill()


def test_what_is_published_is_seen_in_every_tab_and_by_any_subscriber(
    pages: FirefoxPages, plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    first, second = (pages.open(plain_arauto, view("news")) for _ in range(2))
    first.expect_state("live")
    second.expect_state("live")
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("news")
        assert pubsub.get_message(timeout=PATIENCE) is None
        second.fill("Message", "olá, assinantes")
        second.click("button", "Publish")
        second.expect_text("#answer", "3 subscribers received it: 2 tabs, 1 other")
        message = pubsub.get_message(timeout=PATIENCE)
    assert message is not None
    assert (message["channel"], message["data"].decode()) == (b"news", "olá, assinantes")
    valkey.client.publish("news", "from Redis")
    show(second, "olá, assinantes", "from Redis")
    first.come_forward()
    show(first, "olá, assinantes", "from Redis")


def test_names_come_and_go(pages: FirefoxPages, plain_arauto: ArautoServer, valkey: RedisServer) -> None:
    page = pages.open(plain_arauto, "/?channel=first")
    page.expect_state("live")
    for name in ("orders", "stock.*"):
        page.fill("Channel or pattern to subscribe to", name)
        page.click("button", "Subscribe")
    page.expect_texts(".chip[data-state=confirmed] .chip__name", "first", "orders", "stock.*")
    assert page.evaluate("location.search") == "?channel=first&channel=orders&pattern=stock.*"
    assert valkey.client.publish("orders", "of a channel") == 1
    assert valkey.client.publish("stock.eu", "of a pattern") == 1
    show(page, "of a channel", "of a pattern")
    page.click("button", "Remove channel orders")
    eventually(lambda: valkey.client.publish("orders", "to nobody") == 0)
    valkey.client.publish("stock.eu", "the next")
    show(page, "of a channel", "of a pattern", "the next")


def test_messages_are_drawn_as_what_they_are(
    pages: FirefoxPages, plain_arauto: ArautoServer, valkey: RedisServer, tmp_path: Path
) -> None:
    page = pages.open(plain_arauto, view("all"))
    page.expect_state("live")
    for data in ("<b>plain</b>\n2nd line", ORDER, json.dumps(CARD), bytes(range(240, 256))):
        valkey.client.publish("all", data)
    page.expect("document.querySelectorAll('li.row').length", 4)
    assert page.evaluate("document.querySelector('.row__data').textContent") == "<b>plain</b>\n2nd line"
    page.expect_texts(".card__title", "Disk full")
    page.expect("document.querySelector('.card .severity').dataset.severity", "critical")
    page.expect_text("li.row:nth-of-type(4)", "f0 f1 f2")
    page.choose("Show as", "Tree")
    page.expect_texts(".tree .json-number", "184467440737095516")
    page.screenshot(tmp_path / "light.png")
    assert overflowing(page) == []

    page.fill("Filter", "severity>=error")
    page.expect_text("#filter-count", "1 of 4")
    page.expect_texts(".tree .json-string", '"critical"', '"Disk full"', '"/var at 97 %"', '"db-2"')
    page.press("Escape")
    page.click("button", "Settings")
    page.choose("Colours", "dark")
    page.click("dialog[open] button", "Close")
    page.expect("getComputedStyle(document.documentElement).colorScheme", "dark")
    page.expect("Number.parseFloat(getComputedStyle(document.body).color.slice('oklch('.length)) > 0.9", True)
    page.screenshot(tmp_path / "dark.png")


def test_a_message_is_opened_and_closed_with_the_keyboard(
    pages: FirefoxPages, plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    page = pages.open(plain_arauto, view("keys"))
    page.expect_state("live")
    for text in ("first", '{"second": 2}'):
        valkey.client.publish("keys", text)
    show(page, "first", '{"second": 2}')
    page.press("k")
    page.press("Enter")
    page.expect("document.getElementById('detail').checkVisibility()", True)
    page.expect_text("#detail-view", "second")
    page.press("k")
    page.expect_text("#detail-view", "first")
    page.press("Escape")
    page.expect("document.getElementById('detail').checkVisibility()", False)
    show(page, "first", '{"second": 2}')


def test_a_server_that_is_killed_is_named_and_leaves_a_gap(
    pages: FirefoxPages, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = pages.open(server, view("a"), allow=AWAY)
    page.expect_state("live")
    own_redis.client.publish("a", "before")
    show(page, "before")
    kill(server)
    page.expect_text("#status", "Reconnecting to the server, lost since")
    page.expect_state("reconnecting")
    own_redis.client.publish("a", "meanwhile")
    start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", PORT=str(server.port))
    page.expect_state("live")
    own_redis.client.publish("a", "after")
    show(page, "before", "after")
    page.expect_text("li.notice", "No connection to the server from")
    own_redis.stop()
    page.expect_text("#status", "The server is reconnecting to Redis, lost since")
    own_redis.start()
    page.expect_state("live")
    page.expect("document.querySelectorAll('li.notice').length", 2)


def test_a_recording_is_played_and_left_again(
    pages: FirefoxPages, own_redis: RedisServer, start: Start
) -> None:
    recorded = {"REDIS_URL": own_redis.url, "ARAUTO_WORKERS": "1", "ARAUTO_RECORD": "kept"}
    server = start(**recorded)
    eventually(lambda: is_recording(own_redis), why="there is a recorder")
    publish(server, "kept", "past")
    eventually(lambda: logged(own_redis, "kept") == [b"past"])
    page = pages.open(server, view("kept"), allow=AWAY)
    page.expect_state("live")
    page.click("button", "Replay")
    page.fill("From", "first")
    page.choose("Speed", "no delay")
    page.click("button", "Play")
    show(page, "past")
    page.click("button", "Back to live")
    page.expect_text("#status", "Live")
    publish(server, "kept", "live")
    show(page, "live")
    pages.close()
    server.stop()  # its recorder is a subscriber


def test_control_what_the_browser_reports_is_received(
    pages: FirefoxPages, plain_arauto: ArautoServer
) -> None:
    page = pages.open(plain_arauto, view("a"), allow=("connect-src", "not so"))
    page.evaluate("fetch('https://example.org').catch(() => console.error('not so'))")

    def is_reported() -> bool:
        page.expect_state("live")  # events arrive with a reply
        problems = pages.reported()
        assert any(text.startswith("CSP: connect-src https://example.org") for text in problems), problems
        assert "console: not so" in problems, problems
        return True

    eventually(is_reported)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_has_each_part_behind_its_tab(
    pages: FirefoxPages, plain_arauto: ArautoServer, language: str, tmp_path: Path
) -> None:
    live, feed, channels, publishing = SAID[language]
    page = pages.open(plain_arauto, view("phone"), width=390, height=844, language=language)
    page.expect_text("#status", live)
    assert page.evaluate("document.documentElement.lang") == language
    for name, field in (
        (channels, "#choose-name"),
        (publishing, "#publish-message"),
        (feed, "#filter input"),
    ):
        page.click("#tabs button", name)
        page.expect_on_top(field)
        assert overflowing(page) == []
        if name == publishing:
            page.evaluate("document.getElementById('publish-message').focus()")
            page.write(json.dumps(CARD))
            page.click("#publish button", publishing)
            page.expect("document.getElementById('publish-message').value", "")
    page.expect_texts(".card__title", "Disk full")
    page.screenshot(tmp_path / "phone.png")
