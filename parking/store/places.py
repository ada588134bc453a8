"""Facilities and bays: rows in, dataclasses out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, Row, bindparam, func, select, text

from city.errors import NotFound
from city.identifiers import BayId, DistrictCode, FacilityId, OperatorId, TariffId, ZoneId
from city.places import Position
from parking.rules.places.model import Bay, Facility, Limits, Machine, Standing
from parking.rules.places.times import read_spans
from parking.rules.places.usage import read_rules
from parking.store import tables
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged

__all__ = [
    "Bay",
    "Facility",
    "add_bays",
    "add_facilities",
    "bay",
    "bays",
    "bays_by_id",
    "columns",
    "count_bays",
    "count_facilities",
    "districts",
    "facilities",
    "facilities_by_id",
    "facility",
    "read_bay",
    "read_facility",
]

REGISTRY: Final = "system:registry"
"""Who changed a row that nobody in particular did."""

ADD_FACILITIES = text(
    "insert into parking.facility (id, code, district, ownership, kind, name_zh, name_en,"
    " longitude, latitude, timezone, operator_id, revenue_nature, tariff_id, address, onboarding,"
    " title, opening, rules, geometry, max_height_m, max_width_m, max_length_m, max_weight_kg,"
    " lifts, pallets, retrieval_s, changed_at, changed_by)"
    " select id, code, district, ownership, kind, name_zh, name_en, longitude, latitude, timezone,"
    " operator_id, revenue_nature, tariff_id, address, onboarding, title, cast(opening as jsonb),"
    " cast(rules as jsonb), cast(geometry as jsonb), max_height_m, max_width_m, max_length_m,"
    " max_weight_kg, lifts, pallets, retrieval_s, coalesce(changed_at, '1970-01-01Z'), changed_by"
    " from unnest(cast(:id as uuid[]), cast(:code as text[]), cast(:district as text[]),"
    " cast(:ownership as text[]), cast(:kind as text[]), cast(:name_zh as text[]),"
    " cast(:name_en as text[]), cast(:longitude as float8[]), cast(:latitude as float8[]),"
    " cast(:timezone as text[]), cast(:operator_id as uuid[]), cast(:revenue_nature as text[]),"
    " cast(:tariff_id as uuid[]), cast(:address as text[]), cast(:onboarding as text[]),"
    " cast(:title as text[]), cast(:opening as text[]), cast(:rules as text[]),"
    " cast(:geometry as text[]), cast(:max_height_m as float8[]), cast(:max_width_m as float8[]),"
    " cast(:max_length_m as float8[]), cast(:max_weight_kg as float8[]), cast(:lifts as int[]),"
    " cast(:pallets as int[]), cast(:retrieval_s as int[]), cast(:changed_at as timestamptz[]),"
    " cast(:changed_by as text[]))"
    " as new (id, code, district, ownership, kind, name_zh, name_en, longitude, latitude,"
    " timezone, operator_id, revenue_nature, tariff_id, address, onboarding, title, opening, rules,"
    " geometry, max_height_m, max_width_m, max_length_m, max_weight_kg, lifts, pallets,"
    " retrieval_s, changed_at, changed_by)"
)

ADD_BAYS = text(
    "insert into parking.bay (id, facility_id, district, label, kind, longitude, latitude,"
    " bearing_deg, zone_id, purpose, ground, located, length_m, width_m, geometry, rules,"
    " grid_cell, component_code, changed_at, changed_by)"
    " select id, facility_id, district, label, kind, longitude, latitude, bearing_deg, zone_id,"
    " purpose, ground, located, length_m, width_m, cast(geometry as jsonb), cast(rules as jsonb),"
    " grid_cell, component_code, coalesce(changed_at, '1970-01-01Z'), changed_by"
    " from unnest(cast(:id as uuid[]), cast(:facility_id as uuid[]),"
    " cast(:district as text[]), cast(:label as text[]), cast(:kind as text[]),"
    " cast(:longitude as float8[]), cast(:latitude as float8[]), cast(:bearing_deg as float8[]),"
    " cast(:zone_id as uuid[]), cast(:purpose as text[]), cast(:ground as text[]),"
    " cast(:located as text[]), cast(:length_m as float8[]), cast(:width_m as float8[]),"
    " cast(:geometry as text[]), cast(:rules as text[]), cast(:grid_cell as text[]),"
    " cast(:component_code as text[]), cast(:changed_at as timestamptz[]),"
    " cast(:changed_by as text[]))"
    " as new (id, facility_id, district, label, kind, longitude, latitude, bearing_deg, zone_id,"
    " purpose, ground, located, length_m, width_m, geometry, rules, grid_cell, component_code,"
    " changed_at, changed_by)"
)


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into the arrays that `unnest` takes."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def written(value: JsonValue) -> str | None:
    """Write a JSON value for a column that may be null."""
    return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)


def facility_row(each: Facility) -> dict[str, Any]:
    """Give a facility's columns; JSON ones as text."""
    machine = each.machine
    return {
        "id": each.id,
        "code": each.code,
        "district": each.district,
        "ownership": each.ownership,
        "kind": each.kind,
        "name_zh": each.name_zh,
        "name_en": each.name_en,
        "longitude": each.position.longitude,
        "latitude": each.position.latitude,
        "timezone": each.timezone,
        "operator_id": each.operator_id,
        "revenue_nature": each.revenue_nature,
        "tariff_id": each.tariff_id,
        "address": each.address,
        "onboarding": each.onboarding,
        "title": each.title,
        "opening": written([span.as_json() for span in each.opening]) if each.opening else None,
        "rules": written([rule.as_json() for rule in each.rules]),
        "geometry": written(each.geometry),
        "max_height_m": each.limits.max_height_m,
        "max_width_m": each.limits.max_width_m,
        "max_length_m": each.limits.max_length_m,
        "max_weight_kg": each.limits.max_weight_kg,
        "lifts": machine.lifts if machine else None,
        "pallets": machine.pallets if machine else None,
        "retrieval_s": machine.retrieval_s if machine else None,
        "changed_at": each.standing.changed_at,
        "changed_by": each.standing.changed_by or REGISTRY,
    }


