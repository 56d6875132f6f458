"""Our cookies: of this instance only, whatever else there is at other ports and paths of its host.

Browsers have one jar for all ports of a host, so a port stands in the name. Behind TLS the name begins as
browsers want it of a cookie that no other host and nothing without TLS may have set.
"""

from typing import Any

from flask import current_app, request
from werkzeug.wrappers import Response

from arauto.settings import Settings


def get_cookie(kind: str) -> str:
    """What the browser has kept; empty where it has nothing."""
    return request.cookies.get(_name(kind), "")


def set_cookie(response: Response, kind: str, value: str, **lifetime: Any) -> None:
    """Have the browser keep ``value``."""
    response.set_cookie(_name(kind), value, **lifetime, **_attributes())


def delete_cookie(response: Response, kind: str) -> None:
    """Have the browser forget it."""
    response.delete_cookie(_name(kind), **_attributes())


def _name(kind: str) -> str:
    port = request.host.rpartition(":")[2]
    name = f"arauto_{kind}" + (f"_{port}" if port.isascii() and port.isdigit() else "")
    if not _is_secure():
        return name
    return f"{'__Secure-' if request.script_root else '__Host-'}{name}"  # the latter is for the path / alone


def _attributes() -> dict[str, Any]:
    path = request.script_root or "/"
    return {"httponly": True, "samesite": "Lax", "secure": _is_secure(), "path": path}


def _is_secure() -> bool:
    """Whether browsers reach us by TLS, as the proxy says, or as ARAUTO_ORIGINS does."""
    settings: Settings = current_app.config["SETTINGS"]
    return request.is_secure or f"https://{request.host}".lower() in settings.origins
