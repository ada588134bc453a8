"""Plans of a whole network from its demand, junction by junction or coordinated."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from city.errors import Invalid, Unavailable
from signals.adapters.sumo.simulator import Simulator
from signals.problem import Problem
from signals.queue_making import queue_plans, queues_between
from signals.rules.model.plans import Programme
from signals.rules.plans.arrivals import arrivals_of, coming_to
from signals.rules.plans.coordination import Coordination, Site, coordinate_plans
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.plans.planning import JunctionPlan, plan_junction
from signals.rules.plans.queues import Queue
from signals.rules.plans.refinement import SEEDS, Plans, Refined, is_safe, refined
from signals.rules.plans.routes import read_journeys
from signals.rules.plans.streams_between import streams_between
from signals.rules.safety.checker import check_programme

PROGRAMME: Final = "greenbay"
"""SUMO takes a programme beside the network's own by its name."""
SIMULATE_S: Final = 60.0
"""How long plans are refined by driving them where nobody says otherwise."""
_HOUR_S: Final = 3_600.0
_GREEN_SCALES: Final = (0.4, 0.7)
"""Of the greens that a first plan has."""
_COORDINATION_S: Final = 120.0
_FIRST_RUNS_S: Final = 60.0
"""What the runs to compare with may take however short the search: a busy machine starts slowly."""


@dataclass(frozen=True)
class Made:
    """Plans of a network."""

    programmes: tuple[Programme, ...]
    plans: Mapping[str, JunctionPlan | None]
    """Each junction's by the model and by itself; None where none passes."""
    coordinated: Coordination | None = None
    """What the model set to each other; None where not asked."""
    driven: Refined | None = None
    """What driving them gave; None where they were not driven."""
    why_not: str = ""
    """Why they could not be driven."""
    queues: tuple[Queue, ...] = ()
    """On roads between signals, under the plans by the model, each by itself."""

    @property
    def without(self) -> tuple[str, ...]:
        """Junctions for which no plan passes."""
        return tuple(name for name, plan in self.plans.items() if plan is None)

    def of(self, name: str) -> Programme:
        """Give the programme of a junction that has one."""
        return next(each for each in self.programmes if each.junction == name)


def make_plans(
    problem: Problem, *, coordinate: bool, simulate_s: float = 0.0, overlapping: bool = True
) -> Made:
    """Make the plans of a network.

    Parameters
    ----------
    problem : Problem
    coordinate : bool
        Set neighbours to each other where the model sees a gain.
    simulate_s : float
        Drive the plans and search for better ones for so long, and as long again for coordinated
        ones; 0 or what SUMO cannot drive: as the model gives them.
    overlapping : bool
        Let greens begin and end each at its own time in a change of stages.

    Returns
    -------
    Made
        Every programme has passed the safety checker. By the model none is worse than the plan in
        force, and coordinated plans are not worse than each by itself; driven, the same holds of
        all of them together, under the search's seeds.
    """
    hours = (problem.flows.end_s - problem.flows.begin_s) / _HOUR_S
    plans: dict[str, JunctionPlan | None] = {}
    sites = {}
    flows = problem.flows
    arrivals = None
    if len(problem.network.junctions) == 1:
        # Behind another signal vehicles come as that one lets them, not as they set out.
        journeys = read_journeys(problem.demand)
        arrivals = arrivals_of(problem.roads, journeys, flows, problem.scale)
    for junction in problem.network.junctions:
        case = problem.case_of(junction.name)
        lanes = problem.lanes_of(junction)
        own = tuple(each for each in problem.own if each.junction == junction.name)
        coming = None
        if arrivals is not None:
            coming = coming_to(case, flows, arrivals, lanes)
        found = plan_junction(case, lanes, own, hours, coming, overlapping=overlapping)
        if found is not None:
            found = replace(found, programme=replace(found.programme, name=_free_name(own)))
            sites[junction.name] = Site(case, lanes, own, found)
        plans[junction.name] = found
    alone = tuple(site.plan.programme for site in sites.values())
    choices: tuple[Coordination, ...] = ()
    if coordinate:
        streams = streams_between(problem.network, problem.roads, problem.flows)
        until_s = time.monotonic() + _COORDINATION_S
        choices = coordinate_plans(sites, streams, hours, lambda: time.monotonic() > until_s)
    model = choices[0].programmes if choices else alone
    standing = queues_between(problem, sites)
    made = Made(model, plans, choices[0] if choices else None, queues=standing)
    if simulate_s <= 0 or not problem.drivable or not alone:
        return made
    try:
        with Simulator(
            problem.content,
            problem.demand,
            problem.flows.begin_s,
            problem.flows.end_s,
            scale=problem.scale,
            closed_lanes=problem.closed_lanes,
        ) as simulator:
            counted = problem.profile.persons
            by_model = [alone, *queue_plans(problem, sites, standing)]
            driven = _driven(simulator, sites, by_model, choices, simulate_s, persons=counted)
    except (Invalid, Unavailable) as error:
        return replace(made, why_not=str(error))
    return replace(made, programmes=driven.plans, driven=driven)


