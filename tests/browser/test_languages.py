"""The page in every language: it fits a phone, and has the language's plurals and dates."""

import re
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date
from playwright.sync_api import Page, expect

from arauto.web.locale import LANGUAGES
from tests.browser.conftest import OpenPage
from tests.support.logs import is_recording, owner
from tests.support.pages import TIME_ZONE, cut_off, expect_live, open_more, overflowing, rows, show_part, view
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually

SAID = {
    "en": ("1 subscriber received it: 1 tab, 0 others", "2 subscribers received it: 2 tabs, 0 others"),
    "es": (
        "1 suscriptor lo recibió: 1 pestaña, 0 otros",
        "2 suscriptores lo recibieron: 2 pestañas, 0 otros",
    ),
    "pt-BR": ("1 assinante recebeu: 1 aba, 0 outro", "2 assinantes receberam: 2 abas, 0 outro"),
}


def say(page: Page, channel: str, message: str) -> None:
    page.locator("#publish-channel").fill(channel)
    page.locator("#publish-message").fill(message)
    page.locator("#publish-button").click()


def test_every_word_fits_a_phone(open_page: OpenPage, own_redis: RedisServer, start: Start) -> None:
    allowed = {"ARAUTO_PROTECTED": "prod", "ARAUTO_RECORD": "kept", "ARAUTO_DELETE_LOGS": "on"}
    with closing(start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", **allowed)) as server:
        eventually(lambda: is_recording(own_redis), why="there is a recorder")
        for language in LANGUAGES:
            page = open_page(
                view("kept", patterns=("p.*",)),
                server=server,
                language=language,
                allow=["status of 409"],
                width=360,
                height=780,
            )
            eventually(lambda: owner(own_redis, "kept"), why="the first page has begun the log")
            expect_fits(page, language)
            page.close()


def expect_fits(page: Page, language: str) -> None:
    def look(state: str) -> None:
        expect(page.locator(state)).to_be_visible()
        assert overflowing(page) + cut_off(page) == [], (language, state)

    expect_live(page)
    show_part(page, "publish")
    shown = rows(page).count()
    say(page, "kept", '{"a": 1}')
    expect(rows(page)).to_have_count(shown + 1)
    look("#answer")
    page.locator("#publish-message").fill('{"a": 1}')
    look("#publish-format")
    page.locator(".filter__text").fill("a")
    page.locator("#pause").click()
    look("[form=replay][name=search]")
    page.locator("#pause").click()
    open_more(page)
    page.locator("[form=replay][name=open]").click()
    page.locator("[name=since]").fill("first")
    page.keyboard.press("Enter")
    look("[name=live]")
    page.locator("[name=lanes]").click()
    look("#lanes")
    page.locator("#lanes .dialog__close").click()
    page.locator("[name=live]").click()
    for dialog in ("browser", "drafts", "settings"):
        page.locator(f"#{dialog}-open").click()
        look(f"#{dialog} {'tbody tr' if dialog == 'browser' else 'h2'}")
        if dialog == "browser":
            page.locator("#browser [type=button]").click()
            look(".keyspace__classes")
            page.keyboard.press("Escape")
        page.keyboard.press("Escape")
    open_more(page)
    page.locator("#help").click()
    look("#keys")
    page.keyboard.press("Escape")
    rows(page).last.locator(".row__more").click()
    look("#menu")
    page.keyboard.press("Escape")
    show_part(page, "channels")
    look("#choose")
    page.locator(".chip__more").first.click()
    look("#recording")
    page.locator("#recording button").last.click()
    look("#forget")
    page.keyboard.press("Escape")
    show_part(page, "publish")
    say(page, "prod", "x")
    look("#confirm")
    page.keyboard.press("Escape")


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_and_dates_are_of_the_language(open_page: OpenPage, language: str) -> None:
    one, two = SAID[language]
    page = open_page(view("counted"), language=language)
    expect_live(page)
    say(page, "counted", "1")
    expect(page.locator("#answer")).to_have_text(one)
    expect_live(open_page(view("counted"), language=language))
    say(page, "counted", "2")
    expect(page.locator("#answer")).to_contain_text(two)
    time = rows(page).first.locator("time")
    published_at = datetime.fromisoformat(str(time.get_attribute("datetime"))).astimezone(ZoneInfo(TIME_ZONE))
    expect(time).to_have_attribute(
        "title", re.compile(re.escape(format_date(published_at, "full", language.replace("-", "_"))))
    )
