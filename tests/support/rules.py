"""The ACL rules of docs/security.md, with the names of the tests' channels."""

import re
from typing import Any

from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT

_BLOCK = re.compile(r"^```\n((?:ACL SETUSER .*\n)+)```$", re.M)
_BLOCKS = _BLOCK.findall((ROOT / "docs/security.md").read_text())

PROGRAM, ACTS, RECORDS, BRIDGE, CLUSTER, AUDIT, PERSON, RETURNS, KEYSPACE, SHARDED = _BLOCKS
"""The smallest rules of the program; those it needs besides to act for users, to record, to bridge, on a
cluster, and for the audit; the smallest rules of a user; those a user needs besides to catch up with a log,
for keyspace events, and for sharded channels."""


def rules(*blocks: str, channels: tuple[str, ...] = ("*",)) -> list[str]:
    """The rules of these blocks, with ``channels`` instead of ``news.*``."""
    words = []
    for line in "".join(blocks).splitlines():
        for word in line.split()[3:]:
            if "news.*" in word:
                words += [word.replace("news.*", name) for name in channels]
            elif word not in ("on", ">…"):
                words.append(word)
    return words


def set_user(redis_server: RedisServer, name: str, password: str, *rules: str) -> None:
    redis_server.client.execute_command("ACL", "SETUSER", name, "reset", "on", f">{password}", *rules)


def as_program(redis_server: RedisServer, *blocks: str, channels: tuple[str, ...]) -> None:
    """Make a user with only these rules, and log in as that user from now on."""
    set_user(redis_server, "arauto", "program", *rules(*blocks, channels=channels))
    redis_server.url = f"redis://arauto:program@127.0.0.1:{redis_server.port}"


def refused(redis_server: RedisServer) -> list[str]:
    """What Redis refused to the program, without INFO: the program works without it."""
    entries: Any = redis_server.client.execute_command("ACL", "LOG")  # redis-py stumbles over odd names
    refusals = [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in entries]
    return [
        f"{entry[b'reason']} {entry[b'object']}"
        for entry in refusals
        if entry[b"username"] == b"arauto" and entry[b"object"] != b"info"
    ]
