"""Figures of bays, stays and money side by side: the rooms' counts, joined by place and hour."""

from collections.abc import Collection as Some
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from city.identifiers import BayId, DistrictCode, FacilityId
from parking.rules.figures.measures import Figures, Tally, added, figures_of
from parking.services import figures
from parking.services.figures import AreaCounts, Group, Grouping, Wanted
from parking.store.pages import DEFAULT_PAGE, LARGEST_PAGE, Page
from parking.store.places import Bay, Facility
from payments import collections
from payments.rules.collection import Collection, per_bay_day_minor, together

_KEYS: Final[dict[Grouping, tuple[str, ...]]] = {
    Grouping.TOTAL: (),
    Grouping.DISTRICT: ("facility_id",),
    Grouping.FACILITY: ("facility_id",),
    Grouping.DAY: ("day",),
    Grouping.HOUR: ("day", "hour", "hour_at"),
    Grouping.HOUR_OF_DAY: ("hour",),
    Grouping.HOUR_OF_WEEK: ("weekday", "hour"),
}


@dataclass(frozen=True, slots=True)
class Money:
    """What came of bills in one currency, and what a bay earned a day."""

    sums: Collection
    revenue_per_bay_day_minor: int | None
    """Billed, per bay and 24 hours in service."""


@dataclass(frozen=True, slots=True)
class Line:
    """A group's counts and figures."""

    group: Group
    tally: Tally
    figures: Figures
    money: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines in the order of their groups, and all of them together."""

    lines: tuple[Line, ...]
    total: Line
    """Of everything asked for, also what is on other pages."""
    homes: dict[FacilityId, Facility]
    next: UUID | None
    counted_until_at: datetime | None


def draw(
    connection: Connection,
    wanted: Wanted,
    grouping: Grouping,
    *,
    now: datetime,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Drawn:
    """Draw the figures of some local days, grouped.

    Parameters
    ----------
    connection
        For reading, in both rooms.
    wanted
        Whose figures, of which days.
    grouping
        Facilities come in pages; every other grouping is short.
    now
        Arrears that could not have been recovered yet are left out.

    Raises
    ------
    Invalid
        Where the days are out of order, or too many for the grouping.

    Notes
    -----
    Cost grows with the facilities times the hours asked for, whatever number of changes lies
    behind them.
    """
    page: Page[FacilityId] | None = None
    if grouping is Grouping.FACILITY:
        page = figures.facilities_page(connection, wanted, after=after, limit=limit)
    only = _only(connection, wanted)
    lines = _lines(connection, wanted, grouping, only if page is None else page.items, now)
    if page is not None and (after is not None or page.next is not None):
        total = _together(_lines(connection, wanted, Grouping.TOTAL, only, now))
    else:
        total = _together(lines)  # they are all there is
    return Drawn(
        () if grouping is Grouping.TOTAL else tuple(lines),
        total,
        figures.homes(connection, page.items) if page is not None else {},
        None if page is None else page.next,
        figures.counted_until(connection, wanted),
    )


@dataclass(frozen=True, slots=True)
class BayLine:
    """A bay's counts and figures."""

    bay: Bay
    tally: Tally
    figures: Figures
    money: tuple[Money, ...]


