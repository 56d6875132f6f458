"""The address has the whole view, so that a link shows the same elsewhere."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_appearance import choose
from tests.browser.test_filter import filter_field
from tests.browser.test_holding import button
from tests.support.pages import chips, expect_live, expect_texts, hide, solo, unsubscribe, view
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer


def relative(page: Page, server: ArautoServer) -> str:
    return str(page.evaluate("location.href")).removeprefix(server.url)


def test_a_link_opens_the_same_view_in_another_browser(
    open_page: OpenPage, plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    # An option of the browser context gives the page its own storage.
    page = open_page(view("a", "b", "c", patterns=("p.*",)), color_scheme="light")
    expect_live(page)
    filter_field(page).fill("disk")
    hide(page, "b").click()
    button(page, "Newest first").click()
    page.get_by_role("combobox", name="Show as").select_option("One line")
    choose(page, Rows="compact")
    other = open_page(relative(page, plain_arauto), color_scheme="light")
    expect_live(other)
    assert chips(other) == ["a", "b", "c", "p.*"]
    expect(filter_field(other)).to_have_value("disk")
    expect(hide(other, "b")).to_have_attribute("aria-pressed", "true")
    expect(button(other, "Newest first")).to_have_attribute("aria-pressed", "true")
    expect(other.get_by_role("combobox", name="Show as")).to_have_value("line")
    expect(other.locator("html")).to_have_attribute("data-density", "compact")
    for text in ("disk 1", "disk 2"):
        valkey.client.publish("a", text)
        valkey.client.publish("b", f"hidden {text}")
    expect_texts(other, ["disk 2", "disk 1"])

    solo(page, "p.*").click()
    third = open_page(relative(page, plain_arauto), color_scheme="light")
    expect(solo(third, "p.*")).to_have_attribute("aria-pressed", "true")
    unsubscribe(third, "p.*", "pattern")
    unsubscribe(third, "b")
    expect(hide(third, "a")).to_have_attribute("aria-pressed", "false")
    assert "only=" not in third.evaluate("location.search")
    assert "hide=" not in third.evaluate("location.search")


def test_what_a_browser_was_sent_is_in_the_address_as_well(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light")
    button(page, "Newest first").click()
    page.get_by_role("combobox", name="Show as").select_option("Tree")
    choose(page, Rows="compact")
    page.goto(page.evaluate("location.origin"))
    expect(button(page, "Newest first")).to_have_attribute("aria-pressed", "true")
    for part in ("order=newest", "as=tree", "rows=compact"):
        assert part in page.evaluate("location.search")
