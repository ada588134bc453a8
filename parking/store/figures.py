"""Reading the figures' counts: added up by group, for facilities, bays and areas.

Everything is read from kept counts, never from histories: by facility and day, where hours are
asked for by facility and hour, and by bay and day. Cost grows with the product of these.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping, bindparam, func, select, text

from city.identifiers import BayId, DistrictCode, FacilityId, ParkingSessionId
from city.places import GridCell
from parking.rules.figures.direct import UNSEEN_ENDS
from parking.rules.figures.measures import Tally
from parking.store import tables
from parking.store.figure_counts import COUNTS
from parking.store.pages import Page, checked_limit, paged

MARGIN: Final = timedelta(days=1)
"""A local day's hours lie within its date in UTC and a day on either side: it prunes partitions."""


class Grouping(StrEnum):
    """By what counts are added up."""

    TOTAL = "total"
    DISTRICT = "district"
    FACILITY = "facility"
    DAY = "day"
    HOUR = "hour"
    HOUR_OF_DAY = "hour-of-day"
    HOUR_OF_WEEK = "hour-of-week"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose figures, and of which local days."""

    first: date
    until: date
    """The day after the last one."""
    districts: frozenset[str] | None = None
    """None: all."""
    facility_id: FacilityId | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What a group's counts are of; what does not apply is None."""

    district: DistrictCode | None = None
    facility_id: FacilityId | None = None
    day: date | None = None
    hour_at: datetime | None = None
    hour: int | None = None
    weekday: int | None = None
    """1 is Monday."""


@dataclass(frozen=True, slots=True)
class AreaCounts:
    """A cell of the city's grid: the bays that lie in it and what was counted of them."""

    cell: GridCell
    bays: int
    tally: Tally


_KEYS: Final[Mapping[Grouping, tuple[str, ...]]] = {
    Grouping.TOTAL: (),
    Grouping.DISTRICT: ("h.district",),
    Grouping.FACILITY: ("h.facility_id",),
    Grouping.DAY: ("h.day",),
    Grouping.HOUR: ("h.day", "h.hour", "h.hour_at"),
    Grouping.HOUR_OF_DAY: ("h.hour",),
    Grouping.HOUR_OF_WEEK: ("weekday", "h.hour"),
}
_WEEKDAY: Final = "cast(extract(isodow from h.day) as smallint) as weekday"

_DAYS: Final = (
    " from parking.figure_facility_day h join parking.facility f on f.id = h.facility_id"
    " where h.day >= :first and h.day < :until"
)
_HOURS: Final = (
    " from parking.figure_hour h join parking.facility f on f.id = h.facility_id"
    " where h.day >= :first and h.day < :until and h.hour_at >= :from_at and h.hour_at < :until_at"
)
_FACILITIES: Final = " and h.facility_id = any(cast(:facilities as uuid[]))"
_SUMS: Final = ", ".join(f"cast(sum(h.{name}) as bigint) as {name}" for name in COUNTS)


def counts(
    connection: Connection,
    wanted: Wanted,
    grouping: Grouping,
    *,
    facilities: Collection[FacilityId] | None = None,
) -> dict[Group, Tally]:
    """Add counts up by group, in the groups' order: three statements.

    Parameters
    ----------
    facilities
        Where given, these alone.
    """
    keys = _KEYS[grouping]
    hourly = any(key in {"h.hour", "h.hour_at"} for key in keys)
    range_, values = _range(_HOURS if hourly else _DAYS, wanted, facilities)
    selected = "".join(f"{_WEEKDAY if key == 'weekday' else key}, " for key in keys)
    grouped = f" group by {', '.join(keys)}" if keys else ""
    rows = connection.execute(text(f"select {selected}{_SUMS}{range_}{grouped}"), values).mappings()
    found = {_group(row): row for row in rows if row["service_us"] is not None}
    dwells = _bins(connection, "dwell", (selected, keys), range_, values)
    delays = _bins(connection, "delay", (selected, keys), range_, values)
    return {
        group: Tally(
            **{name: int(row[name]) for name in COUNTS},
            dwell_bins=dwells.get(group, {}),
            delay_bins=delays.get(group, {}),
        )
        for group, row in sorted(found.items(), key=lambda each: _order(each[0]))
    }


