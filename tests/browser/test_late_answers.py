"""A late response changes only what it is about, and nothing that a person did meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_channel_browser import listening, open_browser
from tests.browser.test_filter import filter_field
from tests.browser.test_memory import choose
from tests.browser.test_publish_form import PROTECTED, recent, times
from tests.browser.test_replay import bar, said
from tests.support.http import publish as publish_to
from tests.support.logs import is_recording
from tests.support.pages import (
    answer,
    channel_field,
    chip,
    expect_live,
    expect_texts,
    hide,
    message_field,
    publish,
    publish_button,
    subscribe,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually


@contextmanager
def held(page: Page, pattern: str) -> Iterator[Callable[[], Route]]:
    """Hold requests back; the function waits for the next one and returns it."""
    routes: list[Route] = []

    def next_route() -> Route:
        eventually(lambda: page.evaluate("1") and routes)
        return routes.pop(0)

    page.route(pattern, lambda route: routes.append(route))
    yield next_route
    page.unroute(pattern)


def go_on_writing(page: Page) -> None:
    message_field(page).fill("the next one")
    times(page).fill("3")
    channel_field(page).fill("elsewhere")


def expect_untouched(page: Page) -> None:
    expect(message_field(page)).to_have_value("the next one")
    expect(times(page)).to_have_value("3")
    expect(channel_field(page)).to_have_value("elsewhere")
    expect(channel_field(page)).to_be_focused()


def test_what_was_seen_before_its_channel_was_hidden_is_not_unread(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page("/healthz")
    with held(page, "**/notifications*") as next_route:
        page.goto(urljoin(page.url, view("a")))
        expect_live(page)
        valkey.client.publish("a", "seen")
        expect_texts(page, ["seen"])
        hide(page, "a").click()
        expect_texts(page, [])
        valkey.client.publish("a", "hidden")
        for _ in ("fetched into the cache", "imported"):
            next_route().continue_()
        expect(chip(page, "a").locator(".chip__unread")).to_have_text("1")


def test_what_is_typed_while_a_publish_is_under_way_stays(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    with held(page, "**/publish") as next_route:
        publish(page, "a", "first")
        route = next_route()
        go_on_writing(page)
        route.continue_()
        expect(answer(page)).to_contain_text("1 subscriber received it")
    expect_texts(page, ["first"])
    expect_untouched(page)
    expect(recent(page).get_by_role("button", name="a first").first).to_be_visible()


def test_a_failure_leaves_what_was_typed_since_and_the_focus(open_page: OpenPage) -> None:
    page = open_page(view("a"), allow=("net::ERR_FAILED",))
    expect_live(page)
    with held(page, "**/publish") as next_route:
        publish(page, "a", "first")
        route = next_route()
        go_on_writing(page)
        route.abort()
        expect(answer(page)).to_have_text("The server did not answer. Your text is kept.")
    expect_untouched(page)


def test_a_burst_leaves_what_was_typed_since(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    with held(page, "**/publish") as next_route:
        times(page).fill("2")
        publish(page, "a", "number {n}")
        next_route().continue_()
        route = next_route()
        go_on_writing(page)
        route.continue_()
        expect(answer(page)).to_contain_text("the last of 2 messages")
    expect_texts(page, ["number 1", "number 2"])
    expect_untouched(page)


def test_a_question_that_comes_late_gives_the_place_back(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_PROTECTED="prod")
    page = open_page(view("prod"), server=server, allow=PROTECTED)
    expect_live(page)
    with held(page, "**/publish") as next_route:
        publish(page, "prod", "first")
        route = next_route()
        go_on_writing(page)
        route.continue_()
        page.get_by_role("dialog").get_by_role("button", name="Publish it").click()
        next_route().continue_()
        expect(answer(page)).to_contain_text("1 subscriber received it")
    expect_texts(page, ["first"])
    expect_untouched(page)


def test_who_waits_at_the_button_is_led_back_to_the_message(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    with held(page, "**/publish") as next_route:
        publish(page, "a", "first")
        route = next_route()
        expect(publish_button(page)).to_be_focused()
        expect(publish_button(page)).to_be_disabled()
        route.continue_()
        expect(message_field(page)).to_be_focused()
        publish(page, "a", "second")
        route = next_route()
        filter_field(page).focus()
        route.continue_()
        expect(message_field(page)).to_have_value("")
    expect(filter_field(page)).to_be_focused()


def test_what_is_not_published_yet_survives_a_reload(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    channel_field(page).fill("b")
    message_field(page).fill("  not yet\nsent")
    page.reload()
    expect(message_field(page)).to_have_value("  not yet\nsent")
    expect(channel_field(page)).to_have_value("b")
    expect(page.locator("#publish-size")).to_have_text("14 bytes of 1 MB")
    page.goto("about:blank")
    page.go_back()
    expect(message_field(page)).to_have_value("  not yet\nsent")
    other = open_page(view("a"))
    expect_live(other)
    expect(message_field(other)).to_have_value("")
    publish_button(page).click()
    expect(message_field(page)).to_have_value("")
    page.reload()
    expect_live(page)
    expect(message_field(page)).to_have_value("")
    expect(channel_field(page)).to_have_value("a")


@pytest.mark.parametrize("kept", ["{", "null", "5", '{"channel": 1, "message": {}}'])
def test_an_unsent_text_that_is_spoilt_harms_nothing(open_page: OpenPage, kept: str) -> None:
    page = open_page(view("a"))
    page.evaluate(
        "(kept) => addEventListener('pagehide', () => sessionStorage['arauto.unsent'] = kept)", kept
    )
    page.reload()
    expect_live(page)
    expect(message_field(page)).to_have_value("")
    expect(channel_field(page)).to_have_value("a")


def test_without_javascript_an_error_gives_the_text_back(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False, allow=("status of 400",))
    publish(page, "x" * 257, "\n <b>worth keeping</b>")
    expect(page.get_by_text("at most 256 bytes")).to_be_visible()
    expect(page.get_by_label("Your text")).to_have_value("\n <b>worth keeping</b>")


# Elsewhere


def test_a_switch_that_worked_erases_no_other_sentence(
    open_page: OpenPage, start: Start, own_redis: RedisServer
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server)
    expect_live(page)
    with held(page, "**/recording?*") as next_route:
        choose(page, "a is live only", "Record from now on")
        route = next_route()
        subscribe(page, "é" * 129)
        with page.expect_response("**/recording?*"):
            route.continue_()
        expect(page.get_by_role("button", name="a is recorded")).to_be_visible()
    expect(page.locator("#choose-problem")).to_have_text("A name has at most 256 bytes; this one has 258.")
    page.close()
    server.stop()  # its recorder is a subscriber


def test_how_much_is_recorded_moves_nobody_and_says_nothing_once_left(
    open_page: OpenPage, start: Start, own_redis: RedisServer
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORD="a")
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    publish_to(server, "a", "kept")
    page = open_page(view("a"), server=server, own_clock=True, allow=("net::ERR_FAILED",))
    expect_live(page)
    replay = page.get_by_role("button", name="Replay", exact=True)
    with held(page, "**/channels/volume?*") as next_route:
        replay.click()
        route = next_route()
        replay.click()
        expect(bar(page)).to_be_hidden()
        route.abort()
        replay.click()
        route = next_route()
        expect(said(page)).to_have_text("")
        page.clock.fast_forward(6_000)  # the request is under way: playing does not begin another one
        bar(page).get_by_label("From").fill("first")
        page.keyboard.press("Enter")
        expect_texts(page, ["kept"])
        expect(said(page)).to_contain_text("The past ends here.")
        shown = bar(page).locator("time").text_content()
        route.continue_()
        next_route().continue_()  # the request for the counts, once the span is known
        expect(page.locator("#volume .volume__now")).to_contain_text("1 message recorded")
        assert bar(page).locator("time").text_content() == shown
    page.close()
    server.stop()


def test_the_next_list_of_channels_erases_no_problem(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view(*(f"mine {n}" for n in range(100))), server=server)
    expect_live(page)
    with listening(own_redis, b"other"):
        dialog = open_browser(page)
        status = dialog.get_by_role("status")
        dialog.get_by_role("button", name="Watch other").click()
        expect(status).to_have_text("At most 100 channels and patterns at once: remove one first.")
        dialog.get_by_role("searchbox").fill("nothing")
        expect(dialog.get_by_role("rowheader")).to_have_count(0)
        expect(status).to_have_text("At most 100 channels and patterns at once: remove one first.")
        dialog.get_by_role("button", name="Close").click()
        expect(open_browser(page).get_by_role("status")).to_have_text("0 channels, 0 patterns.")  # new
