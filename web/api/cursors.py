"""Cursors of pages: opaque to callers, an id to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from city.identifiers import parse_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID


class _Identified(Protocol):
    @property
    def id(self) -> UUID: ...


Item = TypeVar("Item", bound=_Identified)


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


def page(
    found: Sequence[Item], limit: int, shown: Callable[[Item], dict[str, Any]]
) -> dict[str, Any]:
    """Return a page of a list that was read with one more than asked: items, and where to go on."""
    items = found[:limit]
    following = items[-1].id if len(found) > limit else None
    return {"items": [shown(each) for each in items], "next": cursor(following)}
