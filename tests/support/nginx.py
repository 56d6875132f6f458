"""Debian's nginx in front of the program: TLS, at a path below the top, as docs/security.md has it."""

import getpass
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

from tests.support.certificates import make_certificates
from tests.support.redis_servers import free_port, let_go
from tests.support.servers import ROOT, ArautoServer
from tests.support.waiting import eventually

PREFIX = "/alerts"
CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_max_body_size 10m;
    {temporary}
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {certificates.certificate};
        ssl_certificate_key {certificates.key};
        {location}
    }}
}}
"""


class Nginx(ArautoServer):
    """The program as it is seen through nginx, from ``address``."""

    prefix = PREFIX
    address = "127.0.0.2"  # not the proxy's own, which the program believes about others

    def __init__(self, directory: Path, merges: bool = False, **environ: Any) -> None:
        """:param merges: paths go on as nginx understands them, and not as they came."""
        self.directory = directory
        self.port = free_port()
        self.host = f"localhost:{self.port}"
        self.url = f"https://{self.host}"
        self.ws = f"wss://{self.host}{PREFIX}"
        self.behind = ArautoServer(
            directory / "log",
            SCRIPT_NAME=PREFIX, ARAUTO_PROXIES="127.0.0.1", ARAUTO_ORIGINS=self.url, **environ,
        )  # fmt: skip
        self.log_path = self.behind.log_path
        certificates = make_certificates(directory)
        self.tls = ssl.create_default_context(cafile=str(certificates.authority))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        text = CONFIGURATION.format(
            user=getpass.getuser(), directory=directory, port=self.port, certificates=certificates,
            temporary="".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds),
            location=documented(self.behind.port, f"{PREFIX}/" if merges else ""),
        )  # fmt: skip
        (directory / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(
            [_binary(), "-p", str(directory), "-e", str(directory / "error.log"), "-c", "nginx.conf"]
        )
        eventually(self._listens, why="nginx listens")

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(
            "localhost", self.port, timeout=timeout, context=self.tls, source_address=(self.address, 0)
        )

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self.behind.close()
        let_go(self.port)

    def _listens(self) -> bool:
        assert self._process.poll() is None, (self.directory / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def documented(port: int, path: str) -> str:
    """The location that docs/security.md gives, at our prefix and for our port."""
    blocks = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "security.md").read_text(), re.S)
    (block,) = [block for block in blocks if "location / {" in block]
    return str(block).replace("location / {", f"location {PREFIX}/ {{").replace(":8000", f":{port}{path}")


def _binary() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "nginx is missing: install Debian's, or put one on the PATH"
    return found
