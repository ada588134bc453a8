"""What a schedule is: stretches of days, their plans, and what a date runs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signals.rules.counts.classes import PCU, CountClass
from signals.rules.schedules.day_types import DayTypeFound
from signals.rules.schedules.days import DayClass, class_of, standing_in
from signals.rules.schedules.exceptions import SpecialDays
from signals.rules.schedules.library import Plans

Mode = Literal["plan", "in_force", "flashing_yellow", "unknown"]


@dataclass(frozen=True, slots=True)
class NightFlashing:
    """When a quiet junction's signals flash yellow, as data.

    Source: practice; MUTCD 2009 part 4D asks for an engineering study and names no figures.
    """

    from_quarter: int = 92
    """23:00."""
    until_quarter: int = 24
    """06:00."""
    most_vph: float = 300.0
    """Units an hour at a junction."""
    most_walked_vph: float = 20.0
    least_quarters: int = 8

    def may(self, quarter: int) -> bool:
        """Tell whether it may be a quarter's mode at all."""
        return quarter >= self.from_quarter or quarter < self.until_quarter


@dataclass(frozen=True, slots=True)
class Settings:
    """How a schedule is made."""

    least_quarters: int = 2
    """A plan runs at least so long."""
    most_plans: int = 12
    """What a controller keeps."""
    most_types: int | None = None
    night: NightFlashing | None = None
    country: str = "CN"
    pcu: Mapping[CountClass, float] = field(default_factory=lambda: dict(PCU))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a day that is run alike."""

    first: int
    until: int
    mode: Mode
    plan: int | None
    """Place among the schedule's plans; None where none of them runs."""
    vehicles: float | None
    """Everybody on wheels, in passenger-car units and riders; None where they are unknown."""
    delay_s: float | None
    """Mean of them, by the model."""
    in_force_delay_s: float | None
    """The same under the plan in force."""
    saturation: float | None


@dataclass(frozen=True)
class DaySchedule:
    """What runs over a day."""

    name: str
    base: str
    """Its day type; with an exception, the one that it changes."""
    exception: str | None
    stretches: tuple[Stretch, ...]
    total_vph: tuple[float | None, ...]
    """Demand curve: units an hour by quarter."""


@dataclass(frozen=True)
class Schedule:
    """What a section of junctions runs when."""

    junctions: tuple[str, ...]
    types: tuple[DayTypeFound, ...]
    days: tuple[DaySchedule, ...]
    plans: tuple[Plans, ...]
    in_force: int | None
    """Place of the plans in force among the plans; None where they are not run."""
    special: tuple[SpecialDays, ...]
    country: str

    @property
    def by_name(self) -> dict[str, DaySchedule]:
        """Days by their names."""
        return {day.name: day for day in self.days}


@dataclass(frozen=True, slots=True)
class DayRun:
    """What a date is to a schedule."""

    date: dt.date
    kind: DayClass
    published: bool
    """Whether its year's holidays are."""
    like: DayClass | None
    """The counted class whose plans it gets; None where nothing like it was counted."""
    exception: str | None
    day: str | None
    """The name of its day."""


def run_on(schedule: Schedule, date: dt.date) -> DayRun:
    """Tell what a schedule runs on a date, and why."""
    owner = {each: found.name for found in schedule.types for each in found.classes}
    return run_of(owner, schedule.special, schedule.country, date)


def run_of(
    owner: Mapping[DayClass, str], special: Sequence[SpecialDays], country: str, date: dt.date
) -> DayRun:
    """Tell what a date runs: `owner` says whose day type each counted class is."""
    kind, published = class_of(date, country)
    exception = next((each for each in special if each.covers(date)), None)
    wanted = kind if exception is None or exception.runs is None else exception.runs
    like = standing_in(wanted, owner.keys())
    day = None if like is None else owner[like]
    if day is not None and exception is not None and exception.runs is None:
        day = changed_day(day, exception)
    return DayRun(date, kind, published, like, None if exception is None else exception.name, day)


def changed_day(base: str, exception: SpecialDays) -> str:
    """Give the name of a type's day as an exception changes it."""
    return f"{base}: {exception.name}"
