"""Every sentence of the program is translated into every language, with the same placeholders."""

import gettext
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from arauto.web.locale import LANGUAGES
from tests.support import translations

FILES = sorted(translations.LANGUAGES.glob("*/LC_MESSAGES/messages.po"))
REPEATED = re.compile(r"(.{20,}).*\1", re.DOTALL)
END = re.compile(r"[\s.:?!…]*$")
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def catalog(path: Path, locale: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    assert text is not None
    return (text,) if isinstance(text, str) else tuple(text)


def messages(of: Catalog) -> dict[str, Message]:
    return {forms(message.id)[0]: message for message in of if message.id}


def test_each_language_but_english_has_its_file() -> None:
    codes = {path.parents[1].name.replace("_", "-") for path in FILES}
    assert codes | {"en"} == set(LANGUAGES)


def test_each_language_is_offered_in_itself() -> None:
    assert LANGUAGES == {"en": "English", "es": "Español", "pt-BR": "Português"}


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parents[1].name)
def test_all_sentences_are_translated(po: Path, tmp_path: Path) -> None:
    translations.collect(tmp_path / "messages.pot")
    wanted, given = messages(catalog(tmp_path / "messages.pot")), messages(catalog(po, po.parents[1].name))
    assert given.keys() == wanted.keys(), "run make translations, then translate"
    for sentence, message in given.items():
        assert not message.fuzzy, sentence
        assert len(forms(message.string)) == len(forms(message.id)), "the page chooses between two forms"
        for form in forms(message.string):
            assert form, sentence
            assert set(PLACEHOLDER.findall(form)) == set(PLACEHOLDER.findall(sentence)), sentence


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parents[1].name)
def test_a_sentence_is_translated_once_and_to_its_end(po: Path) -> None:
    for message in messages(catalog(po, po.parents[1].name)).values():
        for sentence, form in zip(forms(message.id), forms(message.string), strict=True):
            assert bool(REPEATED.search(form)) == bool(REPEATED.search(sentence)), form
            assert END.findall(form)[0] == END.findall(sentence)[0], form


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parents[1].name)
def test_the_same_words_are_compiled_to_the_same_file(po: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    today = translations.compiled(po)

    def read_later(*args: Any, **options: Any) -> Catalog:
        later = read_po(*args, **options)
        assert isinstance(later.creation_date, datetime)
        later.creation_date += timedelta(days=1)
        return later

    monkeypatch.setattr(translations, "read_po", read_later)
    assert translations.compiled(po) == today


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parents[1].name)
def test_the_compiled_file_says_the_same(po: Path) -> None:
    with po.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    locale = Locale.parse(po.parents[1].name)
    for sentence, message in messages(catalog(po, po.parents[1].name)).items():
        expected = forms(message.string)
        if isinstance(message.id, tuple):
            one, many = message.id
            for n in (0, 1, 2, 1000):
                assert compiled.ngettext(one, many, n) == expected[locale.plural_form(n) != "one"]
        else:
            assert compiled.gettext(sentence) == expected[0], "run make translations"
