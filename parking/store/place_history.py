"""Changing places: the row as it stood goes to the history first, then it is written anew.

Callers hold the registry's lock (`parking.store.devices.bump`), so that no two edits of a place
run at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final, Literal, cast
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, select, text

from city.errors import NotFound
from city.identifiers import DistrictCode, FacilityId, ZoneId
from parking.rules.places.model import Bay, Facility, Zone
from parking.rules.places.usage import read_rules
from parking.store import tables
from parking.store.places import (
    bay_row,
    columns,
    facility_row,
    read_bay,
    read_facility,
    standing_of,
    written,
)

PlaceKind = Literal["facility", "zone", "bay"]
TABLES: Final = {"facility": tables.facility, "zone": tables.zone, "bay": tables.bay}
MOST_VERSIONS: Final = 200


@dataclass(frozen=True, slots=True)
class PlaceVersion:
    """A place as it stood for a time; until_at None: it stands so now."""

    version: int
    from_at: datetime
    until_at: datetime | None
    changed_by: str
    state: Facility | Zone | Bay


KEEP: Final = {
    kind: text(
        "insert into parking.place_history"  # noqa: S608 - our own names
        " (place_kind, place_id, version, from_at, until_at,"
        f" changed_by, state) select '{kind}', id, version, changed_at,"
        f" greatest(cast(:at as timestamptz), changed_at), changed_by, to_jsonb({kind})"
        f" from parking.{kind} where id = any(:ids)"
    )
    for kind in TABLES
}

UPDATE_FACILITY = text(
    "update parking.facility set code = :code, ownership = :ownership, kind = :kind,"
    " name_zh = :name_zh, name_en = :name_en, longitude = :longitude, latitude = :latitude,"
    " timezone = :timezone, operator_id = :operator_id, revenue_nature = :revenue_nature,"
    " tariff_id = :tariff_id, address = :address, onboarding = :onboarding, title = :title,"
    " opening = cast(:opening as jsonb), rules = cast(:rules as jsonb),"
    " geometry = cast(:geometry as jsonb), max_height_m = :max_height_m,"
    " max_width_m = :max_width_m, max_length_m = :max_length_m, max_weight_kg = :max_weight_kg,"
    " lifts = :lifts, pallets = :pallets, retrieval_s = :retrieval_s, version = version + 1,"
    " changed_at = greatest(cast(:changed_at as timestamptz), changed_at),"
    " changed_by = :changed_by where id = :id and version = :version"
)

_ZONE_NAMES: Final = (
    "id, facility_id, district, code, kind, name_zh, name_en, level, length_m, rules, geometry,"
    " retired_at, changed_at, changed_by"
)
_ZONES: Final = (
    "unnest(cast(:id as uuid[]), cast(:facility_id as uuid[]), cast(:district as text[]),"
    " cast(:code as text[]), cast(:kind as text[]), cast(:name_zh as text[]),"
    " cast(:name_en as text[]), cast(:level as int[]), cast(:length_m as float8[]),"
    " cast(:rules as text[]), cast(:geometry as text[]), cast(:retired_at as timestamptz[]),"
    f" cast(:changed_at as timestamptz[]), cast(:changed_by as text[])) as new ({_ZONE_NAMES})"
)

ADD_ZONES = text(
    f"insert into parking.zone ({_ZONE_NAMES})"  # noqa: S608 - our own names
    " select id, facility_id, district, code, kind,"
    " name_zh, name_en, level, length_m, cast(rules as jsonb), cast(geometry as jsonb),"
    f" retired_at, coalesce(changed_at, '1970-01-01Z'), changed_by from {_ZONES}"
)

UPDATE_ZONES = text(
    "update parking.zone set code = new.code,"  # noqa: S608 - our own names
    " kind = new.kind, name_zh = new.name_zh,"
    " name_en = new.name_en, level = new.level, length_m = new.length_m,"
    " rules = cast(new.rules as jsonb), geometry = cast(new.geometry as jsonb),"
    " retired_at = new.retired_at, version = zone.version + 1,"
    " changed_at = greatest(new.changed_at, zone.changed_at), changed_by = new.changed_by"
    f" from {_ZONES} where zone.id = new.id"
)

UPDATE_BAYS = text(
    "update parking.bay set label = new.label, kind = new.kind, longitude = new.longitude,"
    " latitude = new.latitude, bearing_deg = new.bearing_deg, zone_id = new.zone_id,"
    " purpose = new.purpose, ground = new.ground, located = new.located,"
    " length_m = new.length_m, width_m = new.width_m, geometry = cast(new.geometry as jsonb),"
    " rules = cast(new.rules as jsonb), grid_cell = new.grid_cell,"
    " component_code = new.component_code, retired_at = new.retired_at,"
    " version = bay.version + 1, changed_at = greatest(new.changed_at, bay.changed_at),"
    " changed_by = new.changed_by"
    " from unnest(cast(:id as uuid[]), cast(:label as text[]), cast(:kind as text[]),"
    " cast(:longitude as float8[]), cast(:latitude as float8[]), cast(:bearing_deg as float8[]),"
    " cast(:zone_id as uuid[]), cast(:purpose as text[]), cast(:ground as text[]),"
    " cast(:located as text[]), cast(:length_m as float8[]), cast(:width_m as float8[]),"
    " cast(:geometry as text[]), cast(:rules as text[]), cast(:grid_cell as text[]),"
    " cast(:component_code as text[]), cast(:retired_at as timestamptz[]),"
    " cast(:changed_at as timestamptz[]), cast(:changed_by as text[]))"
    " as new (id, label, kind, longitude, latitude, bearing_deg, zone_id, purpose, ground,"
    " located, length_m, width_m, geometry, rules, grid_cell, component_code, retired_at,"
    " changed_at, changed_by) where bay.id = new.id"
)


def change_facility(connection: Connection, new: Facility, *, at: datetime, by: str) -> bool:
    """Write a facility anew; False where it is not at the version any more that `new` has."""
    connection.execute(KEEP["facility"], {"ids": [new.id], "at": at})
    row = {
        **facility_row(new),
        "changed_at": at,
        "changed_by": by,
        "version": new.standing.version,
    }
    return connection.execute(UPDATE_FACILITY, row).rowcount == 1


def _zone_row(each: Zone) -> dict[str, Any]:
    return {
        "id": each.id,
        "facility_id": each.facility_id,
        "district": each.district,
        "code": each.code,
        "kind": each.kind,
        "name_zh": each.name_zh,
        "name_en": each.name_en,
        "level": each.level,
        "length_m": each.length_m,
        "rules": written([rule.as_json() for rule in each.rules]),
        "geometry": written(each.geometry),
        "retired_at": each.retired_at,
        "changed_at": each.standing.changed_at,
        "changed_by": each.standing.changed_by,
    }


def add_zones(connection: Connection, zones: Sequence[Zone]) -> None:
    """Insert zones in one statement."""
    if zones:
        connection.execute(ADD_ZONES, columns([_zone_row(each) for each in zones]))


def change_zones(connection: Connection, zones: Sequence[Zone], *, at: datetime, by: str) -> None:
    """Write zones anew, in two statements."""
    if not zones:
        return
    connection.execute(KEEP["zone"], {"ids": [each.id for each in zones], "at": at})
    rows = [_zone_row(each) | {"changed_at": at, "changed_by": by} for each in zones]
    connection.execute(UPDATE_ZONES, columns(rows))


def change_bays(connection: Connection, bays: Sequence[Bay], *, at: datetime, by: str) -> None:
    """Write bays anew, in two statements."""
    if not bays:
        return
    connection.execute(KEEP["bay"], {"ids": [each.id for each in bays], "at": at})
    rows = [
        bay_row(each) | {"retired_at": each.retired_at, "changed_at": at, "changed_by": by}
        for each in bays
    ]
    for row in rows:
        del row["facility_id"], row["district"]
    connection.execute(UPDATE_BAYS, columns(rows))


def read_zone(row: Row[Any]) -> Zone:
    """Read a zone from a row of its table."""
    return Zone(
        facility_id=FacilityId(row.facility_id),
        district=DistrictCode(row.district),
        code=row.code,
        kind=row.kind,
        name_zh=row.name_zh,
        name_en=row.name_en,
        level=row.level,
        length_m=row.length_m,
        rules=read_rules(row.rules) if row.rules else (),
        geometry=row.geometry,
        id=ZoneId(row.id),
        retired_at=row.retired_at,
        standing=standing_of(row),
    )


def zones(connection: Connection, facility_ids: Sequence[UUID]) -> dict[ZoneId, Zone]:
    """Give the zones of facilities that are not retired, in the order of their ids."""
    found = connection.execute(
        select(tables.zone)
        .where(
            tables.zone.c.facility_id == func.any(bindparam("ids")),
            tables.zone.c.retired_at.is_(None),
        )
        .order_by(tables.zone.c.id),
        {"ids": list(facility_ids)},
    )
    return {(zone := read_zone(row)).id: zone for row in found}


def zone(connection: Connection, zone_id: UUID) -> Zone:
    """Give a zone; NotFound where there is none."""
    found = connection.execute(select(tables.zone).where(tables.zone.c.id == zone_id)).one_or_none()
    if found is None:
        raise NotFound("there is no such zone", field="zone_id")
    return read_zone(found)


_READERS: Final[Mapping[str, Callable[[Row[Any]], Facility | Zone | Bay]]] = {
    "facility": read_facility,
    "zone": read_zone,
    "bay": read_bay,
}


def _revived(state: dict[str, Any]) -> Row[Any]:
    """Give a kept row its types back: JSON has neither instants nor identifiers."""
    values = dict(state)
    for name, value in values.items():
        if value is None:
            continue
        if name.endswith("_at"):
            values[name] = datetime.fromisoformat(value)
        elif name == "id" or name.endswith("_id"):
            values[name] = UUID(value)
    return cast("Row[Any]", SimpleNamespace(**values))


def present(connection: Connection, kind: PlaceKind, place_id: UUID) -> PlaceVersion:
    """Give a place as it stands; NotFound where there is none."""
    table = TABLES[kind]
    row = connection.execute(select(table).where(table.c.id == place_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no such {kind}", field=f"{kind}_id")
    return PlaceVersion(row.version, row.changed_at, None, row.changed_by, _READERS[kind](row))


def versions(
    connection: Connection, kind: PlaceKind, place_id: UUID, *, limit: int = MOST_VERSIONS
) -> tuple[PlaceVersion, ...]:
    """Give what a place is and was, the latest first; NotFound where there is none."""
    now = present(connection, kind, place_id)
    return (now, *_kept(connection, kind, place_id, limit=limit - 1))


def as_of(connection: Connection, kind: PlaceKind, place_id: UUID, at: datetime) -> PlaceVersion:
    """Give a place as it stood at an instant; NotFound where it did not yet."""
    now = present(connection, kind, place_id)
    if at >= now.from_at:
        return now
    found = _kept(connection, kind, place_id, limit=1, at=at)
    if not found:
        raise NotFound(f"the {kind} was not registered at that time", field="at")
    return found[0]


def _kept(
    connection: Connection,
    kind: PlaceKind,
    place_id: UUID,
    *,
    limit: int,
    at: datetime | None = None,
) -> tuple[PlaceVersion, ...]:
    history = tables.place_history
    query = (
        select(history)
        .where(history.c.place_kind == kind, history.c.place_id == place_id)
        .order_by(history.c.version.desc())
        .limit(limit)
    )
    if at is not None:
        query = query.where(history.c.from_at <= at, history.c.until_at > at)
    return tuple(
        PlaceVersion(
            row.version,
            row.from_at,
            row.until_at,
            row.changed_by,
            _READERS[kind](_revived(row.state)),
        )
        for row in connection.execute(query)
    )
