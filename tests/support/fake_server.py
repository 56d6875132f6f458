"""A fake server for a page: the test sends the events and chooses their time."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, WebSocketRoute

from tests.support.pages import TIME_ZONE, expect_live, view

NOON = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(TIME_ZONE))


class FakeServer:
    """Reloads ``page`` with ``channels`` and answers its WebSocket; ``now`` is the time of the events.

    Events are of the first channel.
    """

    def __init__(self, page: Page, now: datetime = NOON, channels: Sequence[str] = ("a",)) -> None:
        self.now = now
        self.page = page
        self._channels = channels
        page.route_web_socket(re.compile("/feed"), self._answer)
        page.goto(urljoin(page.url, view(*channels)))
        expect_live(page)

    def send(self, kind: str, **more: Any) -> None:
        """Send one event."""
        self._send([{"type": kind} | more])

    def publish(self, *texts: str) -> None:
        """Send messages in one frame."""
        self._send([{"type": "message", "data": text} for text in texts])

    def close(self) -> None:
        """Close the socket. The page reconnects at once, since the connection was healthy."""
        self._socket.close(code=1001)

    def _send(self, events: list[dict[str, Any]]) -> None:
        common = {"channel": self._channels[0], "at": self.now.timestamp()}
        self._socket.send(json.dumps([common | event for event in events]))

    def _answer(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        for channel in self._channels:
            self.send("subscribe", channel=channel)
