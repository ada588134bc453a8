"""Facilities and bays: rows in, dataclasses out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Row, bindparam, func, select, text

from city.errors import Invalid, NotFound
from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    OperatorId,
    TariffId,
    parse_district_code,
    uuid7,
)
from city.places import Position
from parking.store import tables
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged

Ownership = Literal["public", "private"]
FacilityKind = Literal["kerb", "garage", "lot"]
RevenueNature = Literal["commercial", "public_non_tax"]
"""Fees of a public kerb can be the treasury's non-tax revenue: then a receipt is fiscal and no
share of it is anybody's."""


def _one_of(value: str, kind: object, name: str) -> None:
    allowed = get_args(kind)
    if value not in allowed:
        raise Invalid(f"must be one of {', '.join(allowed)}", field=name)


@dataclass(frozen=True, slots=True)
class Facility:
    """A place with bays under one tariff and one operator.

    Raises
    ------
    Invalid
        On a kind, ownership, revenue nature or time zone that is not known.
    """

    code: str
    district: DistrictCode
    ownership: Ownership
    kind: FacilityKind
    name_zh: str
    name_en: str
    position: Position
    timezone: str
    operator_id: OperatorId
    revenue_nature: RevenueNature
    tariff_id: TariffId | None = None
    id: FacilityId = field(default_factory=lambda: FacilityId(uuid7()))

    def __post_init__(self) -> None:
        parse_district_code(self.district)
        _one_of(self.ownership, Ownership, "ownership")
        _one_of(self.kind, FacilityKind, "kind")
        _one_of(self.revenue_nature, RevenueNature, "revenue_nature")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise Invalid("is not a time zone", field="timezone") from error


@dataclass(frozen=True, slots=True)
class Bay:
    """A marked space for one vehicle. `number` is the database's, 0 before it is kept."""

    facility_id: FacilityId
    district: DistrictCode
    label: str
    kind: str
    position: Position
    bearing_deg: float | None = None
    id: BayId = field(default_factory=lambda: BayId(uuid7()))
    number: int = 0

    def __post_init__(self) -> None:
        parse_district_code(self.district)


ADD_FACILITIES = text(
    "insert into parking.facility (id, code, district, ownership, kind, name_zh, name_en,"
    " longitude, latitude, timezone, operator_id, revenue_nature, tariff_id)"
    " select * from unnest(cast(:id as uuid[]), cast(:code as text[]), cast(:district as text[]),"
    " cast(:ownership as text[]), cast(:kind as text[]), cast(:name_zh as text[]),"
    " cast(:name_en as text[]), cast(:longitude as float8[]), cast(:latitude as float8[]),"
    " cast(:timezone as text[]), cast(:operator_id as uuid[]), cast(:revenue_nature as text[]),"
    " cast(:tariff_id as uuid[]))"
)

ADD_BAYS = text(
    "insert into parking.bay (id, facility_id, district, label, kind, longitude, latitude,"
    " bearing_deg)"
    " select * from unnest(cast(:id as uuid[]), cast(:facility_id as uuid[]),"
    " cast(:district as text[]), cast(:label as text[]), cast(:kind as text[]),"
    " cast(:longitude as float8[]), cast(:latitude as float8[]), cast(:bearing_deg as float8[]))"
)


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into the arrays that `unnest` takes."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def add_facilities(connection: Connection, facilities: Sequence[Facility]) -> None:
    """Insert facilities in one statement."""
    if facilities:
        connection.execute(
            ADD_FACILITIES,
            columns(
                [
                    {
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
                    }
                    for each in facilities
                ]
            ),
        )


def add_bays(connection: Connection, bays: Sequence[Bay]) -> None:
    """Insert bays in one statement; the database numbers them."""
    if bays:
        connection.execute(
            ADD_BAYS,
            columns(
                [
                    {
                        "id": each.id,
                        "facility_id": each.facility_id,
                        "district": each.district,
                        "label": each.label,
                        "kind": each.kind,
                        "longitude": each.position.longitude,
                        "latitude": each.position.latitude,
                        "bearing_deg": each.bearing_deg,
                    }
                    for each in bays
                ]
            ),
        )


def _facility(row: Row[Any]) -> Facility:
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
    )


def facility(connection: Connection, facility_id: UUID) -> Facility:
    """Give a facility; NotFound where there is none."""
    found = connection.execute(
        select(tables.facility).where(tables.facility.c.id == facility_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such facility", field="facility_id")
    return _facility(found)


def facilities(
    connection: Connection,
    *,
    district: str | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Facility]:
    """Give a page of facilities in the order of their ids; cost grows with the page alone."""
    query = select(tables.facility).order_by(tables.facility.c.id).limit(checked_limit(limit) + 1)
    if district is not None:
        query = query.where(tables.facility.c.district == district)
    if after is not None:
        query = query.where(tables.facility.c.id > after)
    found = [_facility(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def facilities_by_id(
    connection: Connection, facility_ids: Iterable[UUID]
) -> dict[FacilityId, Facility]:
    """Give the facilities of the given ids; those that do not exist are left out."""
    rows = connection.execute(
        select(tables.facility).where(tables.facility.c.id == func.any(bindparam("ids"))),
        {"ids": list(facility_ids)},
    )
    return {(each := _facility(row)).id: each for row in rows}


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
    """Give a page of bays in the order of their ids; cost grows with the page alone."""
    query = select(tables.bay).order_by(tables.bay.c.id).limit(checked_limit(limit) + 1)
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
