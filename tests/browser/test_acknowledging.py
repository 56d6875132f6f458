"""A person takes a message in the page or gives it back, and every other page shows the name."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_detail import act, detail, open_row, written
from tests.browser.test_injection import PAYLOADS
from tests.browser.test_late_answers import held
from tests.integration.test_tokens import bearer
from tests.support.accessibility import expect_no_violation
from tests.support.acknowledging import give_back, take, taken
from tests.support.http import publish, request
from tests.support.logs import entries, is_recording
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    expect_live,
    expect_noted,
    expect_state,
    let_draw,
    row,
    rows,
    status,
    timers_held,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

OWN = {"color_scheme": "light"}  # an option, so that the page has its own browser context
TOKEN, READ_TOKEN = "a shared token of twenty-six", "a token for those who read"


class Stage:
    """A recording server and its pages, which close before it."""

    def __init__(self, open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
        self._open_page, self._redis, self._start = open_page, own_redis, start
        self._pages: list[Page] = []
        self.server = self.begin()

    def begin(self, **given: str) -> ArautoServer:
        given = {"ARAUTO_RECORD": "kept.*", "ARAUTO_DELETE_LOGS": "on", "ARAUTO_WORKERS": "1"} | given
        self.server = self._start(REDIS_URL=self._redis.url, **given)
        eventually(lambda: is_recording(self._redis), why="there is a recorder")
        return self.server

    def open(self, path: str, **options: object) -> Page:
        page = self._open_page(path, server=self.server, **OWN, **options)
        self._pages.append(page)
        return page

    def read(self, many: int = 3, **options: object) -> Page:
        """Open a page, and wait until it shows the whole log."""
        page = self.open(view("kept.a") + "&since=first", **options)
        expect_live(page)
        expect(rows(page)).to_have_count(many)
        return page

    def close(self) -> None:
        for page in self._pages:
            page.close()
        self.server.stop()


@pytest.fixture
def stage(open_page: OpenPage, own_redis: RedisServer, start: Start) -> Iterator[Stage]:
    with closing(Stage(open_page, own_redis, start)) as stage:
        yield stage


@pytest.fixture
def server(stage: Stage) -> ArautoServer:
    return stage.server


def mark(page: Page, text: str) -> Locator:
    return row(page, text).get_by_text(re.compile(r"^taken by "))


def expect_taken(page: Page, text: str, by: str) -> None:
    expect(mark(page, text)).to_have_text(re.compile(rf"^taken by {re.escape(by)}, \d\d:\d\d:\d\d$"))


def said(page: Page) -> Locator:
    return page.locator("#said")


def name_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Who takes it?")


def say_name(page: Page, name: str) -> None:
    """Type the name in the dialog."""
    expect(name_dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def choose(page: Page, text: str) -> None:
    """Choose an item of the row's menu by keyboard."""
    page.keyboard.press("Escape")
    while not row(page, text).evaluate("(row) => row === document.activeElement"):
        page.keyboard.press("k")


