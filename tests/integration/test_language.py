"""The language by Accept-Language, and the language switch, which is remembered."""

from typing import Any

import pytest

from arauto.web.locale import LANGUAGES
from tests.support.http import get, publish, request
from tests.support.servers import ArautoServer


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("en-GB,en;q=0.9", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("es", "es"),
        ("es-MX,en;q=0.8", "es"),
        ("es-419,pt;q=0.8", "es"),
        ("pt-PT,en;q=0.8", "pt-BR"),
        ("de,fr;q=0.5", "en"),
        ("es;q=0,PT-br;q=0.1", "pt-BR"),
        ("en;q=0.2,es-AR;q=0.7,*;q=0.1", "es"),
        ("nonsense;;q=x", "en"),
    ],
)
def test_the_browser_says_the_language(
    plain_arauto: ArautoServer, accepted: str | None, language: str
) -> None:
    headers = {"Accept_Language": accepted} if accepted else {}
    assert f"<html lang={language}>" in get(plain_arauto, "/", **headers).body.decode()


def test_the_switch_is_remembered_and_keeps_the_view(plain_arauto: ArautoServer) -> None:
    answer = get(plain_arauto, "/?lang=pt-BR&channel=a%20b&pattern=c*")
    assert (answer.status, answer.headers["location"]) == (302, "/?channel=a+b&pattern=c%2A")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = get(plain_arauto, "/", Cookie=cookie.split(";")[0], Accept_Language="en").body.decode()
    assert "<html lang=pt-BR>" in page


@pytest.mark.parametrize("again", [1, 2])
def test_a_page_that_is_kept_is_that_of_its_view_and_language(plain_arauto: ArautoServer, again: int) -> None:
    for view in ("channel=a", "channel=b", ""):
        for language in LANGUAGES:
            page = get(plain_arauto, f"/?{view}", Accept_Language=language).body.decode()
            assert f"<html lang={language}>" in page
            assert f'href="?{"&amp;".join(["lang=en", view] if view else ["lang=en"])}"' in page


def test_an_unknown_language_changes_nothing(plain_arauto: ArautoServer) -> None:
    answer = get(plain_arauto, "/?lang=xx")
    assert answer.status == 302
    assert "set-cookie" not in answer.headers
    assert get(plain_arauto, "/", Cookie=f"arauto_language_{plain_arauto.port}=../../etc").status == 200


@pytest.mark.parametrize(
    ("language", "required", "nothing", "nobody"),
    [
        (
            "pt-BR",
            "O canal é obrigatório.",
            "Não há nada neste endereço: vá para a página inicial.",
            "Ninguém estava ouvindo: esta mensagem se perdeu.",
        ),
        (
            "es",
            "El canal es obligatorio.",
            "No hay nada en esta dirección: vaya a la página de inicio.",
            "Nadie estaba escuchando: este mensaje se perdió.",
        ),
    ],
)
def test_errors_and_answers_are_translated(
    plain_arauto: ArautoServer, language: str, required: str, nothing: str, nobody: str
) -> None:
    header: dict[str, Any] = {"Accept_Language": language}
    assert publish(plain_arauto, "", "x", **header).error == required
    assert request(plain_arauto, "GET", "/nada", **header).error == nothing
    page = publish(plain_arauto, "sala vazia", "x", Accept="text/html", **header).body.decode()
    assert nobody in page
