"""Figures: keeping their counts up to date, and asking for them."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Invalid
from city.identifiers import BayId, FacilityId, ParkingSessionId
from city.works.database import Database
from city.works.jobs import Task
from parking.rules.figures.calendar import day_bounds, hours_of, local_day
from parking.rules.figures.measures import Tally
from parking.rules.places.closures import Closure, closures
from parking.store import figure_counts as counting
from parking.store import figures as store
from parking.store import places
from parking.store.apart import BayApart, apart
from parking.store.figures import AreaCounts, Group, Grouping, Wanted
from parking.store.pages import DEFAULT_PAGE, Page
from parking.store.places import Bay, Facility

__all__ = ["AreaCounts", "Group", "Grouping", "Wanted"]

TASK: Final = "parking.keep_figures"
MARKS_AT_ONCE: Final = 20_000
FACILITIES_AT_ONCE: Final = 200
"""Counted in one statement: a day of some thousand bays."""
PATIENCE_S: Final = 50.0
"""What is left after so long is for the next run."""
LONGEST_DAYS: Final = 366
LONGEST_HOURLY_DAYS: Final = 14
LONGEST_BAY_DAYS: Final = 31
MOST_AREAS: Final = 2_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run counted."""

    facility_days: int
    complete: bool
    """Whether everything was counted up to the run's beginning."""


def keep_counts(database: Database, *, patience_s: float = PATIENCE_S) -> Counted:
    """Count what changed, and the time that has passed since the last run.

    Each local day of some facilities is counted in a transaction of its own, so a run may be
    killed at any time, and several workers share the work. Cost: the changes and stays of today
    in all facilities, and of every earlier day that was rewritten since.
    """
    begun_s = time.monotonic()
    now = database.clock.now()
    while True:
        with database.unit_of_work() as uow:
            if counting.take_marks(uow.connection, most=MARKS_AT_ONCE) == 0:
                break
    done = 0
    while time.monotonic() - begun_s < patience_s:
        with database.unit_of_work() as uow:
            due = counting.due(uow.connection, now=now, most=FACILITIES_AT_ONCE)
            if not due:
                return Counted(done, complete=True)
            zone = due[0].zone
            day = local_day(due[0].counted_until_at, zone)
            together = [
                each.facility_id
                for each in due
                if each.zone.key == zone.key and local_day(each.counted_until_at, zone) == day
            ]
            counting.count_day(
                uow.connection,
                together,
                day,
                hours_of(day, zone),
                closed_on(uow.connection, together, day_bounds(day, zone)),
                through_at=now,
            )
        done += len(together)
    log.info("figures are behind", facility_days=done)
    return Counted(done, complete=False)


def closed_on(
    connection: Connection, facilities: Sequence[FacilityId], span: tuple[datetime, datetime]
) -> counting.Closed:
    """Give when the bays of facilities are closed within a span, as they are registered now.

    Two statements; cost grows with the facilities that have hours, and with the bays that have
    rules or works.
    """
    known: dict[tuple[object, ...], tuple[Closure, ...]] = {}

    def closed(home: Facility, own: BayApart | None) -> tuple[Closure, ...]:
        rules, works = ((), ()) if own is None else (own.rules, own.suspended)
        key = (home.timezone, home.opening, rules, works)
        if key not in known:
            zone = ZoneInfo(home.timezone)
            known[key] = closures(zone, home.opening, rules, works, span)
        return known[key]

    homes = places.facilities_by_id(connection, facilities)
    return counting.Closed(
        {home_id: spans for home_id, home in homes.items() if (spans := closed(home, None))},
        {
            each.bay_id: spans
            for home_id, bays in apart(connection, facilities, now=span[0]).items()
            for each in bays
            if (each.rules or each.suspended) and (spans := closed(homes[home_id], each))
        },
    )


def task(database: Database) -> Task:
    """Give the task that keeps the counts, every minute."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        keep_counts(database)

    return Task(TASK, handle, every="* * * * *")


def checked(wanted: Wanted, *, longest_days: int = LONGEST_DAYS) -> Wanted:
    """Pass a question whose days are in order and not too many; Invalid names the field."""
    if wanted.until <= wanted.first:
        raise Invalid("must not lie before the first day", field="last_day")
    if (wanted.until - wanted.first).days > longest_days:
        raise Invalid(f"makes more than {longest_days} days", field="last_day")
    return wanted


def longest_days(grouping: Grouping) -> int:
    """Give how many days may be asked for at once."""
    return LONGEST_HOURLY_DAYS if grouping is Grouping.HOUR else LONGEST_DAYS


def counts(
    connection: Connection,
    wanted: Wanted,
    grouping: Grouping,
    *,
    facilities: Collection[FacilityId] | None = None,
) -> dict[Group, Tally]:
    """Give counts by group, in the groups' order; Invalid on too long a range."""
    checked(wanted, longest_days=longest_days(grouping))
    return store.counts(connection, wanted, grouping, facilities=facilities)


def facilities_page(
    connection: Connection, wanted: Wanted, *, after: UUID | None = None, limit: int = DEFAULT_PAGE
) -> Page[FacilityId]:
    """Give a page of the facilities that are asked for."""
    return store.facilities_page(connection, wanted, after=after, limit=limit)


def counted_until(connection: Connection, wanted: Wanted) -> datetime | None:
    """Give up to when all that is asked for is counted; None where nothing ever was."""
    return store.counted_until(connection, wanted)


def homes(connection: Connection, facilities: Collection[FacilityId]) -> dict[FacilityId, Facility]:
    """Give facilities by their ids."""
    return places.facilities_by_id(connection, facilities)


@dataclass(frozen=True, slots=True)
class BayCounts:
    """A bay, what was counted of it, and the median of its stays' lengths."""

    bay: Bay
    tally: Tally
    dwell_median: timedelta | None


def bay_page(
    connection: Connection,
    facility: Facility,
    first: date,
    until: date,
    *,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[BayCounts]:
    """Give the counts of a page of a facility's bays; Invalid on too long a range."""
    checked(Wanted(first, until), longest_days=LONGEST_BAY_DAYS)
    page = places.bays(connection, facility_id=facility.id, after=after, limit=limit)
    ids = [each.id for each in page.items]
    tallies = store.bay_counts(connection, ids, first, until)
    from_at, until_at = range_of(facility, first, until)
    medians = store.bay_medians(connection, facility.id, ids, from_at, until_at)
    return Page(
        tuple(
            BayCounts(bay, tallies.get(bay.id, Tally()), medians.get(bay.id)) for bay in page.items
        ),
        page.next,
    )


def range_of(facility: Facility, first: date, until: date) -> tuple[datetime, datetime]:
    """Give the instants at which a facility's local days begin and end."""
    zone = ZoneInfo(facility.timezone)
    return day_bounds(first, zone)[0], day_bounds(until, zone)[0]


def bays_of_stays(
    connection: Connection, sessions: Collection[ParkingSessionId]
) -> dict[ParkingSessionId, BayId]:
    """Give the bays of stays."""
    return store.bays_of_stays(connection, sessions)


def areas(connection: Connection, wanted: Wanted, *, step_e6: int) -> Sequence[AreaCounts]:
    """Give supply and demand by cell of the grid; Invalid on too long a range."""
    checked(wanted, longest_days=LONGEST_BAY_DAYS)
    return store.areas(connection, wanted, step_e6=step_e6, most=MOST_AREAS)
