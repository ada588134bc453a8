"""What lies around a place: bays and kerb lines whose ground a new one might claim."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from city.places import Position
from parking.rules.places.overlaps import Claim, KerbLine, claim_of
from parking.store.places import read_bay

REACH_DEG: Final = 0.0012
"""About 130 m north and, at 60 degrees north, 65 m east: two of the longest bays."""

NEAR_BAYS: Final = text(
    "select bay.*, facility.kind as facility_kind, zone.level as zone_level"
    " from (select distinct near.id from unnest(cast(:longitudes as float8[]),"
    "  cast(:latitudes as float8[])) as new (longitude, latitude)"
    "  join parking.bay near on point(near.longitude, near.latitude) <@"
    "   box(point(new.longitude - :reach, new.latitude - :reach),"
    "   point(new.longitude + :reach, new.latitude + :reach))) as found"
    " join parking.bay on bay.id = found.id"
    " join parking.facility on facility.id = bay.facility_id"
    " left join parking.zone on zone.id = bay.zone_id"
    " where bay.retired_at is null and bay.located = 'surveyed'"
    " and bay.id <> all(cast(:besides as uuid[]))"
    " and bay.facility_id <> all(cast(:besides_facilities as uuid[]))"
)

KERB_LINES: Final = text(
    "select facility.code, facility.geometry->'coordinates' as line from parking.facility"
    " where facility.kind = 'kerb' and facility.geometry->>'type' = 'LineString'"
    " and facility.onboarding <> 'withdrawn' and facility.id <> all(cast(:besides as uuid[]))"
    " and facility.longitude between :west and :east"
    " and facility.latitude between :south and :north"
)


def claims_near(
    connection: Connection,
    places: Sequence[Position],
    besides: Sequence[UUID] = (),
    besides_facilities: Sequence[UUID] = (),
) -> list[Claim]:
    """Give the claims of bays near places: one look-up in the spatial index a place.

    Bays `besides`, and those of facilities `besides_facilities`, are left out.
    """
    rows = connection.execute(
        NEAR_BAYS,
        {
            "longitudes": [each.longitude for each in places],
            "latitudes": [each.latitude for each in places],
            "reach": REACH_DEG,
            "besides": list(besides),
            "besides_facilities": list(besides_facilities),
        },
    )
    claims = (claim_of(read_bay(row), row.facility_kind, row.zone_level) for row in rows)
    return [each for each in claims if each is not None]


def kerb_lines_in(
    connection: Connection, around: Sequence[Position], besides: Sequence[UUID] = ()
) -> list[KerbLine]:
    """Give the kerb lines of facilities within the box of positions, widened by about 1 km."""
    wide = 0.01
    rows = connection.execute(
        KERB_LINES,
        {
            "west": min(each.longitude for each in around) - wide,
            "east": max(each.longitude for each in around) + wide,
            "south": min(each.latitude for each in around) - wide,
            "north": max(each.latitude for each in around) + wide,
            "besides": list(besides),
        },
    )
    return [KerbLine(row.code, tuple(Position(*point[:2]) for point in row.line)) for row in rows]
