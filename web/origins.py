"""Where a page and its live feed are, as the browser that asks sees them.

The same machine is ``127.0.0.1`` and ``localhost`` to a browser, and two origins. A page opened
under either name gets its feed under the same one, so that its cookies go along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import request

if TYPE_CHECKING:
    from city.works.settings import Settings

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


def _under(origin: str, name: str) -> str | None:
    """Give an origin on this machine under another of its names; None for one elsewhere."""
    parts = urlsplit(origin)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    if host not in LOOPBACK or name not in LOOPBACK:
        return None
    return f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port else "")


def live_origin(settings: Settings) -> str:
    """Give the origin of the live feed for the page that is asked for."""
    name = request.host.rpartition(":")[0] if request.host[-1:].isdigit() else request.host
    return _under(settings.live_origin, name or request.host) or settings.live_origin


def may_read(settings: Settings, origin: str) -> bool:
    """Say whether a page of an origin is ours and may read the feed."""
    ours = {settings.page_origin, *(_under(settings.page_origin, name) for name in LOOPBACK)}
    return origin in ours
