"""Text that is selected in the feed stays where it is, whatever comes meanwhile."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_holding import button
from tests.browser.test_watching import is_at_end, new_button, publish_many
from tests.support.pages import expect_live, let_draw, log, message_field, row, rows, view
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

MANY = [f"later {n}" for n in range(700)]  # more than the feed has rows


def select(page: Page, text: str) -> None:
    """Select a row's text with the mouse."""
    row(page, text).get_by_text(text).dblclick(position={"x": 12, "y": 8})
    assert selected(page) == text


def selected(page: Page) -> str:
    return str(page.evaluate("getSelection().toString()"))


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_selected_text_stays_until_it_is_let_go(open_page: OpenPage, valkey: RedisServer, order: str) -> None:
    page = open_page(view("select"), color_scheme="light")
    expect_live(page)
    if order == "newest":
        button(page, "Newest first").click()
    publish_many(valkey, "select", [f"word{n}" for n in range(30)])
    expect(rows(page)).to_have_count(30)
    select(page, "word28")
    place = row(page, "word28").bounding_box()
    publish_many(valkey, "select", MANY)
    expect(new_button(page)).to_have_text("700 new")
    let_draw(page)
    assert selected(page) == "word28"
    assert row(page, "word28").bounding_box() == place
    expect(rows(page)).to_have_count(30)
    expect(button(page, "Pause")).to_be_visible()
    page.evaluate("getSelection().collapse(document.body, 0)")
    expect(row(page, "later 699")).to_be_in_viewport()
    expect(new_button(page)).to_be_hidden()


def test_the_counter_leads_on_from_a_selection(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("select"))
    expect_live(page)
    valkey.client.publish("select", "word")
    select(page, "word")
    publish_many(valkey, "select", MANY[:3])
    new_button(page).click()
    eventually(lambda: is_at_end(page))
    expect(row(page, "later 2")).to_be_in_viewport()
    assert selected(page) == ""


def test_what_is_selected_elsewhere_holds_nothing(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("select"))
    expect_live(page)
    message_field(page).fill("a draft")
    message_field(page).select_text()
    valkey.client.publish("select", "first")
    expect(row(page, "first")).to_be_visible()
    page.get_by_role("heading", name="Publish a message").dblclick()
    assert selected(page)
    valkey.client.publish("select", "second")
    expect(row(page, "second")).to_be_visible()


def test_a_time_that_is_selected_is_not_replaced(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("select"), own_clock=True)
    expect_live(page)
    page.evaluate("localStorage.setItem('arauto', JSON.stringify({ times: 'relative' }))")
    page.reload()
    expect_live(page)
    valkey.client.publish("select", "word")
    time = rows(page).get_by_role("time")
    time.select_text()
    before = selected(page)
    assert before.strip() == time.text_content()
    page.clock.run_for(10_000)
    assert selected(page) == before
    log(page).click()
    page.evaluate("getSelection().empty()")
    page.clock.run_for(5_000)
    expect(time).not_to_have_text(before)
