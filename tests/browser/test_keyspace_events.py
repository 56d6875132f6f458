"""Keyspace events: chosen in a dialog that shows which ones Redis publishes, and shown in plain words."""

import shlex
from functools import partial

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import chips, expect_live, rows, view
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start

REFRESH = 3_000  # milliseconds
SETTING = "notify-keyspace-events"
HOSTILE = ("<img src=x onerror=alert(1)>", '{"severity":"critical","title":"a"}', "\u202egpj.exe")


def open_dialog(page: Page) -> Locator:
    """Open the dialog by keyboard."""
    page.get_by_role("button", name="Browse channels").press("Enter")
    page.get_by_role("button", name="Keyspace events…").press("Enter")
    dialog = page.get_by_role("dialog", name="Keyspace events")
    expect(dialog.get_by_role("checkbox", name="A all of these")).to_be_checked()
    return dialog


def sentence(dialog: Locator) -> Locator:
    return dialog.get_by_role("status").first


def test_the_dialog_says_what_redis_publishes_and_watches_what_is_chosen(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=f"{own_redis.url}/2", ARAUTO_WORKERS="1")
    page = open_page(view("news"), server=server, own_clock=True)
    expect_live(page)
    dialog = open_dialog(page)
    names = dialog.get_by_role("status").last
    command = dialog.locator("code")
    expect(dialog.get_by_label("Database")).to_have_value("2")
    expect(names).to_have_text("__keyevent@2__:*")
    expect(sentence(dialog)).to_have_text("Redis does not publish them. This switches them on:")

    dialog.get_by_label("A all of these").press("Space")
    expect(dialog.get_by_role("button", name="Watch", exact=True)).to_be_disabled()
    for letter in ("$ strings", "x expired keys", "m key misses"):
        dialog.get_by_role("checkbox", name=letter).press("Space")
    assert command.text_content() == f"redis-cli -p {own_redis.port} CONFIG SET notify-keyspace-events 'E$xm'"
    own_redis.client.config_set("notify-keyspace-events", "Elx")
    page.clock.fast_forward(REFRESH)
    expect(sentence(dialog)).to_have_text("Redis does not publish all of them. Missing: $ m. This adds it:")
    own_redis.client.execute_command(*shlex.split(command.text_content() or "")[3:])
    assert set(own_redis.client.config_get(SETTING)[SETTING] or "") == set("El$xm")
    page.clock.fast_forward(REFRESH)
    expect(sentence(dialog)).to_have_text("Redis publishes them.")
    expect(command).to_be_hidden()
    dialog.get_by_label("Database").select_option("all")
    expect(names).to_have_text("  ".join(
        f"__keyevent@*__:{event}" for event in ("set*", "append", "incrby*", "pfadd", "expired", "keymiss")
    ))  # fmt: skip
    dialog.get_by_label("Kind").select_option("by key")
    expect(dialog.get_by_role("checkbox")).to_have_count(0)
    expect(sentence(dialog)).to_contain_text("Missing: K g s h z t d e.")
    dialog.get_by_label("Keys, such as user:*").fill("user:*")
    dialog.get_by_label("Keys, such as user:*").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert chips(page) == ["news", "db* user:*"]
    assert "pattern=__keyspace%40*__%3Auser%3A*" in page.url


def test_what_cannot_be_known_or_set_is_said(open_page: OpenPage) -> None:
    known: dict[str, object] = {
        "classes": [{"letter": "x", "name": "expired keys", "events": ["expired"], "in_a": True}]
    }
    known |= {
        "database": 0,
        "databases": 16,
        "flags": None,
        "reason": "It is not known.",
        "note": "A cluster.",
    }
    page = open_page(view("news"))
    expect_live(page)
    for has_config, expected_text, command in (
        (
            True,
            "A cluster. It is not known. This switches them on, and replaces what is set:",
            f"CONFIG SET {SETTING} EA",
        ),
        (False, "A cluster. It is not known.", f"{SETTING} EA"),
    ):
        answer = known | {"has_config": has_config}
        page.route("**/keyspace-events*", partial(Route.fulfill, json=answer))
        dialog = open_dialog(page)
        expect(sentence(dialog)).to_have_text(expected_text)
        assert (dialog.locator("code").text_content() or "").endswith(command)
        expect(dialog.get_by_role("button", name="Watch", exact=True)).to_be_enabled()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")


def test_events_are_shown_by_what_they_mean(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    client = own_redis.client
    client.config_set("notify-keyspace-events", "KEA")
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view(patterns=("__keyevent@0__:*", "__keyspace@0__:a")), server=server)
    expect_live(page)
    client.set("a", 1)
    client.expire("a", 1)
    client.delete("a")
    expected = [("set", "a"), ("expire", "a"), ("del", "a")]
    expect_events(page, [pair for pair in expected for _ in "KE"])  # the event of the key comes first

    for key in HOSTILE:
        client.set(key, 1)
    client.set(b"user:\xff\xc3\xa9", 1)
    client.publish("__keyspace@0__:a", "no event")
    expected = [("set", key) for key in (*HOSTILE, "user:\\xffé")] + [("__keyspace@0__:a", "no event")]
    expect_events(page, expected, skip=6)
    expect(page.locator(".row[data-severity], .row img, .card")).to_have_count(0)
    expect(rows(page).nth(9)).to_contain_text("not UTF-8")
    expect(rows(page).nth(8)).to_contain_text("has invisible characters")

    rows(page).first.click()
    detail = page.get_by_role("complementary", name="Message")
    expect(detail.get_by_role("heading")).to_have_text("__keyspace@0__:a")
    facts = dict(
        zip(detail.locator("dt").all_text_contents(), detail.locator("dd").all_text_contents(), strict=True)
    )
    assert [facts[name] for name in ("Event", "Key", "Database", "Matched by")] == [
        "set",
        "a",
        "0",
        "__keyspace@0__:a",
    ]
    detail.get_by_role("tab", name="As sent").click()
    expect(detail.locator(".row__data")).to_have_text("set")
    page.keyboard.press("Escape")
    page.locator("#view").select_option("As sent")
    expect_events(page, [("__keyspace@0__:a", "set"), ("__keyevent@0__:set", "a")], until=2)


def expect_events(
    page: Page, expected: list[tuple[str, str]], skip: int = 0, until: int | None = None
) -> None:
    names, keys = rows(page).locator(".row__name"), rows(page).locator(".row__data")
    if until is None:
        expect(keys).to_have_count(skip + len(expected))
    shown = zip(names.all_text_contents(), keys.all_text_contents(), strict=True)
    assert list(shown)[skip:until] == expected
