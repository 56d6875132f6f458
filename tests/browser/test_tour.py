"""The README's tour, done as in its pictures."""

import gzip
import json
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_channel_browser import listening
from tests.browser.test_languages import say
from tests.browser.test_watching import publish_many
from tests.support.pages import STATUS_503, expect_live, expect_state, log, notices, row, rows, view
from tests.support.pictures import take
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

Words = dict[str, str]
NAMES = ("sistema_alertas", "noticias")
CARD = {
    "severity": "critical",
    "title": "Disk full",
    "message": "/var at 97 %",
    "tags": ["db-2"],
    "link": "https://example.org/db-2",
}
ORDER = (
    '{"pedido": 184467440737095516, "total": 1.0, "cliente": {"nome": "João Conceição", "cidade": "Recife"},'
    ' "itens": ["2 × café", "1 × pão de queijo"]}'
)


WORDS: dict[str, Words] = {  # the page's words, and the suffix of the pictures' names
    "en": {
        "suffix": "",
        "channels": "Browse channels",
        "watch": "Watch estoque",
        "tree": "Tree",
        "gzip": "decoded from gzip",
        "new": "128 new",
        "resume": "Resume",
        "gap": "No connection to Redis from",
        "receivers": "4 subscribers received it: 2 tabs, 2 others",
    },
    "pt-BR": {
        "suffix": ".pt-BR",
        "channels": "Explorar canais",
        "watch": "Acompanhar estoque",
        "tree": "Árvore",
        "gzip": "decodificado de gzip",
        "new": "128 novas",
        "resume": "Continuar",
        "gap": "Sem conexão com o Redis de",
        "receivers": "4 assinantes receberam: 2 abas, 2 outros",
    },
}


@pytest.fixture(params=WORDS)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def words(language: str) -> Words:
    return WORDS[language]


@pytest.fixture
def server(start: Start, own_redis: RedisServer) -> ArautoServer:
    return start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")


@pytest.fixture
def page(open_page: OpenPage, server: ArautoServer, language: str) -> Page:
    path = view(*NAMES, patterns=("pedidos.*",))
    page = open_page(path, server=server, language=language, allow=STATUS_503)  # a request may be under way
    expect_live(page)
    return page


def orders(n: int) -> list[str]:
    ranks = ["info", "warning", "error", "debug"]
    return [
        json.dumps(
            {
                "severity": ranks[k % 4],
                "title": f"Order {4100 + k}",
                "message": f"disk {k % 3} at {90 + k % 9} %",
            }
        )
        for k in range(n)
    ]


def test_choose(page: Page, own_redis: RedisServer, words: Words, tmp_path: Path) -> None:
    with (
        listening(own_redis, b"noticias", b"estoque"),
        listening(own_redis, b"noticias", b"pagamentos", b"pedidos.sul"),
        listening(own_redis, b"pagamentos"),
    ):
        page.get_by_role("button", name=words["channels"]).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name=words["watch"]).click()
        numbers = count(1)

        def has_rate() -> bool:
            number = next(numbers)
            own_redis.client.publish("noticias", f"notícia {number}")
            own_redis.client.publish("estoque", f"item {number}")
            return "/s" in dialog.get_by_role("row").filter(has_text="noticias").inner_text()

        eventually(has_rate)
        expect(dialog.get_by_role("rowheader")).to_have_count(5)
        take(page, f"tour-1-channels{words['suffix']}", tmp_path)


def test_read(page: Page, own_redis: RedisServer, words: Words, tmp_path: Path) -> None:
    own_redis.client.publish("noticias", "São Paulo amanhece com chuva e 17 °C")
    own_redis.client.publish("pedidos.sul", ORDER)
    tree = rows(page).last.get_by_role("button", name=words["tree"], exact=True)
    tree.click()
    rows(page).last.get_by_role("button", name='"cliente"').click()
    own_redis.client.publish("sistema_alertas", json.dumps(CARD))
    own_redis.client.publish(
        "sistema_alertas", '{"level": "warning", "title": "CPU at 91 %", "text": "web-03 is hot"}'
    )
    own_redis.client.publish("pedidos.norte", bytes(range(240, 256)) + b" not text")
    own_redis.client.publish("noticias", gzip.compress(b'{"packed": "with gzip"}', mtime=0))
    expect(rows(page)).to_have_count(6)
    expect(rows(page).last).to_contain_text(words["gzip"])
    expect(row(page, "184467440737095516")).to_be_visible()
    take(page, f"tour-2-reading{words['suffix']}", tmp_path)


def test_find(page: Page, own_redis: RedisServer, words: Words, tmp_path: Path) -> None:
    publish_many(own_redis, "sistema_alertas", orders(40))
    page.get_by_role("search").get_by_role("combobox").fill('severity>=warning "disk 1" -/order 410/i')
    expect(rows(page)).to_have_count(6)
    take(page, f"tour-3-filter{words['suffix']}", tmp_path)


def test_hold(page: Page, own_redis: RedisServer, words: Words, tmp_path: Path) -> None:
    publish_many(own_redis, "sistema_alertas", orders(20))
    expect(rows(page)).to_have_count(20)
    log(page).press("Space")
    publish_many(own_redis, "noticias", [f"notícia {number}" for number in range(128)])
    expect(page.locator("#new")).to_have_text(words["new"])
    expect(page.get_by_role("button", name=words["resume"], exact=True)).to_be_visible()
    take(page, f"tour-4-pause{words['suffix']}", tmp_path)


def test_trust(page: Page, own_redis: RedisServer, words: Words, tmp_path: Path) -> None:
    own_redis.client.publish("noticias", "Olá, assinantes!")
    publish_many(own_redis, "pedidos.sul", ["pedido 4101", "pedido 4102"])
    expect(rows(page)).to_have_count(3)
    own_redis.stop()
    expect_state(page, "reconnecting")
    own_redis.start()
    expect(notices(page)).to_contain_text(words["gap"])
    expect_live(page)
    publish_many(own_redis, "pedidos.sul", ["pedido 4107", "pedido 4108"])
    expect(rows(page)).to_have_count(5)
    take(page, f"tour-5-gap{words['suffix']}", tmp_path)


def test_publish(
    page: Page,
    open_page: OpenPage,
    server: ArautoServer,
    own_redis: RedisServer,
    words: Words,
    tmp_path: Path,
) -> None:
    expect_live(open_page(view("sistema_alertas"), server=server))
    publish_many(own_redis, "pedidos.sul", [f"pedido {number}" for number in range(4101, 4107)])
    with listening(own_redis, b"sistema_alertas"), listening(own_redis, b"sistema_alertas"):
        eventually(lambda: own_redis.subscribers() == 4)
        say(page, "sistema_alertas", "Servidor CPU em 99% - Perigo!")
        expect(page.locator("#answer")).to_contain_text(words["receivers"])
        expect(rows(page)).to_have_count(7)
        take(page, f"tour-6-publish{words['suffix']}", tmp_path)