def _bins(
    connection: Connection,
    kind: str,
    keys: tuple[str, Sequence[str]],
    range_: str,
    values: Mapping[str, Any],
) -> dict[Group, dict[int, int]]:
    # The arrays are taken out of the rows by `unnest` beside them, one pair a row.
    selected, grouped = keys
    before, _, after = range_.partition(" where ")
    statement = (
        f"select {selected}b.bin, cast(sum(b.n) as bigint) as n{before}"
        f" cross join lateral unnest(h.{kind}_bins, h.{kind}_counts) as b (bin, n)"
        f" where {after} group by {', '.join([*grouped, 'b.bin'])}"
    )
    found: dict[Group, dict[int, int]] = {}
    for row in connection.execute(text(statement), dict(values)).mappings():
        found.setdefault(_group(row), {})[row["bin"]] = int(row["n"])
    return found


def _range(
    clause: str, wanted: Wanted, facilities: Collection[FacilityId] | None
) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {
        "first": wanted.first,
        "until": wanted.until,
        "from_at": _midnight(wanted.first) - MARGIN,
        "until_at": _midnight(wanted.until) + MARGIN,
    }
    only = facilities
    if wanted.facility_id is not None:
        only = [wanted.facility_id]
    if only is not None:
        clause += _FACILITIES
        values["facilities"] = list(only)
    if wanted.districts is not None:
        clause += " and h.district = any(cast(:districts as text[]))"
        values["districts"] = sorted(wanted.districts)
    if wanted.kind is not None:
        clause += " and f.kind = :kind"
        values["kind"] = wanted.kind
    return clause, values


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _group(row: RowMapping) -> Group:
    given: dict[str, Any] = dict(row)
    return Group(
        given.get("district"),
        given.get("facility_id"),
        given.get("day"),
        given.get("hour_at"),
        given.get("hour"),
        given.get("weekday"),
    )


def _order(group: Group) -> tuple[str, str, str, int, int, str]:
    return (
        group.district or "",
        str(group.facility_id or ""),
        str(group.day or ""),
        group.weekday or 0,
        group.hour or 0,
        str(group.hour_at or ""),
    )


# --- whose -------------------------------------------------------------------------------------

_COUNTED: Final = (
    "select f.id, f.timezone, c.counted_until_at from parking.facility f"
    " left join parking.figure_facility c on c.facility_id = f.id"
    " where (cast(:districts as text[]) is null or f.district = any(cast(:districts as text[])))"
    " and (cast(:kind as text) is null or f.kind = :kind)"
    " and (cast(:facility as uuid) is null or f.id = :facility)"
)


def facilities_page(
    connection: Connection, wanted: Wanted, *, after: UUID | None, limit: int
) -> Page[FacilityId]:
    """Give a page of the facilities that are asked for, in the order of their ids."""
    rows = connection.execute(
        text(
            f"{_COUNTED} and (cast(:after as uuid) is null or f.id > :after)"
            " order by f.id limit :limit"
        ),
        {**_whose(wanted), "after": after, "limit": checked_limit(limit) + 1},
    )
    found = [FacilityId(row.id) for row in rows]
    return paged(found, found, limit)


def counted_until(connection: Connection, wanted: Wanted) -> datetime | None:
    """Give up to when all that is asked for is counted; None where nothing ever was."""
    found: datetime | None = connection.execute(
        text(f"select min(counted_until_at) from ({_COUNTED}) counted"),  # noqa: S608 - ours
        _whose(wanted),
    ).scalar_one()
    return found


def _whose(wanted: Wanted) -> dict[str, Any]:
    return {
        "districts": None if wanted.districts is None else sorted(wanted.districts),
        "kind": wanted.kind,
        "facility": wanted.facility_id,
    }


# --- bays and areas ------------------------------------------------------------------------------

