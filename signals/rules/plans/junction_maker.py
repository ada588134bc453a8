"""Plans of one junction from stages and greens, judged by the delay model, and the best greens."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from scipy.optimize import minimize  # type: ignore[import-untyped] # it ships no types

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, Aspect
from signals.rules.model.junction import LampChange, ModelGroup
from signals.rules.model.plans import Interval, Programme
from signals.rules.model.ring_plans import programme_from_rings
from signals.rules.model.rings import Rings
from signals.rules.model.stages import (
    GreenStage,
    after_green_s,
    change_s,
    flashing_s,
    overlap_of,
    programme_from_stages,
)
from signals.rules.plans.candidates import signals_of, stage_pool, stages_in_force
from signals.rules.plans.delay_of_plan import lane_results, opposing_of, total_delay_s
from signals.rules.plans.limits import can_be_safe, seconds_over
from signals.rules.plans.passing import START_LOSS_S, LaneFlow
from signals.rules.plans.queues import spill_cost_s
from signals.rules.safety.case import Case, intergreens, yielding
from signals.rules.safety.lamps_of_group import least_yellow_s

_FREE_CYCLE_S: Final = (20.0, 150.0)
_LEAST_WEIGHT: Final = 0.02
_PERMISSIVE_FACTOR: Final = 2.0
ROUGH_SCALES: Final = (0.6, 1.0, 1.6)
_STEPS_S: Final = (8.0, 4.0, 2.0, 1.0)
_OVER_COST_S: Final = 20_000.0
"""Vehicle-seconds an hour for a second beyond a limit: 5 000 vehicles an hour, 4 s each."""


class JunctionMaker:
    """One junction's look-ups, worked out once."""

    def __init__(
        self,
        case: Case,
        lanes: Sequence[LaneFlow],
        own: Sequence[Programme],
        hours: float,
        *,
        overlapping: bool = False,
        storage_veh: Mapping[str, float] | None = None,
    ) -> None:
        groups = tuple(
            _with_lamps(case, index, group) for index, group in enumerate(case.junction.groups)
        )
        self._case = replace(case, junction=replace(case.junction, groups=groups))
        self._lanes, self._hours = lanes, hours
        self._storage_veh = storage_veh or {}
        self._overlapping = overlapping and case.profile.overlapping
        self._lights = signals_of(case)
        self._matrix = intergreens(self._case)
        self._gives = yielding(self._case)
        self.opposing = opposing_of(case.pairs)
        self.free = frozenset(
            fact.name
            for index, fact in enumerate(case.groups)
            if fact.movements and not any(pair.one == index for pair in case.pairs)
        )
        # Who conflicts with nobody is green in every stage.
        self.pool = tuple(dict.fromkeys(stage | self.free for stage in stage_pool(case, own)))
        self.in_force = tuple(
            tuple(dict.fromkeys(stage | self.free for stage in stages_in_force(case, [programme])))
            for programme in own
        )
        self._on_red = frozenset(
            group
            for programme in own
            for interval in programme.intervals
            for group, aspect in zip(programme.groups, interval.shows, strict=True)
            if aspect is Aspect.TURN_ON_RED
        )
        self._leasts: dict[tuple[frozenset[str], ...], list[float]] = {}
        self._runs_of: dict[
            tuple[frozenset[str], ...], tuple[tuple[tuple[int, ...], float, float], ...]
        ] = {}
        self._sound: dict[tuple[frozenset[str], ...], bool] = {}
        self._gives_in: dict[tuple[str, frozenset[str]], bool] = {}
        self._flow: dict[int, float] = {}
        for lane in lanes:
            # Who shares a lane needs its green for all of the lane's traffic.
            ratio = sum(flow / rate for _, flow, rate in lane.flows_vph)
            for group, _, _ in lane.flows_vph:
                self._flow[group] = max(self._flow.get(group, 0.0), ratio)
        self._place = {group.name: index for index, group in enumerate(groups)}
        self.cycle_s = case.profile.cycle_s or _FREE_CYCLE_S

    def least_s(self, stage: frozenset[str]) -> float:
        """Give the shortest green that suits all of a stage's groups."""
        return float(math.ceil(max([1.0, *map(self._least_green_s, stage)])))

    def steady_s(self, stage: frozenset[str]) -> float:
        """Give for how long a stage's greens are steady at least, their flashing ends left out."""
        return float(
            math.ceil(
                max([1.0, *(self._least_green_s(name) - self.flash_s(name) for name in stage)])
            )
        )

    def flash_s(self, name: str) -> float:
        """Give for how long the end of a group's green flashes."""
        return flashing_s(self._case.junction.groups[self._place[name]])

    def _least_green_s(self, name: str) -> float:
        """Give the shortest green of a group, its flashing end with it."""
        index = self._place[name]
        profile, kind = self._case.profile, self._case.groups[index].kind
        flash_s = flashing_s(self._case.junction.groups[index])
        if kind is GroupKind.PEDESTRIAN:
            return (profile.least_walk_s or 1.0) + flash_s
        return max(profile.least_green_s.get(kind, 5.0), flash_s + 1)

    def leasts_s(self, stages: Sequence[frozenset[str]]) -> list[float]:
        """Give short greens of stages in their order by which every group has its least green.

        Where changes overlap, what a group has of them counts, and who is green in several stages
        needs its least green of all of them together.
        """
        if not self._overlapping:
            return [self.least_s(stage) for stage in stages]
        key = tuple(stages)
        if key not in self._leasts:
            found = [1.0] * len(stages)
            # Those of one stage first: what they take others may have as well.
            for held, beside_s, least_s in sorted(self._runs(key), key=lambda each: len(each[0])):
                short_s = least_s - beside_s - sum(found[place] for place in held)
                if short_s > 0:
                    longest = max(held, key=lambda place: found[place])
                    found[longest] += math.ceil(short_s - 1e-9)
            self._leasts[key] = found
        return list(self._leasts[key])

    def _runs(
        self, stages: tuple[frozenset[str], ...]
    ) -> tuple[tuple[tuple[int, ...], float, float], ...]:
        """Give each run of green: its stages, what it has besides their greens, its least."""
        if stages not in self._runs_of:
            self._runs_of[stages] = tuple(self._all_runs(stages))
        return self._runs_of[stages]

    def _all_runs(
        self, stages: tuple[frozenset[str], ...]
    ) -> Iterator[tuple[tuple[int, ...], float, float]]:
        junction, count = self._case.junction, len(stages)
        greens = [GreenStage(str(place), stage, 0.0) for place, stage in enumerate(stages)]
        changes_s = [
            change_s(junction, one, greens[(place + 1) % count], self._intergreen)
            for place, one in enumerate(greens)
        ]
        overlaps = [
            overlap_of(
                junction,
                one,
                greens[(place + 1) % count],
                self._intergreen,
                self._lights.__getitem__,
                clash=self._clash,
            )
            for place, one in enumerate(greens)
        ]
        seen = set()
        for name in frozenset().union(*stages):
            for first in range(count):
                if name not in stages[first] or name in stages[first - 1]:
                    continue
                held = [first]
                while name in stages[(held[-1] + 1) % count]:
                    held.append((held[-1] + 1) % count)
                beside_s = sum(changes_s[place] for place in held[:-1])
                beside_s += overlaps[first - 1].early_s.get(name, 0.0)
                beside_s += overlaps[held[-1]].late_s.get(name, 0.0)
                run = (tuple(held), beside_s, self._least_green_s(name))
                if run not in seen:
                    seen.add(run)
                    yield run

    def _long_enough(self, stages: Sequence[frozenset[str]], greens_s: Sequence[float]) -> bool:
        if not self._overlapping:
            return all(
                green_s >= self.least_s(stage) - 1e-9
                for stage, green_s in zip(stages, greens_s, strict=True)
            )
        return min(greens_s) >= 1 and all(
            beside_s + sum(greens_s[place] for place in held) >= least_s - 1e-9
            for held, beside_s, least_s in self._runs(tuple(stages))
        )

    def _intergreen(self, ended: str, started: str) -> float:
        return self._matrix.get((ended, started), 0.0)

    def _clash(self, one: str, other: str) -> bool:
        """Say whether two groups are never green at once: they conflict, and neither gives way."""
        gives = (one, other) in self._gives or (other, one) in self._gives
        return (one, other) in self._matrix and not gives

    def webster_s(self, stages: Sequence[frozenset[str]]) -> float:
        """Rank a choice of stages: Webster's cycle with its critical flow ratios."""
        ratio = min(sum(self._weights(stages)), 0.98)
        lost_s = len(stages) * (self._case.own_yellow_s + START_LOSS_S)
        return (1.5 * lost_s + 5) / (1 - ratio)

    def _weights(self, stages: Sequence[frozenset[str]]) -> list[float]:
        """Give the critical flow ratio of every stage.

        A group counts in the stage where it is protected, if there is one, else in its first; where
        it has to give way it needs about twice the green.
        """
        weights = [_LEAST_WEIGHT] * len(stages)
        for name in frozenset().union(*stages):
            ratio = self._flow.get(self._place[name], 0.0)
            held = [place for place, stage in enumerate(stages) if name in stage]
            free = [place for place in held if not self._permissive(name, stages[place])]
            place = free[0] if free else held[0]
            weights[place] = max(weights[place], ratio if free else _PERMISSIVE_FACTOR * ratio)
        return weights

    def _permissive(self, name: str, stage: frozenset[str]) -> bool:
        key = (name, stage)
        if key not in self._gives_in:
            self._gives_in[key] = any(
                (name, other) in self._gives and self._flow.get(self._place[other], 0.0) > 0
                for other in stage
            )
        return self._gives_in[key]

    def start(self, stages: Sequence[frozenset[str]], scale: float) -> list[float]:
        """Give greens to begin with: by the largest flow ratio that a stage alone serves."""
        weights = self._weights(stages)
        green_s = 60.0 * scale * max(min(sum(weights), 1.5), 0.5)
        total = sum(weights)
        return [
            max(least_s, round(green_s * weight / total))
            for least_s, weight in zip(self.leasts_s(stages), weights, strict=True)
        ]

    def programme(self, stages: Sequence[frozenset[str]], greens_s: Sequence[float]) -> Programme:
        """Give the programme of stages with their greens."""
        made = programme_from_stages(
            self._case.junction,
            "greenbay",
            [
                GreenStage(str(place), stage, green_s)
                for place, (stage, green_s) in enumerate(zip(stages, greens_s, strict=True))
            ],
            intergreen=self._intergreen,
            yields=lambda one, other: (one, other) in self._gives,
            together=self._lights.__getitem__ if self._overlapping else None,
            clash=self._clash,
        )
        if not self._on_red:
            return made
        return replace(made, intervals=tuple(map(self._on_red_too, made.intervals)))

    def ratio(self, groups: frozenset[str]) -> float:
        """Give the largest flow ratio of some groups; a little where nobody comes."""
        return max(_LEAST_WEIGHT, *(self._flow.get(self._place[name], 0.0) for name in groups))

    def ring_programme(self, rings: Rings) -> Programme:
        """Give the programme of rings and barriers."""
        return programme_from_rings(
            self._case.junction,
            "greenbay",
            rings,
            yields=lambda one, other: (one, other) in self._gives,
        )

    def ring_cost(self, rings: Rings) -> float:
        """Give the delay of rings, with what seconds beyond a limit cost, as of stages."""
        if not self.cycle_s[0] <= rings.cycle_s <= self.cycle_s[1]:
            return math.inf
        programme = self.ring_programme(rings)
        over_s = seconds_over(self._case, programme)
        return self.judge(programme) + _OVER_COST_S * over_s

    def change_s(self, ended: frozenset[str], following: Sequence[frozenset[str]]) -> float:
        """Give the whole seconds that a change takes from some groups to those that follow."""
        starting = frozenset().union(*following) - ended
        needed = [
            self._matrix.get((one, other), 0.0)
            for one in ended - frozenset().union(*following)
            for other in starting
        ]
        lamps = [after_green_s(self._case.junction.groups[self._place[name]]) for name in ended]
        return float(math.ceil(max([*needed, *lamps, 0.0]) - 1e-9))

    @property
    def turns_on_red(self) -> bool:
        """Whether somebody turns on red under a plan in force."""
        return bool(self._on_red)

    def _on_red_too(self, interval: Interval) -> Interval:
        """Let those turn on red who may under the plan in force."""
        names = [group.name for group in self._case.junction.groups]
        return replace(
            interval,
            shows=tuple(
                Aspect.TURN_ON_RED if aspect is Aspect.RED and name in self._on_red else aspect
                for name, aspect in zip(names, interval.shows, strict=True)
            ),
        )

    def judge(self, programme: Programme) -> float:
        """Give the delay of all vehicles of an hour under a programme, and what queues block."""
        results = lane_results(programme, self._lanes, self.opposing, self._hours)
        spilled_s = spill_cost_s(results, self._storage_veh, self._hours)
        return total_delay_s(results) + spilled_s

    def cost(self, stages: Sequence[frozenset[str]], greens_s: Sequence[float]) -> float:
        """Give the delay of stages; infinite outside the bounds of greens and cycle.

        Seconds beyond the profile's longest greens and reds cost more than they can gain.
        """
        if not self._long_enough(stages, greens_s):
            return math.inf
        programme = self.programme(stages, greens_s)
        if not self.cycle_s[0] - 1e-6 <= programme.cycle_s <= self.cycle_s[1] + 1e-6:
            return math.inf
        return self.judge(programme) + _OVER_COST_S * seconds_over(self._case, programme)

    def can_be_safe(self, stages: tuple[frozenset[str], ...]) -> bool:
        """Whether an order of stages passes the safety checker, or would with other greens."""
        if stages not in self._sound:
            least = self.leasts_s(stages)
            self._sound[stages] = can_be_safe(self._case, self.programme(stages, least))
        return self._sound[stages]

    def optimise(self, stages: Sequence[frozenset[str]]) -> list[float]:
        """Give the whole-second greens of least delay, near enough."""
        leasts = self.leasts_s(stages)
        starts = [self.start(stages, scale) for scale in ROUGH_SCALES]
        begin = min(starts, key=lambda each: self.cost(stages, each))
        worst = 1e12

        def smooth(greens_s: Sequence[float]) -> float:
            cost_s = self.cost(stages, list(greens_s))
            return cost_s if math.isfinite(cost_s) else worst

        lowest = [1.0] * len(leasts) if self._overlapping else leasts
        bounds = [(least, max(least + 1, 110.0)) for least in lowest]
        found = minimize(
            smooth, begin, method="Powell", bounds=bounds, options={"maxfev": 90, "xtol": 0.5}
        )
        near = [max(least, float(round(each))) for least, each in zip(lowest, found.x, strict=True)]
        best = min((near, list(begin)), key=lambda each: self.cost(stages, each))
        return _descended(lambda greens: self.cost(stages, greens), best)

    def fitted(self, stages: Sequence[frozenset[str]], cycle_s: float) -> list[float] | None:
        """Give the whole-second greens of least delay that fill a cycle; None where none do."""
        leasts = self.leasts_s(stages)
        spare_s = round(cycle_s - self.programme(stages, leasts).cycle_s)
        if spare_s < 0 or not self.cycle_s[0] <= cycle_s <= self.cycle_s[1]:
            return None
        weights = self._weights(stages)
        greens = [
            least + math.floor(spare_s * weight / sum(weights))
            for least, weight in zip(leasts, weights, strict=True)
        ]
        greens[0] += spare_s - sum(greens) + sum(leasts)
        if self.programme(stages, greens).cycle_s != cycle_s:
            return None
        return _descended(lambda tried: self.cost(stages, tried), greens, same_cycle=True)


