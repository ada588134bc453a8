"""Tell a terminal what stays will come to that begin, or are first named, while it has no line.

Nobody knows whose they are yet: the tables are the tariff's, by kind of plate, for a vehicle of
which no right is known. They are the city's own fees where no other stay counts; the terminal says
where one may.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId
from city.vehicles import PlateKind
from journeys.vehicle_traits import traits_of
from parking.rules.tariffs.course_by_start import (
    CoursesByStart,
    courses_by_start,
    stands_alone,
    tellable,
)
from parking.rules.tariffs.evaluation import fee_minor
from parking.rules.tariffs.local_time import ceil_s, floor_s, utc_at
from parking.rules.tariffs.model import Stay
from parking.rules.tariffs.plan import Plan, Tariff, exemption_of, stored_tariff
from parking.store import rights as rights_store
from parking.store import tariffs as tariff_store
from parking.store.tariffs_in_force import in_force

BEFORE_S: Final = 2 * 3600
"""Stays that a sensor saw begin before, and that are named without a line."""
STARTS_S: Final = 6 * 3600
AHEAD_S: Final = 12 * 3600
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class KindFees:
    """What stays of some kinds of plates come to."""

    kinds: tuple[PlateKind, ...]
    courses: CoursesByStart
    alone: bool
    """Whether they come to the same whatever other stays their vehicles had."""


@dataclass(frozen=True, slots=True)
class FeesByStart:
    """What stays at a place come to by when they begin and end."""

    first_s: int
    last_s: int
    until_s: int
    currency: str
    fees: tuple[KindFees, ...]
    """Kinds of which nothing can be said, or which are free, are left out."""


def fees_by_start(
    connection: Connection, facility_id: FacilityId, district: DistrictCode, now: datetime
) -> FeesByStart | None:
    """Say what stays at a place come to that begin around now; None where it has no tariff.

    Parameters
    ----------
    connection : Connection
        Three statements.
    facility_id, district
        The place.
    now : datetime
        Business time. Answers are the same all hour, and made once by each process.
    """
    version = tariff_store.version_at(connection, facility_id, now)
    if version is None:
        return None
    hour_s = floor_s(now) // _HOUR_S * _HOUR_S
    first_s, last_s = hour_s - BEFORE_S, hour_s + _HOUR_S + STARTS_S
    until_s = hour_s + _HOUR_S + AHEAD_S
    # Stays are rated by the version that was in force when they began.
    if version.valid_from is not None:
        first_s = max(first_s, ceil_s(version.valid_from))
    following = in_force(connection, [facility_id], now)[facility_id].until_at
    if following is not None:
        last_s = min(last_s, ceil_s(following) - 1)
    tariff = stored_tariff(version.document)
    span = (utc_at(first_s), utc_at(until_s))
    benefits = rights_store.benefits_of(connection, district, facility_id, span)
    granted = {kind for each in benefits for kind in each.plate_kinds}
    fees = []
    for place, kinds in _by_plan(tariff, granted).items():
        plan = tariff.plans[place]
        courses = _courses(version.document, place, kinds[0], (first_s, last_s), until_s)
        fees.append(KindFees(tuple(kinds), courses, stands_alone(plan)))
    return FeesByStart(first_s, last_s, until_s, tariff.document.currency, tuple(fees))


def _by_plan(tariff: Tariff, granted: set[PlateKind]) -> dict[int, list[PlateKind]]:
    """Give the kinds of plates that each plan prices and of which something can be said."""
    found: dict[int, list[PlateKind]] = {}
    for kind in PlateKind:
        vehicle = traits_of(kind)
        if kind in granted or exemption_of(tariff.document, vehicle) is not None:
            continue
        try:
            plan = tariff.plan_for(vehicle)
        except Invalid:
            continue
        if tellable(plan):
            found.setdefault(_place_of(tariff, plan), []).append(kind)
    return found


def _place_of(tariff: Tariff, plan: Plan) -> int:
    return next(place for place, each in enumerate(tariff.plans) if each is plan)


@lru_cache(maxsize=64)
def _courses(
    document: str, place: int, kind: PlateKind, starts: tuple[int, int], until_s: int
) -> CoursesByStart:
    tariff, vehicle = stored_tariff(document), traits_of(kind)

    def fee(start_s: int, leave_s: int) -> int:
        return fee_minor(tariff, Stay(utc_at(start_s), utc_at(leave_s)), vehicle)

    return courses_by_start(tariff.plans[place], tariff.timezone, fee, starts, until_s)
