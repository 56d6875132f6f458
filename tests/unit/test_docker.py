"""The Dockerfile, as far as it can be checked without Docker."""

import subprocess
import sysconfig
from pathlib import Path

import yaml

from tests.support.kafka_servers import version
from tests.support.servers import ROOT


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    run = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_the_image_gets_all_that_the_program_loads() -> None:
    """The whole tree is copied, except files for tests, benchmarks and people."""
    copied = (ROOT / "Dockerfile").read_text()
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in ("app.py", "gunicorn.conf.py", "requirements.txt", "arauto", "static", "templates"):
        assert name in copied
        assert f"!{name}" in allowed


def test_compose_starts_the_kafka_that_the_tests_know_and_an_image_that_can_ask_it() -> None:
    alone, beside = (yaml.safe_load((ROOT / f"compose{name}.yaml").read_text()) for name in ("", ".kafka"))
    assert beside["services"].keys() - alone["services"].keys() == {"kafka"}
    assert beside["services"]["kafka"]["image"] == f"apache/kafka:{version()}"
    (argument,) = beside["services"]["arauto"]["build"]["args"]
    assert f"ARG {argument}=" in (ROOT / "Dockerfile").read_text().splitlines()
    _, _, address = beside["services"]["arauto"]["environment"]["KAFKA_URL"].partition("//")
    assert f"//{address}" in beside["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
