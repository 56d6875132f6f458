"""A copy of the source tree in another place."""

import shutil
import subprocess
from pathlib import Path

from tests.support.servers import ROOT


def copy_tree(to: Path) -> list[str]:
    """Copy all files that git tracks or would add; return their names."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in (names := output.splitlines()):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    return names


def move_valkey(tree: Path, port: int) -> None:
    """Make the program of this tree use another port than 6379 to find a Redis or start its own."""
    file = tree / "arauto" / "redis_io" / "discovery.py"
    text = file.read_text()
    moved = text.replace('ADDRESS = ("127.0.0.1", 6379)', f'ADDRESS = ("127.0.0.1", {port})')
    assert moved != text
    file.write_text(moved)
