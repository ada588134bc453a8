"""A junction's fixed-time plan: the best choice, order and length of stages by the delay model.

Greens are found by SciPy (a bounded Powell search over the stages' greens, which needs no
derivative of a delay with corners in it), then brought to whole seconds by steps that still help.
The plan in force is judged by the same model and kept where nothing is better: by the model a plan
is never worse than it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.model.plans import Programme
from signals.rules.plans.arrivals import Coming, results_as_they_come
from signals.rules.plans.candidates import choices, orders
from signals.rules.plans.delay_of_plan import LaneResult, lane_results, total_delay_s
from signals.rules.plans.junction_maker import ROUGH_SCALES, JunctionMaker
from signals.rules.plans.passing import LaneFlow
from signals.rules.plans.queues import spill_cost_s
from signals.rules.plans.ring_maker import RingMaker, sides_of
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme

_LOOKED_AT: Final = 24
_LOOKED_AT_FOR_ANY: Final = 240
"""Where none of those passes: up to the first that does."""
_NOBODY_VPH: Final = 1e-9
_REFINED: Final = 3
_MOST_REFINED: Final = 8
"""Choices optimised at most, where some do not pass the safety checker."""


@dataclass(frozen=True, slots=True)
class JunctionPlan:
    """What was chosen for a junction."""

    programme: Programme
    lanes: tuple[LaneResult, ...]
    delay_s: float
    """Mean delay by the model, of a person where the lanes know whom they carry, else of a
    vehicle; 0 without traffic."""
    before_s: float | None
    """The same of the plan in force; None where there is none."""
    kept: bool
    """The plan in force stays."""
    tried: int
    """Choices of stages that serve everybody."""
    orders: tuple[tuple[frozenset[str], ...], ...] = ()
    """Stages in their order that were optimised and are safe, the best first."""


@dataclass(frozen=True)
class _Judging:
    """By what plans that were found are held against each other."""

    lanes: Sequence[LaneFlow]
    maker: JunctionMaker
    hours: float
    coming: Coming | None
    storage_veh: Mapping[str, float]

    def results(self, programme: Programme) -> tuple[LaneResult, ...]:
        opposing = self.maker.opposing
        if self.coming is None:
            return lane_results(programme, self.lanes, opposing, self.hours)
        return results_as_they_come(programme, self.lanes, opposing, self.coming)

    def delay_s(self, programme: Programme) -> float:
        return total_delay_s(self.results(programme))

    def cost_s(self, programme: Programme) -> float:
        results = self.results(programme)
        return total_delay_s(results) + spill_cost_s(results, self.storage_veh, self.hours)


def plan_junction(
    case: Case,
    lanes: Sequence[LaneFlow],
    own: Sequence[Programme] = (),
    hours: float = 1.0,
    coming: Coming | None = None,
    *,
    overlapping: bool = False,
    storage_veh: Mapping[str, float] | None = None,
) -> JunctionPlan | None:
    """Make the plan of a junction.

    Parameters
    ----------
    case : Case
        The junction under the profile that the plan has to pass.
    lanes : Sequence of LaneFlow
        Its demand.
    own : Sequence of Programme
        The plans in force; their stages are among the candidates.
    hours : float
        For how long the demand lasts.
    coming : Coming, optional
        Who comes when, where that is known: the plans that were found, and those in force, are then
        held against each other by it, and their delay is told by it. The search itself takes
        vehicles to come at random.
    overlapping : bool
        Let greens begin and end each at its own time in a change of stages; controllers that work
        by a table of stages cannot.
    storage_veh : Mapping, optional
        How many vehicles lanes hold before their queue blocks another signal (``queues``): plans
        are then chosen by what is blocked beside the delay.

    Returns
    -------
    JunctionPlan or None
        None where no plan passes the safety checker: no choice of stages does, or the minimum
        greens exceed the longest cycle.

    Notes
    -----
    Choices of stages are ranked by Webster's cycle; the best two dozen are looked at with three
    sets of greens, the best three of those are optimised.
    """
    maker = JunctionMaker(case, lanes, own, hours, overlapping=overlapping, storage_veh=storage_veh)
    judging = _Judging(lanes, maker, hours, coming, storage_veh or {})
    served = [fact.name for fact in case.groups if fact.movements]
    rough: list[tuple[float, tuple[frozenset[str], ...]]] = []
    promising = sorted(choices(maker.pool, served), key=maker.webster_s)
    tried = len(promising)
    for chosen in dict.fromkeys([*_in_force(maker, served), *promising[:_LOOKED_AT]]):
        best_s = min(maker.cost(chosen, maker.start(chosen, scale)) for scale in ROUGH_SCALES)
        if math.isfinite(best_s):
            rough.append((best_s, chosen))
    rough.sort(key=lambda each: each[0])
    found: list[tuple[float, Programme]] = []
    ordered: list[tuple[float, tuple[frozenset[str], ...]]] = []
    refined = 0
    for _, chosen in rough:
        if len(found) == _REFINED or refined == _MOST_REFINED:
            break
        order = _order(maker, chosen)
        if order is None:
            continue
        refined += 1
        greens_s = maker.optimise(order)
        programme = maker.programme(order, greens_s)
        if not check_programme(case, programme).violations:
            found.append((judging.cost_s(programme), programme))
            ordered.append((found[-1][0], order))
    others = [] if found else promising[_LOOKED_AT:_LOOKED_AT_FOR_ANY]
    passing = [(judging.cost_s(each[1]), *each) for each in _first_passing(case, maker, others)]
    found += [(cost_s, programme) for cost_s, _, programme in passing]
    ordered += [(cost_s, order) for cost_s, order, _ in passing]
    rings = _rings(case, maker, min((cost_s for cost_s, _ in found), default=math.inf))
    if rings is not None:
        found.append((judging.cost_s(rings), rings))
    before = [(judging.cost_s(each), each) for each in own]
    safe = [
        pair
        for pair in before
        if not check_programme(case, pair[1]).violations and not pair[1].actuated
    ]
    if not found and not safe:
        return None
    _, programme = min([*safe, *found], key=lambda each: each[0])
    total_vph = max(sum(lane.flow_vph * lane.persons for lane in lanes), _NOBODY_VPH)
    return JunctionPlan(
        programme,
        judging.results(programme),
        judging.delay_s(programme) / total_vph,
        judging.delay_s(own[0]) / total_vph if own else None,
        any(programme is each for _, each in safe),
        tried,
        tuple(order for _, order in sorted(ordered, key=lambda each: each[0])),
    )


def _first_passing(
    case: Case, maker: JunctionMaker, promising: Sequence[tuple[frozenset[str], ...]]
) -> Iterator[tuple[tuple[frozenset[str], ...], Programme]]:
    """Give the first choice of stages that passes, if one does."""
    for chosen in promising:
        order = _order(maker, chosen)
        if order is None:
            continue
        programme = maker.programme(order, maker.optimise(order))
        if not check_programme(case, programme).violations:
            yield order, programme
            return


def _rings(case: Case, maker: JunctionMaker, beat_s: float) -> Programme | None:
    """Give the best plan of rings and barriers; None where none fits or passes."""
    sides = None if maker.turns_on_red else sides_of(case)
    made = None if sides is None else RingMaker(maker, sides, sorted(maker.free)).best(beat_s)
    return None if made is None or check_programme(case, made).violations else made


def _in_force(maker: JunctionMaker, served: Sequence[str]) -> Iterator[tuple[frozenset[str], ...]]:
    """Give the stages of the plans in force that serve everybody."""
    for stages in maker.in_force:
        if len(stages) > 1 and frozenset().union(*stages) >= frozenset(served):
            yield stages


def _order(
    maker: JunctionMaker, chosen: tuple[frozenset[str], ...]
) -> tuple[frozenset[str], ...] | None:
    """Give the order of least delay that can be safe; None where none can."""
    ranked = sorted(orders(chosen), key=lambda each: maker.cost(each, maker.start(each, 1.0)))
    return next((each for each in ranked if maker.can_be_safe(each)), None)
