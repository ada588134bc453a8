"""Cursors of pages: opaque to callers, an id to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from city.identifiers import parse_id

if TYPE_CHECKING:
    from uuid import UUID


def after(cursor: str | None) -> UUID | None:
    """Return the id after which a page begins; None for the first page.

    Raises
    ------
    Invalid
        When it is not a cursor that we gave.
    """
    return None if cursor is None else parse_id(cursor, "cursor")


def cursor(following: UUID | None) -> str | None:
    """Return the cursor of the next page; None after the last."""
    return None if following is None else str(following)
