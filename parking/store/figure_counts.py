"""Keeping the figures' counts: marks of what changed, and counting a local day anew.

A day is counted whole, from the history itself and from how the day before ended: done again it
gives the same rows. Cost: the changes and stays of that day in those facilities, by index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from city.identifiers import BayId, FacilityId
from parking.rules.figures.calendar import Hour
from parking.rules.figures.direct import UNSEEN_ENDS
from parking.rules.figures.sketch import LOG_GROWTH
from parking.rules.places.closures import Closure
from parking.store.partitions import FIGURES, ensure_partition

# Whoever takes marks lowers how far the facilities are counted, in the order of their ids.
TAKE_MARKS: Final = text(
    "with taken as (delete from parking.figure_mark where id in"
    "  (select id from parking.figure_mark order by id limit :most for update skip locked)"
    "  returning facility_id, from_at),"
    " earliest as (select facility_id, min(from_at) as from_at from taken group by facility_id"
    "  order by facility_id)"
    " insert into parking.figure_facility as f (facility_id, counted_until_at)"
    " select facility_id, from_at from earliest order by facility_id"
    " on conflict (facility_id) do update"
    " set counted_until_at = least(f.counted_until_at, excluded.counted_until_at)"
)

DUE: Final = text(
    "select f.facility_id, f.counted_until_at, p.timezone from parking.figure_facility f"
    " join parking.facility p on p.id = f.facility_id"
    " where f.counted_until_at < :now order by f.counted_until_at, f.facility_id"
    " limit :most for update of f skip locked"
)

COUNTED: Final = text(
    "update parking.figure_facility set counted_until_at = :until_at"
    " where facility_id = any(cast(:facilities as uuid[]))"
)

MICROSECONDS: Final = "cast(extract(epoch from {}) * 1000000 as bigint)"
BIN: Final = (
    "cast(case when {0} <= interval '1 millisecond' then 0 else"
    " ceil(ln(cast(extract(epoch from {0}) * 1000 as float8)) / :log_growth) end as smallint)"
)
COUNTS: Final = (
    "service_us",
    "open_us",
    "occupied_us",
    "free_us",
    "arrivals",
    "ended",
    "matched",
    "dwell_stays",
    "dwell_us",
    "changes",
)
BINS: Final = ("dwell_bins", "dwell_counts", "delay_bins", "delay_counts")
STARTS: Final = "cast(:starts as timestamptz[])"
SHUT: Final = (
    "coalesce((select sum(upper(each) - lower(each))"
    " from unnest(k.spans * tstzmultirange(tstzrange({}, {}))) as shut (each)), interval '0')"
)
"""How much of a stretch a bay `k` is closed; nothing where none is known of it."""

OPEN: Final = (
    "(cast(:through_at as timestamptz) - b.since_at"
    f" - {SHUT.format('b.since_at', 'cast(:through_at as timestamptz)')})"
)
"""For how long of the day a bay `b` in service was open."""

_UNSEEN: Final = ", ".join(f"'{reason.value}'" for reason in sorted(UNSEEN_ENDS))


def _upsert(table: str, key: str, columns: Sequence[str]) -> str:
    """Give the end of an insert that rewrites only rows that differ."""
    excluded = ", ".join(f"excluded.{name}" for name in columns)
    present = ", ".join(f"{table}.{name}" for name in columns)
    return (
        f" on conflict ({key}) do update set ({', '.join(columns)}) = ({excluded})"
        f" where ({present}) is distinct from ({excluded})"
    )


_HOUR_COLUMNS: Final = ("district", "day", "hour", *COUNTS, *BINS)
_DAY_COLUMNS: Final = ("facility_id", *COUNTS, "closing")

# Names below are ours; what varies comes as parameters.
COUNT_DAY: Final = text(
    f"""
