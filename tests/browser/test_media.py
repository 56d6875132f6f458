"""The page on paper, in forced colours, in short and zoomed windows, and in a browser that translates it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_views import link, save
from tests.support.pages import (
    expect_live,
    expect_texts,
    log,
    publish_button,
    rows,
    show_part,
    timers_held,
    view,
)
from tests.support.redis_servers import RedisServer

# As Google Translate does: each text is wrapped in two elements.
_TRANSLATE = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts.filter(({ data, parentElement }) => data.trim() && parentElement.translate)) {
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = `~${text.data}`;
    outer.append(inner);
    text.replaceWith(outer);
  }
}"""


def test_the_whole_feed_is_printed(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("paper"))
    expect_live(page)
    for n in range(60):
        valkey.client.publish("paper", str(n))
    expect(rows(page)).to_have_count(60)
    page.emulate_media(media="print")
    last = rows(page).last.bounding_box()
    assert last is not None
    assert last["y"] > 60 * last["height"]
    paper = page.evaluate("document.documentElement.scrollHeight")
    assert paper >= last["y"] + last["height"]
    assert log(page).evaluate("(log) => log.scrollHeight - log.clientHeight") <= 1
    expect(publish_button(page)).to_be_hidden()
    page.emulate_media(media="screen")


def test_dots_are_seen_in_forced_colours(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("dots"))
    expect_live(page)
    dots = page.locator(".chip__more")
    page.emulate_media(forced_colors="active")
    dots.focus()  # they are visible while they have the focus
    drawn = dots.screenshot(animations="disabled")
    assert drawn == dots.screenshot(animations="disabled")  # nothing else changes
    page.evaluate(
        "document.styleSheets[0].insertRule('.chip__more::before { visibility: hidden !important }')"
    )
    assert drawn != dots.screenshot(animations="disabled")
    page.emulate_media(forced_colors="none")


@pytest.mark.parametrize(("width", "height"), [(320, 256), (640, 400), (667, 375), (844, 390), (1280, 400)])
def test_where_a_window_is_short_the_page_scrolls(
    open_page: OpenPage, valkey: RedisServer, width: int, height: int
) -> None:
    """The first is a screen of 1280 by 1024 at 400 %, the second a laptop's at 200 %."""
    page = open_page(view("large"), width=width, height=height)
    expect_live(page)
    place = log(page).bounding_box()
    assert place is not None
    assert place["height"] > height / 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    valkey.client.publish("large", "hello")
    expect_texts(page, ["hello"])
    row = rows(page).first
    row.scroll_into_view_if_needed()
    expect(row).to_be_in_viewport(ratio=1)
    show_part(page, "publish")
    publish_button(page).scroll_into_view_if_needed()
    expect(publish_button(page)).to_be_in_viewport(ratio=1)


def test_a_browser_that_translates_leaves_messages_and_names(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("noticias"))
    expect_live(page)
    valkey.client.publish("noticias", '{"a": "Olá"}')
    expect_texts(page, ['{"a": "Olá"}'])
    page.evaluate(_TRANSLATE)
    valkey.client.publish("noticias", "mais")
    expect_texts(page, ['{"a": "Olá"}', "mais"])
    expect(page.locator(".chip__name")).to_have_text("noticias")
    expect(page.locator(".row__name").first).to_have_text("noticias")
    expect(page.get_by_role("button", name="~Pause")).to_be_visible()


def test_a_translated_page_works(open_page: OpenPage) -> None:
    page = open_page(view("a") + "&pane=channel%3Db", width=390, height=844)
    expect_live(page)
    command = page.locator(".command__text")
    suggested = command.text_content()
    panes = page.locator(".switch button")
    expect(panes).to_have_count(2)
    page.evaluate(_TRANSLATE)
    expect(command).to_have_text(suggested or "")
    panes.get_by_text("~Pane 2").last.click()
    expect(page.locator(".pane")).to_be_visible()


def test_names_that_somebody_gave_are_not_translated(open_page: OpenPage) -> None:
    page = open_page(view("a") + "&pane=channel%3Db%26name%3DErros")
    expect_live(page)
    save(page, "Turno")
    redis = page.locator(".standing__redis")
    address = redis.text_content() or ""
    page.evaluate(_TRANSLATE)
    expect(link(page, "Turno")).to_be_visible()
    expect(link(page, "~Problems")).to_be_visible()
    expect(page.locator(".pane h2")).to_have_text("Erros")
    assert redis.text_content() == address


def test_a_translated_note_disappears(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("noted"))
    expect_live(page)
    valkey.client.publish("noted", "hello")
    rows(page).hover()
    rows(page).get_by_role("button", name="Actions").click()
    with timers_held(page):
        page.get_by_role("menuitem", name="Copy text").click()
        expect(page.locator("#said")).not_to_be_empty()
        page.evaluate(_TRANSLATE)
    expect(page.locator("#said")).to_be_empty()
