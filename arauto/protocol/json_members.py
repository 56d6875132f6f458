"""Names, keys and data, which may be any bytes, as members of JSON (pure)."""

import base64
import codecs
from typing import Any


def named(kind: str, name: bytes) -> dict[str, str]:
    """The name of a ``channel``, ``pattern`` or sharded channel (``shard``) as JSON members.

    If it is not UTF-8, its text may equal that of another name, so its bytes are added in base64, as
    ``channel_base64``.
    """
    try:
        return {kind: name.decode()}
    except UnicodeDecodeError:
        return {kind: text(name), f"{kind}_base64": base64.b64encode(name).decode()}


def quoted(name: bytes) -> str:
    """A name for the program's log: different names look different."""
    try:
        return repr(name.decode())
    except UnicodeDecodeError:
        return repr(name)


def text(name: bytes) -> str:
    """A name as shown: bytes that are not UTF-8 stay visible."""
    return name.decode(errors="backslashreplace")


def either(name: str, value: bytes | None) -> dict[str, Any]:
    """A value as text; bytes that are not UTF-8 only in base64, as ``key_base64``."""
    try:
        return {name: value if value is None else value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value or b"").decode()}


def data_of(data: bytes, limit: int) -> dict[str, Any]:
    """The data of a message: as text or in base64, see :func:`arauto.protocol.events.event`."""
    try:
        if len(data) <= limit:
            return {"data": data.decode()}
        # An incremental decoder leaves out the character that was cut.
        beginning = codecs.getincrementaldecoder("utf-8")().decode(data[:limit])
        return {"data": beginning, "truncated": True, "size": len(data)}
    except UnicodeDecodeError:
        shown = base64.b64encode(data[:limit]).decode()
        cut = {"truncated": True} if len(data) > limit else {}
        return {"data": shown, "encoding": "base64", "size": len(data)} | cut
