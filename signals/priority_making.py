"""Priority beside fixed plans for a whole network, made from its plans and its demand."""

from collections.abc import Sequence

from signals.problem import Problem
from signals.rules.model.plans import Programme
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.priority.making import site_of
from signals.rules.priority.requests import Policy
from signals.rules.priority.running import PlanPriority


def make_priority(
    problem: Problem, programmes: Sequence[Programme] | None, policy: Policy
) -> PlanPriority:
    """Take the plans apart.

    Parameters
    ----------
    problem : Problem
        The demand gives the flows by which acts are weighed.
    programmes : Sequence of Programme or None
        In place of the network's own.
    policy : Policy

    Returns
    -------
    PlanPriority
        A signal whose plan is actuated, has no two stages or is unsafe keeps its plan without.
    """
    chosen = {each.junction: each for each in problem.own}
    chosen.update({each.junction: each for each in programmes or ()})
    found = []
    for junction in problem.network.junctions:
        programme = chosen.get(junction.name)
        if programme is None:
            continue
        flows = problem.flows
        lanes = lanes_of(
            junction, problem.network, flows.flow_vph, flows.bicycles_vph, flows.drivers
        )
        site = site_of(problem.case_of(junction.name), programme, lanes)
        if site is not None:
            found.append(site)
    return PlanPriority(tuple(found), policy)
