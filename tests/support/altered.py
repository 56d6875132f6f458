"""The program with something in it changed, for gunicorn: ``ALTER='import arauto.settings as s; …'``.

Faults are put in this way, waits are made short, and a defence is taken out to see what it is for.
"""

import os

from app import create_app
from arauto.server.hooks import master

exec(os.environ["ALTER"])
app = create_app(shared=master.shared)
