"""``python -m arauto`` is the command ``arauto``."""

from arauto.cli.main import main

main()
