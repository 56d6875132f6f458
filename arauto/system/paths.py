"""Paths of templates, static files and configuration, in a checkout and when installed."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

IS_INSTALLED = (_PACKAGE / "app.py").exists()

HOME = _PACKAGE if IS_INSTALLED else _PACKAGE.parent
"""The directory of ``app.py``, ``gunicorn.conf.py``, ``static`` and ``templates``."""

APPLICATION = "arauto.app" if IS_INSTALLED else "app"
"""The module that has ``create_app`` and ``app``."""