with hour as (
    select * from unnest({STARTS}, cast(:ends as timestamptz[]), cast(:hours as smallint[]))
        with ordinality as given (start_at, end_at, hour, i)
), home as materialized (
    -- The bays, and what was known of each when the day began: as the day before ended, or,
    -- before the first day that was ever counted, by looking for its last change.
    select b.id as bay_id, b.facility_id,
        case when p.bay_id is not null then p.closing else
            (select c.state from parking.bay_change c
             where c.bay_id = b.id and c.changed_at < :from_at
             order by c.changed_at desc, c.observation_key desc limit 1) end as state,
        case when p.bay_id is not null then p.service_us > 0 else
            exists (select from parking.bay_change c
                    where c.bay_id = b.id and c.changed_at < :from_at)
            or exists (select from parking.parking_session s
                       where s.bay_id = b.id and s.opened_at < :from_at) end as served
    from parking.bay b left join parking.figure_day p
        on p.bay_id = b.id and p.day = cast(:day as date) - 1
    where b.facility_id = any(cast(:facilities as uuid[]))
), closed as materialized (
    -- Bays with times of their own first: these hold their facility's hours as well.
    select home.bay_id, coalesce(b.spans, f.spans) as spans
    from home
    left join (select facility_id, range_agg(tstzrange(from_at, until_at)) as spans
               from unnest(cast(:shut_facilities as uuid[]), cast(:shut_from as timestamptz[]),
                   cast(:shut_until as timestamptz[])) as given (facility_id, from_at, until_at)
               group by facility_id) f using (facility_id)
    left join (select bay_id, range_agg(tstzrange(from_at, until_at)) as spans
               from unnest(cast(:shut_bays as uuid[]), cast(:shut_bays_from as timestamptz[]),
                   cast(:shut_bays_until as timestamptz[])) as given (bay_id, from_at, until_at)
               group by bay_id) b using (bay_id)
    where b.spans is not null or f.spans is not null
), change as materialized (
    select c.bay_id, c.facility_id, c.changed_at as at, c.observation_key as key, c.state,
        c.device_id is not null and c.state <> 'unknown' as heard,
        greatest(c.recorded_at - c.changed_at, interval '0') as delay
    from parking.bay_change c
    where c.facility_id = any(cast(:facilities as uuid[]))
        and c.changed_at >= :from_at and c.changed_at < :through_at
), seen as (
    select bay_id, at, key, state from change
    union all select bay_id, :from_at, '', state from home where state is not null
), spell as materialized (
    select bay_id, state, at, lead(at, 1, :through_at) over history as until_at,
        lead(at) over history is null as last
    from seen window history as (partition by bay_id order by at, key)
), piece as materialized (
    select s.bay_id, b.facility_id, h.i, s.state,
        least(s.until_at, h.end_at) - greatest(s.at, h.start_at)
            - {SHUT.format("greatest(s.at, h.start_at)", "least(s.until_at, h.end_at)")} as lasted
    from spell s join home b using (bay_id) left join closed k using (bay_id)
    cross join lateral generate_series(width_bucket(s.at, {STARTS}),
        width_bucket(s.until_at - interval '1 microsecond', {STARTS})) as reached (i)
    join hour h on h.i = reached.i
    where s.state <> 'unknown' and s.at < s.until_at
), arrived as materialized (
    select s.bay_id, s.facility_id, s.opened_at, width_bucket(s.opened_at, {STARTS}) as i
    from parking.parking_session s
    where s.facility_id = any(cast(:facilities as uuid[]))
        and s.opened_at >= :from_at and s.opened_at < :through_at
), gone as materialized (
    select s.bay_id, s.facility_id, width_bucket(s.closed_at, {STARTS}) as i,
        s.vehicle_id is not null as matched, s.closed_at - s.opened_at as dwell,
        coalesce(s.closing_reason, '') not in ({_UNSEEN}) as end_seen
    from parking.parking_session s
    where s.facility_id = any(cast(:facilities as uuid[]))
        and s.closed_at >= :from_at and s.closed_at < :through_at
), began as materialized (
    select h.bay_id, h.facility_id, case when h.served then :from_at else
        least(c.at, a.opened_at) end as since_at
    from home h
    left join (select bay_id, min(at) as at from seen group by bay_id) c using (bay_id)
    left join (select bay_id, min(opened_at) as opened_at from arrived group by bay_id) a
        using (bay_id)
), counted_bay as (
    insert into parking.figure_day (bay_id, day, {", ".join(_DAY_COLUMNS)})
    select b.bay_id, :day, b.facility_id,
        coalesce({MICROSECONDS.format("cast(:through_at as timestamptz) - b.since_at")}, 0),
        coalesce({MICROSECONDS.format(OPEN)}, 0),
        coalesce({MICROSECONDS.format("t.occupied")}, 0),
        coalesce({MICROSECONDS.format("t.free")}, 0),
        coalesce(a.n, 0), coalesce(g.n, 0), coalesce(g.matched, 0), coalesce(g.dwell_stays, 0),
        coalesce({MICROSECONDS.format("g.dwell")}, 0), coalesce(c.n, 0), l.state
    from began b left join closed k using (bay_id)
    left join (select bay_id, sum(lasted) filter (where state = 'occupied') as occupied,
                   sum(lasted) filter (where state = 'free') as free
               from piece group by bay_id) t using (bay_id)
    left join (select bay_id, count(*) as n from arrived group by bay_id) a using (bay_id)
    left join (select bay_id, count(*) as n, count(*) filter (where matched) as matched,
                   count(*) filter (where end_seen) as dwell_stays,
                   sum(dwell) filter (where end_seen) as dwell
               from gone group by bay_id) g using (bay_id)
    left join (select bay_id, count(*) as n from change where heard group by bay_id) c
        using (bay_id)
    left join (select bay_id, state from spell where last) l using (bay_id)
    {_upsert("figure_day", "bay_id, day", _DAY_COLUMNS)}
)
insert into parking.figure_hour (facility_id, hour_at, {", ".join(_HOUR_COLUMNS)})
select f.id, h.start_at, f.district, :day, h.hour,
    coalesce(steady.bays * {MICROSECONDS.format("h.end_at - h.start_at")}, 0)
        + coalesce({MICROSECONDS.format("fresh.lasted")}, 0),
    coalesce(steady.bays * {MICROSECONDS.format("h.end_at - h.start_at")}, 0)
        + coalesce({MICROSECONDS.format("fresh.lasted")}, 0)
        - coalesce({MICROSECONDS.format("shut.lasted")}, 0),
    coalesce({MICROSECONDS.format("t.occupied")}, 0), coalesce({MICROSECONDS.format("t.free")}, 0),
    coalesce(a.n, 0), coalesce(g.n, 0), coalesce(g.matched, 0), coalesce(g.dwell_stays, 0),
    coalesce({MICROSECONDS.format("g.dwell")}, 0), coalesce(c.n, 0),
    coalesce(d.bins, '{{}}'), coalesce(d.counts, '{{}}'),
    coalesce(e.bins, '{{}}'), coalesce(e.counts, '{{}}')
