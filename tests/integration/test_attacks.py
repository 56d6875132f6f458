"""Every origin, with every host name, at every surface, as one table."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.http import HANDSHAKE
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

TOKEN = "a shared token of twenty-six"

HOSTS = {  # name: whether it is the server's
    "127.0.0.1:{port}": True,
    "192.0.2.7:{port}": True,  # DNS cannot rebind an IP address
    "alerts.example.org": True,
    "evil.example": False,
    "alerts.example.org.evil.example": False,
    "127.0.0.1.evil.example": False,
}
ORIGINS = {  # origin: whether it is the server's, if the name is
    "{scheme}://{host}": True,
    None: True,  # a program; browsers send Sec-Fetch-Site, see below
    "{scheme}://{name}:1": False,
    "{scheme}://other.example": False,
    "{other_scheme}://{host}": False,
    "{scheme}://{name}.evil.com": False,
    "{scheme}://evil.com/{host}": False,
    "{scheme}://{host}@evil.com": False,
    "null": False,
    "": False,
}
SURFACES = {"page": 200, "publish": 200, "socket": 101, "login": 303}


@pytest.fixture(scope="module")
def network(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """On a network, with a login, behind a proxy that may set X-Forwarded-Proto: https."""
    server = ArautoServer(
        tmp_path_factory.mktemp("network") / "log", REDIS_URL=valkey.url, HOST="0.0.0.0", ARAUTO_TOKEN=TOKEN,
        ARAUTO_PROXIES="127.0.0.1", ARAUTO_ORIGINS="https://alerts.example.org:444",
    )  # fmt: skip
    with closing(server):
        yield server
    assert "Traceback" not in server.log


Headers = dict[str, str | None]


class Victim(Person):
    """A person who has logged in at that host, and whose CSRF tokens an attacker has obtained."""

    def __init__(self, server: ArautoServer, scheme: str, host: str = "") -> None:
        host = host or server.host
        super().__init__(server, X_Forwarded_Proto=scheme, Host=host)
        assert self.log_in(TOKEN, Origin=f"{scheme}://{host}").status == 303
        self.tokens = {path: self.form_token(path) for path in ("/", "/login")}


def knock(person: Victim, surface: str, headers: Headers) -> int:
    """The status that a surface answers to a logged-in person whose browser is directed by another page."""
    if surface == "page":
        return person.get("/", **headers).status
    if surface == "publish":
        fields = {"channel": "a", "message": "x", "csrf": person.tokens["/"]}
        return person.post("/publish", fields, **headers).status
    if surface == "socket":
        given: Headers = {name.replace("-", "_"): value for name, value in HANDSHAKE.items()}
        return person.get("/feed?channel=a", **given | headers).status
    fields = {"csrf": person.tokens["/login"], "password": TOKEN}
    cookies = dict(person.cookies)
    status = person.post("/login", fields, **headers).status
    person.cookies = cookies
    return status


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_origin_by_host_by_surface(network: ArautoServer, valkey: RedisServer, scheme: str) -> None:
    wrong = []
    for host, host_is_ours in HOSTS.items():
        host = host.format(port=network.port)
        for origin, origin_is_ours in ORIGINS.items():
            # A login of the table ends the session before it.
            person = Victim(network, scheme, host if host_is_ours else "")
            other = "https" if scheme == "http" else "http"
            given = origin and origin.format(
                scheme=scheme, other_scheme=other, host=host, name=host.partition(":")[0]
            )
            for surface, served in SURFACES.items():
                expected = served if surface == "page" or origin_is_ours else 403
                expected = expected if host_is_ours else 400
                status = knock(person, surface, {"Host": host, "Origin": given})
                if status != expected:
                    wrong.append((host, given, surface, status, expected))
        valkey.client.flushall()
    assert wrong == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd", ""])
def test_without_an_origin_a_browser_says_from_where_it_asks(network: ArautoServer, site: str) -> None:
    person = Victim(network, "http")
    headers: Headers = {"Origin": None, "Sec_Fetch_Site": site}
    for surface in ("publish", "login"):
        assert knock(person, surface, headers) == 403
