"""Static files, from our own origin alone: hashed ones for a year, the others revalidated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import send_from_directory

from web import access
from web.pages.blueprint import blueprint

if TYPE_CHECKING:
    from flask import Response

STATIC: Final = Path(__file__).parents[1] / "static"
YEAR_S: Final = 31_536_000

# Python's table calls these by older names, which browsers refuse for modules and maps.
_TYPES: Final = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".geojson": "application/geo+json",
}


@blueprint.get("/static/<path:name>")
@access.public
def static_file(name: str) -> Response:
    """Send a static file; a name with a hash in it never changes its content."""
    # The base map belongs to the city that lives here, not to the release.
    folder = access.wiring().settings.var / "static" if name.startswith("map/") else STATIC
    response = send_from_directory(folder, name, mimetype=_TYPES.get(Path(name).suffix))
    if name.startswith("build/assets/"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response
