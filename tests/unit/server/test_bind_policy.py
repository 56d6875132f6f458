import socket

import pytest

from arauto.server.bind_policy import Exposed, hosts, in_container, make_token
from arauto.settings import read


def test_only_what_says_so_is_a_container() -> None:
    assert in_container({"container": "podman"})
    assert not in_container({"container": ""})
    assert not in_container({"CONTAINER": "x"})


@pytest.mark.parametrize("container", [True, False])
@pytest.mark.parametrize(
    ("environ", "listening"),
    [
        ({}, ["127.0.0.1"]),
        ({}, ["::1", "127.0.0.1"]),
        ({}, []),
        ({"ARAUTO_OPEN": "1"}, ["0.0.0.0"]),
        ({"ARAUTO_TOKEN": "x" * 16}, ["0.0.0.0"]),
        ({"ARAUTO_READ_TOKEN": "x" * 16}, ["0.0.0.0"]),
        ({"ARAUTO_LOGIN": "redis"}, ["0.0.0.0"]),
        ({"ARAUTO_PROXIES": "10.0.0.1", "ARAUTO_PROXY_USER": "X-User"}, ["0.0.0.0"]),
    ],
)
def test_where_nobody_strange_comes_or_somebody_has_chosen_no_token_is_made(
    environ: dict[str, str], listening: list[str], container: bool
) -> None:
    assert make_token(read(environ), listening, container) == ""


@pytest.mark.parametrize(
    "environ", [{}, {"ARAUTO_OPEN": "0"}, {"ARAUTO_TOKENS": "x"}, {"ARAUTO_PROXIES": "::1"}]
)
def test_else_there_is_one_or_a_refusal(environ: dict[str, str]) -> None:
    tokens = {make_token(read(environ), ["127.0.0.1", "10.0.0.1"], container=True) for _ in range(2)}
    assert {len(token) for token in tokens} == {32}
    assert len(tokens) == 2
    with pytest.raises(Exposed, match=r"^Listening on 10\.0\.0\.1 would let everyone"):
        make_token(read(environ), ["127.0.0.1", "10.0.0.1"], container=False)


def test_what_is_listened_on() -> None:
    addresses = [("0.0.0.0", 80), "/run/arauto.sock", ("::1", 80, 0, 0)]
    assert list(hosts(addresses, {})) == ["0.0.0.0", "::1"]
    with socket.create_server(("127.0.0.1", 0)) as handed:
        assert list(hosts([("0.0.0.0", 80)], {"GUNICORN_FD": str(handed.fileno())})) == ["127.0.0.1"]
        assert list(hosts([handed.fileno()], {})) == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["ARAUTO_TOKEN", "ARAUTO_READ_TOKEN", "ARAUTO_SECRET"])
def test_a_secret_is_never_shown(name: str) -> None:
    with pytest.raises(ValueError, match="does not work: give at least 16 characters") as refused:
        read({name: "too-short"})
    assert "too-short" not in str(refused.value)
    assert "long enough to be one" not in repr(read({name: "long enough to be one"}))
