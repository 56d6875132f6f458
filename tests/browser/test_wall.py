"""The wall: a page and its panes to be read from afar; it shows outages and keeps the screen on."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from arauto.web.locale import LANGUAGES
from tests.browser.conftest import OpenPage
from tests.browser.test_frame import _SHIFTS, _WATCH_SHIFTS
from tests.browser.test_holding import button
from tests.browser.test_panes import inside, listeners, on_the_last_seat, pane
from tests.browser.test_views import ALERT, views
from tests.support.accessibility import expect_no_violation
from tests.support.http import publish
from tests.support.logs import is_recording, logged
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    chips,
    expect_live,
    expect_texts,
    let_draw,
    log,
    rows,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

PANES = (
    "&pane=name%3DProblems%26channel%3Da%26filter%3Dseverity%253E%253Dwarning&pane=name%3DOther%26channel%3Db"
)
COUNT_LOCKS = """
  window.locks = [];
  Object.defineProperty(navigator, "wakeLock", {
    value: { request: async (kind) => window.locks.push(kind) },
  });
"""


def outage(page: Page) -> Locator:
    return page.get_by_role("alert")


def fact(page: Page, name: str) -> Locator:
    """A text in the page's own header, not in that of a pane."""
    return page.locator(".wall__facts > div").filter(has_text=name).get_by_role("definition")


