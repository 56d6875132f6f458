"""Checks for valid UTF-8, also behind JSON escapes (pure)."""

import json


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def has_half_characters(text: str | bytes) -> bool:
    r"""Whether ``text`` is JSON except for unpaired surrogates, such as ``"\ud83d"``."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return not is_utf8(json.dumps(given, ensure_ascii=False).encode(errors="surrogatepass"))
