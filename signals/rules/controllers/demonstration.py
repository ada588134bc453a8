"""The crossroads of a simulated controller that is told of no other."""

from itertools import permutations
from typing import Final

from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    Phase,
    PhaseStage,
    PlanStage,
)
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.junction import LampChange

_DRIVEN: Final = (LampChange(Aspect.FLASHING_GREEN, 3.0), LampChange(Aspect.YELLOW, 3.0))
_WALKED: Final = (LampChange(Aspect.FLASHING_GREEN, 8.0),)
_TOGETHER: Final = {frozenset({1, 5}), frozenset({3, 6}), frozenset({5, 6})}
"""Straight on beside those who walk along it; people on foot never conflict with each other."""
_AFTER_DRIVEN_S: Final = 5.0
_AFTER_WALKED_S: Final = 2.0


def crossroads() -> Layout:
    """Give four arms: straight on and left of each street, and the crossings beside it."""
    vehicle, walk = GroupKind.VEHICLE, GroupKind.PEDESTRIAN
    phases = (
        Phase(1, "south and north ahead", vehicle, _DRIVEN, (), 7),
        Phase(2, "south and north left", vehicle, _DRIVEN),
        Phase(3, "east and west ahead", vehicle, _DRIVEN, (), 7),
        Phase(4, "east and west left", vehicle, _DRIVEN),
        Phase(5, "across the east and west arms", walk, _WALKED),
        Phase(6, "across the south and north arms", walk, _WALKED),
    )
    conflicts = frozenset(
        pair for pair in permutations(range(1, 7), 2) if frozenset(pair) not in _TOGETHER
    )
    kind = {phase.number: phase.kind for phase in phases}
    return Layout(
        phases,
        (
            PhaseStage(1, frozenset({1, 5})),
            PhaseStage(2, frozenset({2})),
            PhaseStage(3, frozenset({3, 6})),
            PhaseStage(4, frozenset({4})),
        ),
        conflicts,
        {
            (ended, started): _AFTER_WALKED_S if kind[ended] is walk else _AFTER_DRIVEN_S
            for ended, started in conflicts
        },
    )


def plan(number: int, *lengths_s: int, offset_s: int = 0) -> ControllerPlan:
    """Give a plan of the crossroads' stages in their order, each so long."""
    stages = tuple(PlanStage(place, length_s) for place, length_s in enumerate(lengths_s, 1))
    return ControllerPlan(number, sum(lengths_s), offset_s, stages)


def cabinet() -> Cabinet:
    """Give its cabinet, with a plan for the day (1) and one for the night (2)."""
    plans = {1: plan(1, 35, 15, 30, 15), 2: plan(2, 25, 12, 20, 12)}
    return Cabinet(crossroads(), plans, 1)
