"""The minifier's output is cached until a file changes."""

import sys
from pathlib import Path

import pytest

from arauto.assets import minifier, minifier_cache
from arauto.assets.minifier import minify_in_subprocess, pack, sources


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    made = minify_in_subprocess()
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.name == "assets.json"
    monkeypatch.setattr(sys, "executable", "false")  # minifying would fail
    assert minify_in_subprocess() == made != pack(sources())
    monkeypatch.setattr(minifier_cache, "HOME", tmp_path)  # other scripts and styles
    assert minify_in_subprocess() == pack(sources())


def test_elsewhere_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    with minifier.Minifier() as made:
        assert made.result()
    assert list(tmp_path.iterdir()) == []
