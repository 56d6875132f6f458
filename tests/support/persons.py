"""An HTTP client that keeps cookies and submits the page's forms, as a person's browser does."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from tests.support.http import FORM, Answer, request
from tests.support.servers import ArautoServer

HTML = "text/html,*/*;q=0.8"


def session_cookie(server: ArautoServer) -> str:
    """The name of the session cookie without TLS."""
    return f"arauto_session_{server.port}"


class Person:
    """Sends with each request the cookies that the server has set, and ``headers``."""

    def __init__(self, server: ArautoServer, **headers: str) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, str] = {}  # of each cookie, as they were set
        self.headers = headers

    def get(self, path: str = "/", **headers: str | None) -> Answer:
        return self._request("GET", path, None, {"Accept": HTML, **headers})

    def post(self, path: str, fields: dict[str, str], **headers: str | None) -> Answer:
        given = {"Content_Type": FORM, "Accept": HTML, "Origin": self.server.url} | self.headers | headers
        return self._request("POST", path, urlencode(fields), given)

    def log_in(self, password: str, user: str = "", next: str = "/", **headers: str) -> Answer:
        """Load the login form and submit it."""
        form = self.get("/login?" + urlencode({"next": next})).body.decode()
        fields = {"csrf": csrf(form), "next": hidden(form, "next"), "password": password}
        return self.post("/login", fields | ({"user": user} if user else {}), **headers)

    def log_out(self, everywhere: bool = False) -> Answer:
        account = self.get("/account").body.decode()
        return self.post("/logout", {"csrf": csrf(account)} | ({"everywhere": "1"} if everywhere else {}))

    def publish(self, channel: str, message: str, **headers: str) -> Answer:
        fields = {"channel": channel, "message": message, "csrf": csrf(self.get().body.decode())}
        return self.post("/publish", fields, **({"Accept": "application/json"} | headers))

    def form_token(self, path: str = "/") -> str:
        """The CSRF token in the forms of a page."""
        return csrf(self.get(path).body.decode())

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    @property
    def session(self) -> str:
        return next((value for name, value in self.cookies.items() if self._is_session(name)), "")

    @property
    def session_attributes(self) -> str:
        """Name and attributes of the session cookie, as the server set it."""
        return next(f"{name};{set_}" for name, set_ in self.attributes.items() if self._is_session(name))

    def _is_session(self, name: str) -> bool:
        return name.endswith(session_cookie(self.server))

    def socket_headers(self) -> dict[str, Any]:
        """Options for :func:`open_tab`."""
        return {"additional_headers": {"Cookie": self.cookie}, "origin": self.server.url}

    def is_in(self) -> bool:
        return self.get().status == 200

    def _request(self, method: str, path: str, body: Any, headers: dict[str, str | None]) -> Answer:
        cookie = {"Cookie": self.cookie} if self.cookies else {}
        given: dict[str, Any] = {k: v for k, v in (cookie | self.headers | headers).items() if v is not None}
        answer = request(self.server, method, path, body, **given)
        for line in answer.cookies:
            pair, _, attributes = line.partition(";")
            name, _, value = pair.partition("=")
            self.attributes[name] = attributes
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer


def csrf(page: str) -> str:
    return hidden(page, "csrf")


def hidden(page: str, name: str) -> str:
    """The value of a hidden field; empty where the page has none."""
    found = re.search(rf'<input type="?hidden"? name="?{name}"? value="([^"]*)">', page)
    return unescape(found[1]) if found else ""


def in_utf8(header: str) -> str:
    """The text for http.client with which a header is sent as UTF-8."""
    return header.encode().decode("latin-1")
