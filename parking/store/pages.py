"""Pages of a list: a slice in the order of the ids, and where the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from city.errors import Invalid

LARGEST_PAGE = 500
DEFAULT_PAGE = 100

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Items, and the last one's id where more follow: pass it as `after`."""

    items: tuple[Item, ...]
    next: UUID | None


def checked_limit(limit: int) -> int:
    """Pass a page's length; Invalid outside 1 to `LARGEST_PAGE`."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    return limit


def paged(items: Sequence[Item], ids: Sequence[UUID], limit: int) -> Page[Item]:
    """Make a page of up to `limit` items from a query that asked for one more."""
    more = len(items) > limit
    return Page(tuple(items[:limit]), ids[limit - 1] if more else None)
