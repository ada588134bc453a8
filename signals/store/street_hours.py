"""What phases did by the hour, from bins whose detectors can be believed; when cabinets changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class PhaseHour:
    """One phase in one hour, in as many bins as detectors were sound in."""

    place: int
    phase: int
    at: datetime
    bins: int
    left_out: int
    """Bins in which a detector that tells of its arrivals or cycles was not sound."""
    cycles: int
    split_failures: int
    arrivals: int
    on_green: float
    """Arrivals, not their share."""
    released: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class CountedHour:
    """Vehicles at one detector upstream in an hour that was sound throughout."""

    place: int
    channel: int
    at: datetime
    vehicles: int


def phase_hours(
    connection: Connection, places: Sequence[int], from_at: datetime, until_at: datetime
) -> list[PhaseHour]:
    """Give the hours that begin in a span: whole ones.

    Cost grows with the bins: some microseconds each.
    """
    rows = connection.execute(
        text(
            "with broken as materialized ("
            " select distinct b.place, d.phase, b.from_at, d.function"
            " from signals.detector_bin b"
            " join signals.detector d on d.place = b.place and d.channel = b.channel"
            " where b.place = any(:places) and b.from_at >= :from_at and b.from_at < :until_at"
            " and b.state <> 'ok' and d.function in ('advance', 'presence'))"
            " select p.place, p.phase, date_bin('1 hour', p.from_at, 'epoch') as at,"
            " count(*)::int as bins,"
            " count(coalesce(a.function, s.function))::int as left_out,"
            " coalesce(sum(p.cycles) filter (where s.place is null), 0)::int as cycles,"
            " coalesce(sum(p.split_failures) filter (where s.place is null), 0)::int"
            "   as split_failures,"
            " coalesce(sum(p.arrivals) filter (where a.place is null), 0)::int as arrivals,"
            " coalesce(sum(p.arrivals * p.on_green) filter (where a.place is null), 0)::float8"
            "   as on_green,"
            " coalesce(sum(p.released) filter (where a.place is null), 0)::int as released,"
            " coalesce(sum(p.waited_s) filter (where a.place is null), 0)::float8 as waited_s"
            " from signals.phase_bin p"
            " left join broken a on a.function = 'advance' and a.place = p.place"
            "   and a.phase = p.phase and a.from_at = p.from_at"
            " left join broken s on s.function = 'presence' and s.place = p.place"
            "   and s.phase = p.phase and s.from_at = p.from_at"
            " where p.place = any(:places) and p.from_at >= :from_at and p.from_at < :until_at"
            " group by 1, 2, 3"
        ),
        {"places": list(places), "from_at": from_at, "until_at": until_at},
    )
    return [PhaseHour(**row) for row in rows.mappings()]


def counted_hours(
    connection: Connection, places: Sequence[int], from_at: datetime, until_at: datetime
) -> list[CountedHour]:
    """Give what detectors upstream counted in the hours of a span in which all bins are sound."""
    rows = connection.execute(
        text(
            "select b.place, b.channel, date_bin('1 hour', b.from_at, 'epoch') as at,"
            " sum(b.vehicles)::int as vehicles from signals.detector_bin b"
            " where b.place = any(:places) and b.from_at >= :from_at and b.from_at < :until_at"
            " and exists (select from signals.detector d where d.place = b.place"
            "   and d.channel = b.channel and d.function = 'advance')"
            " group by 1, 2, 3 having count(*) = 12 and bool_and(b.state = 'ok')"
        ),
        {"places": list(places), "from_at": from_at, "until_at": until_at},
    )
    return [CountedHour(**row) for row in rows.mappings()]


def shown_from(connection: Connection, runs: Collection[UUID]) -> dict[UUID, datetime | None]:
    """Give when cabinets first showed the runs that they were to be sent; None where none did."""
    rows = connection.execute(
        text(
            "select run_id, min(ended_at) filter (where status = 'active') as at"
            " from signals.cabinet_act where run_id = any(:runs) group by run_id"
        ),
        {"runs": list(runs)},
    )
    return {row.run_id: row.at for row in rows}


def changed_again(
    connection: Connection, network_id: UUID, runs: Collection[UUID]
) -> datetime | None:
    """Give when a cabinet that shows one of some runs was first sent another since."""
    found: datetime | None = connection.execute(
        text(
            "select min(later.began_at) from signals.cabinet_act mine"
            " join signals.cabinet_act later on later.network_id = mine.network_id"
            "   and later.signal = mine.signal and later.run_id <> mine.run_id"
            "   and later.began_at > mine.ended_at"
            " where mine.network_id = :network and mine.run_id = any(:runs)"
            "   and mine.status = 'active'"
        ),
        {"network": network_id, "runs": list(runs)},
    ).scalar_one()
    return found
