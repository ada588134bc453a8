"""What was imported from where: a file's features are known again by their source and name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select, text

from city.identifiers import FacilityId
from parking.rules.places.model import Bay
from parking.store import tables
from parking.store.places import columns, read_bay

KEEP: Final = text(
    "insert into parking.imported_place (source, ref, facility_id, digest, imported_at,"
    " imported_by) select :source, ref, facility_id, decode(digest, 'hex'), :at, :by"
    " from unnest(cast(:ref as text[]), cast(:facility_id as uuid[]), cast(:digest as text[]))"
    " as new (ref, facility_id, digest)"
    " on conflict (source, ref) do update set digest = excluded.digest,"
    " imported_at = excluded.imported_at, imported_by = excluded.imported_by"
)

CODES: Final = text("select code from parking.facility where code = any(:codes)")
COMPONENTS: Final = text(
    "select component_code from parking.bay where component_code = any(:codes)"
    " and facility_id <> all(cast(:besides as uuid[]))"
)


def imported(connection: Connection, source: str) -> dict[str, tuple[FacilityId, bytes]]:
    """Give what was imported from a source: the facility of each name, and its state's digest."""
    table = tables.imported_place
    rows = connection.execute(
        select(table.c.ref, table.c.facility_id, table.c.digest).where(table.c.source == source)
    )
    return {row.ref: (FacilityId(row.facility_id), bytes(row.digest)) for row in rows}


def keep(
    connection: Connection,
    source: str,
    places: Sequence[tuple[str, FacilityId, bytes]],
    *,
    at: datetime,
    by: str,
) -> None:
    """Note what was imported, in one statement."""
    if places:
        rows: list[dict[str, Any]] = [
            {"ref": ref, "facility_id": facility_id, "digest": digest.hex()}
            for ref, facility_id, digest in places
        ]
        connection.execute(KEEP, {**columns(rows), "source": source, "at": at, "by": by})


def taken_codes(connection: Connection, codes: Sequence[str]) -> set[str]:
    """Give those codes that a facility has."""
    return set(connection.execute(CODES, {"codes": list(codes)}).scalars())


def taken_components(
    connection: Connection, codes: Sequence[str], besides: Sequence[UUID]
) -> set[str]:
    """Give those component codes that a bay of another facility has."""
    if not codes:
        return set()
    values = {"codes": list(codes), "besides": list(besides)}
    return set(connection.execute(COMPONENTS, values).scalars())


def bays_of(connection: Connection, facility_ids: Sequence[UUID]) -> list[Bay]:
    """Give all bays of facilities, retired ones too."""
    if not facility_ids:
        return []
    rows = connection.execute(
        select(tables.bay)
        .where(tables.bay.c.facility_id.in_(list(facility_ids)))
        .order_by(tables.bay.c.id)
    )
    return [read_bay(row) for row in rows]


def with_devices(connection: Connection, bay_ids: Sequence[UUID]) -> set[UUID]:
    """Give those bays in which a device lies now."""
    if not bay_ids:
        return set()
    return set(
        connection.execute(
            select(tables.placement.c.bay_id).where(
                tables.placement.c.bay_id.in_(list(bay_ids)),
                tables.placement.c.until_at.is_(None),
            )
        ).scalars()
    )
