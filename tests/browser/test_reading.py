"""Views of a message: alerts as cards, JSON in colours and as a tree, bytes as hex or decoded."""

import gzip
import json
from base64 import b64encode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import (
    expect_live,
    expect_noted,
    expect_texts,
    log,
    message_field,
    row,
    rows,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.waiting import eventually

EXACT = (
    '{"id": 12345678901234567890, "one": 1.0, "far": 1e400, "id": -0, "e": "\\u00e9\\/", "o": {"a": [1.50]}}'
)
ALERT = (
    '{"severity": "critical", "title": "CPU at 99%", "message": "db-2 is gone", "tags": ["cpu", "db-2"],'
    ' "link": "https://example.org/d?x=1", "id": 12345678901234567890}'
)


def card(row: Locator) -> Locator:
    return row.locator(".card")


def show_all_as(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Show as").select_option(name)


def choose(page: Page, row: Locator, item: str, role: str = "menuitem") -> None:
    """Choose an item of a row's menu."""
    row.get_by_role("button", name="Actions").click()
    page.get_by_role(role, name=item, exact=True).click()  # type: ignore[arg-type]


def show_as(page: Page, row: Locator, view: str) -> None:
    choose(page, row, view, "menuitemradio")


def listening(open_page: OpenPage, channel: str, **options: object) -> Page:
    page = open_page(view(channel), **options)
    expect_live(page)
    return page


# Alerts


def test_an_alert_is_a_card(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "card")
    valkey.client.publish("card", ALERT)
    shown = card(rows(page))
    expect(shown.locator(".severity")).to_have_text("Critical")
    expect(shown.locator(".card__title")).to_have_text("CPU at 99%")
    expect(shown.locator(".card__text")).to_have_text("db-2 is gone")
    expect(shown.get_by_role("listitem")).to_have_text(["cpu", "db-2"])
    expect(shown.locator(".card__rest")).to_have_text("id=12345678901234567890")
    link = shown.get_by_role("link", name="https://example.org/d?x=1")
    expect(link).to_have_attribute("href", "https://example.org/d?x=1")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    show_as(page, rows(page), "As sent")
    expect_texts(page, [ALERT])
    expect(card(rows(page))).to_have_count(0)


@pytest.mark.parametrize(
    ("message", "severity", "shown"),
    [
        ('{"level": "WARN", "msg": "slow"}', "Warning", "slow"),
        ('{"priority": 5, "title": "ntfy"}', "Critical", "ntfy"),
        ('{"priority": "1", "text": "ntfy"}', "Debug", "ntfy"),
        ('{"level": 50, "msg": "pino"}', "Error", "pino"),
        ('{"severity": "info", "text": "קריסה"}', "Info", "קריסה"),
    ],
)
def test_severity_is_found_by_the_names_people_use(
    open_page: OpenPage, valkey: RedisServer, message: str, severity: str, shown: str
) -> None:
    page = listening(open_page, "names")
    valkey.client.publish("names", message)
    expect(card(rows(page)).locator(".severity")).to_have_text(severity)
    expect(card(rows(page))).to_contain_text(shown)


def test_what_is_no_alert_stays_plain(open_page: OpenPage, valkey: RedisServer) -> None:
    plain = [
        '{"level": 7, "message": "a game"}',
        '{"title": "only a title"}',
        '["severity", "critical"]',
        '{"severity": "critical", "title": "cut',
        '{"severity": {"a": 1}, "priority": [], "level": null, "title": 1, "message": {}}',
        '{"priority": "length", "level": "constructor", "text": "t"}',
        "severity: critical",
    ]
    page = listening(open_page, "plain")
    for message in plain:
        valkey.client.publish("plain", message)
    expect_texts(page, plain)
    expect(card(page.locator("body"))).to_have_count(0)
    valkey.client.publish("plain", '{"level": "error", "cpu": 99}')
    expect(rows(page).last.locator(".severity")).to_have_text("Error")
    expect_texts(page, [*plain, '{"level": "error", "cpu": 99}'])


def test_a_link_that_would_run_is_no_link(open_page: OpenPage, valkey: RedisServer) -> None:
    links = ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "file:///etc", "//x.org", "x"]
    page = listening(open_page, "links")
    for link in links:
        valkey.client.publish("links", json.dumps({"severity": "info", "title": "t", "link": link}))
    expect(card(log(page))).to_have_count(len(links))
    expect(log(page).get_by_role("link")).to_have_count(0)
    for shown, link in zip(card(log(page)).all(), links, strict=True):
        expect(shown).to_contain_text(f'link="{link}"' if " " in link else f"link={link}")
    second_choice = {"title": "t", "text": "x", "link": "javascript:1", "url": "http://user@exämple.org/<b>"}
    valkey.client.publish("links", json.dumps(second_choice))
    expect(log(page).get_by_role("link")).to_have_text("http://user@xn--exmple-cua.org/%3Cb%3E")


ALERTMANAGER = {
    "version": "4",
    "status": "firing",
    "receiver": "ops",
    "externalURL": "https://am.example.org",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "severity": "warning", "instance": "db-2"},
            "annotations": {"summary": "Disk /var is full"},
        },
        {
            "status": "resolved",
            "labels": {"alertname": "CpuHigh", "severity": "critical"},
            "annotations": {"description": "CPU is calm"},
        },
    ],
}
GRAFANA = {
    "status": "resolved",
    "title": "[RESOLVED] Latency",
    "message": "long text",
    "alerts": [
        {"status": "resolved", "labels": {"alertname": "Latency"}, "panelURL": "https://g.example.org/p"}
    ],
}
GITHUB = {
    "action": "created",
    "issue": {"title": "It breaks", "html_url": "https://github.com/o/r/issues/3"},
    "comment": {"body": "Here too", "html_url": "https://github.com/o/r/issues/3#c1"},
    "repository": {"full_name": "o/r", "html_url": "https://github.com/o/r"},
    "sender": {"login": "ana"},
}
PUSH = {
    "ref": "refs/heads/main",
    "head_commit": {"message": "Mend it\n\nlong"},
    "compare": "https://github.com/o/r/compare/a...b",
    "repository": {"full_name": "o/r"},
}


