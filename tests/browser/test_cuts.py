"""Nothing is cut without a mark or a sentence."""

import csv
import json
from io import StringIO
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_exporting import export
from tests.browser.test_reading import card, show_all_as
from tests.support.pages import chips, expect_live, rows, view
from tests.support.redis_servers import RedisServer


def problem(page: Page) -> Locator:
    return page.locator("#choose-problem")


def test_names_of_a_link_that_are_too_many_are_reported(open_page: OpenPage) -> None:
    page = open_page("/?" + urlencode([("channel", f"n{n}") for n in range(106)]))
    expect(problem(page)).to_have_text(
        '6 names of the link are left out: "n100", "n101", "n102", "n103", "n104", ….'
        " At most 100 channels and patterns at once: remove one first."
    )
    assert len(chips(page)) == 100
    page.get_by_label("Channel or pattern to subscribe to").fill("x")
    expect(problem(page)).to_have_text("")


@pytest.mark.parametrize(
    ("name", "shown", "why"),
    [
        ("é" * 129, f"{'é' * 40}…", "A name has at most 256 bytes; this one has 258."),
        ("a\0b", "a\0b", "A name cannot contain control characters."),
        ("", "", "Type the name of a channel or a pattern."),
    ],
)
def test_a_name_of_a_link_that_cannot_be_had_is_reported(
    open_page: OpenPage, name: str, shown: str, why: str
) -> None:
    page = open_page(view("fine", patterns=(name,)))
    expect_live(page)
    assert chips(page) == ["fine"]
    expected = f'1 name of the link is left out: "{shown}". {why}'
    assert problem(page).text_content() == expected


def test_a_name_twice_in_a_link_is_no_problem(open_page: OpenPage) -> None:
    page = open_page(view("a", "a"))
    expect_live(page)
    assert problem(page).text_content() == ""


def test_what_a_card_leaves_out_is_marked(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("cuts"))
    expect_live(page)
    alert = {"severity": "error", "title": "t" * 1001, "tags": [f"t{n}" for n in range(15)]}
    valkey.client.publish("cuts", json.dumps(alert | {f"m{n}": n for n in range(13)}))
    valkey.client.publish("cuts", json.dumps(alert | {f"m{n}": "v" * 40 for n in range(9)}))
    firing = {"labels": {"alertname": "a"}, "annotations": {"summary": "s"}}
    valkey.client.publish("cuts", json.dumps({"status": "firing", "alerts": [firing] * 11}))
    commit = {"repository": {"full_name": "a/b"}, "head_commit": {"message": "first\n\nsecond"}}
    valkey.client.publish("cuts", json.dumps(commit))
    cards = card(rows(page))
    expect(cards).to_have_count(4)
    assert cards.nth(0).locator(".card__title").text_content() == "t" * 1000 + "…"
    expect(cards.nth(0).get_by_role("listitem").nth(12)).to_have_text("+ 3")
    expect(cards.nth(0).locator(".card__rest")).to_contain_text("m11=11  …")
    rest = str(cards.nth(1).locator(".card__rest").text_content())
    assert rest.endswith("…")
    assert (cards.nth(2).locator(".card__text").text_content() or "").endswith("s\n…")
    assert cards.nth(3).locator(".card__title").text_content() == "first…"


def test_one_line_ends_with_a_mark(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("cuts"))
    expect_live(page)
    valkey.client.publish("cuts", "x" * 401)
    expect(rows(page)).to_have_count(1)
    show_all_as(page, "One line")
    expect(page.locator(".row__data")).to_have_text("x" * 400 + "…")


def test_an_export_says_where_only_the_beginning_came(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("cuts"))
    expect_live(page)
    valkey.client.publish("cuts", "x" * 2_000_000)
    valkey.client.publish("cuts", "whole")
    expect(rows(page)).to_have_count(2)
    csv.field_size_limit(2_000_000)
    table = list(csv.DictReader(StringIO(export(page, "CSV").read_bytes().decode("utf-8-sig"))))
    assert [(line["truncated"], line["size"]) for line in table] == [("true", "2000000"), ("", "")]
    first, second = export(page, "Plain text").read_text().splitlines()
    assert first.endswith("x… (2000000 B)")
    assert second.endswith(" whole")
