"""A browser may refuse features, also late: the page says so, and all else works."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_notifications import leave, level, settings
from tests.browser.test_reading import choose
from tests.support.pages import (
    expect_live,
    expect_noted,
    row,
    stop_clock,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

UNABLE = "This browser does not show the notifications of a page."
DENIED = "The browser does not allow notifications for this page."
SILENT = "This browser keeps the page silent until you click in it."
NOT_COPIED = "Not copied: the browser does not allow it."
DESKTOP = "on the desktop"

# The first `shown` notifications succeed; the others cannot be constructed, or fire an error event.
NOTIFICATIONS = """
window.made = 0;
window.Notification = class extends EventTarget {
  static permission = "granted";
  static requestPermission = async () => this.permission;
  constructor() {
    super();
    if (++made <= %d) return;
    if (%s) throw new TypeError("Illegal constructor");
    setTimeout(() => this.dispatchEvent(new Event("error")));
  }
};
"""

# As before the first click in the page: audio does not start, and resume() waits.
SUSPENDED = """
window.tones = 0;
window.isAllowed = false;
const { start } = AudioScheduledSourceNode.prototype;
AudioScheduledSourceNode.prototype.start = function (...rest) { tones++; return start.apply(this, rest); };
window.AudioContext = class extends AudioContext {
  get state() { return isAllowed ? super.state : "suspended"; }
  resume() { return isAllowed ? super.resume() : new Promise(() => {}); }
};
"""

NO_CLIPBOARD = """
Clipboard.prototype.writeText = async () => { throw new DOMException("", "NotAllowedError"); };
document.execCommand = () => false;
"""


def refusing(
    open_page: OpenPage, script: str, *, own_clock: bool = False, allow: tuple[str, ...] = ()
) -> Page:
    """A page with an empty storage, in a browser that refuses a feature."""
    page = open_page(view("a"), color_scheme="light", own_clock=own_clock, allow=allow)
    page.add_init_script(script)
    page.reload()
    expect_live(page)
    return page


@pytest.mark.parametrize(
    "script", ["delete window.AudioContext", "AudioContext = class { constructor() { fail() } }"]
)
def test_a_sound_that_cannot_be_is_not_ticked(open_page: OpenPage, script: str) -> None:
    page = refusing(open_page, script)
    dialog = settings(page)
    dialog.get_by_label("with a sound").click()
    expect(dialog.get_by_role("status")).to_have_text("This browser does not play the sounds of a page.")
    expect(dialog.get_by_label("with a sound")).not_to_be_checked()


def test_a_notification_that_cannot_be_is_not_ticked(open_page: OpenPage) -> None:
    page = refusing(open_page, NOTIFICATIONS % (0, "true"))
    dialog = settings(page)
    dialog.get_by_label(DESKTOP).click()
    expect(dialog.get_by_role("status")).to_have_text(UNABLE)
    expect(dialog.get_by_label(DESKTOP)).not_to_be_checked()


@pytest.mark.parametrize("throws", ["true", "false"])
def test_a_notification_that_fails_later_unticks_its_box_and_says_so(
    open_page: OpenPage, valkey: RedisServer, throws: str
) -> None:
    page = refusing(open_page, NOTIFICATIONS % (1, throws))
    dialog = settings(page)
    dialog.get_by_label(DESKTOP).check()
    eventually(lambda: page.evaluate("made") == 1, why="a sample is shown")
    level(dialog, "All channels").select_option("every message")
    dialog.get_by_role("button", name="Close").click()
    leave(page)
    valkey.client.publish("a", "x")
    expect(page.locator("#said")).to_have_text(UNABLE)
    settings(page)
    expect(dialog.get_by_label(DESKTOP)).not_to_be_checked()
    expect(dialog.get_by_role("status")).to_have_text(UNABLE)


def test_a_permission_that_was_withdrawn_is_seen_when_the_settings_open(open_page: OpenPage) -> None:
    page = refusing(open_page, NOTIFICATIONS % (9, "true"))
    dialog = settings(page)
    dialog.get_by_label(DESKTOP).check()
    eventually(lambda: page.evaluate("made") == 1)
    dialog.get_by_role("button", name="Close").click()
    page.evaluate("void (Notification.permission = 'denied')")
    settings(page)
    expect(dialog.get_by_label(DESKTOP)).not_to_be_checked()
    expect(dialog.get_by_role("status")).to_have_text(DENIED)


def test_tones_that_cannot_be_played_are_dropped(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"), color_scheme="light", allow=("AudioContext was not allowed",))
    page.evaluate("localStorage.arauto = JSON.stringify({ sound: true, levels: { '': 'every' } })")
    page.add_init_script(SUSPENDED)
    page.reload()
    expect_live(page)
    said = page.locator("#said")
    for n in range(2):
        valkey.client.publish("a", str(n))
        expect(said).to_have_text(SILENT)
        said.evaluate("(said) => (said.textContent = '')")
    assert page.evaluate("tones") == 0
    valkey.client.publish("a", "one more")
    expect(said).to_have_text(SILENT)
    page.evaluate("isAllowed = true")
    page.locator("#log").click()
    expect(said).to_have_text("")
    assert page.evaluate("tones") == 0
    valkey.client.publish("a", "received")
    eventually(lambda: page.evaluate("tones") == 1)


def test_where_tabs_cannot_agree_each_calls(open_page: OpenPage, valkey: RedisServer) -> None:
    refuse = "navigator.locks.request = async () => { throw new DOMException('', 'SecurityError'); };"
    page = refusing(open_page, NOTIFICATIONS % (9, "true") + refuse)
    dialog = settings(page)
    dialog.get_by_label(DESKTOP).check()
    level(dialog, "All channels").select_option("every message")
    eventually(lambda: page.evaluate("made") == 1)
    leave(page)
    valkey.client.publish("a", "x")
    eventually(lambda: page.evaluate("made") == 2)


def test_what_is_not_copied_is_said_not_to_be(open_page: OpenPage, valkey: RedisServer) -> None:
    page = refusing(open_page, NO_CLIPBOARD)
    command, copy = page.locator("#welcome"), page.locator(".command__copy")  # another button comes later
    copy.click()
    expect_noted(page, NOT_COPIED)
    assert page.evaluate("String(getSelection())") == command.locator("code").text_content()
    page.evaluate("getSelection().empty()")
    valkey.client.publish("a", "x")
    choose(page, row(page, "x"), "Copy text")
    expect_noted(page, NOT_COPIED)
    page.locator("#log").focus()
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect_noted(page, NOT_COPIED)


def test_a_note_stays_long_enough_to_be_read(open_page: OpenPage, valkey: RedisServer) -> None:
    page = refusing(open_page, NO_CLIPBOARD, own_clock=True)
    valkey.client.publish("a", "x")
    expect(row(page, "x")).to_be_visible()
    stop_clock(page)
    choose(page, row(page, "x"), "Copy text")
    expect(page.locator("#said")).to_have_text(NOT_COPIED)
    page.clock.run_for(2_000 + 60 * len(NOT_COPIED) - 100)
    expect(page.locator("#said")).to_have_text(NOT_COPIED)
    page.clock.run_for(100)
    expect(page.locator("#said")).to_have_text("")


def test_a_clipboard_that_is_refused_is_tried_the_older_way(open_page: OpenPage, valkey: RedisServer) -> None:
    page = refusing(open_page, NO_CLIPBOARD.partition("document")[0])
    valkey.client.publish("a", "x")
    choose(page, row(page, "x"), "Copy text")
    expect_noted(page, "Copied")


def test_without_its_picture_the_icon_still_counts(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"), allow=("net::ERR_FAILED",))
    page.route("**/icon.svg", lambda route: route.abort())
    page.reload()
    expect_live(page)
    leave(page)
    valkey.client.publish("a", "x")
    expect(page).to_have_title("(1) Arauto")
    eventually(lambda: page.evaluate("document.querySelector('link[rel=icon]').type") == "image/png")


def test_where_no_icon_can_be_drawn_the_title_still_counts(open_page: OpenPage, valkey: RedisServer) -> None:
    page = refusing(open_page, "HTMLCanvasElement.prototype.getContext = () => null")
    leave(page)
    valkey.client.publish("a", "x")
    expect(page).to_have_title("(1) Arauto")
    assert page.evaluate("document.querySelector('link[rel=icon]').type") == "image/svg+xml"


def test_an_address_that_is_refused_is_tried_again_and_loses_nothing(open_page: OpenPage) -> None:
    script = """
      window.isFull = false;
      const { replaceState } = History.prototype;
      History.prototype.replaceState = function (...given) {
        if (isFull) throw new DOMException("more than 100 times per 30 seconds", "SecurityError");
        replaceState.apply(this, given);
      };
    """
    page = refusing(open_page, script, own_clock=True)
    page.evaluate("isFull = true")
    filter_field(page).fill("first")
    page.clock.run_for(1_000)
    page.get_by_role("button", name="Remove channel a").click()
    page.clock.run_for(1_000)
    assert "first" not in page.evaluate("location.href")
    page.evaluate("isFull = false")
    page.clock.run_for(6_000)
    expect(page).to_have_url(re.compile(r"/\?filter=first$"))