def test_webhooks_show_what_matters(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "hooks")
    for number, hook in enumerate((ALERTMANAGER, GRAFANA, GITHUB, PUSH), 1):
        valkey.client.publish("hooks", json.dumps(hook))
        expect(rows(page)).to_have_count(number)
    alertmanager, grafana, github, push = card(log(page)).all()
    expect(alertmanager.locator(".severity")).to_have_text("Critical")
    expect(alertmanager.locator(".card__title")).to_have_text("DiskFull, CpuHigh")
    expect(alertmanager).to_contain_text("firing · db-2 · Disk /var is full\nresolved · CPU is calm")
    expect(alertmanager.get_by_role("listitem")).to_have_text(["firing", "× 2", "ops"])
    expect(alertmanager.get_by_role("link")).to_have_text("https://am.example.org/")
    expect(grafana.locator(".severity")).to_have_text("Info")
    expect(grafana.locator(".card__title")).to_have_text("[RESOLVED] Latency")
    expect(grafana.get_by_role("link")).to_have_text("https://g.example.org/p")
    expect(github.locator(".card__title")).to_have_text("It breaks")
    expect(github.locator(".card__text")).to_have_text("Here too")
    expect(github.get_by_role("listitem")).to_have_text(["o/r", "created", "ana"])
    expect(github.get_by_role("link")).to_have_text("https://github.com/o/r/issues/3#c1")
    expect(push.locator(".card__title")).to_have_text("Mend it…")
    expect(push.get_by_role("link")).to_have_text("https://github.com/o/r/compare/a...b")


# JSON


def tree_button(row: Locator) -> Locator:
    return row.get_by_role("button", name="Tree", exact=True)


def test_json_is_coloured_and_a_tree_and_exact_in_both(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "json")
    valkey.client.publish("json", EXACT)
    numbers = ["12345678901234567890", "1.0", "1e400", "-0", "1.50"]
    expect(rows(page).locator(".json-number")).to_have_text(numbers)
    expect_texts(page, [EXACT])
    tree_button(rows(page)).click()
    expect(tree_button(rows(page))).to_have_attribute("aria-pressed", "true")
    keys = ['"id"', '"one"', '"far"', '"id"', '"e"', '"o"', '"a"']
    expect(rows(page).locator(".tree .json-key")).to_have_text(keys)
    branch = rows(page).get_by_role("button", name='"a": [1.50] 1')
    expect(branch).to_have_attribute("aria-expanded", "false")
    expect(rows(page).locator(".tree .json-number")).to_have_text(numbers[:-1])
    branch.click()
    expect(rows(page).locator(".tree .json-number")).to_have_text(numbers)
    expect(rows(page).locator(".tree .json-string")).to_have_text('"\\u00e9\\/"')
    rows(page).get_by_role("button", name='"o": { 1').click()
    expect(rows(page).get_by_text("1.50", exact=True)).to_be_hidden()
    tree_button(rows(page)).click()
    expect_texts(page, [EXACT])


