"""Requests that acknowledge a message, and that take an acknowledgement back."""

import json
from typing import Any
from urllib.parse import urlencode

from tests.support.http import Answer, get, request
from tests.support.servers import ArautoServer


def path_of(channel: str, id: str = "") -> str:
    return "/channels/acknowledgements?" + urlencode({"channel": channel} | ({"message": id} if id else {}))


def take(server: ArautoServer, channel: str, id: str, by: Any = "Ana", **headers: Any) -> Answer:
    body = None if by is None else json.dumps({"by": by})
    return request(server, "PUT", path_of(channel, id), body, **headers)


def give_back(server: ArautoServer, channel: str, id: str, **headers: Any) -> Answer:
    return request(server, "DELETE", path_of(channel, id), **headers)


def taken(server: ArautoServer, channel: str, **headers: str) -> dict[str, str]:
    """The name on each acknowledgement of the channel, by message id."""
    answer = get(server, path_of(channel), **headers)
    assert answer.status == 200, answer.body
    return {one["id"]: one["by"] for one in answer.json["acknowledgements"]}
