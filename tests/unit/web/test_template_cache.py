"""Pages are rendered also if compiled templates cannot be cached."""

from pathlib import Path

import pytest
from flask import Flask, render_template
from jinja2 import DictLoader

from arauto.web import template_cache


@pytest.mark.parametrize("is_there", [True, False])
def test_a_page_comes_where_nothing_can_be_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_there: bool
) -> None:
    place = tmp_path / "compiled"
    if is_there:
        place.mkdir()
    monkeypatch.setattr(template_cache, "compiled", lambda: place)
    app = Flask(__name__)
    app.jinja_loader = DictLoader({"answer": "{{ 6 * 7 }}"})
    template_cache.init_template_cache(app)
    with app.app_context():
        assert render_template("answer") == "42"
    assert len(list(tmp_path.rglob("*.cache"))) == is_there
