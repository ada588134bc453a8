"""A schedule as a JSON document: what is stored, sent, shown and written to files."""

import datetime as dt
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from signals.rules.counts.gaps import clock
from signals.rules.life.parts import plan_json
from signals.rules.model.plans import Programme
from signals.rules.schedules.exceptions import exceptions_as_json
from signals.rules.schedules.model import DayRun, DaySchedule, Schedule, Stretch

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


def plans_json(section: str, schedule: Schedule) -> list[JsonValue]:
    """Give the documents of ``programmes``."""
    return [plan_json(plan) for plan in programmes(section, schedule)]


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
