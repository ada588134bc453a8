"""Plans of a network that keep queues where there is room, off other signals' junctions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from signals.problem import Problem
from signals.rules.plans.coordination import Site
from signals.rules.plans.planning import JunctionPlan, plan_junction
from signals.rules.plans.queues import Queue, metered, queues, shares_let_in, storages_veh
from signals.rules.plans.refinement import Plans

_HOUR_S: Final = 3_600.0


def queues_between(problem: Problem, sites: Mapping[str, Site]) -> tuple[Queue, ...]:
    """Give what stands on roads between signals at the end of the demand, under sites' plans."""
    hours = _hours(problem)
    return tuple(
        queue
        for name, site in sites.items()
        for queue in queues(name, site.plan.lanes, _storages(problem, site), hours)
    )


def queue_plans(
    problem: Problem, sites: Mapping[str, Site], standing: Sequence[Queue]
) -> list[Plans]:
    """Give plans that hold queues elsewhere than on roads that they would fill.

    The first let no more into such a road than leaves it or finds room: the signals before are
    timed for so many. The second first shorten the queue itself, at its own signal, by what it
    blocks. Which of them suits, if one does, is for driving to say.

    Parameters
    ----------
    problem : Problem
    sites : Mapping
        The signals with the plans that each would have by itself.
    standing : Sequence of Queue
        Of ``queues_between``.

    Returns
    -------
    list of Plans
        Empty where no queue reaches another signal. Every plan has passed the safety checker.
    """
    full = sorted({each.junction for each in standing if each.spills})
    if not full:
        return []
    alone = {name: site.plan for name, site in sites.items()}
    held = dict(alone)
    for name in full:
        site = sites[name]
        storage_veh = _storages(problem, site)
        found = plan_junction(
            site.case, site.lanes, site.own, _hours(problem), storage_veh=storage_veh
        )
        held[name] = held[name] if found is None else found
    return [_metered(problem, sites, full, plans) for plans in (alone, held)]


def _metered(
    problem: Problem,
    sites: Mapping[str, Site],
    full: Collection[str],
    plans: Mapping[str, JunctionPlan],
) -> Plans:
    """Give plans whose signals before full roads are timed for those that are let in."""
    network, hours = problem.network, _hours(problem)
    share_of: dict[str, float] = {}
    for name in full:
        storage_veh = _storages(problem, sites[name])
        share_of |= shares_let_in(network, plans[name].lanes, storage_veh, hours)
    flows = replace(problem.flows, flow_vph=metered(problem.flows.flow_vph, share_of))
    let_in = replace(problem, flows=flows)
    made = []
    for name, site in sites.items():
        chosen = plans[name]
        junction = site.case.junction
        into = {
            network.road_of[each.to_lane].name
            for each in junction.movements
            if each.to_lane in network.road_of
        }
        if into & set(share_of):
            found = plan_junction(
                site.case,
                let_in.lanes_of(junction),
                (),
                hours,
                storage_veh=_storages(problem, site),
            )
            chosen = chosen if found is None else found
        made.append(replace(chosen.programme, name=site.plan.programme.name))
    return tuple(made)


def _storages(problem: Problem, site: Site) -> dict[str, float]:
    return storages_veh(problem.network, site.case.junction, problem.flows.drivers.space_m)


def _hours(problem: Problem) -> float:
    return (problem.flows.end_s - problem.flows.begin_s) / _HOUR_S