def test_what_is_watched_is_one_pane_without_controls(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page("/?wall&channel=a&channel=b", color_scheme="light")
    expect(page.get_by_role("heading", name="a, b")).to_be_visible()
    expect(fact(page, "Last critical")).to_have_text("none yet")
    expect(fact(page, "Last message")).to_have_text("none yet")
    eventually(lambda: listeners(valkey, "a") == 1)
    valkey.client.publish("b", ALERT)
    expect(log(page).get_by_text("Down")).to_be_visible()
    expect(fact(page, "Last critical")).to_have_text(re.compile("^(now|\\d+s ago)$"))
    expect(fact(page, "Last message")).to_have_text(re.compile("^(now|\\d+s ago)$"))
    expect(fact(page, "Rate")).to_have_text(re.compile("^[\\d.]+/s$"))
    expect(page.get_by_role("banner").get_by_role("time")).to_have_text(re.compile("^\\d\\d:\\d\\d:\\d\\d$"))
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("textbox").count() == page.get_by_role("searchbox").count() == 0
    expect(page.get_by_role("link")).to_have_count(1)
    expect(rows(page).locator(".card")).to_have_css("font-size", re.compile(r"^(20|19\.9\d*|20\.0\d*)px$"))


def test_keys_change_nothing_but_escape_leads_back(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page("/?wall=1&channel=a&filter=x", color_scheme="light")
    expect(page.get_by_role("link", name="Esc: Leave the wall")).to_be_visible()
    log(page).focus()
    page.keyboard.press("Space")
    valkey.client.publish("a", "x")
    expect_texts(page, ["x"])
    page.keyboard.press("Escape")
    expect(button(page, "Pause")).to_be_visible()
    expect_live(page)
    assert "wall" not in page.evaluate("location.search")
    assert "filter=x" in page.evaluate("location.search")


def test_a_wall_of_views_is_a_link_for_another_computer(
    open_page: OpenPage, plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    page = open_page(view("a") + PANES, color_scheme="light")
    expect_live(page)
    button(page, "Actions of the views").click()
    page.get_by_role("menuitem", name="Show on a wall").click()
    expect(page.get_by_role("heading", name="Everything")).to_be_visible()
    wall = open_page(page.url.removeprefix(plain_arauto.url), color_scheme="light")
    for name in ("Problems", "Other"):
        expect(inside(wall, name).get_by_role("heading", name=name)).to_be_visible()
    eventually(lambda: (listeners(valkey, "a"), listeners(valkey, "b")) == (4, 2))
    valkey.client.publish("a", ALERT)
    valkey.client.publish("a", "all is well")
    valkey.client.publish("b", "elsewhere")
    expect(log(wall).get_by_text("all is well")).to_be_visible()
    expect(inside(wall, "Problems").get_by_role("log").get_by_text("Down")).to_be_visible()
    expect(inside(wall, "Problems").get_by_text("all is well")).to_be_hidden()
    expect(inside(wall, "Other").get_by_text("elsewhere")).to_be_visible()
    boxes = [
        wall.locator(".feed").bounding_box(),
        *(pane(wall, name).bounding_box() for name in ("Problems", "Other")),
    ]
    assert all(box and box["height"] > 250 and box["width"] > 600 for box in boxes)
    expect_no_violation(wall, "wall")

    inside(wall, "Other").get_by_role("log").focus()
    wall.keyboard.press("Escape")
    expect(views(wall)).to_be_visible()
    expect(inside(wall, "Problems").get_by_role("combobox", name="Filter")).to_have_value("severity>=warning")


def test_a_wall_may_be_given_by_its_panes_alone(open_page: OpenPage) -> None:
    page = open_page("/?wall" + PANES, color_scheme="light")
    expect(page.get_by_role("heading", name="Problems")).to_be_visible()
    expect(inside(page, "Other").get_by_role("heading", name="Other")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(1)
    page.keyboard.press("Escape")
    expect_live(page)
    assert chips(page) == ["a"]


def test_a_wall_begins_with_the_newest_that_is_recorded(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept", ARAUTO_WORKERS="1")
    eventually(lambda: is_recording(own_redis))
    for text in (ALERT, "all is well"):
        publish(server, "kept", text)
    eventually(lambda: len(logged(own_redis, "kept")) == 2)
    pane = "&pane=name%3DProblems%26channel%3Dkept%26filter%3Dseverity%253E%253Dwarning"
    page = open_page(f"/?wall&channel=kept&channel=live{pane}", server=server, color_scheme="light")
    expect(rows(page)).to_have_count(2)
    expect(inside(page, "Problems").locator("li.row")).to_have_count(1)
    expect(fact(page, "Last critical")).to_have_text(re.compile("^(now|\\d+s ago)$"))
    expect(fact(page, "Last message")).to_have_text(re.compile("^(now|\\d+s ago)$"))
    own_redis.client.publish("live", "after")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("Escape")
    expect(views(page)).to_be_visible()
    expect_live(page)
    expect(rows(page)).to_have_count(0)
    page.close()
    server.stop()


def test_an_outage_is_said_with_what_is_unreachable(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(
        "/?wall&channel=a&pane=name%3DB%26channel%3Db",
        server=server,
        color_scheme="light",
        allow=[*SERVER_AWAY, *STATUS_503],
    )
    expect(inside(page, "B").get_by_role("heading", name="B", exact=True)).to_be_visible()
    eventually(lambda: (listeners(own_redis, "a"), listeners(own_redis, "b")) == (1, 1))
    expect(outage(page)).to_have_text("")
    place = log(page).bounding_box()
    own_redis.stop()
    expect(outage(page)).to_have_text(re.compile("^Redis has been unreachable since \\d\\d:"))
    assert log(page).bounding_box() == place
    expect(page.locator(".header")).to_have_css("background-color", "rgb(179, 38, 30)")
    expect_no_violation(page, "outage")
    own_redis.start()
    expect(outage(page)).to_have_text("")
    assert server.stop() == 0
    expect(outage(page)).to_have_text(re.compile("^The server has been unreachable since \\d\\d:"))
    page.context.set_offline(True)
    expect(outage(page)).to_have_text(re.compile("^This computer has had no network since \\d\\d:"))
    page.context.set_offline(False)
    server = start(REDIS_URL=own_redis.url, PORT=str(server.port))
    expect(outage(page)).to_have_text("")
    own_redis.client.publish("a", "after")
    expect(log(page).get_by_text("after")).to_be_visible()


def test_a_pane_for_which_there_is_no_seat_says_so(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    page = on_the_last_seat(open_page, own_redis, start)
    page.evaluate("location.assign('?wall&channel=a&pane=name%3DB%26channel%3Db')")
    sentence = "Too many pages are open: try again when one has been closed. A pane is a page, too."
    expect(outage(page)).to_have_text(re.compile(f"^(B: )?Refused: {sentence}$"))
    for selector in ("main", ".feed"):  # an empty pane is as high as its frame
        box = inside(page, "B").locator(selector).bounding_box()
        assert box
        assert box["height"] > 600
    for width in (1024, 700, 390):
        page.set_viewport_size({"width": width, "height": 844})
        bar, said = page.locator(".header").bounding_box(), outage(page).bounding_box()
        assert bar
        assert said
        assert bar["y"] <= said["y"]
        assert said["y"] + said["height"] <= bar["y"] + bar["height"]
        assert outage(page).evaluate("one => one.scrollWidth <= one.clientWidth")
    expect_no_violation(page, "outage on a phone")


def test_of_two_panes_of_one_name_each_says_what_it_lacks(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    own_redis.client.execute_command("ACL SETUSER default resetchannels &a &c")
    server = start(REDIS_URL=own_redis.url)
    same = "&pane=name%3DProblems%26channel%3D"
    page = open_page(f"/?wall&channel=a{same}b{same}c", server=server)
    expect(outage(page)).to_have_text(re.compile("^Problems: Refused: "))
    frame = page.locator("iframe").nth(1).element_handle().content_frame()
    assert frame
    expect(frame.locator("#status")).to_have_attribute("data-state", "live")
    with frame.expect_navigation():
        frame.evaluate("location.reload()")
    expect(frame.locator("#status")).to_have_attribute("data-state", "live")
    expect(frame.locator(".wall__facts dd").first).to_have_text("0/s")
    expect(outage(page)).to_have_text(re.compile("^Problems: Refused: "))


def test_the_screen_is_kept_on(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light")
    page.add_init_script(COUNT_LOCKS)
    page.reload()
    expect_live(page)
    assert page.evaluate("locks") == []
    page.goto(page.url + "&wall")
    eventually(lambda: page.evaluate("locks") == ["screen"])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    eventually(lambda: page.evaluate("locks") == ["screen", "screen"])


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 800), (390, 844)])
def test_nothing_of_a_wall_moves_and_all_is_seen(
    open_page: OpenPage, valkey: RedisServer, width: int, height: int
) -> None:
    page = open_page("/?wall&channel=a&name=A" + PANES, width=width, height=height, color_scheme="light")
    for name in ("A", "Problems", "Other"):
        own = page if name == "A" else inside(page, name)
        expect(own.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(own.get_by_role("heading", name="Listening from now on")).to_be_visible()
    let_draw(page)
    page.evaluate(_WATCH_SHIFTS)
    for n in range(5):
        valkey.client.publish("a", ALERT)
        valkey.client.publish("b", f"message {n}")
    expect(inside(page, "Problems").locator("li.row")).to_have_count(5)
    expect(fact(page, "Last critical")).not_to_have_text("none yet")
    assert page.evaluate(_SHIFTS) == 0
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for name in ("Problems", "Other"):
        box = pane(page, name).bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(width if width < 960 or name == "" else width / 2, abs=2)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 800), (1280, 560), (1024, 768)])
def test_four_views_share_a_wall_equally(
    open_page: OpenPage, valkey: RedisServer, width: int, height: int
) -> None:
    page = open_page(
        "/?wall&channel=a&name=A" + PANES + "&pane=name%3DLast%26channel%3Dd",
        width=width,
        height=height,
        color_scheme="light",
    )
    boxes = []
    for name in ("A", "Problems", "Other", "Last"):
        own = page if name == "A" else inside(page, name)
        heading = own.get_by_role("heading", name=name, exact=True)
        expect(heading).to_be_visible()
        assert heading.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "the name is not cut"
        feed = own.get_by_text("Redis Pub/Sub keeps nothing: what is published")
        expect(feed).to_be_visible()
        text = feed.bounding_box()
        box = (page.locator("main .feed").first if name == "A" else pane(page, name)).bounding_box()
        assert box is not None
        assert text is not None
        assert text["y"] + text["height"] <= box["y"] + box["height"], "nor its sentence"
        boxes.append(box)
    high = height - boxes[0]["y"]
    corners = [(0, 0), (width / 2, 0), (0, high / 2), (width / 2, high / 2)]
    for box, (x, y) in zip(boxes, corners, strict=True):
        assert (box["x"], box["y"] - boxes[0]["y"]) == pytest.approx((x, y), abs=2)
        assert (box["width"], box["height"]) == pytest.approx((width / 2, high / 2), abs=2)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_shown_fits_in_every_language(open_page: OpenPage, language: str, width: int) -> None:
    page = open_page(
        "/?wall&channel=a&pane=channel%3Db", width=width, language=language, color_scheme="light"
    )
    head = page.locator(".wall__head")
    expect(head.locator("dt")).to_have_count(3)
    expect(head.locator("dd").last).not_to_be_empty()
    cut = """(head) => [...head.querySelectorAll("dt, dd")].filter((text) => {
      const { bottom, right } = head.getBoundingClientRect();
      const range = new Range();
      range.selectNodeContents(text);
      const place = range.getBoundingClientRect();
      const column = text.parentElement.getBoundingClientRect();
      const isCut = place.bottom > bottom || place.right > Math.min(right, column.right + 8);
      return isCut || range.getClientRects().length > 1;
    }).map((text) => text.textContent)"""
    assert head.evaluate(cut) == []
