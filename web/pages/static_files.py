"""Static files, from our own origin alone: hashed ones for a year, the others revalidated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import request, send_from_directory
from werkzeug.security import safe_join

from web import access
from web.pages.blueprint import blueprint

if TYPE_CHECKING:
    from flask import Response

WORKER: Final = "build/service-worker.js"
STATIC: Final = Path(__file__).parents[1] / "static"
YEAR_S: Final = 31_536_000

# Python's table calls these by older names, which browsers refuse for modules and maps.
_TYPES: Final = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".geojson": "application/geo+json",
    ".webmanifest": "application/manifest+json",
}


@blueprint.get("/static/<path:name>")
@access.public
def static_file(name: str) -> Response:
    """Send a static file; a name with a hash in it never changes its content."""
    # The base map belongs to the city that lives here, not to the release.
    folder = access.wiring().settings.var / "static" if name.startswith("map/") else STATIC
    packed = request.accept_encodings["gzip"] > 0 and _is_packed(folder, name)
    response = send_from_directory(
        folder, f"{name}.gz" if packed else name, mimetype=_TYPES.get(Path(name).suffix)
    )
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers.add("Vary", "Accept-Encoding")
    if name == WORKER:
        # It lies below /static/ and serves all pages.
        response.headers["Service-Worker-Allowed"] = "/"
    if name.startswith("build/assets/"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


def _is_packed(folder: Path, name: str) -> bool:
    """Return whether the build laid a gzipped twin beside a file."""
    path = safe_join(str(folder), f"{name}.gz")
    return (
        path is not None
        and Path(path).suffixes[-2:-1] in ([".js"], [".css"])
        and Path(path).is_file()
    )
