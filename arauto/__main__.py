"""``python -m arauto`` is the command ``arauto``."""

from arauto.cli import main

main()
