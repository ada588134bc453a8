"""A schedule as a JSON document: what is stored, sent, shown and written to files."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic import ValidationError as SchemaError

from signals.rules.counts.gaps import clock
from signals.rules.documents import refusal
from signals.rules.life.parts import plan_json
from signals.rules.model.plans import Programme
from signals.rules.schedules.days import DayClass
from signals.rules.schedules.exceptions import (
    SpecialDays,
    exceptions_as_json,
    exceptions_from_json,
    quarter_of,
)
from signals.rules.schedules.model import DayRun, DaySchedule, Schedule, Stretch, run_of

SCHEDULE_FORMAT: Final = "greenbay-schedule/1"


def plan_name(section: str, place: int) -> str:
    """Give the name under which a section's controllers keep a plan."""
    return f"{section}-{place + 1}"


def schedule_json(section: str, schedule: Schedule) -> dict[str, JsonValue]:
    """Give the document of a section's schedule."""
    return {
        "format": SCHEDULE_FORMAT,
        "section": section,
        "junctions": list[JsonValue](schedule.junctions),
        "country": schedule.country,
        "day_types": [
            {
                "name": each.name,
                "classes": [one.value for one in each.classes],
                "counted_days": len(each.days),
                "unlike": [day.isoformat() for day in each.unlike],
            }
            for each in schedule.types
        ],
        "exceptions": exceptions_as_json(schedule.special),
        "days": [_day(section, each) for each in schedule.days],
        "plans": [
            {
                "name": plan_name(section, place),
                "in_force": place == schedule.in_force,
                "cycle_s": plans[0].cycle_s,
            }
            for place, plans in enumerate(schedule.plans)
        ],
    }


def programmes(section: str, schedule: Schedule) -> tuple[Programme, ...]:
    """Give every plan of a schedule, under the names of its document."""
    return tuple(
        replace(plan, name=plan_name(section, place))
        for place, plans in enumerate(schedule.plans)
        for plan in plans
    )


def plans_json(section: str, schedule: Schedule) -> dict[str, list[JsonValue]]:
    """Give the documents of ``programmes``, by the plan's name."""
    found: dict[str, list[JsonValue]] = {}
    for plan in programmes(section, schedule):
        found.setdefault(plan.name, []).append(plan_json(plan))
    return found


def date_json(run: DayRun) -> dict[str, JsonValue]:
    """Give what a date runs."""
    return {
        "date": run.date.isoformat(),
        "kind": run.kind.value,
        "calendar_published": run.published,
        "like": None if run.like is None else run.like.value,
        "exception": run.exception,
        "day": run.day,
    }


def dates_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Give the dates from one to another, both included."""
    return [first + dt.timedelta(days=step) for step in range((last - first).days + 1)]


@dataclass(frozen=True)
class KeptSchedule:
    """A schedule read back from its document: what is needed to follow it."""

    owner: dict[DayClass, str]
    special: tuple[SpecialDays, ...]
    country: str
    days: dict[str, tuple[tuple[int, int, str | None], ...]]
    """By a day's name: first quarter, the one behind the last, the plan that runs."""

    def on(self, date: dt.date) -> DayRun:
        """Tell what a date runs."""
        return run_of(self.owner, self.special, self.country, date)

    def plan_at(self, date: dt.date, quarter: int) -> str | None:
        """Give the plan that runs at a quarter of an hour; None where none is said."""
        day = self.on(date).day
        return next(
            (
                plan
                for first, until, plan in self.days.get(day or "", ())
                if first <= quarter < until
            ),
            None,
        )

    def changes(self) -> list[tuple[str, str]]:
        """Give every plan with one that may follow it, on its day or the next."""
        runs = [[plan for _, _, plan in day if plan is not None] for day in self.days.values()]
        found = {pair for plans in runs for pair in pairwise(plans)}
        # What nobody counted in between leaves the plan before it.
        found |= {(one[-1], other[0]) for one in runs for other in runs if one and other}
        return sorted(pair for pair in found if pair[0] != pair[1])


def schedule_from_json(value: Mapping[str, JsonValue]) -> KeptSchedule:
    """Read what ``schedule_json`` gave; Invalid names the member at fault."""
    try:
        document = _ScheduleDocument.model_validate(value)
    except SchemaError as error:
        raise refusal(error) from None
    return KeptSchedule(
        {each: found.name for found in document.day_types for each in found.classes},
        exceptions_from_json(value.get("exceptions")),
        document.country,
        {
            day.name: tuple(
                (quarter_of(each.begin), quarter_of(each.until), each.plan)
                for each in day.stretches
            )
            for day in document.days
        },
    )


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _TypeDocument(_Read):
    name: str
    classes: list[DayClass]


class _StretchDocument(_Read):
    begin: str = Field(alias="from")
    until: str
    plan: str | None


class _DayDocument(_Read):
    name: str
    stretches: list[_StretchDocument]


class _ScheduleDocument(_Read):
    format: Literal["greenbay-schedule/1"]
    country: str
    day_types: list[_TypeDocument]
    days: list[_DayDocument]


def _day(section: str, day: DaySchedule) -> dict[str, JsonValue]:
    return {
        "name": day.name,
        "base": day.base,
        "exception": day.exception,
        "demand_vph": list[JsonValue](day.total_vph),
        "stretches": [_stretch(section, each) for each in day.stretches],
    }


def _stretch(section: str, each: Stretch) -> dict[str, JsonValue]:
    return {
        "from": clock(each.first),
        "until": clock(each.until),
        "mode": each.mode,
        "plan": None if each.plan is None else plan_name(section, each.plan),
        "vehicles": _rounded(each.vehicles, 0),
        "delay_s": _rounded(each.delay_s, 2),
        "delay_in_force_s": _rounded(each.in_force_delay_s, 2),
        "saturation": _rounded(each.saturation, 3),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
