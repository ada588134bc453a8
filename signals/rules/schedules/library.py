"""Plans that a section of junctions may run, and what each costs at each time of a day.

A section's junctions change plans together and, more than one, share a cycle. Plans are made for
times that differ, judged on every quarter of an hour, and made again for the segments that the
cheapest cut of the day leaves, until no new plan helps. The plan in force is among them where it is
safe: by the model no schedule is worse than leaving it as it is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from city.errors import Invalid
from signals.rules.counts.places import Legs
from signals.rules.model.plans import Programme
from signals.rules.plans.delay_of_plan import lane_results, opposing_of, total_delay_s
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.plans.passing import LaneFlow, Opposing
from signals.rules.plans.planning import plan_junction
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme
from signals.rules.schedules.demand import PER_HOUR, DayDemand, Moment, apart, lanes_at
from signals.rules.schedules.segments import Costs

QUARTER_H: Final = 0.25
ALIKE: Final = 0.08
"""Share by which two times must differ for plans of their own."""
_HOUR_S: Final = 3_600.0

Plans = tuple[Programme, ...]
"""Of a section's junctions, in their order."""


@dataclass
class Site:
    """A junction with what its plans are made from; stages are chosen once, at its busiest."""

    case: Case
    legs: Legs
    own: tuple[Programme, ...]
    keep_stages: bool = False
    """Its stages stay those in force; greens and cycles alone change."""
    orders: tuple[tuple[frozenset[str], ...], ...] = ()
    first: Programme | None = None
    """The plan of its busiest time."""
    _opposing: Opposing = field(init=False)

    def __post_init__(self) -> None:
        self._opposing = opposing_of(self.case.pairs)

    @property
    def name(self) -> str:
        """The junction's."""
        return self.case.junction.name

    def choose(self, lanes: Sequence[LaneFlow]) -> None:
        """Choose the stages and their order; those in force are kept where they can be safe.

        Raises
        ------
        Invalid
            Where no plan passes the safety checker.
        """
        if self.keep_stages and self.own:
            stages = JunctionMaker(self.case, lanes, self.own, QUARTER_H).in_force[0]
            self.orders = (stages,)
            self.first = self.made(lanes)
            if self.first is not None:
                return
        found = plan_junction(self.case, lanes, self.own, QUARTER_H)
        if found is None:
            raise Invalid(
                f"{self.name}: no plan passes profile {self.case.profile.name}", field="network"
            )
        self.orders, self.first = found.orders, found.programme

    def delay_s(self, plan: Programme, lanes: Sequence[LaneFlow]) -> float:
        """Give vehicle-seconds of delay in an hour."""
        return total_delay_s(lane_results(plan, lanes, self._opposing, QUARTER_H))

    def saturation(self, plan: Programme, lanes: Sequence[LaneFlow]) -> float:
        """Give the degree of saturation of the fullest lane."""
        found = lane_results(plan, lanes, self._opposing, QUARTER_H)
        return max((each.saturation for each in found), default=0.0)

    def made(self, lanes: Sequence[LaneFlow], cycle_s: float | None = None) -> Programme | None:
        """Give the best safe plan of the chosen stages, of a cycle where one is asked for."""
        maker = JunctionMaker(self.case, lanes, self.own, QUARTER_H)
        best: tuple[float, Programme] | None = None
        for order in self.orders[:1] if cycle_s is None else self.orders:
            greens = maker.optimise(order) if cycle_s is None else maker.fitted(order, cycle_s)
            if greens is None:
                continue
            plan = maker.programme(order, greens)
            if check_programme(self.case, plan).violations:
                continue
            cost_s = self.delay_s(plan, lanes)
            if best is None or cost_s < best[0]:
                best = (cost_s, plan)
        return None if best is None else best[1]


@dataclass(frozen=True)
class Day:
    """A day of one type at a section's junctions, and what is special of it."""

    name: str
    demands: tuple[DayDemand, ...]
    """Of each junction."""
    closed_lanes: frozenset[str] = frozenset()

    def moments(self, quarters: Sequence[int]) -> tuple[Moment, ...]:
        """Give the mean traffic of some quarters at each junction."""
        return tuple(each.mean(quarters) for each in self.demands)

    @property
    def known(self) -> np.ndarray:
        """Whether each quarter is known at every junction."""
        return np.all([each.known for each in self.demands], axis=0)  # type: ignore[no-any-return] # numpy's stub gives Any for a list


