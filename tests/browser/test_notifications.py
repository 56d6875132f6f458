"""Alerts for a person who looks elsewhere: counts in title and icon, notifications, sound, quiet hours."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_late_answers import held
from tests.support.pages import chip, expect_live, rows, solo, stop_clock, view
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

CRITICAL = '{"severity": "critical", "title": "down"}'
INFO = '{"severity": "info"}'
PAUSE = 1_000  # milliseconds between two calls
SAMPLE = "Arauto"  # the title of the sample notification

# Records notifications and sounds with their times, instead of showing and playing them.
_RECORD = """() => {
  window.calls = [];
  window.Notification = class extends EventTarget {
    static get permission() { return window.permission ?? "granted"; }
    static requestPermission = async () => this.permission;
    constructor(title, { body }) { super(); calls.push({ title, body, at: performance.now() }); }
    close() {}
  };
  const start = AudioScheduledSourceNode.prototype.start;
  AudioScheduledSourceNode.prototype.start = function (...rest) {
    calls.push({ title: "beep", at: performance.now() });
    return start.apply(this, rest);
  };
}"""


# Counts the messages that the page has received, whether it draws them or not.
_COUNT = """() => {
  window.received = 0;
  const data = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data").get;
  Object.defineProperty(MessageEvent.prototype, "data", { get() {
    received += JSON.parse(data.call(this)).filter(({ type }) => type === "message").length;
    return data.call(this);
  } });
}"""


def leave(page: Page, hidden: bool = True) -> None:
    """Make the page hidden or visible, as if the person changed the browser's tab."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def settings(page: Page) -> Locator:
    page.get_by_role("button", name="Settings").click()
    return page.get_by_role("dialog", name="Settings")


def level(dialog: Locator, name: str) -> Locator:
    return dialog.get_by_role("combobox", name=re.compile(f"^{name}"))


def calls(page: Page) -> list[str]:
    return [call["title"] for call in page.evaluate("calls")]


def let_call(page: Page) -> None:
    """Wait for all calls about messages shown so far: the pause is over, and the lock was granted."""
    over = "(pause) => new Promise((done) => setTimeout(() => navigator.locks.request('after', done), pause))"
    page.evaluate(over, PAUSE)


def watched(open_page: OpenPage, *channels: str, own_clock: bool = False) -> Page:
    page = open_page(
        view(*channels), color_scheme="light", own_clock=own_clock
    )  # a new browser context, with an empty storage
    page.evaluate(_RECORD)
    expect_live(page)
    return page


