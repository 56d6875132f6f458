"""Paths of templates, static files and configuration, in a checkout and when installed."""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

IS_INSTALLED = (_PACKAGE / "app.py").exists()

HOME = _PACKAGE if IS_INSTALLED else _PACKAGE.parent
"""The directory of ``app.py``, ``gunicorn.conf.py``, ``static`` and ``templates``."""

APPLICATION = "arauto.app" if IS_INSTALLED else "app"
"""The module that has ``create_app`` and ``app``."""


def compiled() -> Path | None:
    """The directory of this tree's bytecode, if it is outside the tree (``PYTHONPYCACHEPREFIX``)."""
    if not sys.pycache_prefix or sys.dont_write_bytecode:
        return None
    return Path(sys.pycache_prefix, *HOME.parts[1:])