def draw_bays(
    connection: Connection,
    facility: Facility,
    first: date,
    until: date,
    *,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[BayLine]:
    """Draw the figures of a page of a facility's bays; the median is exact.

    Cost grows with the page times the days, and with the facility's bills of these days.

    Raises
    ------
    Invalid
        Where the days are out of order or too many.
    """
    page = figures.bay_page(connection, facility, first, until, after=after, limit=limit)
    from_at, until_at = figures.range_of(facility, first, until)
    money = _money_of_bays(connection, facility, from_at, until_at)
    return Page(
        tuple(
            BayLine(
                each.bay,
                each.tally,
                replace(figures_of(each.tally), dwell_median_s=_seconds(each.dwell_median)),
                _money(money.get(each.bay.id, ()), each.tally),
            )
            for each in page.items
        ),
        page.next,
    )


def draw_areas(connection: Connection, wanted: Wanted, *, step_e6: int) -> list[AreaCounts]:
    """Draw supply and demand by cell of the city's grid; Invalid on too long a range."""
    return list(figures.areas(connection, wanted, step_e6=step_e6))


def every_line(
    connection: Connection, wanted: Wanted, grouping: Grouping, *, now: datetime
) -> Iterator[tuple[Line, Facility | None]]:
    """Give every line of all pages, a page at a time: for a file."""
    after: UUID | None = None
    while True:
        drawn = draw(connection, wanted, grouping, now=now, after=after, limit=LARGEST_PAGE)
        for line in drawn.lines or (drawn.total,):
            home = line.group.facility_id
            yield line, None if home is None else drawn.homes.get(home)
        after = drawn.next
        if after is None:
            return


def _only(connection: Connection, wanted: Wanted) -> list[FacilityId] | None:
    """Give the facilities that are asked for; None for all of the city."""
    if wanted.facility_id is None and wanted.kind is None and wanted.districts is None:
        return None
    found: list[FacilityId] = []
    after: UUID | None = None
    while True:
        page = figures.facilities_page(connection, wanted, after=after, limit=LARGEST_PAGE)
        found += page.items
        after = page.next
        if after is None:
            return found


def _lines(
    connection: Connection,
    wanted: Wanted,
    grouping: Grouping,
    only: Some[FacilityId] | None,
    now: datetime,
) -> list[Line]:
    counted = figures.counts(connection, wanted, grouping, facilities=only)
    sums = collections.sums(
        connection, _KEYS[grouping], wanted.first, wanted.until, now=now, facilities=only
    )
    money = _by_group(connection, grouping, sums)
    return [_line(group, tally, money.get(group, ())) for group, tally in counted.items()]


def _by_group(
    connection: Connection, grouping: Grouping, sums: dict[tuple[Any, ...], list[Collection]]
) -> dict[Group, tuple[Collection, ...]]:
    districts: dict[FacilityId, DistrictCode] = {}
    if grouping is Grouping.DISTRICT:
        homes = figures.homes(connection, [FacilityId(key[0]) for key in sums])
        districts = {home.id: home.district for home in homes.values()}
    found: dict[Group, list[Collection]] = {}
    for key, parts in sums.items():
        if grouping is Grouping.DISTRICT:
            group = Group(district=districts[FacilityId(key[0])])
        else:
            group = Group(**dict(zip(_KEYS[grouping], key, strict=True)))
        found.setdefault(group, []).extend(parts)
    return {group: together(parts) for group, parts in found.items()}


def _together(lines: Some[Line]) -> Line:
    return _line(
        Group(),
        added(line.tally for line in lines),
        together(money.sums for line in lines for money in line.money),
    )


def _line(group: Group, tally: Tally, money: Some[Collection]) -> Line:
    return Line(group, tally, figures_of(tally), _money(money, tally))


def _money(sums: Some[Collection], tally: Tally) -> tuple[Money, ...]:
    return tuple(Money(each, per_bay_day_minor(each.due_minor, tally.service_us)) for each in sums)


def _money_of_bays(
    connection: Connection, facility: Facility, from_at: datetime, until_at: datetime
) -> dict[BayId, tuple[Collection, ...]]:
    bills = collections.bills_issued(connection, facility.id, from_at, until_at)
    bays = figures.bays_of_stays(connection, [bill.session_id for bill in bills])
    found: dict[BayId, list[Collection]] = {}
    for bill in bills:
        bay_id = bays.get(bill.session_id)
        if bay_id is not None:
            found.setdefault(bay_id, []).append(
                Collection(bill.currency, 1, bill.amount_minor, bill.received_minor or 0)
            )
    return {bay_id: together(parts) for bay_id, parts in found.items()}


def _seconds(lasted: timedelta | None) -> float | None:
    return None if lasted is None else lasted.total_seconds()
