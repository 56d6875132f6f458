"""The page teaches Pub/Sub: it shows listeners and receivers, and four things to try."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_detail import panel
from tests.browser.test_filter import filter_field
from tests.browser.test_late_answers import held
from tests.browser.test_notifications import settings
from tests.integration.test_channels import listening
from tests.support.logs import is_recording
from tests.support.pages import (
    answer,
    channel_field,
    expect_live,
    expect_texts,
    message_field,
    publish,
    publish_button,
    row,
    rows,
    show_part,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually

STEPS = ["Open a second tab", "Publish a message", "Publish where nobody listens", "Arrive late"]


def listeners(page: Page) -> Locator:
    """The listeners below the channel field, which is described by them."""
    described = channel_field(page).get_attribute("aria-describedby")
    return page.locator(f"#{described}")


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="Try it")


def done(page: Page) -> list[str]:
    return [
        step for step in STEPS
        if card(page).get_by_role("listitem").filter(has_text=step).get_by_role("img", name="done").count()
    ]  # fmt: skip


def expect_done(page: Page, *steps: str) -> None:
    eventually(lambda: done(page) == list(steps))


# Who listens


def test_the_form_says_who_listens_before_anything_is_sent(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    expect(card(page)).to_be_visible()  # the module is loaded
    top = publish_button(page).bounding_box()
    with listening(valkey, "a"):
        channel_field(page).focus()
        expect(listeners(page)).to_have_text("2 listening now: 1 tab, 1 other")
        channel_field(page).fill("elsewhere")
        expect(listeners(page)).to_have_text("Nobody is listening now")
        channel_field(page).fill("a")
        expect(listeners(page)).to_have_text("2 listening now: 1 tab, 1 other")
    expect(listeners(page)).to_have_text("1 listening now: 1 tab, 0 others")  # it is requested again
    with listening(valkey, pattern="b*"):
        expect(listeners(page)).to_have_text("1 listening now: 1 tab, 0 others; 1 more pattern may match")
    assert publish_button(page).bounding_box() == top
    filter_field(page).focus()
    expect(listeners(page)).to_have_text("")


# Typed faster than the page sends requests, however slow the machine is.
AT_ONCE = """(field, text) => {
  for (const letter of text) {
    field.value += letter;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""


def test_who_listens_is_asked_only_while_the_form_is_used(open_page: OpenPage) -> None:
    page = open_page(view("a"), own_clock=True)
    expect_live(page)
    expect(card(page)).to_be_visible()
    requested: list[str] = []
    page.on("request", lambda sent: requested.append(sent.url) if "/channels/listeners" in sent.url else None)
    channel_field(page).focus()
    channel_field(page).evaluate(AT_ONCE, "lerts")
    expect(listeners(page)).to_have_text("Nobody is listening now")
    assert {url.rpartition("=")[2] for url in requested} <= {"a", "alerts"}  # not at each letter
    filter_field(page).focus()
    expect(listeners(page)).to_have_text("")
    before = len(requested)
    page.clock.run_for(20_000)
    assert len(requested) == before


def test_where_nothing_is_known_nothing_is_said(
    own_redis: RedisServer, start: Start, open_page: OpenPage
) -> None:
    own_redis.client.execute_command(
        "ACL SETUSER plain on >secret allchannels -@all +ping +publish +subscribe +@connection"
    )
    page = open_page(
        view("a"),
        server=start(REDIS_URL=own_redis.url.replace("//", "//plain:secret@")),
        allow=("status of 403",),
    )
    expect_live(page)
    with page.expect_response("**/channels/listeners?*") as answered:
        channel_field(page).focus()
    assert answered.value.status == 403
    publish(page, "a", "x")
    expect(answer(page)).to_contain_text("1 subscriber received it")
    expect(listeners(page)).to_have_text("")


# Who received


def test_the_row_of_what_was_published_here_says_who_received_it(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a"))
    expect_live(page)
    expect(card(page)).to_be_visible()
    valkey.client.publish("a", "of another")
    with listening(valkey, "a"):
        publish(page, "a", "of mine")
        expect(row(page, "of mine")).to_contain_text("received by 2")
    expect_texts(page, ["of another", "of mine"])
    expect(row(page, "of another")).not_to_contain_text("received by")
    filter_field(page).fill("mine")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("received by 2")  # the row was drawn again
    rows(page).click()
    expect(panel(page).get_by_role("definition").filter(has_text="2").first).to_be_visible()
    expect(panel(page)).to_contain_text("Received by")


def test_no_row_is_moved_by_who_received_it(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    expect(card(page)).to_be_visible()
    with held(page, "**/publish") as next_route:
        publish(page, "a", "word " * 90)
        route = next_route()
        published = route.fetch()
        expect(rows(page)).to_have_count(1)
        before = rows(page).bounding_box()
        route.fulfill(response=published)
        expect(rows(page)).to_contain_text("received by 1")
    assert rows(page).bounding_box() == before


def test_who_received_it_is_said_at_its_own_row(open_page: OpenPage, valkey: RedisServer) -> None:
    """The response may come before the message, and there may be an equal message already."""
    page = open_page(view("a"))
    expect_live(page)
    expect(card(page)).to_be_visible()
    valkey.client.publish("a", "the same")
    expect_texts(page, ["the same"])
    reply = {"channel": "a", "receivers": 7, "tabs": 1}
    page.route("**/publish", lambda route: route.fulfill(json=reply))
    publish(page, "a", "the same")
    expect(answer(page)).to_contain_text("7 subscribers received it")
    valkey.client.publish("a", "the same")
    expect(rows(page).nth(1).locator(".row__fact")).to_have_text("received by 7")
    expect(rows(page).nth(0).locator(".row__fact")).to_have_count(0)


# Try it


def test_each_tick_stands_for_what_happened(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    expect_done(page)
    publish(page, "a", "hello")
    expect_done(page, STEPS[1])
    card(page).get_by_role("button", name=STEPS[2]).click()
    expect(message_field(page)).to_have_value("Is anybody there?")
    publish_button(page).click()
    expect_done(page, *STEPS[1:3])
    with page.context.expect_page() as opened:
        card(page).get_by_role("link", name=STEPS[0]).click()
    expect_live(opened.value)
    expect_done(opened.value, *STEPS[:3])
    expect_done(page, *STEPS[:3])
    opened.value.close()
    card(page).get_by_role("button", name=STEPS[3]).click()
    page.get_by_role("button", name="Arrive now").click()
    expect(page.get_by_role("region", name="Live only")).to_contain_text("Nothing: I was not here.")
    expect(page.get_by_role("region", name="Recorded")).to_contain_text(
        "Nothing either: none of these channels is recorded."
    )
    expect_done(page, *STEPS)
    page.reload()
    expect_live(page)
    expect_done(page, *STEPS)


def test_a_pattern_of_the_same_tab_is_no_second_tab(open_page: OpenPage) -> None:
    page = open_page(view("ab", patterns=("a*", "[ab]b")))
    expect_live(page)
    publish(page, "ab", "x")
    expect(answer(page)).to_contain_text("3 subscribers received it: 3 tabs")
    expect_done(page, STEPS[1])


def test_what_is_recorded_is_in_one_of_the_lanes(
    own_redis: RedisServer, start: Start, open_page: OpenPage
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept")
    eventually(lambda: is_recording(own_redis))
    page = open_page(view("kept"), server=server)
    expect_live(page)
    publish(page, "kept", "from before")
    expect_texts(page, ["from before"])
    card(page).get_by_role("button", name=STEPS[3]).click()
    page.get_by_role("button", name="Arrive now").click()
    expect(page.get_by_role("region", name="Recorded").get_by_text("from before")).to_be_visible()
    expect(page.get_by_role("region", name="Recorded")).not_to_contain_text("Nothing")
    expect(page.get_by_role("region", name="Live only")).to_contain_text("Nothing: I was not here.")
    expect(page.get_by_role("region", name="Live only")).not_to_contain_text("from before")
    page.close()
    server.stop()  # its recorder is a subscriber


def test_the_card_stays_closed_until_somebody_asks_for_it(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    card(page).get_by_role("button", name="Close what there is to try").click()
    expect(card(page)).to_have_count(0)
    page.reload()
    expect_live(page)
    publish(page, "a", "hello")
    expect(row(page, "hello")).to_contain_text("received by 1")  # the response has come
    expect(card(page)).to_have_count(0)
    settings(page).get_by_role("button", name="Try it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card(page)).to_be_visible()
    expect(card(page).get_by_role("link")).to_be_focused()
    expect_done(page, STEPS[1])


def test_on_a_phone_the_empty_feed_leads_to_the_card(open_page: OpenPage) -> None:
    page = open_page(view("a"), width=390, height=844)
    expect_live(page)
    page.get_by_role("button", name="Try it").click()
    expect(card(page)).to_be_visible()
    card(page).get_by_role("button", name=STEPS[1]).click()
    expect(card(page)).to_be_hidden()
    expect(message_field(page)).to_be_focused()
    show_part(page, "feed")
    expect(page.get_by_role("button", name="Try it")).to_be_visible()


def test_where_the_channels_need_the_room_there_is_no_card(open_page: OpenPage) -> None:
    page = open_page(view(*[f"channel {n:02}" for n in range(40)]), height=600)
    expect_live(page)
    publish(page, "channel 00", "hello")
    expect(row(page, "hello")).to_contain_text("received by 1")
    expect(card(page)).to_have_count(0)


def test_on_a_low_page_the_card_leaves_the_channels_and_the_form_theirs(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect(card(page)).to_be_visible()
    page.set_viewport_size({"width": 1000, "height": 700})
    message_field(page).focus()
    expect(page.get_by_role("button", name="Show only a", exact=True)).to_be_in_viewport(ratio=0.9)
    channel_field(page).click()  # nothing covers it
    card(page).get_by_role("button", name="Arrive late").click()  # and the whole card can be reached
    expect(page.get_by_role("dialog")).to_be_visible()
