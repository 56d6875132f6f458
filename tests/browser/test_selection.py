"""Channels and patterns as chips: a change applies at once, and no message of the others is lost."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    channel_field,
    chip,
    chips,
    expect_confirmed,
    expect_live,
    expect_state,
    expect_texts,
    message_field,
    rows,
    states,
    status,
    subscribe,
    unsubscribe,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

REPUBLISH = "detail => document.dispatchEvent(new CustomEvent('republish', { detail }))"


def name_field(page: Page) -> Locator:
    return page.get_by_label("Channel or pattern to subscribe to")


def problem(page: Page) -> Locator:
    return page.locator("#choose").get_by_role("status")


def selected(page: Page) -> list[tuple[str, str]]:
    """The selection in the address bar."""
    return parse_qsl(str(page.evaluate("location.search"))[1:])


@contextmanager
def stream(redis_server: RedisServer, channel: str) -> Iterator[list[int]]:
    """Publish numbers within the block; afterwards the list has them all.

    They slow down, since a page on a busy machine draws 500 rows and would drop the first ones.
    """
    published: list[int] = []
    stop = Event()

    def publish() -> None:
        for number in count():
            if stop.wait(0.005 * 1.012**number):  # the pace of the publisher
                return
            redis_server.client.publish(channel, number)
            published.append(number)

    thread = Thread(target=publish)
    thread.start()
    try:
        yield published
    finally:
        stop.set()
        thread.join()


def test_chips_come_and_go_without_losing_a_message_of_the_others(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("stays", "leaves"))
    expect_confirmed(page, "stays", "leaves")
    with stream(valkey, "stays") as published:
        subscribe(page, "comes")
        expect_confirmed(page, "comes")
        subscribe(page, "p.*")
        expect_confirmed(page, "p.*")
        unsubscribe(page, "leaves")
        eventually(lambda: valkey.client.publish("leaves", "not for us") == 0)
        unsubscribe(page, "p.*", "pattern")
        eventually(lambda: valkey.client.publish("p.x", "not for us") == 0)
        valkey.client.publish("comes", "from the new one")
    expect_live(page)
    of_stays = rows(page).filter(has=page.get_by_text("stays", exact=True)).locator(".row__data")
    expect(of_stays.last).to_have_text(str(published[-1]))
    assert of_stays.all_text_contents() == [str(number) for number in published]
    of_comes = rows(page).filter(has=page.get_by_text("comes", exact=True)).locator(".row__data")
    expect(of_comes).to_have_text(["from the new one"])
    assert chips(page) == ["stays", "comes"]
    assert "reconnecting" not in states(page)


def test_the_defaults_are_selected_where_the_address_names_nothing(open_page: OpenPage) -> None:
    page = open_page()
    expect_confirmed(page, "sistema_alertas", "noticias")
    assert chips(page) == ["sistema_alertas", "noticias"]
    expect(channel_field(page)).to_have_value("sistema_alertas")


def test_a_glob_is_suggested_as_a_pattern(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    kind = page.get_by_label("Kind")
    name_field(page).press_sequentially("news.*")
    expect(kind).to_have_value("pattern")
    name_field(page).press("Backspace")
    expect(kind).to_have_value("channel")
    name_field(page).press("*")
    name_field(page).press("Enter")
    expect_confirmed(page, "news.*")
    expect(chip(page, "news.*")).to_contain_text("pattern")
    expect(name_field(page)).to_have_value("")
    expect(name_field(page)).to_be_focused()
    expect(kind).to_have_value("channel")
    valkey.client.publish("news.local", "by pattern")
    expect_texts(page, ["by pattern"])


def test_a_channel_may_be_called_like_a_pattern(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    subscribe(page, "x*", kind="channel")
    expect_confirmed(page, "x*")
    assert valkey.client.publish("xyz", "not for us") == 0
    valkey.client.publish("x*", "for us")
    expect_texts(page, ["for us"])
    assert selected(page) == [("channel", "a"), ("channel", "x*")]


def test_the_address_keeps_step_and_its_copy_shows_the_same_view(
    open_page: OpenPage, plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    odd = "água & sal=1#2+3"
    page = open_page()
    expect_live(page)
    unsubscribe(page, "noticias")
    subscribe(page, odd)
    subscribe(page, "p.*")
    expected = [("channel", "sistema_alertas"), ("channel", odd), ("pattern", "p.*")]
    assert selected(page) == expected
    copied = open_page(page.evaluate("location.href").removeprefix(plain_arauto.url))
    expect_confirmed(copied, "sistema_alertas", odd, "p.*")
    assert chips(copied) == chips(page)
    valkey.client.publish(odd, "to both")
    expect_texts(copied, ["to both"])
    expect_texts(page, ["to both"])
    page.reload()
    expect_confirmed(page, "sistema_alertas", odd, "p.*")


def test_a_name_that_cannot_be_used_gets_a_sentence(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    page.get_by_role("button", name="Subscribe").click()
    expect(problem(page)).to_have_text("Type the name of a channel or a pattern.")
    expect(name_field(page)).to_have_attribute("aria-invalid", "true")
    expect(name_field(page)).to_be_focused()
    subscribe(page, "é" * 129)
    expect(problem(page)).to_have_text("A name has at most 256 bytes; this one has 258.")
    name_field(page).clear()
    expect(problem(page)).to_have_text("")
    page.keyboard.insert_text("a\tb")
    page.keyboard.press("Enter")
    expect(problem(page)).to_have_text("A name cannot contain control characters.")
    subscribe(page, "é" * 128)
    expect(problem(page)).to_have_text("")
    expect_confirmed(page, "a", "é" * 128)


def test_spaces_around_a_typed_name_go(open_page: OpenPage) -> None:
    """Pasted spaces are invisible, but Redis takes them as part of a name. A link may have them."""
    page = open_page(view("a", "linked "))
    name_field(page).focus()
    page.keyboard.insert_text(" \u00a0pasted ")
    page.keyboard.press("Enter")
    expect_confirmed(page, "a", "linked ", "pasted")
    assert selected(page) == [("channel", "a"), ("channel", "linked "), ("channel", "pasted")]
    channel_field(page).select_text()
    page.keyboard.insert_text("\tpasted  ")
    message_field(page).fill("x")
    expect(channel_field(page)).to_have_value("pasted")
    page.evaluate(REPUBLISH, {"channel": "linked ", "message": ""})
    message_field(page).fill("y")
    expect(channel_field(page)).to_have_value("linked ")


def test_a_hundred_names_are_received_and_one_more_gets_a_sentence(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    names = [f"channel {n}" for n in range(100)]
    page = open_page(view(*names))
    expect_live(page)
    subscribe(page, "one too many")
    expect(problem(page)).to_have_text("At most 100 channels and patterns at once: remove one first.")
    assert chips(page) == names
    unsubscribe(page, "channel 50")
    subscribe(page, "one too many")
    expect_confirmed(page, "one too many")
    valkey.client.publish("one too many", "received")
    expect_texts(page, ["received"])


def test_a_name_that_is_there_already_is_pointed_out(open_page: OpenPage) -> None:
    page = open_page(view("a", "b"))
    expect_live(page)
    subscribe(page, "a")
    expect(chip(page, "a")).to_have_class(re.compile("is-flashing"))
    assert chips(page) == ["a", "b"]
    subscribe(page, "a", kind="pattern")
    expect(page.locator(".chip")).to_have_count(3)


def test_an_empty_selection_rests_until_something_is_chosen(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a", "b"))
    expect_live(page)
    unsubscribe(page, "a")
    expect(page.get_by_role("button", name="Remove channel b")).to_be_focused()
    page.keyboard.press("Enter")
    expect_state(page, "idle")
    expect(status(page)).to_have_text("Choose a channel")
    expect(page.get_by_role("heading", name="Choose a channel")).to_be_visible()
    expect(page.get_by_role("heading", name="Listening from now on")).to_be_hidden()
    expect(name_field(page)).to_be_focused()
    eventually(lambda: valkey.subscribers() == 0)
    page.keyboard.type("c")
    page.keyboard.press("Enter")
    expect_live(page)
    valkey.client.publish("c", "again")
    expect_texts(page, ["again"])
    expect(page.locator(".notice")).to_have_count(0)


def test_a_name_that_redis_refuses_says_so_on_its_chip(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    own_redis.client.execute_command(
        "ACL SETUSER viewer on >secret resetchannels &open -@all +@pubsub +ping +info"
    )
    server = start(REDIS_URL=own_redis.url.replace("//", "//viewer:secret@"), ARAUTO_WORKERS="1")
    page = open_page(view("closed"), server=server)
    expect_state(page, "refused")
    expect(status(page)).to_contain_text("Refused: NOPERM")
    subscribe(page, "open")
    expect_live(page)
    expect(status(page)).to_have_text("Live; Redis refused 1 name")
    partly = status(page).evaluate("status => getComputedStyle(status).backgroundColor")
    expect(chip(page, "closed")).to_have_attribute("data-state", "refused")
    expect(chip(page, "closed")).to_have_attribute("title", re.compile("^Refused by Redis: NOPERM"))
    expect(chip(page, "closed").locator(".chip__problem")).to_contain_text("Refused by Redis: NOPERM")
    expect_confirmed(page, "open")
    own_redis.client.publish("open", "still received")
    expect_texts(page, ["still received"])
    unsubscribe(page, "closed")
    expect(status(page)).to_have_text("Live")
    expect(status(page)).not_to_have_css("background-color", partly)


def test_an_address_that_cannot_be_used_shows_what_can(open_page: OpenPage) -> None:
    page = open_page("/?channel=&channel=a%09b&channel=good&pattern=" + "x" * 257)
    expect_live(page)
    assert chips(page) == ["good"]
    assert selected(page) == [("channel", "good")]


LATIN = [f"{number:03}".ljust(94, "n") for number in range(100)]
CYRILLIC = [f"{number:02}".ljust(31, "ж") for number in range(48)]


def publish_to_each(redis_server: RedisServer, names: list[str], message: str) -> None:
    for name in names:
        redis_server.client.publish(name, f"{message} {name[:3]}")


@pytest.mark.parametrize("more", [(), ["x" * 200] * 12], ids=["short", "long"])
@pytest.mark.parametrize(
    ("since", "sentence"),
    [("banana", "banana is not a point in time: write 10m,"), ("32503679999", "That time has not come yet.")],
)
def test_a_link_that_begins_at_no_point_in_time_says_so_and_is_live(
    open_page: OpenPage, valkey: RedisServer, since: str, sentence: str, more: Sequence[str]
) -> None:
    names = ["a", *(f"{name}{number}" for number, name in enumerate(more))]
    page = open_page(f"{view(*names)}&since={since}", allow=("status of 400", "WebSocket connection to"))
    expect_live(page)
    expect(page.get_by_text(sentence)).to_be_visible()
    valkey.client.publish("a", "live")
    expect_texts(page, ["live"])


@pytest.mark.parametrize("names", [LATIN, CYRILLIC], ids=["latin", "cyrillic"])
def test_a_selection_too_long_for_an_address_comes_back(
    open_page: OpenPage, own_redis: RedisServer, start: Start, names: list[str]
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(view(names[0]), server=server, allow=[*SERVER_AWAY, *STATUS_503])
    expect_live(page)
    for name in names[1:]:
        name_field(page).fill(name)
        name_field(page).press("Enter")
    expect(page.locator(".chip")).to_have_count(len(names))
    expect_live(page)
    assert server.stop() == 0
    expect_state(page, "reconnecting")
    server = start(REDIS_URL=own_redis.url, PORT=str(server.port))
    expect_live(page)
    expect(page.locator(".chip[data-state=confirmed]")).to_have_count(len(names))
    publish_to_each(own_redis, names, "after")
    expect_texts(page, [f"after {name[:3]}" for name in names])
    shared = page.evaluate("location.href")
    assert urlsplit(shared).query == ""

    page.reload()
    expect_live(page)
    expect(page.locator(".chip[data-state=confirmed]")).to_have_count(len(names))
    chip(page, names[-1]).get_by_role("button", name="Remove").click()
    page.get_by_role("link", name="Português").click()
    expect(page.locator(".chip")).to_have_count(len(names) - 1)
    page.goto(shared)
    expect(page.locator(".chip")).to_have_count(len(names))
    expect_live(page)


def test_a_long_filter_stays_in_a_link_that_opens(open_page: OpenPage) -> None:
    page = open_page(view("long filter"))
    expect_live(page)
    page.locator(".filter__text").fill("ж" * 3_000)
    expect(page).to_have_url(re.compile("#"))
    page.reload()
    expect_live(page)
    expect(page.locator(".filter__text")).to_have_value("ж" * 3_000)
    expect(chip(page, "long filter")).to_be_visible()
    page.locator(".filter__text").fill("")
    expect(page).to_have_url(re.compile(r"/\?channel=long\+filter$"))


@pytest.mark.parametrize(("code", "sentence"), [(414, "Listen to fewer names"), (404, "Look at the proxy")])
def test_a_refusal_for_good_is_reported_with_what_to_do(
    open_page: OpenPage, code: int, sentence: str
) -> None:
    page = open_page("/", allow=["WebSocket connection to", f"status of {code}"])
    page.route("**/feed?*", lambda route: route.fulfill(status=code, body="<h1>No</h1>"))
    refuse = """() => {
      window.WebSocket = class extends EventTarget {
        static OPEN = 1;
        constructor() {
          super();
          setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 })));
        }
        close() {}
      };
    }"""
    page.add_init_script(f"({refuse})()")
    page.reload()
    expect_state(page, "refused")
    expect(status(page)).to_contain_text(f"({code})")
    expect(status(page)).to_contain_text(sentence)
