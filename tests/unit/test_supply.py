"""Installed packages are the chosen ones, by their hashes; and no secret is in the tree."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.servers import ROOT

LOCKS = {
    "requirements.txt": "requirements.lock",
    "requirements-kafka.txt": "requirements-kafka.lock",
    "requirements-dev.txt": "requirements-dev.lock",
}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a token of ours": r"\barauto_[A-Za-z0-9_-]{43}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}",
    "a token of PyPI": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "a key of AWS": r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b",
    "a key of Google": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "a token of Slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a key of Stripe": r"\b[rs]k_live_[A-Za-z0-9]{20,}",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    # Except the Redis that a test starts on this machine.
    "a password in an address": r"://[^\s/:@'\"{}]+:(?!password@)[^\s/:@'\"{}$]{4,}@(?!127\.0\.0\.1:)[\w.]",
    "a secret that is set": r"^(?:export )?[A-Z_]*(?:SECRET|TOKEN|PASSWORD)=[A-Za-z0-9+/_-]{16,}\s*$",
}
EXAMPLES = {  # in pieces, or this file would be found
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a token of ours": "arauto_" + "aB3_-" * 8 + "xyz",
    "a token of GitHub": "ghp_" + "a1B2" * 9,
    "a token of PyPI": "pypi-" + "Ag" * 30,
    "a key of AWS": "AKIA" + "ABCD" * 4,
    "a key of Google": "AIza" + "abcde" * 7,
    "a token of Slack": "xoxb-" + "1234567890",
    "a key of Stripe": "sk_live_" + "a" * 24,
    "a JSON Web Token": "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0" + ".x",
    "a password in an address": "redis://ana:" + "s3cret" + "@10.0.0.5",
    "a secret that is set": "ARAUTO_TOKEN=" + "0123456789abcdef",
}


def pinned(name: str) -> dict[str, str]:
    """The text of each requirement in a file, by the name of the package."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "-r "))]
    requirements = {line: Requirement(re.split(r"\s+(?:--hash|#)", line)[0]) for line in lines}
    assert all(str(made.specifier).startswith("==") for made in requirements.values()), name
    return {f"{canonicalize_name(made.name)}{made.specifier}": line for line, made in requirements.items()}


@pytest.mark.parametrize(("chosen", "lock"), LOCKS.items())
def test_every_requirement_is_locked_with_its_hashes(chosen: str, lock: str) -> None:
    wanted, locked = pinned(chosen), pinned(lock)
    assert wanted
    assert wanted.keys() - locked.keys() == set(), "make lock brings it up to date"
    assert [name for name, line in locked.items() if not HASH.search(line)] == []


def test_what_npm_brings_is_locked_with_its_hashes() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["devDependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [
        path for path, package in packages.items() if not package["integrity"].startswith("sha512-")
    ] == []


def test_the_locks_agree() -> None:
    names = [name.partition("==") for lock in LOCKS.values() for name in pinned(lock)]
    assert len({name for name, _, _ in names}) == len({(name, version) for name, _, version in names})


def test_nothing_is_installed_without_its_hash() -> None:
    for name in ("Makefile", "Dockerfile"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if "pip install" in line]
        of_ours = [
            line for line in lines if "/tools/" not in line
        ]  # the tools that make the locks have their own
        assert of_ours
        assert all("--require-hashes -r requirements" in line and ".lock" in line for line in of_ours), name


def found(text: str) -> list[str]:
    return [kind for kind, pattern in SECRETS.items() if re.search(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("kind", SECRETS)
def test_the_search_for_secrets_finds_them(kind: str) -> None:
    assert found(f"x\n{EXAMPLES[kind]}\ny") == [kind]


def test_no_secret_is_in_the_tree() -> None:
    texts = {path: path.read_bytes().decode(errors="replace") for path in _tracked()}
    assert len(texts) > 100
    assert {str(path): found(text) for path, text in texts.items() if found(text)} == {}


def _tracked() -> list[Path]:
    """The files that git tracks or would add; without git, all but installed and cached ones."""
    command = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\0")
    paths = [ROOT / name for name in listed if name]
    if not paths:
        paths = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.parts)]
    return [path for path in paths if path.is_file()]
