"""Makes the page's scripts and styles small: no comments, no indentation, no long names.

``python -m arauto.minifier`` prints them as JSON. It runs apart, because the library has
threads of its own, and gunicorn's master, which asks for it, will fork.
"""

import json
import subprocess
import sys
from pathlib import Path

TYPES = {".js": "text/javascript", ".css": "text/css"}
STATIC = Path(__file__).parent.parent / "static"


def minify_apart() -> dict[str, str]:
    """Every script and style, small, by its path in ``static``; none where there is no library."""
    program = [sys.executable, "-B", "-m", "arauto.minifier"]
    run = subprocess.run(program, cwd=STATIC.parent, stdout=subprocess.PIPE, check=True)  # noqa: S603 - it is ourselves
    small: dict[str, str] = json.loads(run.stdout)
    return small


def main() -> None:
    """Print what :func:`minify_apart` returns."""
    print(json.dumps(_minify()))


def _minify() -> dict[str, str]:
    try:
        import minify
    except ImportError:  # there is no wheel of it for macOS on ARM
        return {}
    return {
        path.relative_to(STATIC).as_posix(): minify.string(TYPES[path.suffix], path.read_text("utf-8"))
        for path in STATIC.rglob("*")
        if path.suffix in TYPES
    }


if __name__ == "__main__":
    main()
