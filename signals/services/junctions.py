"""Use cases of the signals room."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from city.errors import Invalid, NotFound
from city.identifiers import DistrictCode, JunctionId
from city.works.database import UnitOfWork
from signals.rules.junctions import Junction
from signals.store import junctions as store

MOST_ITEMS: Final = 200
_BATCH: Final = 1_000
_CURSOR_MARK: Final = "j:"


@dataclass(frozen=True, slots=True)
class JunctionPage:
    """A page of junctions in the order of their codes."""

    items: tuple[Junction, ...]
    next: str | None
    """Cursor of the page after; None at the end."""


def record_junctions(uow: UnitOfWork, junctions: Sequence[Junction]) -> int:
    """Keep junctions: new ones are added, known ones replaced.

    Parameters
    ----------
    uow : UnitOfWork
    junctions : Sequence of Junction
        Any number; a statement takes a thousand of them.

    Returns
    -------
    int
        How many were kept.

    Raises
    ------
    Invalid
        Where an identifier or a code is given twice.
    Conflict
        Where a code belongs to another junction already.
    """
    codes = [junction.code for junction in junctions]
    if len(set(codes)) < len(codes):
        raise Invalid("must not carry a code twice", field="junctions.code")
    if len({junction.junction_id for junction in junctions}) < len(junctions):
        raise Invalid("must not carry an identifier twice", field="junctions.id")
    for start in range(0, len(junctions), _BATCH):
        store.save_junctions(uow.connection, junctions[start : start + _BATCH])
    return len(junctions)


def junction(connection: Connection, junction_id: JunctionId) -> Junction:
    """Give one junction; NotFound where there is none of the identifier."""
    found = store.find_junction(connection, junction_id)
    if found is None:
        raise NotFound("no such junction", field="junction_id")
    return found


def junctions(
    connection: Connection,
    cursor: str | None = None,
    limit: int = 50,
    district: DistrictCode | None = None,
) -> JunctionPage:
    """Give a page of junctions in the order of their codes.

    Parameters
    ----------
    connection : Connection
    cursor : str or None
        The ``next`` of the page before; None for the first.
    limit : int
        1 to 200 items.
    district : DistrictCode or None
        Only those of a district.

    Raises
    ------
    Invalid
        On another limit or a cursor that was not given out.

    Notes
    -----
    One index range scan: cost grows with the page, not with the city.
    """
    if not 1 <= limit <= MOST_ITEMS:
        raise Invalid(f"must be 1 to {MOST_ITEMS}", field="limit")
    after = None if cursor is None else _read_cursor(cursor)
    found = store.junctions_after(connection, after, limit + 1, district)
    more = len(found) > limit
    return JunctionPage(tuple(found[:limit]), _cursor(found[limit - 1].code) if more else None)


def _cursor(code: str) -> str:
    return base64.urlsafe_b64encode((_CURSOR_MARK + code).encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(_CURSOR_MARK) or "\0" in text:
        raise Invalid("is not a cursor that was given out", field="cursor")
    return text.removeprefix(_CURSOR_MARK)
