"""The rail with many names: grouped by common prefixes, each with its own colour."""

from itertools import combinations

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_memory import choose
from tests.support.pages import (
    chip,
    chips,
    expect_confirmed,
    expect_live,
    row,
    solo,
    subscribe,
    unsubscribe,
    view,
)
from tests.support.redis_servers import RedisServer

SERVICES = ["svc.checkout", "other", "svc.payments", "jobs:nightly", "svc.search", "jobs:hourly"]


def lines(page: Page) -> list[str]:
    """The visible names and headings, from top to bottom."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll(".chips > li")].map((item) =>
              (item.querySelector(".chip__name") ?? item).innerText)"""
        )
    )


def hue(page: Page, name: str) -> float:
    return float(
        chip(page, name).evaluate(
            """(chip) => {
              const probe = chip.appendChild(document.createElement("i"));
              probe.style.color = "oklch(0.5 0.1 var(--Hue))";
              const { color } = getComputedStyle(probe);
              probe.remove();
              return color.match(/[\\d.]+(?=\\))/)[0];
            }"""
        )
    )


def test_three_names_that_begin_alike_stand_under_what_they_share(open_page: OpenPage) -> None:
    page = open_page(view(*SERVICES, patterns=("svc.*",)))
    expect_confirmed(page, *SERVICES, "svc.*")
    assert lines(page) == [
        "svc.", "checkout", "payments", "search", "other", "jobs:nightly", "jobs:hourly", "svc.*",
    ]  # fmt: skip
    assert chips(page)[:3] == ["svc.checkout", "svc.payments", "svc.search"]
    expect(solo(page, "svc.search")).to_be_visible()  # the label has the whole name
    expect(page.get_by_title("svc.search", exact=True)).to_have_count(1)
    subscribe(page, "jobs:weekly")
    expect_confirmed(page, "jobs:weekly")
    assert lines(page)[5:] == ["jobs:", "nightly", "hourly", "weekly", "svc.*"]
    unsubscribe(page, "svc.payments")
    expect(page.get_by_role("button", name="Remove channel svc.search")).to_be_focused()
    assert lines(page)[:3] == ["svc.checkout", "other", "jobs:"]


def test_the_arrows_lead_over_the_headings(open_page: OpenPage) -> None:
    page = open_page(view("other", "svc.a", "svc.b", "svc.c"))
    expect_live(page)
    solo(page, "other").focus()
    for name in ("svc.a", "svc.b"):
        page.keyboard.press("ArrowDown")
        expect(solo(page, name)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("End")
    expect(solo(page, "svc.c")).to_be_focused()
    for name in ("svc.b", "svc.a", "other"):
        page.keyboard.press("ArrowUp")
        expect(solo(page, name)).to_be_focused()


def test_the_first_twelve_differ_clearly_in_colour(open_page: OpenPage) -> None:
    names = [f"name {n}" for n in range(12)]
    page = open_page(view(*names))
    expect_live(page)
    hues = [hue(page, name) for name in names]
    assert min(min(abs(a - b), 360 - abs(a - b)) for a, b in combinations(hues, 2)) >= 30


def test_another_colour_is_worn_everywhere_and_kept(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("a", "b"))
    expect_live(page)
    valkey.client.publish("a", "a message")
    expect(row(page, "a message")).to_be_visible()
    before = hue(page, "a"), hue(page, "b")
    tint = "(row) => getComputedStyle(row.querySelector('.row__channel'), '::before').backgroundColor"
    worn = row(page, "a message").evaluate(tint)
    choose(page, "a is live only", "Another colour")
    after = hue(page, "a")
    assert after not in before
    assert hue(page, "b") == before[1]
    assert row(page, "a message").evaluate(tint) != worn
    page.reload()
    expect_live(page)
    assert hue(page, "a") == after