from parking.facility f cross join hour h
left join (select facility_id, count(*) as bays from began where since_at <= :from_at
           group by facility_id) steady on steady.facility_id = f.id
left join (select b.facility_id, n.i, sum(n.end_at - greatest(n.start_at, b.since_at)) as lasted
           from began b join hour n on n.end_at > b.since_at where b.since_at > :from_at
           group by b.facility_id, n.i) fresh on fresh.facility_id = f.id and fresh.i = h.i
left join (select b.facility_id, n.i,
               sum({SHUT.format("greatest(n.start_at, b.since_at)", "n.end_at")}) as lasted
           from began b join closed k using (bay_id) join hour n on n.end_at > b.since_at
           group by b.facility_id, n.i) shut on shut.facility_id = f.id and shut.i = h.i
left join (select facility_id, i, sum(lasted) filter (where state = 'occupied') as occupied,
               sum(lasted) filter (where state = 'free') as free
           from piece group by facility_id, i) t on t.facility_id = f.id and t.i = h.i
left join (select facility_id, i, count(*) as n from arrived group by facility_id, i) a
    on a.facility_id = f.id and a.i = h.i
left join (select facility_id, i, count(*) as n, count(*) filter (where matched) as matched,
               count(*) filter (where end_seen) as dwell_stays,
               sum(dwell) filter (where end_seen) as dwell
           from gone group by facility_id, i) g on g.facility_id = f.id and g.i = h.i
left join (select facility_id, width_bucket(at, {STARTS}) as i, count(*) as n
           from change where heard group by 1, 2) c on c.facility_id = f.id and c.i = h.i
left join (select facility_id, i, array_agg(bin order by bin) as bins,
               array_agg(n order by bin) as counts
           from (select facility_id, i, {BIN.format("dwell")} as bin,
                     cast(count(*) as integer) as n
                 from gone where end_seen group by 1, 2, 3) binned group by 1, 2) d
    on d.facility_id = f.id and d.i = h.i
left join (select facility_id, i, array_agg(bin order by bin) as bins,
               array_agg(n order by bin) as counts
           from (select facility_id, width_bucket(at, {STARTS}) as i,
                     {BIN.format("delay")} as bin, cast(count(*) as integer) as n
                 from change where heard group by 1, 2, 3) binned group by 1, 2) e
    on e.facility_id = f.id and e.i = h.i
