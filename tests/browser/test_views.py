"""Views: a view is an address, kept in the browser under a name, shared as a link, exported to a file."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_filter import filter_field
from tests.browser.test_holding import button
from tests.browser.test_reading_modules import call
from tests.support.accessibility import expect_no_violation
from tests.support.pages import (
    SERVER_AWAY,
    chips,
    expect_live,
    expect_noted,
    expect_texts,
    show_part,
    solo,
    subscribe,
    unsubscribe,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

ALERT = '{"severity": "critical", "title": "Down"}'


def views(page: Page) -> Locator:
    return page.get_by_role("region", name="Views")


def link(page: Page, name: str) -> Locator:
    return views(page).get_by_role("link", name=name, exact=True)


def save(page: Page, name: str) -> None:
    button(page, "Save this view").click()
    naming(page).get_by_label("Name of the view").fill(name)
    naming(page).get_by_role("button", name="Save").click()


def naming(page: Page) -> Locator:
    return page.get_by_role("dialog")


def act(page: Page, name: str, action: str) -> None:
    link(page, name).hover()
    views(page).get_by_role("button", name=f"Actions of the view {name}", exact=True).click()
    page.get_by_role("menuitem", name=action).click()


def expect_current(page: Page, name: str) -> None:
    expect(views(page).locator("a[aria-current=true]")).to_have_text(name)


def test_a_view_is_kept_opened_and_left_with_the_keyboard_alone(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a", "b"), color_scheme="light")
    expect_live(page)
    expect_current(page, "Everything")
    valkey.client.publish("a", "kept while another view is shown")
    expect_texts(page, ["kept while another view is shown"])
    subscribe(page, "c")
    filter_field(page).fill("severity>=error")
    expect(views(page).locator("[aria-current]")).to_have_count(0)
    button(page, "Save this view").focus()
    page.keyboard.press("Enter")
    expect(naming(page).get_by_label("Name of the view")).to_be_focused()
    page.keyboard.type("  Errors   of all ")
    page.keyboard.press("Enter")
    expect(naming(page)).to_be_hidden()
    expect(button(page, "Save this view")).to_be_focused()
    expect_current(page, "Errors of all")

    link(page, "Everything").focus()
    page.keyboard.press("Enter")
    expect_current(page, "Everything")
    expect_texts(page, ["kept while another view is shown"])
    unsubscribe(page, "c")
    link(page, "Errors of all").focus()
    page.keyboard.press("Enter")
    expect_current(page, "Errors of all")
    assert chips(page) == ["a", "b", "c"]
    expect(filter_field(page)).to_have_value("severity>=error")
    eventually(lambda: valkey.client.pubsub_numsub("c") == [(b"c", 1)], why="the page has it again")
    valkey.client.publish("c", ALERT)
    expect(page.get_by_role("log").get_by_text("Down")).to_be_visible()
    page.go_back()
    expect_current(page, "Everything")
    assert chips(page) == ["a", "b"]
    expect(filter_field(page)).to_have_value("")

    views(page).get_by_role("button", name="Actions of the view Errors of all").focus()
    for key in ("Enter", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(naming(page).get_by_label("Name of the view")).to_have_value("Errors of all")
    page.keyboard.type("Errors")
    page.keyboard.press("Enter")
    expect(link(page, "Errors")).to_be_visible()
    views(page).get_by_role("button", name="Actions of the view Errors").focus()
    for key in ("Enter", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(views(page).get_by_text("Deleted: Errors")).to_be_visible()
    expect(button(page, "Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(link(page, "Errors")).to_be_focused()
    page.reload()
    expect(link(page, "Errors")).to_be_visible()


def test_problems_are_there_from_the_start_and_of_what_is_watched(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("a", "b"), color_scheme="light")
    expect_live(page)
    valkey.client.publish("a", "all is well")
    valkey.client.publish("b", ALERT)
    expect(page.get_by_role("log").get_by_text("all is well")).to_be_visible()
    link(page, "Problems").click()
    expect_current(page, "Problems")
    expect(filter_field(page)).to_have_value("severity>=warning")
    expect(page.get_by_role("log").get_by_text("all is well")).to_be_hidden()
    expect(page.get_by_role("log").get_by_text("Down")).to_be_visible()
    assert chips(page) == ["a", "b"]
    link(page, "Problems").hover()
    views(page).get_by_role("button", name="Actions of the view Problems").click()
    expect(page.get_by_role("menuitem")).to_have_text(["Open beside", "Copy link"])
    page.keyboard.press("Escape")
    link(page, "Everything").click()
    expect(page.get_by_role("log").get_by_text("all is well")).to_be_visible()


def test_a_name_that_is_taken_is_asked_about(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light")
    expect_live(page)
    save(page, "Mine")
    filter_field(page).fill("x")
    expect(views(page).locator("[aria-current]")).to_have_count(0)
    button(page, "Save this view").click()
    expect(naming(page).get_by_label("Name of the view")).to_have_value("Mine")
    naming(page).get_by_role("button", name="Save").click()
    expect(naming(page).get_by_role("status")).to_have_text(
        "There is a view named Mine. Its content would be lost."
    )
    naming(page).get_by_role("button", name="Cancel").click()
    link(page, "Mine").click()
    expect(filter_field(page)).to_have_value("")
    filter_field(page).fill("y")
    save(page, "Mine")
    naming(page).get_by_role("button", name="Replace it").click()
    expect_current(page, "Mine")
    link(page, "Everything").click()
    link(page, "Mine").click()
    expect(filter_field(page)).to_have_value("y")
    expect(views(page).get_by_role("link")).to_have_text(["Everything", "Problems", "Mine"])


def test_views_are_taken_along_in_a_file_and_nothing_is_lost(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(view("a"), color_scheme="light")
    expect_live(page)
    save(page, "One")
    filter_field(page).fill("x")
    save(page, "Two")
    button(page, "Actions of the views").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export the views").click()
    assert download.value.suggested_filename == "arauto-views.json"
    download.value.save_as(tmp_path / "views.json")
    kept = json.loads((tmp_path / "views.json").read_text("utf-8"))

    other = open_page(view("z"), color_scheme="light")
    expect_live(other)
    save(other, "One")
    assert imported(other, tmp_path / "views.json") == "2 views were imported; already here: 0."
    expect(views(other).get_by_role("link")).to_have_text(["Everything", "Problems", "One", "One (2)", "Two"])
    assert imported(other, tmp_path / "views.json") == "0 views were imported; already here: 2."
    link(other, "One (2)").click()
    assert chips(other) == ["a"]
    link(other, "One").click()
    assert chips(other) == ["z"]

    bad: list[tuple[Any, str]] = [
        ("no json", "The file has no views that were exported here. Nothing was imported."),
        ([], "The file has no views that were exported here. Nothing was imported."),
        ({"views": []}, "The file has no views that were exported here. Nothing was imported."),
        ({"views": [kept["views"][0], {"name": "X"}]}, "View number 2 of the file cannot be used."),
        ({"views": [{"name": "X", "query": "filter=x"}]}, "View number 1 of the file cannot be used."),
        ({"views": [{"name": " ", "query": "channel=x"}]}, "View number 1 of the file cannot be used."),
    ]
    for number, (content, sentence) in enumerate(bad):
        path = tmp_path / f"bad-{number}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        assert imported(other, path).startswith(sentence)
    expect(views(other).get_by_role("link")).to_have_text(["Everything", "Problems", "One", "One (2)", "Two"])


def test_a_file_has_to_fit_only_with_what_is_new_in_it(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(view("a"))
    query = "channel=a&order=oldest&as=wrapped&rows=comfortable"
    kept = [{"name": f"view {number}", "query": query} for number in range(50)]
    page.evaluate("(views) => (localStorage.arauto = JSON.stringify({ views }))", kept)
    page.reload()
    expect(link(page, "view 49")).to_be_visible()
    path = tmp_path / "views.json"
    path.write_text(json.dumps({"views": kept}))
    assert imported(page, path) == "0 views were imported; already here: 50."
    path.write_text(json.dumps({"views": [{"name": f"other {n}", "query": query} for n in range(9_000)]}))
    assert "50" in imported(page, path)
    expect(views(page).get_by_role("link")).to_have_count(52)


def imported(page: Page, path: Path) -> str:
    """Import a file, and return the page's sentence about it."""
    button(page, "Actions of the views").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import views").click()
    chooser.value.set_files(path)
    dialog = page.get_by_role("dialog", name="Import views")
    sentence = dialog.get_by_role("paragraph").text_content()
    dialog.get_by_role("button", name="Close").click()
    assert sentence is not None
    return sentence


