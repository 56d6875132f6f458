"""Starts that are expected to fail, and the sentence they print."""

import os
import subprocess

from tests.support.servers import ROOT
from tests.support.waiting import PATIENCE


def run(command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ARAUTO_", "REDIS_URL", "KAFKA_URL"))}
    return subprocess.run(
        command, cwd=ROOT, env=clean | {"PYTHONDONTWRITEBYTECODE": "1"} | environ,
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def sentence_of(run_: subprocess.CompletedProcess[str]) -> str:
    """The only line of a failed start, besides gunicorn's greeting."""
    assert run_.returncode == 1, run_
    assert "Traceback" not in run_.stderr
    lines = [line for line in run_.stderr.splitlines() if "Starting gunicorn" not in line]
    assert len(lines) == 1, lines
    return lines[0]