def _descended(
    cost: Callable[[Sequence[float]], float], start: Sequence[float], *, same_cycle: bool = False
) -> list[float]:
    """Step every green up and down, and seconds from one stage to another, while that helps."""
    best, best_s = list(start), cost(start)
    for step_s in _STEPS_S:
        better = True
        while better:
            better = False
            moves: list[Mapping[int, float]] = [
                {place: sign * step_s}
                for place in range(0 if same_cycle else len(best))
                for sign in (1, -1)
            ]
            moves += [
                {one: step_s, other: -step_s}
                for one in range(len(best))
                for other in range(len(best))
                if one != other
            ]
            for move in moves:
                tried = [each + move.get(place, 0.0) for place, each in enumerate(best)]
                tried_s = cost(tried)
                if tried_s < best_s - 1e-6:
                    best, best_s, better = tried, tried_s, True
    return best


def _with_lamps(case: Case, index: int, group: ModelGroup) -> ModelGroup:
    """Give a group the losing lamps that the profile asks for, whatever it had before."""
    fact = case.groups[index]
    if fact.kind is GroupKind.PEDESTRIAN:
        if not case.profile.orders:
            return replace(group, gaining=(), losing=())
        flash_s = float(math.ceil(fact.crossing_m / case.profile.walking_mps - 1e-9))
        return replace(group, gaining=(), losing=(LampChange(Aspect.FLASHING_GREEN, flash_s),))
    yellow_s = least_yellow_s(case, fact)
    kept = [change for change in group.losing if change.aspect in GREENS]
    flashing = tuple(kept) if case.profile.name == "gb" else ()
    return replace(group, gaining=(), losing=(*flashing, LampChange(Aspect.YELLOW, yellow_s)))
