"""The plain plan of a textbook: Webster's cycle and splits on the stages in force, one junction.

With y the largest flow ratio of a stage, Y their sum, L the time lost in a cycle:

(1)  C = (1.5 L + 5) / (1 - Y)
(2)  g = y / Y (C - L)

A turn that has to give way counts 1.75 of a vehicle. A stage too short for its least green, a
crossing's walk and clearance above all, gets that; where the others are then fuller than 0.9 the
cycle grows until they are not. The longest cycle up to that at which the checker's limits (how long
people on foot wait) hold is taken: the plan has to pass the same profile as ours.

Source: F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39 (1958), equations
5 and 6 [from memory]; saturation flows and the lanes' shares are those of our own plans, so that
what is compared is the timing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signals.rules.junctions import GroupKind
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.safety.case import yielding
from signals.rules.safety.checker import check_programme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals.rules.model.plans import Programme
    from signals.rules.plans.passing import LaneFlow
    from signals.rules.safety.case import Case

OPPOSED: Final = 1.75
START_LOSS_S: Final = 2.0
YELLOW_USED_S: Final = 2.0
FULL: Final = 0.9
MOST_RATIO: Final = 0.9
"""Of flow: beyond, (1) asks for cycles that nobody sets."""
LONGEST_S: Final = 150.0
LEAST_RATIO: Final = 0.02

Stages = tuple[frozenset[str], ...]


def stages_in_force(case: Case, maker: JunctionMaker) -> Stages:
    """Give the stages of the plan in force, without those in which people on foot only clear."""
    walks = frozenset(f.name for f in case.groups if f.kind is GroupKind.PEDESTRIAN)
    stages = maker.in_force[0]
    return tuple(
        stage
        for stage in stages
        if not any(stage < other and stage == other - walks for other in stages)
    )


def ratios(case: Case, lanes: Sequence[LaneFlow], stages: Stages) -> list[float]:
    """Give the largest flow ratio of each stage; a stream counts where it need not give way."""
    names = [group.name for group in case.junction.groups]
    gives = yielding(case)
    busy = {names[group] for lane in lanes for group, flow, _ in lane.flows_vph if flow > 0}

    def held(name: str, stage: frozenset[str]) -> bool:
        return any((name, other) in gives and other in busy for other in stage)

    found = [LEAST_RATIO] * len(stages)
    for lane in lanes:
        by_stage: dict[int, float] = {}
        for group, flow, rate in lane.flows_vph:
            serving = [place for place, stage in enumerate(stages) if names[group] in stage]
            free = [place for place in serving if not held(names[group], stages[place])]
            for place in (free or serving)[:1]:
                part = flow / rate * (1.0 if free else OPPOSED)
                by_stage[place] = by_stage.get(place, 0.0) + part
        for place, ratio in by_stage.items():
            found[place] = max(found[place], ratio)
    return found


@dataclass(frozen=True)
class _Stages:
    """What (1) and (2) ask about the stages."""

    y: list[float]
    between_s: float
    """Of a cycle, what no stage shows green."""
    least_s: list[float]

    @property
    def lost_s(self) -> float:
        """Give L: of each change all but the yellow that is driven in, and pulling away."""
        return self.between_s + len(self.y) * (START_LOSS_S - YELLOW_USED_S)

    def cycle_s(self) -> float:
        """Give (1), and what stages at their least green ask for beyond it."""
        total = sum(self.y)
        cycle_s = (1.5 * self.lost_s + 5) / (1 - min(total, MOST_RATIO))
        for _ in self.y:
            held = self._held(cycle_s)
            free = sum(self.y[place] for place in range(len(self.y)) if place not in held)
            fixed_s = self.lost_s + sum(self.least_s[place] for place in held)
            cycle_s = max(cycle_s, fixed_s / max(1 - free / FULL, 0.05))
        return min(cycle_s, LONGEST_S)

    def greens_s(self, cycle_s: float) -> list[float]:
        """Give (2), none below its least green."""
        held = self._held(cycle_s)
        rest = [place for place in range(len(self.y)) if place not in held]
        spare_s = cycle_s - self.between_s - sum(self.least_s[place] for place in held)
        whole = sum(self.y[place] for place in rest)
        found = list(self.least_s)
        for place in rest:
            found[place] = max(self.least_s[place], float(round(spare_s * self.y[place] / whole)))
        return found

    def _held(self, cycle_s: float) -> set[int]:
        """Give the stages that (2) would leave too short."""
        held: set[int] = set()
        while True:
            rest = [place for place in range(len(self.y)) if place not in held]
            whole = sum(self.y[place] for place in rest)
            spare_s = cycle_s - self.between_s - sum(self.least_s[place] for place in held)
            short = {p for p in rest if spare_s * self.y[p] / whole < self.least_s[p]}
            if not short:
                return held
            held |= short


def webster(case: Case, lanes: Sequence[LaneFlow], own: Sequence[Programme]) -> Programme | None:
    """Give the plan; None where the stages in force allow none that passes the profile."""
    maker = JunctionMaker(case, lanes, own, 1.0)
    if not maker.in_force:
        return None
    stages = stages_in_force(case, maker)
    if len(stages) < 2:
        return None
    least_s = [maker.least_s(stage) for stage in stages]
    between_s = maker.programme(stages, least_s).cycle_s - sum(least_s)
    known = _Stages(ratios(case, lanes, stages), between_s, least_s)
    cycle_s = round(known.cycle_s())
    for tried_s in range(cycle_s, 0, -1):
        made = maker.programme(stages, known.greens_s(float(tried_s)))
        if not check_programme(case, made).violations:
            return made
        if made.cycle_s > tried_s + len(stages):
            break
    return None
