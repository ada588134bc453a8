"""Lanes whose cameras tell of a signal, how far their passes were heard, and the passes kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import DistrictCode
from signals.rules.passes.shares import ReadingRate
from signals.store.tables import pass_lane, pass_mark, place, reading_rate


@dataclass(frozen=True, slots=True)
class PassLane:
    """A lane of a gate whose camera's reads count as passes of a signal."""

    lane_id: UUID
    district: DistrictCode
    place: int
    lane: int
    """Its number among the signal's."""
    since_at: datetime
    """Wall time; what passed before is not kept."""


@dataclass(frozen=True, slots=True)
class HeardUpTo:
    """How far a district's stream was heard."""

    entry: str
    number: int
    """Of entries, from the stream's beginning to this one."""
    lost: int
    """Gone before anybody heard them."""


def lanes(connection: Connection) -> dict[UUID, PassLane]:
    """Give all lanes that tell of a signal."""
    rows = connection.execute(select(pass_lane)).mappings()
    return {row["lane_id"]: PassLane(**row) for row in rows}


def lanes_of_network(connection: Connection, network_id: UUID) -> list[tuple[str, PassLane]]:
    """Give a network's lanes, each with its signal, in the order of signals and numbers."""
    query = (
        select(pass_lane, place.c.signal)
        .join(place, place.c.place == pass_lane.c.place)
        .where(place.c.network_id == network_id)
        .order_by(place.c.signal, pass_lane.c.lane, pass_lane.c.lane_id)
    )
    found = []
    for row in connection.execute(query).mappings():
        values = dict(row)
        found.append((values.pop("signal"), PassLane(**values)))
    return found


def set_lanes(
    connection: Connection, where: int, given: Mapping[UUID, tuple[DistrictCode, int]], at: datetime
) -> None:
    """Say which lanes tell of a place, in the place of what was said before.

    A lane that told of it already goes on doing so since when it did.
    """
    connection.execute(
        delete(pass_lane).where(pass_lane.c.place == where, pass_lane.c.lane_id.not_in(list(given)))
    )
    if given:
        statement = upsert(pass_lane).values(
            [
                {
                    "lane_id": lane_id,
                    "district": district,
                    "place": where,
                    "lane": number,
                    "since_at": at,
                }
                for lane_id, (district, number) in given.items()
            ]
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["lane_id"], set_={"lane": statement.excluded.lane}
            )
        )


def elsewhere(connection: Connection, where: int, lane_ids: Sequence[UUID]) -> list[UUID]:
    """Give those of some lanes that tell of another place."""
    query = select(pass_lane.c.lane_id).where(
        pass_lane.c.place != where, pass_lane.c.lane_id.in_(list(lane_ids))
    )
    return list(connection.execute(query).scalars())


def hold_mark(connection: Connection, district: DistrictCode) -> HeardUpTo:
    """Give how far a district was heard, and let nobody else hear it until this is over."""
    fresh = {"district": district, "entry": "0", "number": 0}
    connection.execute(upsert(pass_mark).values(fresh).on_conflict_do_nothing())
    query = (
        select(pass_mark.c.entry, pass_mark.c.number, pass_mark.c.lost)
        .where(pass_mark.c.district == district)
        .with_for_update()
    )
    return HeardUpTo(*connection.execute(query).one())


def move_mark(connection: Connection, district: DistrictCode, to: HeardUpTo) -> None:
    """Say how far a district was heard."""
    connection.execute(
        update(pass_mark)
        .where(pass_mark.c.district == district)
        .values(entry=to.entry, number=to.number, lost=to.lost)
    )


def reading_rates(connection: Connection, places: Sequence[int]) -> dict[int, ReadingRate]:
    """Give what counts beside cameras found, by place."""
    query = select(reading_rate).where(reading_rate.c.place.in_(list(places)))
    return {row.place: ReadingRate(row.vehicles, row.read) for row in connection.execute(query)}


def set_reading_rate(
    connection: Connection, where: int, rate: ReadingRate, at: datetime, by: str
) -> None:
    """Keep what a count beside a place's cameras found, in the place of the one before."""
    values = {"vehicles": rate.vehicles, "read": rate.read, "counted_at": at, "counted_by": by}
    statement = upsert(reading_rate).values(place=where, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["place"], set_=values))
