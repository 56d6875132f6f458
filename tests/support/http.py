"""Plain HTTP requests: no redirect is followed, no header added."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE

FORM = "application/x-www-form-urlencoded"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()  # the values of Set-Cookie

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def error(self) -> str:
        """The sentence of an error response, whose JSON has no other key."""
        assert self.json.keys() == {"error"}, self.json
        return str(self.json["error"])


def request(
    server: ArautoServer, method: str, path: str, body: Any = None, timeout: float = PATIENCE, **headers: str
) -> Answer:
    """Header names are written with ``_`` for ``-``. The connection is closed afterwards."""
    connection = server.connect(timeout)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, server.prefix + path, body, named)
        response = connection.getresponse()
        body = b"" if response.status == 101 else response.read()
        cookies = tuple(response.headers.get_all("Set-Cookie", ()))
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body, cookies)
    finally:
        connection.close()


def get(server: ArautoServer, path: str, **headers: str) -> Answer:
    return request(server, "GET", path, None, PATIENCE, **headers)


def publish(server: ArautoServer, channel: str, message: str, **headers: str) -> Answer:
    """Publish as the page's form and ``curl -d`` do."""
    body = urlencode({"channel": channel, "message": message})
    return request(server, "POST", "/publish", body, PATIENCE, **{"Content_Type": FORM} | headers)


def publish_json(server: ArautoServer, body: str | bytes, **headers: str) -> Answer:
    return request(server, "POST", "/publish", body, PATIENCE, Content_Type="application/json", **headers)


def handshake(server: ArautoServer, path: str = "/feed?channel=a", **changes: str | None) -> Answer:
    """A WebSocket handshake with some headers changed, or without them where ``None``."""
    headers = HANDSHAKE | {name.replace("_", "-"): value for name, value in changes.items()}
    given = {name.replace("-", "_"): value for name, value in headers.items() if value is not None}
    return request(server, "GET", path, None, PATIENCE, **given)
