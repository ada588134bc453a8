"""What other functions of a junction's lanes would do, and what no signal would."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from signals.problem import Problem
from signals.rules.model.junction import Road, SignalledJunction
from signals.rules.plans.planning import JunctionPlan, plan_junction
from signals.rules.safety.case import prepare
from signals.rules.what_if.lane_functions import (
    Functions,
    choices_of,
    network_with,
    with_functions,
)
from signals.rules.what_if.traffic import warrant_of
from signals.rules.what_if.warrant import Warrant

SECONDS: Final = 60.0
"""How long choices are looked at where nobody says otherwise."""
_PLANNED: Final = 4
"""Choices of an approach for which plans are made: those that spread its traffic best."""
_GAIN: Final = 0.01
"""Of the delay: less is no reason to paint a road anew."""
_HOUR_S: Final = 3_600.0


@dataclass(frozen=True)
class LaneChoice:
    """Functions of lanes and the best plan with them."""

    functions: Mapping[str, Functions]
    """By approach, of those that change."""
    junction: SignalledJunction
    plan: JunctionPlan | None
    """None where no plan passes the safety checker."""


@dataclass(frozen=True)
class WhatIf:
    """A junction's lanes and what else they could be for."""

    junction: str
    as_it_is: LaneChoice
    choices: tuple[LaneChoice, ...]
    """Of one approach each, the best first; only those that lose less."""
    together: LaneChoice | None
    """The best of each approach at once; None where no two gain."""
    looked_at: int
    complete: bool
    """Whether the time sufficed for every approach."""
    warrant: Warrant | None

    @property
    def best(self) -> LaneChoice:
        """What loses least."""
        found = [self.as_it_is, *self.choices, *([self.together] if self.together else [])]
        return min(found, key=_delay_s)


def what_if(problem: Problem, name: str, seconds: float = SECONDS) -> WhatIf:
    """Look at other functions of a junction's lanes, and at the junction without a signal.

    Parameters
    ----------
    problem : Problem
    name : str
        The junction.
    seconds : float
        No plan is begun later than that.

    Returns
    -------
    WhatIf
        Delays by the model, each under the best plan with those functions that passes the checker.

    Notes
    -----
    The choices of an approach grow with a power of its lanes (5 lanes: some hundreds); they are
    ranked by how evenly they spread the traffic, and plans, which take seconds each, are made for
    the best four.
    """
    until_s = time.monotonic() + seconds
    network, junction = problem.network, problem.network.junction_of[name]
    as_it_is = _planned(problem, junction, {})
    found: list[LaneChoice] = []
    best_of: dict[str, LaneChoice] = {}
    looked_at, complete = 0, True
    for road in network.approaches(junction):
        ranked = sorted(
            choices_of(network, junction, road),
            key=lambda each: _uneven(problem, junction, road, each),
        )
        looked_at += len(ranked)
        for each in ranked[:_PLANNED]:
            if time.monotonic() > until_s:
                complete = False
                break
            choice = _planned(problem, junction, {road.name: each})
            if _delay_s(choice) < _delay_s(as_it_is) * (1 - _GAIN):
                found.append(choice)
                best_of[road.name] = min(best_of.get(road.name, choice), choice, key=_delay_s)
    together = None
    if len(best_of) > 1:
        both = {road: each.functions[road] for road, each in best_of.items()}
        made = _planned(problem, junction, both)
        if _delay_s(made) < min(map(_delay_s, found)):
            together = made
    return WhatIf(
        name,
        as_it_is,
        tuple(sorted(found, key=_delay_s)),
        together,
        looked_at,
        complete,
        warrant_of(network, junction, problem.flows.flow_vph, _hours(problem)),
    )


def _delay_s(choice: LaneChoice) -> float:
    return float("inf") if choice.plan is None else choice.plan.delay_s


def _planned(
    problem: Problem, junction: SignalledJunction, functions: Mapping[str, Functions]
) -> LaneChoice:
    made = with_functions(problem.network, junction, functions)
    changed = replace(problem, network=network_with(problem.network, made), own=())
    case = prepare(made, changed.network, problem.profile, ())
    lanes = changed.lanes_of(made)
    overlapping = problem.profile.overlapping
    plan = plan_junction(case, lanes, (), _hours(problem), overlapping=overlapping)
    return LaneChoice(functions, made, plan)


def _hours(problem: Problem) -> float:
    return (problem.flows.end_s - problem.flows.begin_s) / _HOUR_S


def _uneven(
    problem: Problem, junction: SignalledJunction, road: Road, chosen: Functions
) -> tuple[float, int]:
    """Give the flow ratio of an approach's fullest lane, and how many lanes are shared."""
    made = with_functions(problem.network, junction, {road.name: chosen})
    changed = replace(problem, network=network_with(problem.network, made))
    mine = {lane.name for lane in road.lanes}
    full = max(
        (
            sum(flow / rate for _, flow, rate in each.flows_vph)
            for each in changed.lanes_of(made)
            if each.lane in mine
        ),
        default=0.0,
    )
    return round(full, 2), sum(len(ways) > 1 for ways in chosen)
