"""The time limits of requests, when the worker stops."""

import socket

import pytest

from arauto.server import request_timeouts
from arauto.server.request_timeouts import RequestTimeouts
from arauto.system.timer_wheel import TimerWheel
from tests.support.waiting import PATIENCE


@pytest.mark.parametrize("is_new", [False, True])
def test_a_stop_cuts_connections_without_a_request_soon(
    monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    """Those that were accepted before, and those that are accepted until gunicorn stops to listen."""
    monkeypatch.setattr(request_timeouts, "HEAD_PATIENCE", 1e9)
    timeouts = RequestTimeouts(TimerWheel())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(PATIENCE)
        if is_new:
            timeouts.hurry()
            timeouts.begin_head(ours)
        else:
            timeouts.begin_head(ours)
            timeouts.hurry()
        assert theirs.recv(4096).startswith(b"HTTP/1.1 408 ")