def test_what_is_unread_is_counted_in_the_title_and_the_icon(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = watched(open_page, "a")
    icon = page.locator("link[rel=icon]")
    plain = icon.get_attribute("href")
    valkey.client.publish("a", "seen")
    expect(rows(page)).to_have_count(1)
    leave(page)
    for _ in range(3):
        valkey.client.publish("a", "unseen")
    expect(page).to_have_title("(3) Arauto")
    expect(icon).to_have_attribute("href", re.compile("^data:image/png"))
    leave(page, hidden=False)
    expect(page).to_have_title("Arauto")
    expect(icon).to_have_attribute("href", plain or "")


def test_what_is_unread_is_shown_in_the_rail_and_by_a_line_in_the_feed(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = watched(open_page, "a", "b")
    line = page.locator("#messages [data-unread]")
    valkey.client.publish("a", "seen")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Hide b").click()
    valkey.client.publish("b", "of a hidden channel")
    expect(unread(page, "b")).to_have_text("1")
    expect(solo(page, "b")).to_have_accessible_description("1 unread")
    leave(page)
    for n in range(2):
        valkey.client.publish("a", f"unseen {n}")
        valkey.client.publish("b", "never shown")
    expect(unread(page, "a")).to_have_text("2")
    leave(page, hidden=False)
    valkey.client.publish("a", "seen again")
    expect(rows(page)).to_have_count(4)
    expect(line).to_have_attribute("data-unread", "2 new since you looked away")
    expect(line).to_contain_text("unseen 0")
    page.get_by_role("button", name="Newest first").click()
    expect(line).to_have_text(re.compile("seen$"))
    expect(line).to_have_count(1)

    page.get_by_role("button", name="Hide b").click()
    expect(unread(page, "b")).to_be_empty()  # the channel is shown again
    expect(unread(page, "a")).to_have_text("2")
    leave(page)
    expect(unread(page, "a")).to_be_empty()
    expect(line).to_have_count(0)


def unread(page: Page, name: str) -> Locator:
    return chip(page, name).locator(".chip__unread")


def test_what_a_person_saw_is_not_unread_where_the_counting_begins_later(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a"), color_scheme="light")
    with held(page, "**/notifications*.js*") as next_route:
        page.reload()
        expect_live(page)
        valkey.client.publish("a", "seen")
        expect(rows(page)).to_have_count(1)
        leave(page)
        valkey.client.publish("a", "unseen")
        expect(rows(page)).to_have_count(2)
        next_route().continue_()
    expect(page).to_have_title("(1) Arauto")


def test_a_notification_comes_for_the_chosen_channel_and_severity(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = watched(open_page, "a", "b", "c")
    dialog = settings(page)
    dialog.get_by_label("on the desktop").check()
    eventually(lambda: calls(page) == [SAMPLE])
    level(dialog, "All channels").select_option("error and above")
    level(dialog, "b").select_option("every message")
    level(dialog, "c").select_option("never")
    dialog.get_by_role("button", name="Close").click()
    leave(page)
    for channel, message in (("a", INFO), ("a", "text"), ("c", CRITICAL), ("a", CRITICAL)):
        valkey.client.publish(channel, message)
    eventually(lambda: calls(page) == [SAMPLE, "a"])
    assert page.evaluate("calls[1].body") == CRITICAL
    valkey.client.publish("b", "text")
    eventually(lambda: calls(page) == [SAMPLE, "a", "b"])
    expect(page).to_have_title("(5) Arauto")
    page.reload()
    page.evaluate(_RECORD)
    expect_live(page)
    leave(page)
    valkey.client.publish("b", "text")
    eventually(lambda: calls(page) == ["b"])


def test_never_more_than_one_call_a_second(open_page: OpenPage, valkey: RedisServer) -> None:
    page = watched(open_page, "a", own_clock=True)
    page.evaluate(_COUNT)
    dialog = settings(page)
    dialog.get_by_label("on the desktop").check()
    eventually(lambda: calls(page) == [SAMPLE])
    level(dialog, "All channels").select_option("every message")
    dialog.get_by_role("button", name="Close").click()
    leave(page)
    stop_clock(page)
    valkey.client.publish("a", "first")
    eventually(lambda: page.evaluate("received") == 1)
    page.clock.run_for(10)
    eventually(lambda: calls(page) == [SAMPLE, "a"])
    for number in range(20):
        valkey.client.publish("a", number)
    eventually(lambda: page.evaluate("received") == 21)
    page.clock.run_for(980)
    # Earlier requests for the lock have had it then.
    page.evaluate("new Promise((done) => navigator.locks.request('after', done))")
    assert calls(page) == [SAMPLE, "a"]
    page.clock.run_for(20)
    eventually(lambda: calls(page) == [SAMPLE, "a", "20 new, the last in a"])
    _, first, second = page.evaluate("calls.map(({ at }) => at)")
    assert second - first > 950
    valkey.client.publish("a", "last")
    eventually(lambda: page.evaluate("received") == 22)
    page.clock.run_for(1_000)
    eventually(lambda: len(calls(page)) == 4)


def test_a_sound_is_played_when_switched_on_and_not_in_quiet_hours(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = watched(open_page, "a")
    dialog = settings(page)
    dialog.get_by_label("with a sound").check()
    eventually(lambda: calls(page) == ["beep"])  # the sample sound
    level(dialog, "All channels").select_option("warning and above")
    dialog.get_by_role("button", name="Close").click()
    valkey.client.publish("a", INFO)
    valkey.client.publish("a", CRITICAL)
    eventually(lambda: calls(page) == ["beep", "beep"])

    hour = page.evaluate("new Date().getHours()")
    dialog = settings(page)
    dialog.get_by_label("from", exact=True).fill(f"{(hour + 23) % 24:02}:00")
    dialog.get_by_label("to", exact=True).fill(f"{(hour + 2) % 24:02}:00")
    dialog.get_by_role("button", name="Close").click()
    valkey.client.publish("a", CRITICAL)
    expect(rows(page)).to_have_count(3)
    let_call(page)
    assert calls(page) == ["beep", "beep"]
    dialog = settings(page)
    dialog.get_by_label("to", exact=True).fill(f"{(hour + 23) % 24:02}:30")
    dialog.get_by_role("button", name="Close").click()
    valkey.client.publish("a", CRITICAL)
    eventually(lambda: calls(page) == ["beep", "beep", "beep"])
    expect(rows(page)).to_have_count(4)


def test_what_is_switched_on_comes_and_can_be_tried(open_page: OpenPage, valkey: RedisServer) -> None:
    page = watched(open_page, "a")
    dialog = settings(page)
    test = dialog.get_by_role("button", name="Test")
    expect(test).to_be_hidden()
    dialog.get_by_label("with a sound").check()
    eventually(lambda: calls(page) == ["beep"])
    test.click()
    eventually(lambda: calls(page) == ["beep"] * 2)
    dialog.get_by_label("on the desktop").check()
    eventually(lambda: calls(page) == ["beep", "beep", SAMPLE])
    test.click()
    eventually(lambda: sorted(calls(page)) == [SAMPLE, SAMPLE, "beep", "beep", "beep"])
    expect(dialog.get_by_role("status")).to_have_text("")
    dialog.get_by_role("button", name="Close").click()
    leave(page)
    valkey.client.publish("a", "text")
    eventually(lambda: sorted(calls(page)) == [SAMPLE, SAMPLE, "a", "beep", "beep", "beep", "beep"])


def test_what_keeps_all_calls_back_is_said(open_page: OpenPage) -> None:
    page = watched(open_page, "a")
    dialog = settings(page)
    said = dialog.get_by_role("status")
    dialog.get_by_label("with a sound").check()
    level(dialog, "All channels").select_option("never")
    expect(said).to_have_text("Nothing notifies you: no channel may.")
    level(dialog, "a").select_option("every message")
    expect(said).to_have_text("")
    hour = page.evaluate("new Date().getHours()")
    dialog.get_by_label("from", exact=True).fill(f"{(hour + 23) % 24:02}:00")
    dialog.get_by_label("to", exact=True).fill(f"{(hour + 2) % 24:02}:00")
    expect(said).to_have_text("Nothing notifies you now: these are quiet hours.")
    dialog.get_by_role("button", name="Close").click()
    settings(page)
    expect(said).to_have_text("Nothing notifies you now: these are quiet hours.")
    dialog.get_by_label("with a sound").uncheck()
    expect(said).to_have_text("")


def test_nobody_is_called_who_did_not_ask(open_page: OpenPage, valkey: RedisServer) -> None:
    page = watched(open_page, "a")
    leave(page)
    valkey.client.publish("a", CRITICAL)
    expect(page).to_have_title("(1) Arauto")
    let_call(page)
    assert calls(page) == []


def test_a_browser_that_allows_no_notification_says_so(open_page: OpenPage) -> None:
    page = watched(open_page, "a")
    page.evaluate("void (window.permission = 'denied')")
    dialog = settings(page)
    dialog.get_by_label("on the desktop").click()
    expect(dialog.get_by_role("status")).to_have_text(
        "The browser does not allow notifications for this page."
    )
    expect(dialog.get_by_label("on the desktop")).not_to_be_checked()


def test_of_two_tabs_one_calls(open_page: OpenPage, valkey: RedisServer) -> None:
    first = watched(open_page, "shared")
    dialog = settings(first)
    dialog.get_by_label("on the desktop").check()
    eventually(lambda: calls(first) == [SAMPLE])
    level(dialog, "All channels").select_option("every message")
    second = first.context.new_page()
    second.goto(first.url)
    second.evaluate(_RECORD)
    expect_live(second)
    for page in (first, second):
        leave(page)
    valkey.client.publish("shared", "one")
    for page in (first, second):
        expect(page).to_have_title("(1) Arauto")
        let_call(page)
    assert calls(first) + calls(second) == [SAMPLE, "shared"]
    second.close()
