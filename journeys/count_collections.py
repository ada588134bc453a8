"""Sums of bills are kept by the hours of their facilities: payments' money, parking's clocks."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from city.identifiers import FacilityId
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from parking.rules.figures.calendar import hours_of, local_day
from parking.services import places
from payments import collections

TASK: Final = "journeys.count_collections"
AT_ONCE: Final = 10_000

_hours_of = lru_cache(maxsize=1_000)(hours_of)


def count_collections(database: Database) -> int:
    """Write the sums of all hours anew in which a bill was issued or settled since the last run.

    Returns
    -------
    int
        Hours written. Each from its bills alone, so that it may be done again.
    """
    written = 0
    while True:
        with database.unit_of_work() as uow:
            found = _count(uow)
        if found is None:
            return written
        written += found


def _count(uow: UnitOfWork) -> int | None:
    marks = collections.take_marks(uow.connection, most=AT_ONCE)
    if not marks:
        return None
    homes = places.facilities_by_id(uow.connection, {facility_id for facility_id, _ in marks})
    hours: set[collections.HourOfBills] = set()
    for facility_id, issued_at in marks:
        home = homes.get(FacilityId(facility_id))
        if home is None:
            continue
        zone = ZoneInfo(home.timezone)
        hour = next(
            each
            for each in _hours_of(local_day(issued_at, zone), zone)
            if each.start_at <= issued_at < each.end_at
        )
        hours.add(
            collections.HourOfBills(facility_id, hour.start_at, hour.end_at, hour.day, hour.hour)
        )
    collections.count(uow.connection, hours)
    return len(hours)


def task(database: Database) -> Task:
    """Give the task that keeps the sums, every minute."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        count_collections(database)

    return Task(TASK, handle, every="* * * * *")
