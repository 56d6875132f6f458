"""Holding the feed: pause, clear, order, one row for one message, keys."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_watching import accounted_for, is_at_end, new_button, publish_many
from tests.support.pages import (
    expect_live,
    expect_noted,
    expect_texts,
    let_draw,
    log,
    message_field,
    notices,
    row,
    rows,
    subscribe,
    texts,
    timers_held,
    unsubscribe,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def test_pause_holds_what_comes_and_resume_keeps_the_order(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("pause"))
    expect_live(page)
    valkey.client.publish("pause", "before")
    expect_texts(page, ["before"])
    button(page, "Pause").click()
    publish_many(valkey, "pause", [str(n) for n in range(128)])
    expect(new_button(page)).to_have_text("128 new")
    let_draw(page)
    assert texts(page) == ["before"]
    button(page, "Resume").click()
    expect_texts(page, ["before", *(str(n) for n in range(128))])
    expect(new_button(page)).to_be_hidden()
    expect(button(page, "Pause")).to_be_focused()
    eventually(lambda: is_at_end(page))

    page.keyboard.press("Escape")
    log(page).press(" ")
    valkey.client.publish("pause", "held")
    expect(new_button(page)).to_have_text("1 new")
    new_button(page).click()
    expect(row(page, "held")).to_be_visible()
    expect(button(page, "Pause")).to_be_visible()


def test_a_row_says_what_fell_out_of_a_long_pause(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("long pause"))
    expect_live(page)
    valkey.client.publish("long pause", "read")
    expect_texts(page, ["read"])
    button(page, "Pause").click()
    for start in range(0, 12_000, 1000):
        publish_many(valkey, "long pause", [str(n) for n in range(start, start + 1000)])
    expect(new_button(page)).to_have_text("12,000 new")
    button(page, "Resume").click()
    expect(row(page, "11999")).to_be_in_viewport()
    expect(notices(page)).to_have_text(
        [
            "2,000 messages arrived meanwhile and are gone: the newest 10,000 are kept",
            "9,940 messages arrived meanwhile and are not shown",
        ]
    )
    assert texts(page) == ["read", *(str(n) for n in range(11_940, 12_000))]
    assert accounted_for(page) == 12_001


def test_what_is_kept_can_be_searched_while_paused(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("search"))
    expect_live(page)
    publish_many(valkey, "search", [f"message {n}." for n in range(3000)])
    expect(row(page, "message 2999.")).to_be_in_viewport()
    button(page, "Pause").click()
    page.get_by_role("combobox", name="Filter").fill("/ 1?5\\./")
    expect_texts(page, ["message 5.", "message 15."])
    expect(new_button(page)).to_be_hidden()
    valkey.client.publish("search", "message 5.")
    expect(new_button(page)).to_have_text("1 new")
    let_draw(page)
    assert texts(page) == ["message 5.", "message 15."]
    valkey.client.publish("search", "25.")
    expect(page.locator("#filter-count")).to_have_text("3 of 3,002")
    page.get_by_role("combobox", name="Filter").fill("/^2?5\\./")
    expect(page.locator("#filter-count")).to_have_text("1 of 3,002")
    expect(new_button(page)).to_have_text("1 new")
    let_draw(page)
    assert texts(page) == []
    button(page, "Newest first").click()
    expect(new_button(page)).to_have_text("1 new")
    button(page, "Newest first").click()
    page.get_by_role("combobox", name="Filter").fill("/ 1?5\\./")
    expect_texts(page, ["message 5.", "message 15."])
    button(page, "Clear").click()
    button(page, "Undo").click()
    expect_texts(page, ["message 5.", "message 15."])
    button(page, "Resume").click()
    expect_texts(page, ["message 5.", "message 15.", "message 5."])


def test_clear_can_be_undone(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("clear"))
    expect_live(page)
    publish_many(valkey, "clear", ["a", "b", "c"])
    expect_texts(page, ["a", "b", "c"])
    button(page, "Clear").click()
    expect(notices(page)).to_contain_text("3 messages were cleared.")
    let_draw(page)
    assert texts(page) == []
    valkey.client.publish("clear", "d")
    expect_texts(page, ["d"])
    button(page, "Undo").click()
    expect_texts(page, ["a", "b", "c", "d"])
    expect(notices(page)).to_have_count(0)
    expect(log(page)).to_be_focused()


def test_newest_first_is_remembered_and_follows_the_top(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("order"), color_scheme="light")  # an option, so that the page has its own storage
    expect_live(page)
    publish_many(valkey, "order", [f"message {n}" for n in range(700)])
    expect(row(page, "message 699")).to_be_in_viewport()
    button(page, "Newest first").click()
    expect(rows(page)).to_have_count(500)
    expect_texts(page, [f"message {n}" for n in reversed(range(200, 700))])
    expect(row(page, "message 699")).to_be_in_viewport()
    valkey.client.publish("order", "the newest")
    expect(rows(page).first).to_contain_text("the newest")
    expect(rows(page).first).to_be_in_viewport()

    log(page).focus()
    page.keyboard.press("End")
    expect(row(page, "message 201")).to_be_in_viewport()
    publish_many(valkey, "order", ["unseen 1", "unseen 2"])
    expect(new_button(page)).to_have_text("2 new")
    expect(row(page, "message 201")).to_be_in_viewport()
    page.get_by_role("button", name="Show more of them").click()
    expect(rows(page).last).to_contain_text("message 0")
    new_button(page).click()
    expect(rows(page).first).to_contain_text("unseen 2")
    expect(rows(page).first).to_be_in_viewport()
    eventually(lambda: accounted_for(page) == 703)

    page.reload()
    expect_live(page)
    expect(button(page, "Newest first")).to_have_attribute("aria-pressed", "true")
    button(page, "Newest first").click()
    publish_many(valkey, "order", ["x", "y"])
    expect_texts(page, ["x", "y"])


def test_what_comes_by_channel_and_patterns_is_one_row(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("one.row", patterns=("one.*", "*.row")))
    expect_live(page)
    publish_many(valkey, "one.row", ["same", "same", "other"])
    valkey.client.publish("one.else", "same")
    expect_texts(page, ["same", "same", "other", "same"])
    for number in range(3):
        expect(rows(page).nth(number).locator(".row__pattern")).to_have_count(2)
    assert sorted(rows(page).first.locator(".row__pattern").all_text_contents()) == ["*.row", "one.*"]
    expect(rows(page).last.locator(".row__pattern")).to_have_text("one.*")


def test_equal_messages_of_another_selection_stay_two(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("equal", patterns=("other*",)))
    expect_live(page)
    valkey.client.publish("equal", "same")
    expect(rows(page)).to_have_count(1)
    subscribe(page, "equ*")
    unsubscribe(page, "equal")
    eventually(lambda: valkey.client.pubsub_numsub("equal") == [(b"equal", 0)])
    eventually(lambda: valkey.client.pubsub_numpat() == 2)
    valkey.client.publish("equal", "same")
    expect_texts(page, ["same", "same"])


JOIN = """async (pushes) => {
  const { PatternMerge } = await import("./static/js/stream/pattern_merge.js");
  const joiner = new PatternMerge();
  const shown = [];
  for (const push of pushes) {
    if (push === "sent") joiner.sent();
    else if (push === "forget") joiner.forget();
    else for (const event of joiner.take({ data: "x", channel: "c", ...push })) shown.push(event);
  }
  return shown.map(({ type, patterns, event }) => [type, (event?.patterns ?? patterns).join(" ")]);
}"""


def test_only_pushes_of_one_message_are_joined(open_page: OpenPage) -> None:
    page = open_page(view("c"))
    message = {"type": "message"}
    by_a, by_b = ({"type": "pmessage", "pattern": pattern} for pattern in "ab")

    def joined(*pushes: object) -> object:
        return page.evaluate(JOIN, list(pushes))

    assert joined(message, by_a, by_b) == [["message", "a b"]]
    assert joined(message, message, by_a) == [["message", ""], ["message", "a"]]
    assert joined(by_a, by_b, by_a, by_b) == [["pmessage", "a b"]] * 2
    assert joined(by_a, by_a) == [["pmessage", "a"]] * 2
    assert joined(by_a, message) == [["pmessage", "a"], ["message", ""]]
    assert joined(message, by_a | {"data": "y"}) == [["message", ""], ["pmessage", "a"]]
    assert joined(message, by_a | {"channel": "d"}) == [["message", ""], ["pmessage", "a"]]
    assert joined(message, "forget", by_a) == [["message", ""], ["pmessage", "a"]]
    assert joined(message, "sent", by_a) == [["message", "a"], ["also", "a"]]


def test_keys_do_what_the_dialog_says_and_nothing_while_typing(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("keys"), permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    publish_many(valkey, "keys", [f"message {n}" for n in range(80)])
    expect(row(page, "message 79")).to_be_in_viewport()
    body = page.locator("body")

    body.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    body.press("?")
    expect(dialog).to_be_visible()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    expect(message_field(page)).not_to_be_focused()

    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("k")
    expect(row(page, "message 79")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(row(page, "message 77")).to_be_focused()
    page.keyboard.press("j")
    expect(row(page, "message 78")).to_be_focused()
    page.keyboard.press("c")
    # The whole focus ring is visible, also beside the buttons.
    expect(row(page, "message 78")).to_have_css("outline-offset", "-2px")
    room = """row => {
      const buttons = row.querySelector(".row__actions"), size = getComputedStyle(buttons).backgroundSize;
      const end = buttons.getBoundingClientRect().top + parseFloat(size.split(" ")[1]);
      return row.getBoundingClientRect().bottom - end;
    }"""
    assert row(page, "message 78").evaluate(room) >= 2
    expect_noted(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "message 78"
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Copy text")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name="Copy text")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(log(page)).to_be_focused()

    page.keyboard.press(" ")
    expect(button(page, "Resume")).to_be_visible()
    button(page, "Resume").focus()
    page.keyboard.press(" ")
    expect(button(page, "Pause")).to_be_visible()

    page.keyboard.press("p")
    expect(message_field(page)).to_be_focused()
    page.keyboard.type("jk/ ?pc")
    expect(message_field(page)).to_have_value("jk/ ?pc")
    expect(button(page, "Pause")).to_be_visible()
    expect(dialog).to_be_hidden()


def test_what_is_said_moves_no_row_and_covers_no_counter(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("still"), permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    publish_many(valkey, "still", [f"message {n}" for n in range(80)])
    expect(row(page, "message 79")).to_be_in_viewport()
    place = log(page).bounding_box()
    log(page).evaluate("log => log.scrollTo(0, 0)")
    let_draw(page)
    valkey.client.publish("still", "one more")
    counter = page.get_by_role("button", name="1 new")
    expect(counter).to_be_visible()
    page.locator("body").press("j")
    copied = page.get_by_text("Copied", exact=True)
    with timers_held(page):
        page.keyboard.press("c")
        expect(copied).to_be_visible()
        over, under = copied.bounding_box(), counter.bounding_box()
    assert over is not None
    assert under is not None
    assert over["y"] + over["height"] <= under["y"]
    filter_field(page).fill("/(/")
    expect(page.get_by_text("is not a regular expression")).to_be_visible()
    eventually(lambda: log(page).bounding_box() == place, why="all rows are drawn again")
    filter_field(page).fill("nothing like it")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    eventually(lambda: log(page).bounding_box() == place, why="nothing is left to draw")


def test_single_keys_can_be_switched_off(open_page: OpenPage) -> None:
    page = open_page(view("no keys"), color_scheme="light")
    expect_live(page)
    button(page, "Keyboard shortcuts").click()
    page.get_by_label("Single-key shortcuts").uncheck()
    button(page, "Close").click()
    page.reload()
    expect_live(page)
    page.locator("body").press(" ")
    page.locator("body").press("?")
    expect(button(page, "Pause")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_announcing_stops_where_too_much_comes(open_page: OpenPage, valkey: RedisServer) -> None:
    """Also if the page is so slow that it draws a few rows at a time."""
    page = open_page(view("loud"))
    page.add_init_script(
        "const now = performance.now.bind(performance); let n = 0; performance.now = () => now() + n++"
    )
    page.reload()
    expect_live(page)
    valkey.client.publish("loud", "one")
    expect_texts(page, ["one"])
    expect(log(page)).to_have_attribute("aria-live", "polite")
    publish_many(valkey, "loud", ["x"] * 50)
    expect(rows(page)).to_have_count(51)
    expect(log(page)).to_have_attribute("aria-live", "off")
    valkey.client.publish("loud", "calm again")
    expect(row(page, "calm again")).to_be_visible()
    expect(log(page)).to_have_attribute("aria-live", "polite")


def test_where_messages_are_hidden_notices_are_not(open_page: OpenPage) -> None:
    page = open_page(view("seam"))
    expect_live(page)
    page.evaluate(
        """async () => {
          const { Feed } = await import("./static/js/feed/feed.js");
          const { Rows } = await import("./static/js/message/row.js");
          const { setTools } = await import("./static/js/message/row_buttons.js");
          const find = (id) => document.getElementById(id);
          setTools(find("row-tools"));
          const words = { language: "en", say: (key) => key };
          const rows = new Rows(find("message-row"), find("notice-row"), words);
          const feed = new Feed({
            scroller: find("log"), list: find("messages"), older: find("older"),
            earlier: find("earlier"), newButton: find("new"),
          }, rows, words);
          const message = (channel, data) => ({ type: "message", channel, data, patterns: [], at: 1 });
          feed.add([message("a", "1"), message("b", "2"), { type: "gap", from: 1, to: 2, reason: "redis" }]);
          feed.setHidden(({ channel }) => channel === "b");
          feed.add([message("b", "3"), message("a", "4")]);
        }"""
    )
    expect_texts(page, ["1", "4"])
    expect(notices(page)).to_have_count(1)