def test_one_takes_it_and_every_page_shows_it(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    written(own_redis, server, 3)
    ana, rui = stage.read(), stage.read()
    open_row(ana, "message 1")
    act(ana, "Acknowledge").click()
    expect_no_violation(ana, "the dialog for the name")
    name_dialog(ana).get_by_role("textbox", name="Your name").fill("Ana")
    ana.keyboard.press("Enter")
    for page in (ana, rui):
        expect_taken(page, "message 1", "Ana")
        expect(mark(page, "message 0")).to_have_count(0)
    expect(detail(ana).get_by_role("status")).to_have_text(re.compile(r"^taken by Ana, "))
    expect(act(ana, "Acknowledge")).to_be_hidden()
    expect(act(ana, "Give back")).to_be_focused()
    expect_no_violation(ana, "it is taken")

    choose(rui, "message 1")
    rui.keyboard.press("a")
    expect_noted(rui, re.compile(r"^taken by Ana, "))
    later = stage.read()
    expect_taken(later, "message 1", "Ana")
    open_row(later, "message 1")
    act(later, "Give back").click()
    expect(act(later, "Acknowledge")).to_be_focused()
    for page in (ana, rui, later):
        expect(mark(page, "message 1")).to_have_count(0)


def test_the_keyboard_alone_takes_it_and_asks_for_the_name_once(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    written(own_redis, server, 3)
    page = stage.read()
    page.keyboard.press("a")  # no row has the focus
    choose(page, "message 2")
    page.keyboard.press("a")
    expect(name_dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(name_dialog(page)).to_have_count(0)
    expect(row(page, "message 2")).to_be_focused()
    page.keyboard.press("a")
    name_dialog(page).get_by_role("button", name="Not now").click()
    expect(name_dialog(page)).to_have_count(0)
    assert taken(server, "kept.a") == {}
    choose(page, "message 2")
    page.keyboard.press("a")
    say_name(page, "  Ana Ç ")
    expect_taken(page, "message 2", "Ana Ç")
    expect(row(page, "message 2")).to_be_focused()
    page.keyboard.press("a")
    expect(mark(page, "message 2")).to_have_count(0)
    page.keyboard.press("a")
    expect_taken(page, "message 2", "Ana Ç")
    page.reload()
    expect_taken(page, "message 2", "Ana Ç")
    choose(page, "message 0")
    page.keyboard.press("a")
    expect_taken(page, "message 0", "Ana Ç")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text(
        "acknowledge the message, or give it back"
    )


def test_no_name_is_sent_that_the_server_would_refuse(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    written(own_redis, server, 1)
    page = stage.read(1)
    page.evaluate("localStorage.arauto = JSON.stringify({ by: 'x'.repeat(65) })")
    page.reload()
    choose(page, "message 0")
    page.keyboard.press("a")
    say_name(page, " \u200b ")
    expect(name_dialog(page).get_by_role("textbox")).to_have_value("")  # the browser says that it is missing
    say_name(page, "Ana\u00a0\u200bRosa\u200d")
    expect_taken(page, "message 0", "Ana Rosa")


def test_what_is_taken_is_given_back_before_the_answer_comes(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    """The event for all pages may come before the response to the page that takes it."""
    written(own_redis, server, 3)
    page = stage.read()
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method == "PUT":
            held.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/acknowledgements*", hold)
    choose(page, "message 2")
    page.keyboard.press("a")
    say_name(page, "Ana")
    expect_taken(page, "message 2", "Ana")
    page.keyboard.press("a")
    expect(mark(page, "message 2")).to_have_count(0)
    for route, answer in held:
        route.fulfill(response=answer)
    assert taken(server, "kept.a") == {}


def test_a_person_who_is_a_moment_late_learns_who_has_it(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    ids = written(own_redis, server, 3)
    take(server, "kept.a", ids[0], by="Eva")
    page = stage.read(allow=("status of 409",))
    expect_taken(page, "message 0", "Eva")  # the acknowledgements are loaded
    choose(page, "message 1")
    with held(page, "**/channels/acknowledgements*") as next_route:
        page.keyboard.press("a")
        say_name(page, "Rui")
        route = next_route()
        take(server, "kept.a", ids[1], by="Ana")
        route.continue_()
        expect_noted(page, "Ana has taken this message already.")
    expect_taken(page, "message 1", "Ana")
    assert taken(server, "kept.a") == {ids[0]: "Eva", ids[1]: "Ana"}


def test_an_answer_that_comes_late_does_not_undo_what_was_received_since(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    ids = written(own_redis, server, 3)
    take(server, "kept.a", ids[0], by="Eva")
    page = stage.read()
    expect_taken(page, "message 0", "Eva")  # the acknowledgements are loaded
    choose(page, "message 1")
    with held(page, "**/channels/acknowledgements*") as next_route:
        page.keyboard.press("a")
        say_name(page, "Rui")
        route = next_route()
        answer = route.fetch()
        expect_taken(page, "message 1", "Rui")
        give_back(server, "kept.a", ids[1])
        expect(mark(page, "message 1")).to_have_count(0)
        with page.expect_event("requestfinished"):
            route.fulfill(response=answer)
    let_draw(page)
    assert mark(page, "message 1").count() == 0


@pytest.mark.parametrize(
    ("code", "answer"),
    [(503, {"error": "Redis does not answer."}), (502, {"message": "upstream"}), (200, {"other": 1})],
)
def test_who_has_what_is_asked_again_where_no_answer_came(
    stage: Stage, own_redis: RedisServer, server: ArautoServer, code: int, answer: dict[str, Any]
) -> None:
    ids = written(own_redis, server, 3)
    take(server, "kept.a", ids[0], by="Eva")
    page = stage.read(allow=(f"status of {code}",))
    path = "**/channels/acknowledgements*"
    page.route(path, lambda route: route.fulfill(status=code, json=answer), times=1)
    page.reload()
    expect_taken(page, "message 0", "Eva")


def test_who_had_a_message_that_is_gone_is_shown_no_more(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    ids = written(own_redis, server, 3)
    for id in ids[1:]:
        take(server, "kept.a", id, by="Eva")
    page = stage.read(allow=("status of 404",))
    expect_taken(page, "message 1", "Eva")
    own_redis.client.xtrim("arauto:stream:{kept.a}", maxlen=1, approximate=False)
    open_row(page, "message 1")
    act(page, "Give back").click()
    expect_noted(page, "The recording has no such message: it may have been trimmed.")
    expect(mark(page, "message 1")).to_have_count(0)
    expect_taken(page, "message 2", "Eva")


def test_a_page_that_was_away_shows_how_it_is_now(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    ids = written(own_redis, server, 3)
    take(server, "kept.a", ids[0], by="Ana")
    page = stage.read(allow=(*SERVER_AWAY, *STATUS_503))
    expect_taken(page, "message 0", "Ana")
    server.stop()
    expect_state(page, "reconnecting")
    expect_taken(page, "message 0", "Ana")
    other = stage.begin()
    give_back(other, "kept.a", ids[0])
    take(other, "kept.a", ids[2], by="Rui")
    other.stop()
    stage.begin(PORT=str(server.port))
    expect_live(page)
    expect_taken(page, "message 2", "Rui")
    expect(mark(page, "message 0")).to_have_count(0)


def test_a_log_that_is_deleted_takes_them_with_it(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    ids = written(own_redis, server, 3)
    take(server, "kept.a", ids[0], by="Ana")
    page = stage.read()
    expect_taken(page, "message 0", "Ana")
    assert request(server, "DELETE", "/channels/messages?channel=kept.a").status == 200
    expect(mark(page, "message 0")).to_have_count(0)


def test_what_is_live_only_says_why_it_cannot_be_taken(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    page = stage.open(view("live"))
    expect_live(page)
    own_redis.client.publish("live", "gone soon")
    open_row(page, "gone soon")
    why = "Live only: nothing keeps who has taken it."
    expect(detail(page).get_by_role("status")).to_have_text(why)
    expect(act(page, "Acknowledge")).to_be_hidden()
    with timers_held(page):
        page.keyboard.press("a")
        expect(said(page)).to_have_text(why)


def test_who_may_only_read_sees_who_has_it(stage: Stage, own_redis: RedisServer) -> None:
    stage.server.stop()
    server = stage.begin(ARAUTO_TOKEN=TOKEN, ARAUTO_READ_TOKEN=READ_TOKEN)
    own = bearer(TOKEN)
    publish(server, "kept.a", "message 0", **own)
    id = eventually(lambda: published_ids(own_redis))[0]
    assert take(server, "kept.a", id, by="Ana", **own).status == 200
    page = stage.open("/login")
    page.get_by_label("Token").fill(READ_TOKEN)
    page.keyboard.press("Enter")
    expect(status(page)).to_be_visible()
    page.goto(server.url + view("kept.a") + "&since=first")
    expect_taken(page, "message 0", "Ana")
    open_row(page, "message 0")
    expect(act(page, "Give back")).to_have_count(0)
    page.keyboard.press("a")
    expect(name_dialog(page)).to_have_count(0)


def published_ids(own_redis: RedisServer) -> list[str]:
    return [str(id) for id, fields in entries(own_redis, "kept.a") if b"m" in fields]


def test_without_a_right_all_else_works_and_the_page_says_what_is_missing(
    stage: Stage, own_redis: RedisServer, server: ArautoServer
) -> None:
    written(own_redis, server, 3)
    page = stage.read(allow=("status of 403",))
    own_redis.client.execute_command("ACL", "SETUSER", "default", "-zadd")
    choose(page, "message 1")
    page.keyboard.press("a")
    say_name(page, "Ana")
    expect_noted(page, re.compile(r"^Redis refuses it: .*zadd", re.IGNORECASE))
    publish(server, "kept.a", "message 3")
    expect(rows(page)).to_have_count(4)
    own_redis.client.execute_command("ACL", "SETUSER", "default", "+zadd", "-zrangebyscore")
    other = stage.read(4, allow=("status of 403",))
    expect_noted(other, re.compile(r"^Redis refuses it: .*zrangebyscore", re.IGNORECASE))
    own_redis.client.execute_command("ACL", "SETUSER", "default", "+@all")


def test_a_name_is_text_whatever_it_says(stage: Stage, own_redis: RedisServer, server: ArautoServer) -> None:
    ids = written(own_redis, server, 3)
    page = stage.read()
    for payload in [payload for payload in PAYLOADS if len(payload) <= 64][:8]:
        assert take(server, "kept.a", ids[0], by=payload).status == 200
        expect(mark(page, "message 0")).to_contain_text(payload)
        open_row(page, "message 0")
        expect(detail(page).get_by_role("status")).to_contain_text(payload)
        assert give_back(server, "kept.a", ids[0]).status == 200
        expect(mark(page, "message 0")).to_have_count(0)
    take(server, "kept.a", ids[0], by="عائشة")
    expect(mark(page, "message 0")).to_have_text(re.compile("^taken by \u2068عائشة\u2069, "))
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (1280, 800)])
def test_what_comes_in_a_row_moves_nothing(
    stage: Stage, own_redis: RedisServer, server: ArautoServer, width: int, height: int
) -> None:
    for n in range(20):
        publish(server, "kept.a", f"message {n} " + "x" * (20 * n))
    ids = eventually(lambda: found if len(found := published_ids(own_redis)) == 20 else None)
    page = stage.read(20, width=width, height=height)
    page.evaluate(
        """() => {
          window.moved = 0;
          new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (moved += value)))
            .observe({ type: "layout-shift" });
        }"""
    )
    heights = "[...document.querySelectorAll('.row')].map((row) => row.getBoundingClientRect().top)"
    before = page.evaluate(heights)
    for id in ids:
        take(server, "kept.a", id, by="Ana Maria dos Santos")
    expect(page.get_by_text(re.compile("^taken by Ana"))).to_have_count(20)
    assert page.evaluate(heights) == before
    for id in ids:
        give_back(server, "kept.a", id)
    expect(page.get_by_text(re.compile("^taken by Ana"))).to_have_count(0)
    assert page.evaluate(heights) == before
    assert page.evaluate("moved") < 0.02
