"""Normalizes origins as browsers write them: ASCII names, no default ports (pure)."""

import re
from unicodedata import normalize
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def normalize_origin(origin: str) -> str:
    """``https://José.example:443`` -> ``https://xn--jos-dma.example``.

    :raise ValueError: it is not an origin.
    """
    given = urlsplit(origin)
    host = ".".join(map(_ascii, (given.hostname or "").split(".")))
    written = f"[{host}]" if ":" in host else host
    port = "" if given.port in (None, _PORTS.get(given.scheme)) else f":{given.port}"
    is_bare = given.username is None and origin.count("/") == 2 and not given.query and not given.fragment
    if given.scheme not in _PORTS or not _HOST.fullmatch(host) or not is_bare:
        raise ValueError
    return f"{given.scheme}://{written}{port}"


def _ascii(label: str) -> str:
    plain = normalize("NFKC", label.lower())
    return plain if plain.isascii() else f"xn--{plain.encode('punycode').decode()}"
