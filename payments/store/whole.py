"""A list read whole, page by page."""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar
from uuid import UUID

_PAGE: Final = 500


class _Identified(Protocol):
    @property
    def id(self) -> UUID: ...


Item = TypeVar("Item", bound=_Identified)


def whole(page: Callable[[UUID | None, int], list[Item]]) -> list[Item]:
    """Read all of a list that people make one by one, two of them for each: it stays short.

    Parameters
    ----------
    page : callable
        Gives at most so many after an id, in the order of the ids.
    """
    found = page(None, _PAGE)
    while len(found) % _PAGE == 0 and found:
        more = page(found[-1].id, _PAGE)
        if not more:
            break
        found += more
    return found