def test_the_keyboard_reaches_the_newest_row_and_every_other(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = listening(open_page, "keys")
    for n in range(30):
        valkey.client.publish("keys", f'{{"n": {n}}}')
    expect(row(page, '"n": 29')).to_be_in_viewport()
    assert page.locator("#messages [tabindex='0']").count() == 0
    turn = page.get_by_role("button", name="Newest first")
    turn.click()
    expect(row(page, '"n": 29')).to_be_in_viewport()
    log(page).focus()
    page.keyboard.press("Tab")
    expect(tree_button(rows(page).first)).to_be_focused()
    turn.click()
    expect(row(page, '"n": 29')).to_be_in_viewport()
    log(page).focus()
    page.keyboard.press("Tab")
    expect(tree_button(rows(page).last)).to_be_focused()
    page.keyboard.press("Tab")
    actions = rows(page).get_by_role("button", name="Actions")
    expect(actions.last).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(actions.nth(28)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio", name="Wrap lines")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(rows(page).nth(28).locator(".tree")).to_be_visible()
    expect(actions.nth(28)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(rows(page).nth(28).locator(".tree__toggle")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows(page).nth(28).locator(".tree__branch")).to_be_hidden()
    assert page.locator("#messages [tabindex='0']").count() == 3
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Pin")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_be_hidden()
    expect(actions.nth(28)).to_be_focused()


def test_tab_goes_to_the_newest_row_of_the_moment(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "tab")
    valkey.client.publish("tab", '{"n": 0}')
    expect(row(page, '"n": 0')).to_be_in_viewport()
    log(page).focus()
    valkey.client.publish("tab", '{"n": 1}')
    expect(row(page, '"n": 1')).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(tree_button(rows(page).last)).to_be_focused()


def test_one_switch_for_all_rows_is_kept(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "switch", storage_state=None, color_scheme="light")
    text = "first\nsecond " + "word " * 200
    valkey.client.publish("switch", text)
    valkey.client.publish("switch", ALERT)
    expect(rows(page)).to_have_count(2)
    heights = [rows(page).first.bounding_box(), rows(page).last.bounding_box()]
    show_all_as(page, "One line")
    for shown, before in zip(rows(page).all(), heights, strict=True):
        after = shown.bounding_box()
        assert before is not None
        assert after is not None
        assert after["height"] < min(45, before["height"])
    show_all_as(page, "As sent")
    expect_texts(page, [text, ALERT])
    expect(rows(page).locator("[class^=json-]")).to_have_count(0)
    show_all_as(page, "Tree")
    expect(rows(page).locator(".tree")).to_have_count(1)
    page.reload()
    expect_live(page)
    expect(page.get_by_role("combobox", name="Show as")).to_have_value("tree")
    valkey.client.publish("switch", EXACT)
    expect(rows(page).locator(".tree")).to_have_count(1)
    show_as(page, rows(page), "One line")
    expect_texts(page, [EXACT])


def test_of_a_large_or_deep_json_only_what_is_seen_is_drawn(open_page: OpenPage, valkey: RedisServer) -> None:
    large = json.dumps([{"id": n, "name": "x" * 40} for n in range(14_000)])
    deep = '{"a":[' * 5_000 + "1.0" + "]}" * 5_000
    wide = json.dumps({"text": "y" * 900_000})
    page = listening(open_page, "large")
    for number, message in enumerate((large, deep, wide), 1):
        valkey.client.publish("large", message)
        expect(tree_button(rows(page).last)).to_be_visible()
        expect(rows(page)).to_have_count(number)
        tree_button(rows(page).last).click()
        expect(rows(page).last.locator(".tree__toggle").first).to_be_visible()
    first, second, third = rows(page).all()
    nodes = first.locator(".tree__node")
    expect(nodes).to_have_count(102)
    first.get_by_role("button", name="Show 13,900 more").click()
    expect(nodes).to_have_count(202)
    for _ in range(50):
        second.locator(".tree__toggle[aria-expanded=false]").click()
    expect(third.get_by_role("button", name="Show 899,002 more")).to_be_visible()


# Wrapped texts


def test_a_text_is_read_without_what_it_is_wrapped_in(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "wrapped")
    order = '{"id": 12345678901234567890}'
    messages = {
        "marked": "\ufeff" + ALERT,
        "quoted": json.dumps(ALERT),
        "lines": f'{order}\n{{"level":"error","n":1.0}}\n',
        "glued": f"{order}[true]",
        "red": "\x1b[1;31mERROR\x1b[0m disk \x1b]8;;http://a\x07full\x1b]8;;\x1b\\",
        "red json": f"\x1b[33m{order}\x1b[m",
        "no json": '"{not json}"',
    }
    for message in messages.values():
        valkey.client.publish("wrapped", message)
    expect(rows(page)).to_have_count(len(messages))
    shown = dict(zip(messages, rows(page).all(), strict=True))
    for name in ("marked", "quoted"):
        expect(card(shown[name]).locator(".card__title")).to_have_text("CPU at 99%")
    expect(shown["quoted"].locator(".mark")).to_have_text("decoded: JSON in a string")
    expect(shown["lines"].locator(".json-number")).to_have_text(["12345678901234567890", "1.0"])
    expect(shown["glued"].locator(".json-word")).to_have_text("true")
    expect(shown["red"].locator(".row__data")).to_have_text("ERROR disk full")
    expect(shown["red"].locator(".mark")).to_have_text("without terminal codes")
    expect(shown["red json"].locator(".json-number")).to_have_text("12345678901234567890")
    expect(shown["no json"].locator(".row__data")).to_have_text('"{not json}"')
    show_all_as(page, "Tree")
    expect(shown["lines"].locator(".tree > li")).to_have_count(2)
    expect(shown["lines"].locator(".tree .json-number")).to_have_text(["12345678901234567890", "1.0"])
    expect(shown["quoted"].locator(".tree .json-string").first).to_have_text('"critical"')
    for text, found in {"severity:critical": 2, "n:1": 1, '"error disk full"': 1, "title:CPU*": 2}.items():
        page.get_by_role("combobox", name="Filter").fill(text)
        expect(page.locator("#filter-count")).to_have_text(f"{found} of {len(messages)}")
    page.get_by_role("combobox", name="Filter").fill("")
    show_all_as(page, "As sent")
    expect_texts(page, list(messages.values()))


# Bytes


def test_bytes_are_shown_as_hex_with_text_beside_it(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "hex")
    data = b"\xff\x00Ol\xe1!<b>" + bytes(range(256)) * 80
    valkey.client.publish("hex", data)
    expect(rows(page)).to_contain_text("binary, 20.5 kB")
    dump = rows(page).locator(".hex")
    lines = (dump.text_content() or "").split("\n")
    assert lines[0] == "0000 ff 00 4f 6c e1 21 3c 62 3e 00 01 02 03 04 05 06  ..Ol.!<b>......."
    assert len(lines) == 8
    more = rows(page).get_by_role("button", name="Show more (of 20.5 kB)")
    for expected in (512 // 16, (512 + 16_384) // 16, -(-len(data) // 16)):
        more.click()
        assert len((dump.text_content() or "").split("\n")) == expected
    expect(more).to_have_count(0)
    assert (dump.text_content() or "").endswith("\n5000 f7 f8 f9 fa fb fc fd fe ff" + " " * 23 + ".........")


def test_messagepack_and_gzip_are_decoded_and_say_so(open_page: OpenPage, valkey: RedisServer) -> None:
    page = listening(open_page, "packed")
    pack = bytes.fromhex("82a26964cf00e975c1cc0a5f01a16ecb3ff0000000000000")
    valkey.client.publish("packed", pack)
    valkey.client.publish("packed", gzip.compress(ALERT.encode()))
    valkey.client.publish("packed", gzip.compress(pack))
    valkey.client.publish("packed", gzip.compress(b"x" * 50_000_000))
    valkey.client.publish("packed", gzip.compress(ALERT.encode())[:-3])
    expect(rows(page)).to_have_count(5)
    packed, zipped, both, bomb, broken = rows(page).all()
    expect(packed).to_contain_text("decoded from MessagePack")
    expect(packed.locator(".row__data")).to_have_text('{"id": 65713144785952513, "n": 1.0}')
    expect(zipped).to_contain_text("decoded from gzip")
    expect(card(zipped).locator(".card__title")).to_have_text("CPU at 99%")
    expect(both).to_contain_text("decoded from gzip, MessagePack")
    expect(both.locator(".row__data")).to_have_text('{"id": 65713144785952513, "n": 1.0}')
    expect(bomb).to_contain_text("decoded from gzip, only the beginning")
    expect(bomb.get_by_role("button", name="Show all (1 MB)")).to_be_visible()
    expect(broken.locator(".hex")).to_contain_text("0000 1f 8b 08")
    expect(broken).not_to_contain_text("decoded")
    tree_button(packed).click()
    expect(packed.locator(".tree .json-number")).to_have_text(["65713144785952513", "1.0"])
    show_as(page, zipped, "As sent")
    expect(zipped.locator(".hex")).to_contain_text("0000 1f 8b 08")
    expect(zipped).not_to_contain_text("decoded")


# Actions of a row


def clipboard_page(open_page: OpenPage, channel: str) -> Page:
    return listening(open_page, channel, permissions=["clipboard-read", "clipboard-write"])


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_text_and_base64_are_copied(open_page: OpenPage, valkey: RedisServer) -> None:
    page = clipboard_page(open_page, "copy")
    text = '  {"a": 1.0}\n\tçé 🎺 '
    valkey.client.publish("copy", text)
    valkey.client.publish("copy", b"\xff\x00\x01")
    expect(rows(page)).to_have_count(2)
    choose(page, rows(page).first, "Copy text")
    expect_noted(page, "Copied")
    assert clipboard(page) == text
    choose(page, rows(page).last, "Copy as base64")
    eventually(lambda: clipboard(page) == b64encode(b"\xff\x00\x01").decode())


def test_copying_works_without_the_clipboard_interface(open_page: OpenPage, valkey: RedisServer) -> None:
    page = clipboard_page(open_page, "old")
    page.evaluate("delete Navigator.prototype.clipboard; navigator.clipboard === undefined")
    valkey.client.publish("old", "line\nother")
    choose(page, rows(page), "Copy text")
    expect_noted(page, "Copied")
    message_field(page).focus()
    page.keyboard.press("Control+V")
    expect(message_field(page)).to_have_value("line\nother")


def test_publish_again_hands_channel_and_message_to_the_form(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = listening(open_page, "again")
    page.evaluate(
        "document.addEventListener('republish', ({ detail }) => (window.requested = detail), { once: true })"
    )
    valkey.client.publish("again", "the same\n")
    choose(page, rows(page), "Edit and resend")
    assert page.evaluate("requested") == {"kind": "channel", "channel": "again", "message": "the same\n"}


def test_what_cannot_be_repeated_is_not_offered(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view(patterns=("odd*",)))
    expect_live(page)
    valkey.client.publish("odd", b"\xff")
    valkey.client.publish("odd", "x" * 1_100_000)
    valkey.client.publish(b"odd\x1b[31m", "text")
    expect(rows(page)).to_have_count(3)
    common = ["Wrap lines", "One line", "As sent"]
    assert offered(page, rows(page).nth(0)) == [*common, "Copy as base64", "Copy as redis-cli", "Pin"]
    assert offered(page, rows(page).nth(1)) == [*common, "Copy text", "Pin"]
    assert offered(page, rows(page).nth(2)) == [*common, "Copy text", "Pin"]


def offered(page: Page, row: Locator) -> list[str]:
    row.get_by_role("button", name="Actions").click()
    items = page.get_by_role("menu").get_by_role("menuitemradio").or_(page.get_by_role("menuitem"))
    shown = items.all_text_contents()
    page.keyboard.press("Escape")
    return shown


def test_pinned_messages_stay_until_they_are_let_go(open_page: OpenPage, valkey: RedisServer) -> None:
    page = clipboard_page(open_page, "pins")
    for n in range(21):
        valkey.client.publish("pins", f"message {n}")
    expect(rows(page)).to_have_count(21)
    pinned = page.get_by_role("region", name="Pinned")
    expect(pinned).to_be_hidden()
    for n in range(20):
        choose(page, rows(page).nth(n), "Pin")
    expect(pinned.locator(".row")).to_have_count(20)
    choose(page, rows(page).nth(20), "Pin")
    expect_noted(page, "At most 20 messages can be pinned: unpin one first.")
    expect(pinned.locator(".row")).to_have_count(20)
    pinned.locator(".row__more").first.focus()
    page.keyboard.press("c")
    expect_noted(page, "Copied")
    assert clipboard(page) == "message 0"
    choose(page, pinned.locator(".row").first, "Unpin")
    choose(page, rows(page).nth(20), "Pin")
    expect(pinned.locator(".row__data")).to_have_text([f"message {n}" for n in range(1, 21)])
    with valkey.client.pipeline(transaction=False) as pipeline:
        for n in range(1200):
            pipeline.publish("pins", f"later {n}")
        pipeline.execute()
    expect(row(page, "later 1199")).to_be_attached()
    expect(pinned.locator(".row")).to_have_count(20)
    for n in range(1, 21):
        choose(page, pinned.locator(".row").first, "Unpin")
        expect(pinned.locator(".row")).to_have_count(20 - n)
    expect(pinned).to_be_hidden()


def test_markup_is_inert_in_every_view(open_page: OpenPage, valkey: RedisServer) -> None:
    hostile = "<img src=x onerror=alert(1)></script>"
    message = json.dumps(
        {
            "severity": "error",
            "title": hostile,
            "text": hostile,
            "tags": [hostile],
            hostile: [{hostile: hostile}],
        }
    )
    page = listening(open_page, "inert")
    valkey.client.publish("inert", message)
    valkey.client.publish("inert", gzip.compress(message.encode()))
    expect(card(log(page))).to_have_count(2)
    for name in ("One line", "Tree", "As sent", "Wrap lines"):
        show_all_as(page, name)
        expect(rows(page).first).to_contain_text(hostile)
        expect(rows(page).locator(".tree")).to_have_count(2 if name == "Tree" else 0)
        expect(page.locator("img[src=x]")).to_have_count(0)


def test_characters_that_nobody_sees_are_marked(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("unseen"))
    expect_live(page)
    hidden = [
        "a\0b",
        "a\u200bb",
        "a\ufeffb",
        "a\u00adb",
        "a\x07b",
        "a\u202eb",
        "a\u2028b",
        "a\u2060b",
        "  ",
        "\n",
    ]
    seen = ["a b", "a\tb\nc\r\nd", "\U0001f468\u200d\U0001f469", "\u0646\u0645\u06cc\u200c\u062e", "a\u00a0b"]
    for text in hidden + seen:
        valkey.client.publish("unseen", text)
    expect(rows(page)).to_have_count(len(hidden + seen))
    expect(page.locator(".mark")).to_have_text(["has invisible characters"] * len(hidden))
    expect(rows(page).nth(len(hidden) - 1).locator(".mark")).to_be_visible()


def test_an_alert_takes_few_lines_and_in_one_line_view_one(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view(patterns=["a channel of *"]))
    expect_live(page)
    channel = "a channel of a name that is as long as its column"
    text = "something went wrong, which takes some words to tell " * 8
    alerts = (
        {"level": "error", "message": f"{text}\n{text}"},
        {"level": "error", "title": "\x1b[31mRed\x1b[0m", "message": "\x1b[1mbold"}
        | {f"member{n}": f"value {n}" for n in range(12)},
    )
    valkey.client.publish(channel, "short")
    for alert in alerts:
        valkey.client.publish(channel, json.dumps(alert))
    expect(rows(page)).to_have_count(3)
    expect(rows(page).last.locator(".card__title")).to_have_text("Red")
    expect(rows(page).last.locator(".card__text")).to_have_text("bold")
    lines = "place => place.getBoundingClientRect().height / parseFloat(getComputedStyle(place).lineHeight)"
    assert [round(one.evaluate(lines)) for one in page.locator(".card").all()] == [4, 4]  # at most
    page.get_by_label("Show as").first.select_option("line")
    expect(rows(page).first).to_have_attribute("data-view", "line")
    heights = rows(page).evaluate_all("rows => rows.map((row) => Math.floor(row.offsetHeight / 10))")
    assert len(set(heights)) == 1, heights