def test_a_view_is_shared_as_a_link(open_page: OpenPage, plain_arauto: ArautoServer) -> None:
    page = open_page(view("a"), color_scheme="light", permissions=["clipboard-read", "clipboard-write"])
    expect_live(page)
    filter_field(page).fill("x y")
    save(page, "Mine")
    link(page, "Everything").click()
    act(page, "Mine", "Copy link")
    expect_noted(page, "Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    other = open_page(copied.removeprefix(plain_arauto.url), color_scheme="light")
    expect(filter_field(other)).to_have_value("x y")
    assert chips(other) == ["a"]


def test_other_tabs_have_the_same_views(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    other = page.context.new_page()
    other.goto(page.url)
    expect(link(other, "Problems")).to_be_visible()
    save(page, "Everywhere")
    expect(link(other, "Everywhere")).to_be_visible()
    expect_current(other, "Everywhere")
    act(other, "Everywhere", "Delete the view")
    expect(link(page, "Everywhere")).to_be_hidden()
    other.close()


def test_a_deletion_is_undone_though_another_tab_has_deleted_the_rest(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    for name in ("first", "second"):
        save(page, name)
        expect(link(page, name)).to_be_visible()
    other = open_page(view("a"))
    act(page, "second", "Delete the view")
    act(other, "first", "Delete the view")
    expect(link(page, "first")).to_be_hidden()
    button(page, "Undo").click()
    expect(link(page, "second")).to_be_focused()


def test_the_focus_stays_in_the_list_while_another_tab_changes_it(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    for name in ("first", "second"):
        save(page, name)
        expect(link(page, name)).to_be_visible()
    other = open_page(view("a"))
    link(page, "second").focus()
    act(other, "first", "Delete the view")
    expect(link(page, "first")).to_be_hidden()
    expect(link(page, "second")).to_be_focused()
    act(page, "second", "Delete the view")
    expect(button(page, "Undo")).to_be_focused()
    save(other, "third")
    expect(link(page, "third")).to_be_visible()
    expect(button(page, "Undo")).to_be_focused()


def test_a_view_begins_when_it_says(open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*", ARAUTO_WORKERS="1")
    page = open_page(view("kept.a"), server=server, color_scheme="light")
    expect_live(page)
    expect(button(page, "Replay")).to_be_visible()
    own_redis.client.publish("kept.a", "before")
    expect_texts(page, ["before"])
    button(page, "Save this view").click()
    naming(page).get_by_label("Name of the view").fill("Late")
    naming(page).get_by_label("Time range").select_option("Last 15 minutes, where recorded")
    naming(page).get_by_role("button", name="Save").click()
    page.goto(server.url + view("kept.a"))
    expect_live(page)
    link(page, "Late").click()
    expect_texts(page, ["before"])
    expect_current(page, "Late")
    assert "since=15m" in page.evaluate("location.search")
    page.close()
    assert server.stop() == 0  # its recorder is a subscriber


def test_the_views_have_their_place_before_they_are_there(open_page: OpenPage) -> None:
    page = open_page(view("a"), color_scheme="light", allow=SERVER_AWAY)
    expect_live(page)
    for name in ("One", "Two"):
        filter_field(page).fill(name)
        save(page, name)
    page.route("**/views.js", lambda route: route.abort())
    page.reload()
    expect_live(page)
    place = page.get_by_role("button", name="Show only a")
    before = place.bounding_box()
    page.unroute("**/views.js")
    subscribe(page, "b")
    expect(link(page, "Two")).to_be_visible()
    assert place.bounding_box() == before


@pytest.mark.parametrize(("width", "height"), [(390, 568), (844, 390)])
def test_a_phone_has_room_for_views_and_channels(open_page: OpenPage, width: int, height: int) -> None:
    names = ["a", "b", "c", "d"]
    page = open_page(view(*names), width=width, height=height, has_touch=True)
    expect_live(page)
    show_part(page, "channels")
    expect(link(page, "Problems")).to_be_visible()
    tops = [box["y"] for name in names if (box := solo(page, name).bounding_box())]
    assert [after - before >= 44 for before, after in pairwise(tops)] == [True] * 3
    field = page.get_by_label("Channel or pattern to subscribe to")
    field.scroll_into_view_if_needed()
    expect(field).to_be_in_viewport(ratio=1)
    link(page, "Everything").scroll_into_view_if_needed()
    expect(link(page, "Everything")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_no_barrier_stands_before_the_views(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(view("a"), width=width, height=height, color_scheme="light")
    expect_live(page)
    show_part(page, "channels")
    filter_field(page).evaluate("field => field.value")
    save(page, "Mine")
    expect_no_violation(page, "views")
    act(page, "Mine", "Rename the view")
    expect_no_violation(page, "naming")
    page.keyboard.press("Escape")
    link(page, "Mine").hover()
    views(page).get_by_role("button", name="Actions of the view Mine").click()
    expect_no_violation(page, "menu")
    page.get_by_role("menuitem", name="Delete the view").click()
    expect_no_violation(page, "deleted")
    link(page, "Problems").click()
    if width < 960:
        expect(views(page)).to_be_hidden()


# The pure part


def test_only_what_is_a_view_is_one(open_page: OpenPage) -> None:
    page = open_page(view("unused"))
    read = "({ readView }, value) => readView(value, { maxName: 256, maxSelection: 100 })"
    good = {
        "name": "  A  view ",
        "query": "channel=a&channel=b&pattern=p.*&filter=x+y&hide=channel+a&lang=es&x=1",
    }
    assert call(page, "views/view_query", read, good) == {
        "name": "A view",
        "query": "channel=a&channel=b&pattern=p.*&filter=x+y&hide=channel+a"
        "&order=oldest&as=wrapped&rows=comfortable",
    }
    for name, shown in (("\u202egnp.exe\0", "gnp.exe"), ("👩\u200d🚀", "👩\u200d🚀"), ("\ud800x", "x")):
        as_sent = {"name": name, "query": "channel=a"}
        assert call(page, "views/view_query", read, as_sent)["name"] == shown
    for bad in (
        None,
        1,
        {},
        {"name": "x"},
        {"name": 1, "query": "channel=a"},
        {"name": " \n", "query": "channel=a"},
        {"name": "\u200b\u200d\u0301", "query": "channel=a"},
        {"name": "x", "query": ""},
        {"name": "x", "query": "channel="},
        {"name": "x", "query": "channel=a%09b"},
        {"name": "x", "query": f"channel={'é' * 129}"},
        {"name": "x", "query": "&".join(f"channel={n}" for n in range(101))},
    ):
        assert call(page, "views/view_query", read, bad) is None, bad


def test_views_are_the_same_whatever_goes_without_saying(open_page: OpenPage) -> None:
    page = open_page(view("unused"))
    same = (
        "({ isSameView }, [some, other]) => isSameView(new URLSearchParams(some), new URLSearchParams(other))"
    )
    for some, other, expected in (
        ("channel=a&channel=b", "channel=b&channel=a&order=oldest", True),
        ("channel=a", "channel=a&as=wrapped&rows=comfortable&message=1-1", True),
        ("channel=a", "pattern=a", False),
        ("channel=a", "channel=a&order=newest", False),
        ("channel=a", "channel=a&since=15m", False),
        ("channel=a&filter=x", "channel=a&filter=X", False),
    ):
        assert call(page, "views/view_query", same, [some, other]) is expected, (some, other)


def test_views_of_one_name_are_kept_apart(open_page: OpenPage) -> None:
    page = open_page(view("unused"))
    join = "({ withViews }, [views, others]) => withViews(views, others)"
    here = [{"name": "A", "query": "channel=1"}, {"name": "A (2)", "query": "channel=2"}]
    others = [
        {"name": "A", "query": "channel=3"},
        {"name": "A", "query": "channel=2"},
        {"name": "B", "query": "channel=1"},
    ]
    assert call(page, "views/view_query", join, [here, others]) == {
        "views": [*here, {"name": "A (3)", "query": "channel=3"}, {"name": "B", "query": "channel=1"}],
        "added": 2,
    }
    assert call(page, "views/view_query", join, [here, here]) == {"views": here, "added": 0}
