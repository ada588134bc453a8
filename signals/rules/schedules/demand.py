"""A junction's traffic over a day of one type: medians of counted days, quarter by quarter.

A quarter that none of the days has is taken between its neighbours where no more than an hour is
missing; else it stays unknown, and no plan is made for it.
"""

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from city.errors import Invalid
from signals.rules.counts.classes import PCU, RIDER_PCU, RIDERS, CountClass
from signals.rules.counts.gaps import stretches
from signals.rules.counts.places import CROSSING, Legs
from signals.rules.counts.tables import QUARTERS, LegDay
from signals.rules.junctions import GroupKind
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.passing import LaneFlow
from signals.rules.safety.case import Case
from signals.rules.schedules.day_types import Profile, middle

FILLED_QUARTERS: Final = 4
"""So many missing quarters are taken between their neighbours."""
PER_HOUR: Final = 4.0

Pair = tuple[str, str]


@dataclass(frozen=True)
class DayDemand:
    """Who passes a junction on a day, an hour's worth by quarter; NaN where nobody counted."""

    driven_vph: Mapping[Pair, Profile]
    """Passenger-car units by road from and road to."""
    ridden_vph: Mapping[Pair, Profile]
    """E-bikes and bicycles."""
    walked_vph: Mapping[str, Profile]
    """People who cross an arm, by the arm's road."""

    @cached_property
    def known(self) -> np.ndarray:
        """Whether each quarter is known on every movement that is counted at all."""
        found = np.ones(QUARTERS, dtype=bool)
        for each in self.driven_vph.values():
            found &= ~np.isnan(each)
        return found

    @cached_property
    def total_vph(self) -> Profile:
        """Units of all movements; NaN where one is unknown."""
        return np.sum(list(self.driven_vph.values()), axis=0)  # type: ignore[no-any-return] # numpy's stub gives Any for a list

    def mean(self, quarters: Sequence[int]) -> "Moment":
        """Give the mean of some known quarters."""
        wanted = list(quarters)
        return Moment(
            {pair: float(np.mean(each[wanted])) for pair, each in self.driven_vph.items()},
            {
                pair: float(np.mean(np.nan_to_num(each[wanted])))
                for pair, each in self.ridden_vph.items()
            },
        )

    def scaled(self, factors: Mapping[str, float], first: int, until: int) -> "DayDemand":
        """Give a day on which some approaches carry more or less from a quarter to another."""
        span = np.zeros(QUARTERS, dtype=bool)
        span[first:until] = True
        return replace(
            self,
            driven_vph={
                pair: np.where(span, each * factors.get(pair[0], 1.0), each)
                for pair, each in self.driven_vph.items()
            },
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """A junction's traffic at a time."""

    driven_vph: Mapping[Pair, float]
    ridden_vph: Mapping[Pair, float]

    @property
    def total_vph(self) -> float:
        """Units of all movements."""
        return sum(self.driven_vph.values())


def apart(one: Sequence[Moment], other: Sequence[Moment]) -> float:
    """Give how far the traffic of some junctions differs at two times, as a share."""
    total, differs = 0.0, 0.0
    for here, there in zip(one, other, strict=True):
        for pair in here.driven_vph.keys() | there.driven_vph.keys():
            a, b = here.driven_vph.get(pair, 0.0), there.driven_vph.get(pair, 0.0)
            total += (a + b) / 2
            differs += abs(a - b)
    return differs / total if total > 0 else 0.0


def lanes_at(
    case: Case, legs: Legs, moment: Moment, closed: Collection[str] = ()
) -> tuple[LaneFlow, ...]:
    """Give the lanes' flows of a moment, some lanes closed.

    Who rides without a lane of their own counts among those who drive.

    Raises
    ------
    Invalid
        Where works leave no lane for somebody who is counted.
    """
    driven = dict(moment.driven_vph)
    ridden = {}
    for pair, vph in moment.ridden_vph.items():
        if pair in legs.ridden:
            ridden[pair] = vph
        else:
            driven[pair] = driven.get(pair, 0.0) + RIDER_PCU * vph
    junction = case.junction
    if closed:
        junction = replace(
            junction,
            movements=tuple(each for each in junction.movements if each.from_lane not in closed),
            conflicts=(),
        )
        open_pairs = {
            (case.network.road_of[each.from_lane].name, case.network.road_of[each.to_lane].name)
            for each in junction.movements
            if each.kind not in {GroupKind.PEDESTRIAN, GroupKind.BICYCLE}
        }
        for pair, vph in driven.items():
            if vph > 0 and pair not in open_pairs:
                raise Invalid(
                    f"leave no lane at {junction.name} from {pair[0]} to {pair[1]}",
                    field="closed_lanes",
                )
    return lanes_of(junction, case.network, driven, ridden)


def day_profiles(
    legs: Sequence[LegDay], junctions: Sequence[str], pcu: Mapping[CountClass, float] = PCU
) -> dict[dt.date, Profile]:
    """Give every counted day's units by quarter, junction after junction; NaN where a gap is."""
    days = sorted({leg.day for leg in legs})
    pairs: dict[str, set[Pair]] = {name: set() for name in junctions}
    units: dict[tuple[str, Pair, dt.date], Profile] = {}
    for leg in legs:
        if leg.junction in pairs and leg.to_road != CROSSING:
            pair = (leg.from_road, leg.to_road)
            pairs[leg.junction].add(pair)
            units[leg.junction, pair, leg.day] = _units(leg, pcu)
    nothing = np.full(QUARTERS, math.nan)
    found = {}
    for day in days:
        parts = [
            np.sum([units.get((name, pair, day), nothing) for pair in sorted(pairs[name])], axis=0)
            for name in junctions
            if pairs[name]
        ]
        profile = np.concatenate(parts) if parts else nothing
        if not np.isnan(profile).all():
            found[day] = profile
    return found


def day_demand(
    legs: Sequence[LegDay],
    junction: str,
    days: Collection[dt.date],
    pcu: Mapping[CountClass, float] = PCU,
) -> DayDemand:
    """Give a junction's traffic on a day like some that were counted.

    Raises
    ------
    Invalid
        Where it was not counted on any of them.
    """
    driven: dict[Pair, dict[dt.date, Profile]] = {}
    ridden: dict[Pair, dict[dt.date, Profile]] = {}
    walked: dict[str, dict[dt.date, Profile]] = {}
    for leg in legs:
        if leg.junction != junction or leg.day not in days:
            continue
        if leg.to_road == CROSSING:
            walked.setdefault(leg.from_road, {})[leg.day] = _sum(leg, {CountClass.WALKER: 1.0})
            continue
        pair = (leg.from_road, leg.to_road)
        driven.setdefault(pair, {})[leg.day] = _units(leg, pcu)
        if RIDERS & leg.numbers.keys():
            ridden.setdefault(pair, {})[leg.day] = _sum(leg, dict.fromkeys(RIDERS, 1.0))
    if not driven:
        raise Invalid(f"{junction} was not counted on such days", field="junction")
    return DayDemand(
        {pair: _typical(each) for pair, each in driven.items()},
        {pair: _typical(each) for pair, each in ridden.items()},
        {road: _typical(each) for road, each in walked.items()},
    )


def _typical(days: Mapping[dt.date, Profile]) -> Profile:
    found = middle(days, sorted(days)) * PER_HOUR
    missing = [int(quarter) for quarter in np.flatnonzero(np.isnan(found))]
    for first, until in stretches(missing):
        if until - first > FILLED_QUARTERS or first == 0 or until == QUARTERS:
            continue
        before, after = found[first - 1], found[until]
        for step in range(until - first):
            found[first + step] = before + (after - before) * (step + 1) / (until - first + 1)
    return found


def _units(leg: LegDay, pcu: Mapping[CountClass, float]) -> Profile:
    return _sum(leg, pcu)


def _sum(leg: LegDay, weights: Mapping[CountClass, float]) -> Profile:
    found = np.zeros(QUARTERS)
    any_counted = False
    for each, series in leg.numbers.items():
        if each in weights:
            any_counted = True
            values = [math.nan if value is None else float(value) for value in series]
            found = found + weights[each] * np.array(values)
    return found if any_counted else np.full(QUARTERS, math.nan)
