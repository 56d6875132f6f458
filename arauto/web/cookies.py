"""Cookies of this instance, separate from those of other ports and paths of its host.

Browsers share cookies among all ports of a host, so the port is part of the name. Behind TLS the name has a
prefix that browsers accept only from this host and over TLS.
"""

from typing import Any

from flask import current_app, request
from werkzeug.wrappers import Response

from arauto.settings import Settings


def get_cookie(kind: str) -> str:
    """The value of a cookie; empty if there is none."""
    return request.cookies.get(_name(kind), "")


def set_cookie(response: Response, kind: str, value: str, **lifetime: Any) -> None:
    """Set a cookie."""
    response.set_cookie(_name(kind), value, **lifetime, **_attributes())


def delete_cookie(response: Response, kind: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(_name(kind), **_attributes())


def _name(kind: str) -> str:
    port = request.host.rpartition(":")[2]
    name = f"arauto_{kind}" + (f"_{port}" if port.isascii() and port.isdigit() else "")
    if not _is_secure():
        return name
    return f"{'__Secure-' if request.script_root else '__Host-'}{name}"  # the latter requires the path /


def _attributes() -> dict[str, Any]:
    path = request.script_root or "/"
    return {"httponly": True, "samesite": "Lax", "secure": _is_secure(), "path": path}


def _is_secure() -> bool:
    """Whether browsers reach us by TLS, according to the proxy or ARAUTO_ORIGINS."""
    settings: Settings = current_app.config["SETTINGS"]
    return request.is_secure or f"https://{request.host}".lower() in settings.origins
