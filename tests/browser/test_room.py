"""Elements beside the feed take little of its room, and do not move it when they appear."""

import json

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_reading import choose
from tests.browser.test_watching import older, publish_many
from tests.support.pages import expect_live, log, open_more, row, rows, view
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually


def box(place: Locator) -> FloatRect:
    found = place.bounding_box()
    assert found is not None
    return found


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_line_of_older_messages_pushes_no_feed(
    open_page: OpenPage, valkey: RedisServer, newest_first: bool
) -> None:
    page = open_page(view("a"))
    expect_live(page)
    if newest_first:
        page.get_by_role("button", name="Newest first").click()
    before = box(log(page))
    publish_many(valkey, "a", [f"message {n}" for n in range(1_200)])
    eventually(lambda: older(page) == 700)
    assert box(log(page)) == before
    expect(row(page, "message 1199")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Show more of them")).not_to_be_in_viewport()
    log(page).press("End" if newest_first else "Home")
    expect(page.get_by_role("button", name="Show more of them")).to_be_in_viewport()


def test_a_long_pin_leaves_the_feed_its_room(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    valkey.client.publish("a", json.dumps({f"field {n}": {"of": [n, n]} for n in range(40)}))
    rows(page).get_by_role("button", name="Tree", exact=True).click()
    choose(page, rows(page), "Pin")
    pinned = page.get_by_role("region", name="Pinned")
    expect(pinned).to_be_visible()
    assert box(pinned)["height"] <= 160
    pinned.focus()
    page.keyboard.press("End")
    expect(pinned.get_by_text("field 39")).to_be_in_viewport()


def test_the_export_opens_beside_its_button(open_page: OpenPage) -> None:
    for width, height in [(1280, 800), (390, 844), (844, 390)]:
        page = open_page(view("a"), width=width, height=height)
        expect_live(page)
        open_more(page)
        opener = page.get_by_role("button", name="Export", exact=True)
        opener.click()
        export = box(page.get_by_role("group", name="Export"))
        button = box(opener)
        assert abs(export["y"] - button["y"] - button["height"]) < 12
        assert export["x"] < button["x"] + button["width"] <= export["x"] + export["width"] + 12
        assert export["x"] >= 0


def test_the_buttons_of_a_row_are_for_fingers_and_the_row_no_higher(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a"), width=390, height=844, has_touch=True, is_mobile=True)
    expect_live(page)
    valkey.client.publish("a", '{"a": 1}')
    for name in ("Tree", "Actions"):
        button = box(rows(page).get_by_role("button", name=name, exact=True))
        assert min(button["width"], button["height"]) >= 44
    assert height(rows(page)) <= 50
    rows(page).get_by_role("button", name="Actions").tap()
    expect(page.get_by_role("menu", name="Actions")).to_be_visible()


def height(place: Locator) -> float:
    return box(place)["height"]