where f.id = any(cast(:facilities as uuid[]))
{_upsert("figure_hour", "facility_id, hour_at", _HOUR_COLUMNS)}
"""  # noqa: S608 - see above
)


_DAY_SUMS: Final = ", ".join(f"sum({name}) as {name}" for name in COUNTS)
_DAY_BINS: Final = """
    select facility_id, array_agg(bin order by bin) as bins, array_agg(n order by bin) as counts
    from (select facility_id, b.bin, cast(sum(b.n) as integer) as n from counted
          cross join lateral unnest({0}_bins, {0}_counts) as b (bin, n)
          group by facility_id, b.bin) binned group by facility_id
"""
_FACILITY_COLUMNS: Final = ("district", *COUNTS, *BINS)

ADD_UP_DAY: Final = text(
    f"""
with counted as materialized (
    select * from parking.figure_hour
    where facility_id = any(cast(:facilities as uuid[])) and day = :day
        and hour_at >= :from_at and hour_at < :through_at
)
insert into parking.figure_facility_day (facility_id, day, {", ".join(_FACILITY_COLUMNS)})
select s.facility_id, :day, s.district, {", ".join(f"s.{name}" for name in COUNTS)},
    coalesce(d.bins, '{{}}'), coalesce(d.counts, '{{}}'),
    coalesce(e.bins, '{{}}'), coalesce(e.counts, '{{}}')
from (select facility_id, max(district) as district, {_DAY_SUMS}
      from counted group by facility_id) s
left join ({_DAY_BINS.format("dwell")}) d using (facility_id)
left join ({_DAY_BINS.format("delay")}) e using (facility_id)
{_upsert("figure_facility_day", "facility_id, day", _FACILITY_COLUMNS)}
"""  # noqa: S608 - names of ours
)


@dataclass(frozen=True, slots=True)
class Due:
    """A facility, how far it is counted, and the zone of its days."""

    facility_id: FacilityId
    counted_until_at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Closed:
    """When bays are closed: by facility, and for bays with rules or works of their own by bay.

    A bay's own times hold its facility's as well.
    """

    facilities: Mapping[FacilityId, Sequence[Closure]]
    bays: Mapping[BayId, Sequence[Closure]]


def take_marks(connection: Connection, *, most: int) -> int:
    """Turn marks into how far their facilities are counted; give the number of facilities."""
    return connection.execute(TAKE_MARKS, {"most": most}).rowcount


def due(connection: Connection, *, now: datetime, most: int) -> list[Due]:
    """Give, and lock, facilities that are not counted up to now: those furthest behind first.

    Those that another worker is at are left out.
    """
    rows = connection.execute(DUE, {"now": now, "most": most})
    return [
        Due(FacilityId(row.facility_id), row.counted_until_at, ZoneInfo(row.timezone))
        for row in rows
    ]


def count_day(
    connection: Connection,
    facilities: Sequence[FacilityId],
    day: date,
    hours: Sequence[Hour],
    closed: Closed,
    *,
    through_at: datetime,
) -> None:
    """Count a local day of some facilities anew and note that they are counted up to its end.

    Parameters
    ----------
    facilities
        All with days that have these hours, counted up to the day's beginning at least.
    day, hours
        The day, and all of its hours.
    closed
        When their bays are closed on it.
    through_at
        Now, where the day is not over: what lies later is left for a later count.
    """
    from_at, until_at = hours[0].start_at, min(hours[-1].end_at, through_at)
    begun = [each for each in hours if each.start_at < until_at]
    by_hour, *by_day = FIGURES
    for at in {from_at, until_at}:
        ensure_partition(connection, by_hour, at)
    for part in by_day:
        ensure_partition(connection, part, datetime.combine(day, time(), tzinfo=UTC))
    values: Mapping[str, Any] = {
        "facilities": list(facilities),
        "day": day,
        "from_at": from_at,
        "through_at": until_at,
        "starts": [each.start_at for each in begun],
        "ends": [min(each.end_at, until_at) for each in begun],
        "hours": [each.hour for each in begun],
        "log_growth": LOG_GROWTH,
        "shut_facilities": [home for home, spans in closed.facilities.items() for _ in spans],
        "shut_from": [each.from_at for spans in closed.facilities.values() for each in spans],
        "shut_until": [each.until_at for spans in closed.facilities.values() for each in spans],
        "shut_bays": [bay for bay, spans in closed.bays.items() for _ in spans],
        "shut_bays_from": [each.from_at for spans in closed.bays.values() for each in spans],
        "shut_bays_until": [each.until_at for spans in closed.bays.values() for each in spans],
    }
    connection.execute(COUNT_DAY, values)
    connection.execute(ADD_UP_DAY, values)
    connection.execute(COUNTED, {"facilities": list(facilities), "until_at": until_at})