def bay_row(each: Bay) -> dict[str, Any]:
    """Give a bay's columns; JSON ones as text."""
    return {
        "id": each.id,
        "facility_id": each.facility_id,
        "district": each.district,
        "label": each.label,
        "kind": each.kind,
        "longitude": each.position.longitude,
        "latitude": each.position.latitude,
        "bearing_deg": each.bearing_deg,
        "zone_id": each.zone_id,
        "purpose": each.purpose,
        "ground": each.ground,
        "located": each.located,
        "length_m": each.length_m,
        "width_m": each.width_m,
        "geometry": written(each.geometry),
        "rules": written([rule.as_json() for rule in each.rules]),
        "grid_cell": each.grid_cell,
        "component_code": each.component_code,
        "changed_at": each.standing.changed_at,
        "changed_by": each.standing.changed_by or REGISTRY,
    }


def add_facilities(connection: Connection, facilities: Sequence[Facility]) -> None:
    """Insert facilities in one statement."""
    if facilities:
        connection.execute(ADD_FACILITIES, columns([facility_row(each) for each in facilities]))


def add_bays(connection: Connection, bays: Sequence[Bay]) -> None:
    """Insert bays in one statement; the database numbers them."""
    if bays:
        connection.execute(ADD_BAYS, columns([bay_row(each) for each in bays]))


def standing_of(row: Row[Any]) -> Standing:
    """Read which state of a row this is."""
    return Standing(row.version, row.changed_at, row.changed_by)


def read_facility(row: Row[Any]) -> Facility:
    """Read a facility from a row of its table."""
    return Facility(
        code=row.code,
        district=DistrictCode(row.district),
        ownership=row.ownership,
        kind=row.kind,
        name_zh=row.name_zh,
        name_en=row.name_en,
        position=Position(row.longitude, row.latitude),
        timezone=row.timezone,
        operator_id=OperatorId(row.operator_id),
        revenue_nature=row.revenue_nature,
        tariff_id=None if row.tariff_id is None else TariffId(row.tariff_id),
        id=FacilityId(row.id),
        address=row.address,
        onboarding=row.onboarding,
        title=row.title,
        opening=read_spans(row.opening, "opening") if row.opening else (),
        rules=read_rules(row.rules) if row.rules else (),
        geometry=row.geometry,
        limits=Limits(row.max_height_m, row.max_width_m, row.max_length_m, row.max_weight_kg),
        machine=None if row.lifts is None else Machine(row.lifts, row.pallets, row.retrieval_s),
        standing=standing_of(row),
    )


