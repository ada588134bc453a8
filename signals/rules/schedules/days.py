"""What kind of day a date is to a schedule: a weekday, a public holiday, a make-up working day."""

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from city.time import DayType, day_type


class DayClass(StrEnum):
    """Kinds of days that a calendar tells apart before anybody counts."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"
    HOLIDAY = "holiday"
    MAKE_UP = "make-up"
    """A Saturday or Sunday that is worked in exchange for a bridge day (调休上班)."""


WEEK: Final = tuple(DayClass)[:7]

STANDS_IN: Final[Mapping[DayClass, tuple[DayClass, ...]]] = {
    DayClass.MONDAY: (DayClass.TUESDAY, DayClass.WEDNESDAY, DayClass.THURSDAY, DayClass.FRIDAY),
    DayClass.TUESDAY: (DayClass.WEDNESDAY, DayClass.THURSDAY, DayClass.MONDAY, DayClass.FRIDAY),
    DayClass.WEDNESDAY: (DayClass.TUESDAY, DayClass.THURSDAY, DayClass.MONDAY, DayClass.FRIDAY),
    DayClass.THURSDAY: (DayClass.WEDNESDAY, DayClass.TUESDAY, DayClass.MONDAY, DayClass.FRIDAY),
    DayClass.FRIDAY: (DayClass.THURSDAY, DayClass.WEDNESDAY, DayClass.TUESDAY, DayClass.MONDAY),
    DayClass.SATURDAY: (DayClass.SUNDAY, DayClass.HOLIDAY),
    DayClass.SUNDAY: (DayClass.SATURDAY, DayClass.HOLIDAY),
    DayClass.HOLIDAY: (DayClass.SUNDAY, DayClass.SATURDAY),
    DayClass.MAKE_UP: (DayClass.WEDNESDAY, DayClass.TUESDAY, DayClass.THURSDAY, DayClass.FRIDAY),
}
"""Whose plans a day gets that was not counted itself: a make-up day is worked, a holiday is not."""


def class_of(day: dt.date, country: str = "CN") -> tuple[DayClass, bool]:
    """Give the class of a date, and whether its year's calendar is published.

    Of a year whose holidays are not published yet, the weekday alone is known.
    """
    kind = day_type(day, country)
    if kind is DayType.HOLIDAY:
        return DayClass.HOLIDAY, True
    if kind is DayType.MAKE_UP_WORKDAY:
        return DayClass.MAKE_UP, True
    return WEEK[day.weekday()], kind is not DayType.UNKNOWN


def standing_in(wanted: DayClass, counted: Collection[DayClass]) -> DayClass | None:
    """Give the counted class whose plans a class gets; None where nothing like it was counted."""
    if wanted in counted:
        return wanted
    return next((each for each in STANDS_IN[wanted] if each in counted), None)


def name_of(classes: Collection[DayClass]) -> str:
    """Give a name of days: `mon-thu`, `sat+sun+holiday`."""
    places = sorted(WEEK.index(each) for each in classes if each in WEEK)
    parts: list[str] = []
    first = 0
    while first < len(places):
        last = first
        while last + 1 < len(places) and places[last + 1] == places[last] + 1:
            last += 1
        one, other = WEEK[places[first]].value, WEEK[places[last]].value
        if last - first > 1:
            parts.append(f"{one}-{other}")
        else:
            parts += [one] if one == other else [one, other]
        first = last + 1
    parts += [each.value for each in (DayClass.HOLIDAY, DayClass.MAKE_UP) if each in classes]
    return "+".join(parts)
