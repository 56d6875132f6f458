"""The program after the Python code in ``ALTER`` has run: ``ALTER='import arauto.settings as s; …'``.

Tests use it to inject a fault, shorten a wait, or switch a defence off for a control.
"""

import os

from app import create_app
from arauto.server.hooks import master

exec(os.environ["ALTER"])
app = create_app(shared=master.shared)
