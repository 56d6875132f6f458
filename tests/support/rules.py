"""The ACL rules that docs/security.md gives for Redis, with names of the tests' own channels."""

import re
from typing import Any

from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT

_BLOCK = re.compile(r"^```\n((?:ACL SETUSER .*\n)+)```$", re.M)
_BLOCKS = _BLOCK.findall((ROOT / "docs/security.md").read_text())

PROGRAM, ACTS, RECORDS, BRIDGE, CLUSTER, AUDIT, PERSON, RETURNS, KEYSPACE, SHARDED = _BLOCKS
"""The program's least; what it needs to act for others, to record, to bridge, on a cluster, to tell the
audit; a person's least; what a person needs to be brought to what was missed, for keyspace events, and for
sharded channels."""


def rules(*blocks: str, channels: tuple[str, ...] = ("*",)) -> list[str]:
    """What the blocks allow, to ``channels`` where they say ``news.*``."""
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
    """From now on its address is that of a user who may do this and no more."""
    set_user(redis_server, "arauto", "program", *rules(*blocks, channels=channels))
    redis_server.url = f"redis://arauto:program@127.0.0.1:{redis_server.port}"


def refused(redis_server: RedisServer) -> list[str]:
    """What Redis did not let the program do. It may not ask for INFO, and does without."""
    entries: Any = redis_server.client.execute_command("ACL", "LOG")  # redis-py stumbles over odd names
    told = [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in entries]
    return [
        f"{entry[b'reason']} {entry[b'object']}"
        for entry in told
        if entry[b"username"] == b"arauto" and entry[b"object"] != b"info"
    ]
