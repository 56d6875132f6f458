"""The form and other Redis clients receive each other's messages, byte for byte; the form shows receivers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from playwright.sync_api import Page, expect

from arauto.text.glob import matches
from tests.browser.conftest import OpenPage
from tests.browser.test_reading_modules import call
from tests.support.pages import (
    STATUS_503,
    answer,
    answered_by,
    channel_field,
    expect_live,
    expect_noted,
    expect_texts,
    log,
    message_field,
    publish,
    publish_button,
    rows,
    view,
)
from tests.support.programs import example, listening, run
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import PATIENCE


@contextmanager
def received_by_redis_py(valkey: RedisServer, channel: str) -> Iterator[redis.client.PubSub]:
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(channel)
        assert pubsub.get_message(timeout=PATIENCE) is None  # the confirmation
        yield pubsub


def next_data(pubsub: redis.client.PubSub) -> bytes:
    message = pubsub.get_message(timeout=PATIENCE)
    assert message is not None
    return bytes(message["data"])


def test_the_form_reaches_ten_tabs_and_every_client_and_they_reach_the_ten_tabs(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    tabs = [open_page() for _ in range(10)]
    for tab in tabs:
        expect_live(tab)
    first = tabs[0]
    cli = ["redis-cli", "-p", str(valkey.port)]
    with (
        listening([*cli, "SUBSCRIBE", "sistema_alertas"], valkey.url, greeting=3) as redis_cli,
        listening(example("subscriber.py"), valkey.url, greeting=1) as subscriber,
    ):
        publish(first, "sistema_alertas", "Servidor CPU em 99% - Perigo! 🎺")
        expect(answer(first)).to_contain_text("12 subscribers received it: 10 tabs, 2 others")
        assert redis_cli.lines(3) == ["message", "sistema_alertas", "Servidor CPU em 99% - Perigo! 🎺"]
        assert subscriber.lines(1) == ["Alert: Servidor CPU em 99% - Perigo! 🎺"]
        assert run([*cli, "PUBLISH", "sistema_alertas", "de redis-cli: Olá!"], valkey.url) == "12\n"
        assert valkey.client.publish("sistema_alertas", "de redis-py: שלום") == 12
        assert run(example("publisher.py", "do", "tutorial"), valkey.url) == "12 received: do tutorial\n"
    expected = ["Servidor CPU em 99% - Perigo! 🎺", "de redis-cli: Olá!", "de redis-py: שלום", "do tutorial"]
    for tab in tabs:
        expect_texts(tab, expected)


def test_each_tab_shows_a_stream_in_order(open_page: OpenPage, valkey: RedisServer) -> None:
    first = open_page(view("ordered"))
    second = open_page(view("ordered"))
    expect_live(first)
    expect_live(second)
    numbers = [str(n) for n in range(300)]
    for number in numbers:
        assert valkey.client.publish("ordered", number) == 2
    expect_texts(first, numbers)
    expect_texts(second, numbers)


def test_a_message_that_nobody_received_is_reported_as_gone(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("selected"))
    expect_live(page)
    publish(page, "elsewhere", "into the void")
    expect(answer(page)).to_have_text("Nobody was listening: this message is gone.")
    valkey.client.publish("selected", "sentinel")
    expect_texts(page, ["sentinel"])


def test_after_publishing_the_message_is_cleared_and_the_channel_stays(open_page: OpenPage) -> None:
    page = open_page(view("kept"))
    expect_live(page)
    expect(channel_field(page)).to_have_value("kept")
    publish(page, "kept", "first")
    expect_texts(page, ["first"])
    expect(answer(page)).to_contain_text("1 subscriber received it: 1 tab, 0 others")
    expect(message_field(page)).to_have_value("")
    expect(message_field(page)).to_be_focused()
    expect(channel_field(page)).to_have_value("kept")
    page.keyboard.type("second")
    publish_button(page).click()
    expect_texts(page, ["first", "second"])


def test_control_enter_publishes_and_on_a_mac_command_enter(open_page: OpenPage) -> None:
    page = open_page(view("keys"))
    expect_live(page)
    message_field(page).fill("by keyboard")
    page.keyboard.press("Control+Enter")
    expect(message_field(page)).to_have_value("")
    message_field(page).fill("by another")
    page.keyboard.press("Meta+Enter")
    expect_texts(page, ["by keyboard", "by another"])
    expect(message_field(page)).to_have_value("")


def test_enter_makes_a_line_and_lines_are_published_as_typed(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("lines"))
    expect_live(page)
    with received_by_redis_py(valkey, "lines") as pubsub:
        message_field(page).focus()
        page.keyboard.type("  first ")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.keyboard.type("\tthird 🎺&=+%")
        page.keyboard.press("Enter")
        publish_button(page).click()
        assert next_data(pubsub) == "  first \n\n\tthird 🎺&=+%\n".encode()
    expect_texts(page, ["  first \n\n\tthird 🎺&=+%\n"])


def test_an_empty_message_is_published_and_marked(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("hollow"))
    expect_live(page)
    with received_by_redis_py(valkey, "hollow") as pubsub:
        publish(page, "hollow", "")
        page.get_by_role("dialog").get_by_role("button", name="Publish it").click()
        assert next_data(pubsub) == b""
    expect(answer(page)).to_contain_text("2 subscribers received it")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("empty message")


def test_what_cannot_be_published_gets_a_sentence_and_is_kept(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("cap"))
    expect_live(page)
    publish(page, "", "keep me")
    expect(answer(page)).to_have_text("Type the channel to publish to.")
    expect(channel_field(page)).to_be_focused()
    publish(page, "é" * 129, "keep me")
    expect(answer(page)).to_have_text("A name has at most 256 bytes; this one has 258.")
    expect(message_field(page)).to_have_value("keep me")
    most = "é" * (1 << 19)
    publish(page, "cap", most + "x")
    expect(answer(page)).to_have_text(
        "The message has 1,048,577 bytes; at most 1,048,576 bytes can be published."
    )
    expect(message_field(page)).to_be_focused()
    expect(message_field(page)).to_have_value(most + "x")
    valkey.client.publish("cap", "sentinel")
    expect_texts(page, ["sentinel"])
    publish(page, "cap", most)
    expect_texts(page, ["sentinel", most[:2000]])


def test_a_failure_says_why_and_keeps_the_text(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    page = open_page(view("away"), server=start(REDIS_URL=own_redis.url), allow=STATUS_503)
    expect_live(page)
    own_redis.stop()
    publish(page, "away", "worth keeping")
    expect(answer(page)).to_have_text(
        "Redis is unreachable: the message was not published. Try again when it is back."
    )
    expect(message_field(page)).to_have_value("worth keeping")
    own_redis.start()
    expect_live(page)
    publish_button(page).click()
    expect_texts(page, ["worth keeping"])
    expect(message_field(page)).to_have_value("")


def test_a_request_that_gets_no_good_answer_keeps_the_text_and_shows_no_message(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("cut"), allow=("net::ERR_FAILED", "status of 502"))
    expect_live(page)
    page.route("**/publish", lambda route: route.abort())
    publish(page, "cut", "lost on the way")
    expect(answer(page)).to_have_text("The server did not answer. Your text is kept.")
    page.unroute("**/publish")
    page.route("**/publish", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    publish_button(page).click()
    expect(answer(page)).to_have_text("The server answered with status 502. Your text is kept.")
    expect(message_field(page)).to_have_value("lost on the way")
    valkey.client.publish("cut", "sentinel")
    expect_texts(page, ["sentinel"])


def test_a_message_is_shown_only_when_it_comes_back_from_redis(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("back"))
    expect_live(page)
    with answered_by(page, {"channel": "back", "receivers": 1}):
        publish(page, "back", "never reached Redis")
        expect(answer(page)).to_contain_text("1 subscriber received it")
    valkey.client.publish("back", "sentinel")
    expect_texts(page, ["sentinel"])


def test_a_split_that_the_server_does_not_know_is_not_shown(open_page: OpenPage) -> None:
    page = open_page(view("unsure"))
    expect_live(page)
    with answered_by(page, {"channel": "unsure", "receivers": 3, "tabs": None}):
        publish(page, "unsure", "x")
        expect(answer(page)).to_have_text("3 subscribers received it open pages included")


def test_a_tab_that_receives_by_channel_and_pattern_is_reported_to_count_twice(open_page: OpenPage) -> None:
    page = open_page(view("both", patterns=("b*",)))
    expect_live(page)
    publish(page, "both", "x")
    expect(answer(page)).to_have_text(
        "2 subscribers received it: 2 tabs, 0 others a tab counts once for each of its names that match"
    )


@pytest.mark.parametrize(
    ("channel", "pattern"),
    [("once", "other*"), ("once", "once.*"), ("Once", "once*"), ("once", "[xy]nce"), ("café", "caf?")],
)
def test_a_pattern_beside_the_channel_is_not_said_to_count_if_it_does_not_match(
    open_page: OpenPage, channel: str, pattern: str
) -> None:
    page = open_page(view(channel, patterns=(pattern,)))
    expect_live(page)
    publish(page, channel, "x")
    expect(answer(page)).to_have_text("1 subscriber received it: 1 tab, 0 others")


MATCHING = """({ matchingNames }, { names, channels }) => {
  const patterns = names.map((name) => ({ kind: "pattern", name }));
  const found = (channel) => matchingNames(patterns, "channel", channel, false);
  return channels.map((channel) => found(channel).map(({ name }) => name));
}"""
PATTERNS = ["*", "a*", "*a", "*a*b*", "a?c", "???", "**", "", "a", "*??*", "caf??", "*é"]
NAMES = ["a", "abc", "ab", "cab", "xaxbx", "ABC", "aac", "café", "é", "b"]


def test_patterns_match_as_in_redis(module_page: Page) -> None:
    found = call(module_page, "publish/matching_names", MATCHING, {"names": PATTERNS, "channels": NAMES})
    expected = [[one for one in PATTERNS if matches(one.encode(), name.encode())] for name in NAMES]
    assert found == expected


def test_a_double_click_publishes_once(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("twice"))
    expect_live(page)
    message_field(page).fill("once")
    publish_button(page).evaluate("(button) => { button.click(); button.click(); }")  # before the response
    expect(answer(page)).to_contain_text("1 subscriber received it")
    valkey.client.publish("twice", "sentinel")
    expect_texts(page, ["once", "sentinel"])


def test_the_command_that_the_empty_feed_suggests_works(open_page: OpenPage, valkey: RedisServer) -> None:
    channel = 'it\'s "odd" $HOME `x` !'
    page = open_page(view(channel), permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    page.get_by_role("button", name="Copy").click()
    expect_noted(page, "Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert run(["sh", "-c", command], valkey.url) == "1\n"
    expect_texts(page, ["Olá, assinantes!"])


def test_nothing_half_written_is_published(open_page: OpenPage, valkey: RedisServer) -> None:
    """Ctrl+Enter during the composition of an input method."""
    page = open_page(view("half"))
    expect_live(page)
    message_field(page).fill("half")
    press = """(field, isComposing) => field.dispatchEvent(
      new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, isComposing, bubbles: true }))"""
    message_field(page).evaluate(press, True)
    message_field(page).evaluate("(field) => (field.value = 'whole')")
    message_field(page).evaluate(press, False)
    expect_texts(page, ["whole"])


def test_a_file_that_is_dropped_opens_nothing(open_page: OpenPage) -> None:
    page = open_page(view("drop"))
    expect_live(page)
    falls_through = """(field, kind) => {
      const dataTransfer = new DataTransfer();
      if (kind === "file") dataTransfer.items.add(new File(["x"], "note.txt"));
      else dataTransfer.setData("text/plain", "x");
      return field.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }"""
    assert message_field(page).evaluate(falls_through, "text")
    assert not message_field(page).evaluate(falls_through, "file")
    assert not log(page).evaluate(falls_through, "file")
