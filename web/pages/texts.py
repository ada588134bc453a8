"""The text catalogue: two flat files that templates and scripts share."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["zh", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
FOLDER: Final = Path(__file__).parents[1] / "catalogue"

_HOLE = re.compile(r"\{(\w+)\}")


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return every text of a language by its key; read once a process."""
    entries: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return entries


def holes(text: str) -> frozenset[str]:
    """Return the names of a text's holes."""
    return frozenset(_HOLE.findall(text))


def text(language: Language, key: str, **values: object) -> str:
    """Return a text with its ``{named}`` holes filled; one without a value stays visible.

    Raises
    ------
    KeyError
        Where the catalogue has no such key: a fault of the page, not of its reader.
    """
    template = catalogue(language)[key]
    return _HOLE.sub(lambda hole: str(values.get(hole[1], hole[0])), template)
