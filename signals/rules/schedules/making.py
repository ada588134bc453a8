"""The schedule of a section of junctions: day types, times of day, plans, nights, special days."""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from city.errors import Invalid
from signals.rules.counts.gaps import stretches
from signals.rules.counts.tables import QUARTERS, LegDay
from signals.rules.schedules.day_types import DayTypeFound, day_types
from signals.rules.schedules.days import class_of, standing_in
from signals.rules.schedules.demand import PER_HOUR, apart, day_demand, day_profiles
from signals.rules.schedules.exceptions import SpecialDays
from signals.rules.schedules.library import Day, Library, Plans, Site
from signals.rules.schedules.model import (
    DaySchedule,
    Mode,
    NightFlashing,
    Schedule,
    Settings,
    Stretch,
    changed_day,
)
from signals.rules.schedules.segments import cheapest

_REFERENCES: Final = 5
_ROUNDS: Final = 3
_GAIN: Final = 0.001


def make_schedule(
    sites: Sequence[Site],
    legs: Sequence[LegDay],
    special: Sequence[SpecialDays] = (),
    settings: Settings | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Schedule:
    """Make a section's schedule.

    Parameters
    ----------
    sites : Sequence of Site
        The section's junctions, which change plans together.
    legs : Sequence of LegDay
        Counts of days; other junctions' are passed over.
    special : Sequence of SpecialDays
        Events and works.
    settings : Settings, optional
    stop : callable
        Whether the time is over: the best schedule of the plans that there are is given.

    Raises
    ------
    Invalid
        Naming the junction that was not counted, or has no safe plan, or the works that leave
        somebody no lane.

    Notes
    -----
    Some dozens of plans are made a section, 0.1 to 1 s each a junction; a plan is judged in every
    quarter of every day type, under a millisecond each.
    """
    chosen = settings or Settings()
    names = [site.name for site in sites]
    profiles = day_profiles(legs, names, chosen.pcu)
    for name in names:
        if not any(leg.junction == name for leg in legs):
            raise Invalid(f"{name} was not counted", field="junction")
    classes = {day: class_of(day, chosen.country)[0] for day in profiles}
    types = day_types(profiles, classes, chosen.most_types)
    days, exceptions = _days_of(sites, legs, types, special, chosen)
    library = Library(sites, days, stop)
    _require_lanes(library)
    library.choose_stages()
    for day in days:
        for quarters in _references(day):
            library.offer(day, quarters)
    if not library.plans:
        raise Invalid(f"{', '.join(names)}: no common plan is safe", field="network")
    cuts = _improved(library, chosen)
    library, cuts = _few_enough(library, cuts, chosen)
    used = sorted({each.plan for cut in cuts.values() for each in cut if each.plan is not None})
    place = {number: new for new, number in enumerate(used)}
    in_force = library.in_force
    return Schedule(
        tuple(names),
        types,
        tuple(
            DaySchedule(
                day.name,
                exceptions[day.name][0],
                exceptions[day.name][1],
                tuple(_told(library, day, each, place) for each in cuts[day.name]),
                _curve(day),
            )
            for day in days
        ),
        tuple(library.plans[number] for number in used),
        next((place[n] for n in used if library.plans[n] is in_force), None),
        tuple(special),
        chosen.country,
    )


def _days_of(
    sites: Sequence[Site],
    legs: Sequence[LegDay],
    types: Sequence[DayTypeFound],
    special: Sequence[SpecialDays],
    chosen: Settings,
) -> tuple[list[Day], dict[str, tuple[str, str | None]]]:
    """Give a day for each type, and one for each that an exception changes."""
    found: list[Day] = []
    named: dict[str, tuple[str, str | None]] = {}
    for each in types:
        demands = tuple(day_demand(legs, site.name, each.days, chosen.pcu) for site in sites)
        found.append(Day(each.name, demands))
        named[each.name] = (each.name, None)
    plain = {day.name: day for day in found}
    owner = {each: type_.name for type_ in types for each in type_.classes}
    for exception in special:
        if exception.runs is not None:
            continue
        span = (exception.last - exception.first).days + 1
        dates = [exception.first + dt.timedelta(days=step) for step in range(min(span, 400))]
        for base in sorted(
            {
                owner[like]
                for date in dates
                if (like := standing_in(class_of(date, chosen.country)[0], owner)) is not None
            }
        ):
            day = plain[base]
            found.append(
                Day(
                    changed_day(base, exception),
                    tuple(
                        each.scaled(
                            exception.factors, exception.from_quarter, exception.until_quarter
                        )
                        for each in day.demands
                    ),
                    frozenset(exception.closed_lanes),
                )
            )
            named[found[-1].name] = (base, exception.name)
    return found, named


def _require_lanes(library: Library) -> None:
    """Refuse works on lanes that are not there, or that leave somebody none."""
    lanes = {
        movement.from_lane for site in library.sites for movement in site.case.junction.movements
    }
    for day in library.days:
        for lane in sorted(day.closed_lanes - lanes):
            raise Invalid(f"no junction of the section has a lane {lane}", field="closed_lanes")
        known = np.flatnonzero(day.known)
        if day.closed_lanes and len(known):
            library.lanes(day, int(known[0]))


def _references(day: Day) -> list[list[int]]:
    """Give hours to make plans for: the busiest, then those furthest from all chosen."""
    hours = [
        list(range(first, first + 4))
        for first in range(0, QUARTERS, 4)
        if day.known[first : first + 4].all()
    ]
    if not hours:
        return []
    moments = [day.moments(hour) for hour in hours]
    totals = [sum(each.total_vph for each in moment) for moment in moments]
    chosen = [int(np.argmax(totals))]
    while len(chosen) < min(_REFERENCES, len(hours)):
        nearest = [min(apart(moment, moments[one]) for one in chosen) for moment in moments]
        chosen.append(int(np.argmax(nearest)))
    return [hours[place] for place in dict.fromkeys(chosen)]


@dataclass(frozen=True, slots=True)
class _Cut:
    first: int
    until: int
    mode: Mode
    plan: int | None


def _improved(library: Library, chosen: Settings) -> dict[str, list[_Cut]]:
    """Cut the days, make plans for the segments, and cut again while that helps."""
    cost_s, cuts = _cut_all(library, chosen)
    for _ in range(_ROUNDS):
        fresh = [
            library.offer(day, range(each.first, each.until))
            for day in library.days
            for each in cuts[day.name]
            if each.plan is not None
        ]
        if not any(fresh):
            break
        better_s, better = _cut_all(library, chosen)
        gained = better_s < cost_s * (1 - _GAIN)
        cost_s, cuts = better_s, better
        if not gained:
            break
    return cuts


def _few_enough(
    library: Library, cuts: dict[str, list[_Cut]], chosen: Settings
) -> tuple[Library, dict[str, list[_Cut]]]:
    """Drop the plan that is missed least until a controller can keep the rest."""

    def used() -> list[int]:
        return sorted({each.plan for cut in cuts.values() for each in cut if each.plan is not None})

    library.keep(kept := used())
    _, cuts = _cut_all(library, chosen)
    while len(kept := used()) > chosen.most_plans:
        plans = [library.plans[number] for number in kept]
        tried = []
        for out in range(len(plans)):
            library.plans = plans[:out] + plans[out + 1 :]
            tried.append((_cut_all(library, chosen)[0], out))
        _, out = min(tried)
        library.plans = plans[:out] + plans[out + 1 :]
        _, cuts = _cut_all(library, chosen)
    return library, cuts


def _cut_all(library: Library, chosen: Settings) -> tuple[float, dict[str, list[_Cut]]]:
    total_s, found = 0.0, {}
    for day in library.days:
        cost_s, found[day.name] = _cut(library, day, chosen)
        total_s += cost_s
    return total_s, found


def _cut(library: Library, day: Day, chosen: Settings) -> tuple[float, list[_Cut]]:
    """Cut a day: what is unknown and quiet nights apart, the rest at the least cost."""
    modes = modes_of(day, chosen.night)
    total_s, found = 0.0, []
    planned = [quarter for quarter in range(QUARTERS) if modes[quarter] == "plan"]
    for mode in ("unknown", "flashing_yellow"):
        alike = [quarter for quarter in range(QUARTERS) if modes[quarter] == mode]
        found += [_Cut(first, until, mode, None) for first, until in stretches(alike)]
    for first, until in stretches(planned):
        quarters = range(first, until)
        cost_s, segments = cheapest(
            library.costs(day, quarters),
            library.changes(day, quarters),
            chosen.least_quarters,
            closed=len(planned) == QUARTERS,
        )
        total_s += cost_s
        found += [
            _Cut(first + each.first, first + each.until, "plan", each.plan) for each in segments
        ]
    return total_s, sorted(found, key=lambda each: each.first)


def modes_of(day: Day, night: NightFlashing | None) -> list[Mode]:
    """Give each quarter's mode: planned for, unknown, or flashing yellow on a quiet night."""
    known = day.known
    modes: list[Mode] = ["plan" if each else "unknown" for each in known]
    if night is None:
        return modes
    quiet = [
        quarter
        for quarter in range(QUARTERS)
        if known[quarter] and night.may(quarter) and _quiet(day, quarter, night)
    ]
    runs = stretches(quiet)
    # A night goes on over midnight: both its parts count together.
    joined = bool(runs) and runs[0][0] == 0 and runs[-1][1] == QUARTERS and len(runs) > 1
    over_s = (runs[0][1] + QUARTERS - runs[-1][0]) if joined else 0
    for place, (first, until) in enumerate(runs):
        lasts = over_s if joined and place in {0, len(runs) - 1} else until - first
        if lasts >= night.least_quarters:
            modes[first:until] = ["flashing_yellow"] * (until - first)
    return modes


def _quiet(day: Day, quarter: int, night: NightFlashing) -> bool:
    """Tell whether so few pass that flashing yellow serves them; not where walkers are unknown."""
    for each in day.demands:
        if each.total_vph[quarter] > night.most_vph:
            return False
        if not each.walked_vph:
            return False
        walked = sum(float(series[quarter]) for series in each.walked_vph.values())
        # Written so that NaN fails too.
        if not walked <= night.most_walked_vph:
            return False
    return True


def _told(library: Library, day: Day, cut: _Cut, place: Mapping[int, int]) -> Stretch:
    if cut.mode == "unknown":
        return Stretch(cut.first, cut.until, cut.mode, None, None, None, None, None)
    quarters = range(cut.first, cut.until)
    vehicles = sum(
        lane.flow_vph / PER_HOUR
        for quarter in quarters
        for lanes in library.lanes(day, quarter)
        for lane in lanes
    )
    before_s = _mean_s(library, day, library.in_force, quarters, vehicles)
    if cut.plan is None:
        return Stretch(cut.first, cut.until, cut.mode, None, vehicles, None, before_s, None)
    plans = library.plans[cut.plan]
    worst = max(
        site.saturation(plan, lanes)
        for quarter in quarters
        for site, plan, lanes in zip(library.sites, plans, library.lanes(day, quarter), strict=True)
    )
    mode: Mode = "in_force" if plans is library.in_force else "plan"
    return Stretch(
        cut.first,
        cut.until,
        mode,
        place[cut.plan],
        vehicles,
        _mean_s(library, day, plans, quarters, vehicles),
        before_s,
        worst,
    )


def _mean_s(
    library: Library,
    day: Day,
    plans: Plans | None,
    quarters: Sequence[int],
    vehicles: float,
) -> float | None:
    if plans is None or vehicles <= 0:
        return None
    costs = library.costs_of(day, plans)
    return sum(costs[quarter] for quarter in quarters) / vehicles


def _curve(day: Day) -> tuple[float | None, ...]:
    total = np.sum([each.total_vph for each in day.demands], axis=0)
    return tuple(None if math.isnan(each) else round(float(each), 1) for each in total)
