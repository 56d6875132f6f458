"""A client of WebDriver BiDi, the protocol of a stock Firefox: JSON commands and events on one WebSocket."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import PATIENCE

Result = dict[str, Any]
OnEvent = Callable[[str, Result], None]
"""Called with the name of an event and its parameters."""


class BidiError(Exception):
    """The browser answered a command with an error; the text is its own."""


class Session:
    """Sends commands. Events are passed on while a command waits: all that came before its reply."""

    def __init__(self, socket: ClientConnection, on_event: OnEvent) -> None:
        self._socket = socket
        self._on_event = on_event
        self._number = 0

    def call(self, method: str, **parameters: Any) -> Result:
        """:raise BidiError: the browser refused."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            reply = json.loads(self._socket.recv(PATIENCE))
            if reply["type"] == "event":
                self._on_event(reply["method"], reply["params"])
            elif reply["id"] == self._number:
                return self._result(method, reply)

    @staticmethod
    def _result(method: str, reply: Result) -> Result:
        if reply["type"] == "error":
            raise BidiError(f"{method}: {reply['error']}: {reply['message']}")
        return dict(reply["result"])


@contextmanager
def session(address: str, on_event: OnEvent, *events: str) -> Iterator[Session]:
    """A session with the browser at ``address``, subscribed to these events."""
    with connect(f"{address}/session", compression=None, max_size=None) as socket:
        made = Session(socket, on_event)
        made.call("session.new", capabilities={})
        made.call("session.subscribe", events=list(events))
        yield made
