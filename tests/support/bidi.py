"""WebDriver BiDi, which a stock Firefox speaks: commands and events, as JSON over one WebSocket."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import PATIENCE

Result = dict[str, Any]
Hear = Callable[[str, Result], None]
"""Is told the name of an event and its parameters."""


class BidiError(Exception):
    """The browser could not do what it was told; the text is its own."""


class Session:
    """Events are heard while a command waits for its answer: all that came before the answer."""

    def __init__(self, socket: ClientConnection, hear: Hear) -> None:
        self._socket = socket
        self._hear = hear
        self._number = 0

    def call(self, method: str, **parameters: Any) -> Result:
        """:raise BidiError: the browser refused."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(PATIENCE))
            if said["type"] == "event":
                self._hear(said["method"], said["params"])
            elif said["id"] == self._number:
                return self._answered(method, said)

    @staticmethod
    def _answered(method: str, said: Result) -> Result:
        if said["type"] == "error":
            raise BidiError(f"{method}: {said['error']}: {said['message']}")
        return dict(said["result"])


@contextmanager
def session(address: str, hear: Hear, *events: str) -> Iterator[Session]:
    """One with the browser at ``address`` that hears these events."""
    with connect(f"{address}/session", compression=None, max_size=None) as socket:
        made = Session(socket, hear)
        made.call("session.new", capabilities={})
        made.call("session.subscribe", events=list(events))
        yield made
