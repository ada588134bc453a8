"""Plans of a whole network from its demand, junction by junction or coordinated."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from signals.problem import Problem
from signals.rules.model.plans import Programme
from signals.rules.plans.coordination import Coordination, Site, coordinate_plans
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.planning import JunctionPlan, plan_junction
from signals.rules.plans.streams_between import streams_between

PROGRAMME: Final = "greenbay"
"""SUMO takes a programme beside the network's own by its name."""
_HOUR_S: Final = 3_600.0
_COORDINATION_S: Final = 120.0


@dataclass(frozen=True)
class Made:
    """Plans of a network."""

    programmes: tuple[Programme, ...]
    plans: Mapping[str, JunctionPlan | None]
    """Each junction's by itself; None where none passes."""
    coordinated: Coordination | None = None
    """What was set to each other; None where not asked."""

    @property
    def without(self) -> tuple[str, ...]:
        """Junctions for which no plan passes."""
        return tuple(name for name, plan in self.plans.items() if plan is None)

    def of(self, name: str) -> Programme:
        """Give the programme of a junction that has one."""
        return next(each for each in self.programmes if each.junction == name)


def make_plans(problem: Problem, *, coordinate: bool) -> Made:
    """Make the plans of a network.

    Parameters
    ----------
    problem : Problem
    coordinate : bool
        Set neighbours to each other where the model sees a gain.

    Returns
    -------
    Made
        Every programme has passed the safety checker. By the model none is worse than the plan in
        force, and coordinated plans are not worse than each by itself.
    """
    hours = (problem.flows.end_s - problem.flows.begin_s) / _HOUR_S
    plans: dict[str, JunctionPlan | None] = {}
    sites = {}
    for junction in problem.network.junctions:
        case = problem.case_of(junction.name)
        lanes = lanes_of(
            junction, problem.network, problem.flows.flow_vph, problem.flows.bicycles_vph
        )
        own = tuple(each for each in problem.own if each.junction == junction.name)
        found = plan_junction(case, lanes, own, hours)
        if found is not None:
            found = replace(found, programme=replace(found.programme, name=_free_name(own)))
            sites[junction.name] = Site(case, lanes, own, found)
        plans[junction.name] = found
    alone = tuple(site.plan.programme for site in sites.values())
    if not coordinate:
        return Made(alone, plans)
    streams = streams_between(problem.network, problem.roads, problem.flows)
    until_s = time.monotonic() + _COORDINATION_S
    choices = coordinate_plans(sites, streams, hours, lambda: time.monotonic() > until_s)
    return Made(choices[0].programmes, plans, choices[0])


def _free_name(own: Sequence[Programme]) -> str:
    """Give a programme's name that none of the plans in force has."""
    taken = {each.name for each in own}
    names = (PROGRAMME, *(f"{PROGRAMME}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
