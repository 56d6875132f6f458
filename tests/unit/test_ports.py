"""The ports of the tests' servers."""

import socket

import pytest

from tests.support.redis_servers import free_port, release_port


def test_a_free_port_is_free_at_every_address_and_stays_so() -> None:
    port = free_port()
    with socket.socket() as caller, pytest.raises(OSError, match="in use"):
        caller.bind(("127.0.0.2", port))
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", port))
        server.listen()
    release_port(port)
