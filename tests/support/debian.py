"""Packages of Debian and Ubuntu that a test finds missing."""

import os
import shutil
import subprocess


def install(package: str) -> None:
    """As far as that can be done: as root, with the network. What it could not install is still missing."""
    if os.geteuid() == 0 and shutil.which("apt-get") and succeeds("apt-get", "update"):
        succeeds("apt-get", "install", "-y", "--no-install-recommends", package)


def succeeds(*command: str) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
