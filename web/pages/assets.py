"""Hashed file names of the built front end, from Vite's manifest."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from city.errors import Unavailable
from web.pages.static_files import STATIC

if TYPE_CHECKING:
    from web.pages.texts import Language

MANIFEST: Final = STATIC / "build" / "manifest.json"
BASE: Final = "/static/build/"


@lru_cache(maxsize=2)
def _manifest(_modified_ns: int) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(MANIFEST.read_text("utf-8"))
    return entries


def manifest() -> dict[str, Any]:
    """Return Vite's manifest, read again only after a build.

    Raises
    ------
    Unavailable
        Where the front end was never built.
    """
    try:
        modified_ns = MANIFEST.stat().st_mtime_ns
    except FileNotFoundError:
        raise Unavailable("The pages are not built: run `make setup`.", retry_after_s=60) from None
    return _manifest(modified_ns)


def tags(entry: str, language: Language) -> Markup:
    """Return the elements that load one entry: styles, preloads, script; no inline code.

    Parameters
    ----------
    entry
        Source file as Vite names it, such as ``src/map.ts``.
    language
        Whose catalogue is loaded beside it.
    """
    entries = manifest()
    styles: list[str] = []
    scripts: list[str] = []
    for name in _needed(entries, entry):
        chunk = entries[name]
        styles += [style for style in chunk.get("css", ()) if style not in styles]
        if name != entry:
            scripts.append(chunk["file"])
    scripts += [
        chunk["file"]
        for name, chunk in entries.items()
        if name.endswith(f"catalogue/{language}.json")
    ]
    lines = [Markup('<link rel="stylesheet" href="{}">').format(BASE + style) for style in styles]
    lines += [
        Markup('<link rel="modulepreload" href="{}">').format(BASE + script) for script in scripts
    ]
    lines.append(
        Markup('<script type="module" src="{}"></script>').format(BASE + entries[entry]["file"])
    )
    return Markup("\n").join(lines)


def _needed(entries: dict[str, Any], entry: str) -> list[str]:
    """Return an entry and all that it imports, the innermost first: styles cascade that way."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for imported in entries[name].get("imports", ()):
            visit(imported)
        order.append(name)

    visit(entry)
    return order