_DAY_SUMS: Final = ", ".join(
    f"cast(coalesce(sum(d.{name}), 0) as bigint) as {name}" for name in COUNTS
)

BAYS: Final = text(
    # Names of ours.
    f"select d.bay_id, {_DAY_SUMS} from parking.figure_day d"  # noqa: S608 - our own columns
    " where d.bay_id = any(cast(:bays as uuid[])) and d.day >= :first and d.day < :until"
    " group by d.bay_id"
)

MEDIANS: Final = text(
    "select bay_id, percentile_disc(0.5) within group (order by closed_at - opened_at) as dwell"
    " from parking.parking_session where bay_id = any(cast(:bays as uuid[]))"
    " and facility_id = :facility and closed_at >= :from_at and closed_at < :until_at"
    " and coalesce(closing_reason, '') <> all(cast(:unseen as text[])) group by bay_id"
)

AREAS: Final = text(
    # Names of ours. Cells as `GridCell.of` numbers them.
    "select c, r, count(distinct b.id) as bays, "  # noqa: S608 - our own columns
    f"{_DAY_SUMS}"
    " from (select b.id, floor(round((b.longitude + 180) * 1e6) / :step) as c,"
    "              floor(round((b.latitude + 90) * 1e6) / :step) as r"
    "       from parking.bay b join parking.facility f on f.id = b.facility_id"
    "       where (cast(:districts as text[]) is null"
    "              or b.district = any(cast(:districts as text[])))"
    "       and (cast(:kind as text) is null or f.kind = :kind)"
    "       and (cast(:facility as uuid) is null or f.id = :facility)) b"
    " left join parking.figure_day d on d.bay_id = b.id and d.day >= :first and d.day < :until"
    " group by c, r order by c, r limit :most"
)


def bay_counts(
    connection: Connection, bays: Sequence[BayId], first: date, until: date
) -> dict[BayId, Tally]:
    """Add up bays' counts over local days; one never counted is left out."""
    rows = connection.execute(BAYS, {"bays": list(bays), "first": first, "until": until})
    return {BayId(row["bay_id"]): _tally(row) for row in rows.mappings()}


def bay_medians(
    connection: Connection,
    facility_id: FacilityId,
    bays: Sequence[BayId],
    from_at: datetime,
    until_at: datetime,
) -> dict[BayId, timedelta]:
    """Give the median dwell of some bays' stays that ended between two instants, exactly.

    Read from the stays themselves, by index: for a page of bays.
    """
    rows = connection.execute(
        MEDIANS,
        {
            "bays": list(bays),
            "facility": facility_id,
            "from_at": from_at,
            "until_at": until_at,
            "unseen": [reason.value for reason in UNSEEN_ENDS],
        },
    )
    return {BayId(row.bay_id): row.dwell for row in rows}


def areas(
    connection: Connection, wanted: Wanted, *, step_e6: int, most: int
) -> tuple[AreaCounts, ...]:
    """Add up counts of the bays in each cell of the grid that has any, west to east."""
    rows = connection.execute(
        AREAS,
        {
            **_whose(wanted),
            "first": wanted.first,
            "until": wanted.until,
            "step": step_e6,
            "most": most,
        },
    ).mappings()
    return tuple(
        AreaCounts(GridCell(int(row["c"]), int(row["r"]), step_e6), row["bays"], _tally(row))
        for row in rows
    )


def bays_of_stays(
    connection: Connection, sessions: Collection[ParkingSessionId]
) -> dict[ParkingSessionId, BayId]:
    """Give the bays of stays: an index look-up each."""
    table = tables.parking_session.c
    rows = connection.execute(
        select(table.id, table.bay_id).where(table.id == func.any(bindparam("ids"))),
        {"ids": list(sessions)},
    )
    return {ParkingSessionId(row.id): BayId(row.bay_id) for row in rows}


def _tally(row: RowMapping) -> Tally:
    counted: dict[str, Any] = {name: int(row[name]) for name in COUNTS}
    return Tally(**counted)
