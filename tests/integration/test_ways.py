"""The ways in, each and next to each other."""

from collections.abc import Iterator
from contextlib import closing
from unicodedata import normalize

import pytest

from tests.support.http import publish
from tests.support.persons import Person, in_utf8
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

TOKEN = "um segrêdo à parte=maçã; nº 1"


@pytest.fixture(scope="module")
def hall(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """The program with every way in."""
    server = ArautoServer(
        tmp_path_factory.mktemp("hall") / "log",
        REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN,
    )  # fmt: skip
    with closing(server):
        yield server
    assert "Traceback" not in server.log


@pytest.fixture(autouse=True)
def nothing_is_remembered(valkey: RedisServer) -> None:
    valkey.client.flushall()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_token_may_have_any_letters(hall: ArautoServer, form: str) -> None:
    """Some keyboards write an accent apart from its letter."""
    token = normalize(form, TOKEN)
    assert publish(hall, "a", "x", Authorization=in_utf8(f"Bearer {token}")).status == 200
    person = Person(hall)
    assert person.log_in(token).status == 303
    assert person.is_in()