def read_bay(row: Row[Any]) -> Bay:
    """Read a bay from a row of its table."""
    return Bay(
        facility_id=FacilityId(row.facility_id),
        district=DistrictCode(row.district),
        label=row.label,
        kind=row.kind,
        position=Position(row.longitude, row.latitude),
        bearing_deg=row.bearing_deg,
        id=BayId(row.id),
        number=row.number,
        zone_id=None if row.zone_id is None else ZoneId(row.zone_id),
        purpose=row.purpose,
        ground=row.ground,
        located=row.located,
        length_m=row.length_m,
        width_m=row.width_m,
        geometry=row.geometry,
        rules=read_rules(row.rules) if row.rules else (),
        grid_cell=row.grid_cell,
        component_code=row.component_code,
        retired_at=row.retired_at,
        standing=standing_of(row),
    )


def facility(connection: Connection, facility_id: UUID) -> Facility:
    """Give a facility; NotFound where there is none."""
    found = connection.execute(
        select(tables.facility).where(tables.facility.c.id == facility_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such facility", field="facility_id")
    return read_facility(found)


def facilities(
    connection: Connection,
    *,
    district: str | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Facility]:
    """Give a page of facilities in the order of their ids; cost grows with the page alone.

    Those that were withdrawn are left out.
    """
    query = (
        select(tables.facility)
        .where(tables.facility.c.onboarding != "withdrawn")
        .order_by(tables.facility.c.id)
        .limit(checked_limit(limit) + 1)
    )
    if district is not None:
        query = query.where(tables.facility.c.district == district)
    if after is not None:
        query = query.where(tables.facility.c.id > after)
    found = [read_facility(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def facilities_by_id(
    connection: Connection, facility_ids: Iterable[UUID]
) -> dict[FacilityId, Facility]:
    """Give the facilities of the given ids; those that do not exist are left out."""
    rows = connection.execute(
        select(tables.facility).where(tables.facility.c.id == func.any(bindparam("ids"))),
        {"ids": list(facility_ids)},
    )
    return {(each := read_facility(row)).id: each for row in rows}


def count_facilities(connection: Connection) -> int:
    """Count every facility."""
    return connection.execute(select(func.count()).select_from(tables.facility)).scalar_one()


def count_bays(connection: Connection, facility_ids: Iterable[FacilityId]) -> dict[FacilityId, int]:
    """Count the bays of facilities; one without bays is left out."""
    home = tables.bay.c.facility_id
    rows = connection.execute(
        select(home, func.count()).where(home == func.any(bindparam("ids"))).group_by(home),
        {"ids": list(facility_ids)},
    )
    return {FacilityId(facility_id): count for facility_id, count in rows}


def bay(connection: Connection, bay_id: UUID) -> Bay:
    """Give a bay; NotFound where there is none."""
    found = connection.execute(select(tables.bay).where(tables.bay.c.id == bay_id)).one_or_none()
    if found is None:
        raise NotFound("there is no such bay", field="bay_id")
    return read_bay(found)


def bays(
    connection: Connection,
    *,
    facility_id: UUID | None = None,
    district: str | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Bay]:
    """Give a page of bays in the order of their ids; cost grows with the page alone.

    Retired ones are left out.
    """
    query = (
        select(tables.bay)
        .where(tables.bay.c.retired_at.is_(None))
        .order_by(tables.bay.c.id)
        .limit(checked_limit(limit) + 1)
    )
    if facility_id is not None:
        query = query.where(tables.bay.c.facility_id == facility_id)
    if district is not None:
        query = query.where(tables.bay.c.district == district)
    if after is not None:
        query = query.where(tables.bay.c.id > after)
    found = [read_bay(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def bays_by_id(connection: Connection, bay_ids: Iterable[UUID]) -> dict[BayId, Bay]:
    """Give the bays of the given ids; those that do not exist are left out."""
    rows = connection.execute(
        select(tables.bay).where(tables.bay.c.id == func.any(bindparam("ids"))),
        {"ids": list(bay_ids)},
    )
    return {(each := read_bay(row)).id: each for row in rows}


def districts(connection: Connection) -> tuple[DistrictCode, ...]:
    """Give every district that has a facility, in order."""
    return tuple(
        DistrictCode(code)
        for code in connection.execute(
            select(tables.facility.c.district).distinct().order_by(tables.facility.c.district)
        ).scalars()
    )
