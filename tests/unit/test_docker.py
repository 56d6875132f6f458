"""The Dockerfile, as far as it can be checked without a Docker engine."""

import subprocess
import sysconfig
from pathlib import Path

from tests.support.servers import ROOT


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    run = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_the_image_gets_all_that_the_program_loads() -> None:
    """What is copied is all of the tree but what serves tests, benchmarks and people."""
    copied = (ROOT / "Dockerfile").read_text()
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in ("app.py", "gunicorn.conf.py", "requirements.txt", "arauto", "static", "templates"):
        assert name in copied
        assert f"!{name}" in allowed
