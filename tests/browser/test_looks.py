"""Accessibility: no violation that axe finds; every screen and language; keyboard only; no JavaScript."""

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Page, expect

from arauto.web.locale import LANGUAGES
from tests.browser.conftest import OpenPage
from tests.support.accessibility import expect_no_violation
from tests.support.http import get
from tests.support.pages import (
    STATUS_503,
    answer,
    chip,
    expect_confirmed,
    expect_live,
    expect_state,
    expect_texts,
    message_field,
    notices,
    overflowing,
    publish,
    rows,
    show_part,
    status,
    subscribe,
    view,
)
from tests.support.pictures import take
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT, ArautoServer, Start
from tests.support.waiting import PATIENCE

NEEDED = {
    "channels": ["#status", "#choose-name"],
    "publish": ["#status", "#publish-channel", "#publish-message", "#publish-button"],
}
SCREENS = [(360, 740), (768, 1024), (1280, 800), (1920, 1080)]
LONG = "um.canal.de.nome.muito.comprido." * 8


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_axe_finds_no_barrier_in_any_state(
    open_page: OpenPage, own_redis: RedisServer, start: Start, language: str
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    selection = view("a", "b", patterns=("p.*",))
    page = open_page(selection, server=server, language=language, allow=STATUS_503)
    expect_live(page)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect_no_violation(page, "empty")

    messages: list[tuple[str, str | bytes]] = [
        ("a", "text"),
        ("p.x", '{"json": 1}'),
        ("b", b"\xff"),
        ("a", ""),
        ("b", "x\n" * 20),
        (
            "a",
            '{"level": "fatal", "title": "t", "text": "x", "tags": ["y"], "url": "https://a.example", "n":1}',
        ),
        ("a", '{"level": "error", "text": "x"}'),
        ("a", '{"level": "warn", "text": "x"}'),
        ("a", '{"level": "info", "text": "x"}'),
        ("b", '{"level": "debug", "n": 1.0, "a": [true, "s"]}'),
        ("b", b"\x81\x01\xff"),
    ]
    for channel, data in messages:
        own_redis.client.publish(channel, data)
    expect(rows(page)).to_have_count(11)
    expect(page.locator(".row__more")).to_have_count(11)
    expect(rows(page).locator(".json-number")).not_to_have_count(0)
    expect_no_violation(page, "busy")
    for shown_as in ("tree", "line", "raw", "wrapped"):
        page.locator("#view").select_option(shown_as)
        expect(rows(page).locator(".tree")).to_have_count(7 if shown_as == "tree" else 0)
        expect_no_violation(page, shown_as)
    rows(page).last.locator(".row__more").click()
    page.locator("#menu [data-action=pin]").click()
    rows(page).last.locator(".row__more").click()
    expect(page.get_by_role("menu")).to_be_visible()
    expect_no_violation(page, "pinned, and the menu open")
    page.keyboard.press("Escape")

    say(page, "a", "received")
    expect(page.locator("#answer")).to_have_attribute("data-state", "received")
    expect(rows(page)).to_have_count(12)
    expect_no_violation(page, "published")
    say(page, "nobody", "unheard")
    expect(page.locator("#answer")).to_have_attribute("data-state", "none")
    expect_no_violation(page, "nobody was listening")
    say(page, "", "no channel")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    page.locator("#choose button").click()
    expect(page.locator("#choose-problem")).not_to_be_empty()
    expect_no_violation(page, "problems in both forms")

    page.locator("#pause").click()
    own_redis.client.publish("a", "held")
    expect(page.locator("#new")).to_be_visible()
    expect_no_violation(page, "paused")
    page.locator("#pause").click()
    page.locator(".filter__text").fill("x")
    page.locator(".filter__only input").check()
    expect(page.locator("#filter-count")).to_contain_text("3")
    expect_no_violation(page, "highlighted")
    page.locator(".filter__only input").uncheck()
    page.locator(".filter__text").fill("nowhere to be found")
    expect(rows(page)).to_have_count(0)
    expect_no_violation(page, "nothing matches")
    page.locator(".filter__text").fill("severity:eror")
    expect(page.locator(".filter__hint button")).to_be_visible()
    page.locator(".filter__text").fill("severity>=")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[role=option][aria-selected=true]")).to_be_visible()
    expect_no_violation(page, "suggestions")
    page.locator(".filter [aria-haspopup]").click()
    expect(page.locator(".help-card__example b").last).to_have_text(re.compile(r"\d"))
    page.locator(".help-card__level").last.click()
    expect_no_violation(page, "levels and examples")
    page.keyboard.press("Escape")
    page.locator(".filter__text").fill("/(/")
    expect(page.locator("#filter-note")).to_have_attribute("data-state", "problem")
    expect_no_violation(page, "a bad regex")
    page.locator(".filter__text").fill("")
    page.locator("#order").click()
    expect(rows(page)).to_have_count(13)
    expect_no_violation(page, "newest first")
    page.locator("#order").click()
    expect(rows(page)).to_have_count(13)
    page.locator("#help").click()
    expect_no_violation(page, "keys")
    page.keyboard.press("Escape")
    page.locator("[popovertarget=export]").click()
    expect_no_violation(page, "export")
    page.keyboard.press("Escape")
    page.locator("#clear").click()
    expect(notices(page)).to_have_count(1)
    expect_no_violation(page, "cleared")

    own_redis.stop()
    expect_state(page, "reconnecting")
    expect_no_violation(page, "reconnecting")
    own_redis.start()
    expect_live(page)
    expect(notices(page)).to_have_count(2)
    expect_no_violation(page, "a gap")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_axe_finds_no_barrier_in_the_dialogs(
    open_page: OpenPage, own_redis: RedisServer, start: Start, language: str
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_PROTECTED="prod")
    page = open_page(view("a", "b"), server=server, language=language, allow=("status of 409",))
    expect_live(page)
    page.locator(".chip__solo").first.click()
    page.locator(".chip__hide").last.click()
    page.locator("#publish-message").fill('{"a": 1')
    expect(page.locator("#publish-check")).not_to_be_empty()
    expect_no_violation(page, "one channel alone, one hidden, broken JSON")
    page.locator("#publish-message").fill('{"a": 1}')
    expect(page.locator("#publish-format")).to_be_visible()
    expect_no_violation(page, "valid JSON")

    page.locator("#browser-open").click()
    expect(page.locator("#browser tbody tr")).to_have_count(2)
    expect_no_violation(page, "channel browser")
    page.locator("#browser [type=button]").click()
    expect(page.locator(".keyspace .command__text")).not_to_be_empty()
    expect_no_violation(page, "keyspace events")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    say(page, "a", "sent")
    expect(page.locator("#answer")).to_have_attribute("data-state", "received")
    page.locator("#drafts-open").click()
    page.locator("[name=template]").fill("a template")
    page.keyboard.press("Enter")
    expect(page.locator(".draft")).to_have_count(2)
    expect_no_violation(page, "templates and last sends")
    page.keyboard.press("Escape")

    page.locator("#settings-open").click()
    expect(page.locator(".levels li")).to_have_count(3)
    expect_no_violation(page, "settings")
    page.keyboard.press("Escape")

    say(page, "prod", "careful")
    expect(page.locator("#confirm")).to_be_visible()
    expect_no_violation(page, "confirmation")
    page.keyboard.press("Escape")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")


def say(page: Page, channel: str, message: str) -> None:
    """Publish with the form, in any language."""
    page.locator("#publish-channel").fill(channel)
    page.locator("#publish-message").fill(message)
    page.locator("#publish-button").click()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_or_scrolls_away_on_any_screen(
    open_page: OpenPage, valkey: RedisServer, language: str
) -> None:
    page = open_page(view("sistema_alertas", LONG, patterns=("p.*",)), language=language)
    expect_live(page)
    for number in range(30):
        valkey.client.publish(LONG, f"{number} " + "semespaço" * 40)
    expect(rows(page)).to_have_count(30)
    for channel, message in ((LONG[:200], "semespaço" * 40), ("nobody", "unheard")):
        say(page, channel, message)
        expect(page.locator("#publish-message")).to_have_value("")
    expect(page.locator("#answer")).to_have_attribute("data-state", "none")
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        assert overflowing(page) == [], (width, height)
        expect(rows(page).last).to_be_in_viewport()
        for part, needed in NEEDED.items():
            show_part(page, part)
            for one in needed:
                expect(page.locator(one)).to_be_in_viewport(ratio=1)
            assert overflowing(page) == [], (width, height, part)
        for dialog in ("settings", "browser", "drafts"):
            page.locator(f"#{dialog}-open").click()
            expect(page.locator(f"#{dialog}")).to_be_in_viewport(ratio=0.99)
            if dialog == "browser":
                expect(page.locator("#browser tbody tr")).to_have_count(2)
            assert overflowing(page) == [], (width, height, dialog)
            page.keyboard.press("Escape")


def test_the_language_is_switched_and_remembered(open_page: OpenPage) -> None:
    page = open_page(view("a", patterns=("p.*",)), language="en", color_scheme="light")
    expect_live(page)
    subscribe(page, "b")
    page.get_by_role("link", name="Português").click()
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
    expect(page.get_by_role("link", name="Português")).to_have_attribute("aria-current", "true")
    expect_confirmed(page, "a", "b", "p.*")
    assert "lang" not in page.evaluate("location.search")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_portuguese_reader_gets_portuguese(open_page: OpenPage) -> None:
    page = open_page(language="pt-BR")
    expect(page.get_by_role("button", name="Publicar", exact=True)).to_be_visible()
    expect(status(page)).to_have_text("Ao vivo")


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page(view("a"))
    expect_live(page)
    tab_to(page, "choose-name")
    page.keyboard.type("b")
    page.keyboard.press("Enter")
    expect_confirmed(page, "b")
    tab_to(page, "publish-channel")
    page.keyboard.press("Control+A")
    page.keyboard.type("b")
    tab_to(page, "publish-message")
    page.keyboard.type("no mouse")
    tab_to(page, "publish-button")
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text("1 subscriber received it")
    expect_texts(page, ["no mouse"])
    expect(message_field(page)).to_be_focused()
    page.locator("body").evaluate("document.activeElement.blur()")
    tab_to(page, "log")


def tab_to(page: Page, element_id: str) -> None:
    """Press Tab until the element has the focus, which must be visible at each step."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused, outline = page.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert outline != "none" or page.evaluate("document.activeElement === document.body"), focused
        if focused == element_id:
            return
    raise AssertionError(f"Tab does not lead to {element_id}")


def test_all_comes_from_one_host(open_page: OpenPage, plain_arauto: ArautoServer) -> None:
    page = open_page(view("a"))
    expect_live(page)
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert {"appearance.js", "boot.js", "main.js", "page.css"} <= {name.rpartition("/")[2] for name in loaded}
    assert {urlsplit(url).netloc for url in loaded} == {plain_arauto.host}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_page_loads_is_small(plain_arauto: ArautoServer, language: str) -> None:
    """The bytes loaded at first, uncompressed; and of all files that may ever be loaded, compressed."""
    page = get(plain_arauto, "/", Accept_Language=language).body
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.decode()))
    at_once = loaded(plain_arauto, named, r'(?:from|import)"(\.{1,2}/[\w/]+\.js)"')
    assert {"main.js", "boot.js", "page.css"} <= names(at_once)
    assert not {"json_tree.js", "export_file.js"} & names(at_once)
    assert len(page) + sum(plain for plain, _ in at_once.values()) < 169_000

    icons = {f"/{path.relative_to(ROOT)}" for path in (ROOT / "static").glob("*.*")}
    main = next(path for path in named if path.endswith("/main.js"))
    later = {urljoin(main, name) for name in (f"words.{language}.json", "later.css")}
    ever = loaded(plain_arauto, named | icons | later, r'"(\.{1,2}/[\w/]+\.js)"')
    assert {
        "main.js",
        "json_tree.js",
        "binary_view.js",
        "regex_worker.js",
        "export_file.js",
        "page.css",
    } <= names(ever)
    packed = get(plain_arauto, "/", Accept_Language=language, Accept_Encoding="gzip").body
    assert gzip.decompress(packed) == page
    assert len(packed) + sum(sent for _, sent in ever.values()) < 111_000


def loaded(server: ArautoServer, paths: set[str], imports: str) -> dict[str, tuple[int, int]]:
    """The files, and those that their scripts import by ``imports``: bytes uncompressed, and as sent."""
    sizes: dict[str, tuple[int, int]] = {}
    paths = set(paths)
    while paths:
        path = paths.pop()
        answer = get(server, path, Accept_Encoding="gzip")
        assert answer.status == 200, path
        is_packed = answer.body.startswith(b"\x1f\x8b")
        body = gzip.decompress(answer.body) if is_packed else answer.body
        sizes[path] = len(body), len(answer.body)
        if path.endswith(".js"):
            paths |= {urljoin(path, other) for other in re.findall(imports, body.decode())} - sizes.keys()
    return sizes


def names(paths: Iterable[str]) -> set[str]:
    return {path.rpartition("/")[2] for path in paths}


def test_without_javascript_the_form_publishes_and_a_page_answers(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(java_script_enabled=False)
    expect(page.locator("noscript .welcome__warning")).to_be_visible()
    expect(status(page)).to_be_hidden()
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("noticias")
        assert pubsub.get_message(timeout=PATIENCE) is None  # the confirmation
        publish(page, "noticias", "Olá sem script 🎺")
        message = pubsub.get_message(timeout=PATIENCE)
        assert message is not None
        assert message["data"] == "Olá sem script 🎺".encode()
    expect(page.get_by_role("heading", name="Published")).to_be_visible()
    expect(page.get_by_text("1 subscriber received it.")).to_be_visible()
    page.get_by_role("link", name="Back to the feed").click()
    publish(page, "noticias", "to nobody")
    expect(page.get_by_text("Nobody was listening: this message is gone.")).to_be_visible()


ORDER = {
    "pedido": 184467440737095516,
    "cliente": "João Conceição",
    "itens": ["2 × café", "1 × pão de queijo"],
    "total": 27.5,
}
MORNING = [
    ("sistema_alertas", "Servidor CPU em 99% - Perigo!"),
    ("noticias", "Olá, assinantes!"),
    ("sistema_alertas", "Disco /var em 91% no servidor db-2"),
    ("pedidos.sul", json.dumps(ORDER, ensure_ascii=False, indent=2)),
    ("noticias", "São Paulo amanhece com chuva e 17 °C"),
    ("pedidos.norte", '{"pedido": 184467440737095517, "total": 12.0}'),
]
EVENING = [
    ("sistema_alertas", "CPU de volta ao normal: 34%"),
    ("noticias", "Primeira linha da notícia,\ne a segunda: quem não ouviu, perdeu."),
    ("pedidos.sul", "cancelado: 184467440737095516"),
    ("noticias", "Olá, привет, γειά σου, cześć: UTF-8 de ponta a ponta"),
]


@pytest.mark.parametrize(("language", "suffix"), [("en", ""), ("pt-BR", ".pt-BR")])
def test_screenshots_of_a_morning(
    open_page: OpenPage, own_redis: RedisServer, start: Start, tmp_path: Path, language: str, suffix: str
) -> None:
    page = open_page(
        view("sistema_alertas", "noticias", patterns=("pedidos.*",)),
        server=start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1"),
        language=language,
    )
    expect_live(page)
    for channel, message in MORNING:
        own_redis.client.publish(channel, message)
    expect(rows(page)).to_have_count(len(MORNING))
    own_redis.client.execute_command("CLIENT KILL TYPE pubsub")
    expect(notices(page)).to_have_count(1)
    expect_live(page)
    for channel, message in EVENING:
        own_redis.client.publish(channel, message)
    say(page, "sistema_alertas", "Servidor CPU em 99% - Perigo!")
    expect(page.locator("#answer")).to_have_attribute("data-state", "received")
    expect(rows(page)).to_have_count(len(MORNING) + len(EVENING) + 1)
    expect(chip(page, "pedidos.*")).to_be_visible()
    take(page, f"screenshot{suffix}", tmp_path)
    page.emulate_media(color_scheme="dark")
    take(page, f"screenshot-dark{suffix}", tmp_path)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    take(page, f"screenshot-phone{suffix}", tmp_path)