def _driven(
    simulator: Simulator,
    sites: Mapping[str, Site],
    by_model: Sequence[Plans],
    choices: Sequence[Coordination],
    simulate_s: float,
    *,
    persons: bool,
) -> Refined:
    """Search from the plans by the model and in force; then from that and the coordinated ones.

    Those by the model: each alone, and with queues held where there is room.

    By the delay of a person, or of a trip.
    """
    cases = {name: site.case for name, site in sites.items()}
    known: dict[tuple[Plans, int], float] = {}
    until_s = time.monotonic() + simulate_s

    def drive(plans: Plans, seed: int) -> float | None:
        if (plans, seed) not in known:
            left_s = until_s - time.monotonic()
            first = len(known) < len(SEEDS)
            if left_s <= 0 and not first:
                return None
            limit_s = max(left_s, simulate_s, _FIRST_RUNS_S if first else 0.0)
            try:
                run = simulator.drive(plans, seed, limit_s=limit_s)
            except Unavailable:
                return None
            known[plans, seed] = run.person_delay_s if persons else run.delay_s
        return known[plans, seed]

    def stop() -> bool:
        return time.monotonic() > until_s

    in_force = _in_force(sites)
    first = [(plans, ()) for plans in (*by_model, in_force) if plans is not None]
    found = refined(first, cases, drive, stop, _stages_in_force(sites))
    if len(choices) < 2:  # noqa: PLR2004 - the last is the plans apart
        return found
    until_s = time.monotonic() + simulate_s
    together = [
        (each.programmes, [group.names for group in each.groups]) for each in choices if each.groups
    ]
    return refined([(found.plans, ()), *together], cases, drive, stop)


def _stages_in_force(sites: Mapping[str, Site]) -> dict[str, list[Programme]]:
    """Give plans of the stages in force, with greens by their flow ratios, from short to long.

    Where the delay model is wrong about stages, these are what its plans may not fall behind.
    """
    found: dict[str, list[Programme]] = {}
    for name, site in sites.items():
        maker = JunctionMaker(site.case, site.lanes, site.own, 1.0)
        served = {fact.name for fact in site.case.groups if fact.movements}
        for stages in maker.in_force:
            if len(stages) < 2 or not frozenset().union(*stages) >= served:  # noqa: PLR2004 - a cycle
                continue
            for scale in _GREEN_SCALES:
                made = maker.programme(stages, maker.start(stages, scale))
                if is_safe(site.case, made):
                    named = replace(made, name=site.plan.programme.name)
                    found.setdefault(name, []).append(named)
    return found


def _in_force(sites: Mapping[str, Site]) -> Plans | None:
    """Give the network's own plans under our names; None where one lacks, is unsafe or actuated."""
    found = []
    for site in sites.values():
        safe = [
            each
            for each in site.own[:1]
            if not each.actuated and not check_programme(site.case, each).violations
        ]
        if not safe:
            return None
        found.append(replace(safe[0], name=site.plan.programme.name))
    return tuple(found)


def _free_name(own: Sequence[Programme]) -> str:
    """Give a programme's name that none of the plans in force has."""
    taken = {each.name for each in own}
    names = (PROGRAMME, *(f"{PROGRAMME}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