class Library:
    """A section's plans, and their costs on its days.

    Parameters
    ----------
    sites : Sequence of Site
    days : Sequence of Day
    stop : callable
        Whether the time is over: no plans are made any more.
    """

    def __init__(
        self, sites: Sequence[Site], days: Sequence[Day], stop: Callable[[], bool]
    ) -> None:
        self.sites, self.days = tuple(sites), tuple(days)
        self._stop = stop
        self.plans: list[Plans] = []
        self._asked: list[tuple[tuple[Moment, ...], frozenset[str]]] = []
        self._lanes: dict[tuple[str, int], tuple[tuple[LaneFlow, ...], ...]] = {}
        self._costs: dict[tuple[str, Plans], list[float]] = {}
        self.in_force = self._safe_in_force()
        if self.in_force is not None:
            self.plans.append(self.in_force)

    def _safe_in_force(self) -> Plans | None:
        found = []
        for site in self.sites:
            plan = site.own[0] if site.own else None
            if plan is None or plan.actuated or check_programme(site.case, plan).violations:
                return None
            found.append(plan)
        return tuple(found)

    def lanes(self, day: Day, quarter: int) -> tuple[tuple[LaneFlow, ...], ...]:
        """Give every junction's lanes in a known quarter."""
        key = (day.name, quarter)
        if key not in self._lanes:
            self._lanes[key] = self._lanes_of(day.moments([quarter]), day.closed_lanes)
        return self._lanes[key]

    def _lanes_of(
        self, moments: Sequence[Moment], closed: frozenset[str]
    ) -> tuple[tuple[LaneFlow, ...], ...]:
        return tuple(
            lanes_at(site.case, site.legs, moment, closed)
            for site, moment in zip(self.sites, moments, strict=True)
        )

    def choose_stages(self) -> None:
        """Choose every junction's stages at its busiest quarter of any day."""
        for place, site in enumerate(self.sites):
            busiest, most = None, -1.0
            for day in self.days:
                known = np.where(day.known, day.demands[place].total_vph, -1.0)
                quarter = int(known.argmax())
                if known[quarter] > most:
                    busiest, most = (day, quarter), float(known[quarter])
            if busiest is None or most <= 0:
                raise Invalid(f"{site.name}: nobody is counted", field="counts")
            site.choose(self.lanes(*busiest)[place])
        chosen = tuple(site.first for site in self.sites if site.first is not None)
        if len(self.sites) == 1:
            self._add(chosen)

    def offer(self, day: Day, quarters: Sequence[int]) -> bool:
        """Make plans for the mean of some quarters; say whether there are new ones.

        Times like one that was asked for before get none of their own.
        """
        moments = day.moments(quarters)
        if self._stop() or any(
            closed == day.closed_lanes and apart(moments, known) < ALIKE
            for known, closed in self._asked
        ):
            return False
        self._asked.append((moments, day.closed_lanes))
        lanes = self._lanes_of(moments, day.closed_lanes)
        made = self._made(lanes)
        return made is not None and self._add(made)

    def _made(self, lanes: Sequence[tuple[LaneFlow, ...]]) -> Plans | None:
        alone = [site.made(each) for site, each in zip(self.sites, lanes, strict=True)]
        if len(self.sites) == 1:
            return None if alone[0] is None else (alone[0],)
        best: tuple[float, Plans] | None = None
        for cycle_s in sorted({plan.cycle_s for plan in alone if plan is not None}):
            fitted: list[Programme] = []
            for site, plan, each in zip(self.sites, alone, lanes, strict=True):
                found = plan if plan and plan.cycle_s == cycle_s else site.made(each, cycle_s)
                if found is None:
                    break
                fitted.append(_with_offset(found, site.own))
            if len(fitted) < len(self.sites):
                continue
            delay_s = sum(
                site.delay_s(plan, each)
                for site, plan, each in zip(self.sites, fitted, lanes, strict=True)
            )
            if best is None or delay_s < best[0]:
                best = (delay_s, tuple(fitted))
        return None if best is None else best[1]

    def _add(self, plans: Plans) -> bool:
        shown = [[(plan.intervals, plan.offset_s) for plan in each] for each in self.plans]
        if [(plan.intervals, plan.offset_s) for plan in plans] in shown:
            return False
        self.plans.append(plans)
        return True

    def costs(self, day: Day, quarters: Sequence[int]) -> Costs:
        """Give vehicle-seconds of delay of every plan in some known quarters."""
        for plans in self.plans:
            self.costs_of(day, plans)
        rows = [[self._costs[day.name, plans][q] for q in quarters] for plans in self.plans]
        return np.array(rows)

    def costs_of(self, day: Day, plans: Plans) -> list[float]:
        """Give vehicle-seconds of delay in each quarter under some plans; NaN where unknown."""
        key = (day.name, plans)
        if key not in self._costs:
            known = day.known
            self._costs[key] = [
                sum(
                    site.delay_s(plan, lanes)
                    for site, plan, lanes in zip(
                        self.sites, plans, self.lanes(day, quarter), strict=True
                    )
                )
                / PER_HOUR
                if known[quarter]
                else math.nan
                for quarter in range(len(known))
            ]
        return self._costs[key]

    def changes(self, day: Day, quarters: Sequence[int]) -> Costs:
        """Give what it costs to begin each plan at a quarter, in vehicle-seconds.

        A controller dwells in a stage until the new clock fits, half a cycle on average; who comes
        in the cycle in which it does waits so much longer. Ours, no measurement.
        """
        found = np.zeros((len(self.plans), len(quarters)))
        for place, demand in enumerate(day.demands):
            total = demand.total_vph[list(quarters)]
            for number, plans in enumerate(self.plans):
                cycle_s = plans[place].cycle_s
                found[number] += total / _HOUR_S * cycle_s * (cycle_s / 2)
        return found

    def keep(self, numbers: Sequence[int]) -> None:
        """Forget all plans but some."""
        self.plans = [self.plans[number] for number in numbers]


def _with_offset(plan: Programme, own: Sequence[Programme]) -> Programme:
    """Keep the offset in force: who sets junctions to each other is the corridor's business."""
    if not own:
        return plan
    return replace(plan, offset_s=float(round(own[0].offset_s) % plan.cycle_s))
