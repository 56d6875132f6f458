"""Debian's nginx in front of the program, with the configurations of the documents."""

import getpass
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.certificates import make_certificates
from tests.support.redis_servers import free_port, release_port
from tests.support.servers import ROOT, ArautoServer
from tests.support.waiting import eventually

PREFIX = "/alerts"
CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
worker_rlimit_nofile 8192;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_max_body_size 10m;
    {temporary}
    {servers}
}}
"""
TLS = """
server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {certificates.certificate};
    ssl_certificate_key {certificates.key};
    {location}
}}
"""


class _Front(ArautoServer):
    """The program, reached through nginx."""

    def __init__(self, directory: Path, port: int, servers: str) -> None:
        """:param servers: the ``server`` and ``upstream`` blocks."""
        self.directory, self.port = directory, port
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        text = CONFIGURATION.format(
            user=getpass.getuser(), directory=directory, servers=servers,
            temporary="".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds),
        )  # fmt: skip
        (directory / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(
            [_binary(), "-p", str(directory), "-e", str(directory / "error.log"), "-c", "nginx.conf"]
        )
        try:
            eventually(self._listens, why="nginx listens")
        except AssertionError:
            self.close()  # no caller has this object yet
            raise

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        release_port(self.port)

    def _listens(self) -> bool:
        assert self._process.poll() is None, (self.directory / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class Nginx(_Front):
    """With TLS, under a path prefix, as in docs/security.md; clients connect from ``address``."""

    prefix = PREFIX
    address = "127.0.0.2"  # not the proxy's address, whose headers the program trusts

    def __init__(self, directory: Path, merges: bool = False, **environ: Any) -> None:
        """:param merges: nginx passes on normalized paths, not paths as received."""
        port = free_port()
        self.host = f"localhost:{port}"
        self.url = f"https://{self.host}"
        self.ws = f"wss://{self.host}{PREFIX}"
        self.behind = ArautoServer(
            directory / "log",
            SCRIPT_NAME=PREFIX, ARAUTO_PROXIES="127.0.0.1", ARAUTO_ORIGINS=self.url, **environ,
        )  # fmt: skip
        self.log_path = self.behind.log_path
        certificates = make_certificates(directory)
        self.tls = ssl.create_default_context(cafile=str(certificates.authority))
        location = documented(self.behind.port, f"{PREFIX}/" if merges else "")
        super().__init__(directory, port, TLS.format(port=port, certificates=certificates, location=location))

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(
            "localhost", self.port, timeout=timeout, context=self.tls, source_address=(self.address, 0)
        )

    def close(self) -> None:
        super().close()
        self.behind.close()


class Balancer(_Front):
    """Three servers behind one address, as in docs/scale.md. They may start later."""

    def __init__(self, directory: Path, ports: Sequence[int]) -> None:
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        self.url, self.ws = f"http://{self.host}", f"ws://{self.host}"
        text = _block("scale.md", "upstream pages {").replace("listen 80", f"listen 127.0.0.1:{port}")
        for n, behind in enumerate(ports, 1):
            text = text.replace(f"10.0.0.{n}:8000", f"127.0.0.1:{behind}")
        assert "10.0.0." not in text
        super().__init__(directory, port, text)


def documented(port: int, path: str) -> str:
    """The ``location`` block of docs/security.md, with the tests' prefix and port."""
    block = _block("security.md", "location / {")
    return block.replace("location / {", f"location {PREFIX}/ {{").replace(":8000", f":{port}{path}")


def _block(document: str, within: str) -> str:
    blocks = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / document).read_text(), re.S)
    (block,) = [block for block in blocks if within in block]
    return str(block)


def _binary() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "nginx is missing: install Debian's, or put one on the PATH"
    return found
