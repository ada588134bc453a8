"""Who comes when, drawn by chance from flows: where no demand says when each sets out.

Each pair of roads gets the times of a Poisson process, and each driver a pace (``arrivals``). So
the vehicle by vehicle model (``stop_lines``) can judge plans for a demand of flows alone, who
stands behind whom included. Several draws are judged and their mean is told: a plan is held
against another by the same vehicles.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from signals.rules.model.plans import Programme
from signals.rules.plans.arrivals import Arrival, Coming, coming_to, pace_of, results_as_they_come
from signals.rules.plans.delay_of_plan import LaneResult, lanes_of, opposing_of
from signals.rules.plans.routes import TurningFlows
from signals.rules.safety.case import Case

DRAWS: Final = 3
"""Half the spread of one, and a tenth of a second each for an hour at a junction."""
_HOUR_S: Final = 3_600.0
_LONGEST_H: Final = 8.0

Pair = tuple[str, str]


def arrivals_by_chance(
    flow_vph: Mapping[Pair, float], hours: float, seed: int
) -> tuple[Arrival, ...]:
    """Draw who comes to a signal, in the order of their times; the same seed draws the same."""
    draw = random.Random(seed)  # noqa: S311 - traffic, no secret
    found = []
    until_s = hours * _HOUR_S
    for pair in sorted(flow_vph):
        if flow_vph[pair] <= 0:
            continue
        at_s = draw.expovariate(flow_vph[pair] / _HOUR_S)
        while at_s < until_s:
            found.append(Arrival(at_s, pair, pace_of(draw.random()), rides=False))
            at_s += draw.expovariate(flow_vph[pair] / _HOUR_S)
    return tuple(sorted(found, key=lambda each: each.at_s))


class ByVehicles:
    """A junction's demand, drawn vehicle by vehicle, under which its plans are judged.

    Parameters
    ----------
    case : Case
    flow_vph : Mapping
        By road from and road to; those of other junctions are left out.
    hours : float
        At most eight: what lasts longer is no peak.
    """

    def __init__(self, case: Case, flow_vph: Mapping[Pair, float], hours: float) -> None:
        self._hours = min(hours, _LONGEST_H)
        self._opposing = opposing_of(case.pairs)
        self.lanes = lanes_of(case.junction, case.network, flow_vph)
        here = pairs_of(case)
        mine = {pair: vph for pair, vph in flow_vph.items() if pair in here}
        flows = TurningFlows(0.0, self._hours * _HOUR_S, mine, 0, 0)
        self.draws: tuple[Coming, ...] = tuple(
            coming_to(case, flows, arrivals_by_chance(mine, self._hours, seed), self.lanes)
            for seed in range(1, DRAWS + 1)
        )

    def results(self, programme: Programme) -> tuple[LaneResult, ...]:
        """Give how each lane fares under a programme, in the mean of the draws."""
        found = [
            results_as_they_come(programme, self.lanes, self._opposing, coming)
            for coming in self.draws
        ]
        return tuple(_mean(each) for each in zip(*found, strict=True))


def pairs_of(case: Case) -> set[Pair]:
    """Give the pairs of roads between which a junction's vehicles pass."""
    road_of = case.network.road_of
    return {
        (road_of[each.from_lane].name, road_of[each.to_lane].name)
        for each in case.junction.movements
        if each.from_lane in road_of and each.to_lane in road_of
    }


def _mean(results: Sequence[LaneResult]) -> LaneResult:
    """Give the mean of one lane's results; delays weigh by who took the lane."""
    count = len(results)
    flow_vph = sum(each.flow_vph for each in results) / count

    def weighted(values: Sequence[float]) -> float:
        if flow_vph <= 0:
            return 0.0
        whole = sum(v * each.flow_vph for v, each in zip(values, results, strict=True))
        return whole / count / flow_vph

    first = results[0]
    return LaneResult(
        first.lane,
        flow_vph,
        sum(each.capacity_vph for each in results) / count,
        sum(each.saturation for each in results) / count,
        weighted([each.delay_s for each in results]),
        weighted([each.grown_s for each in results]),
        first.persons,
        first.on_foot,
    )
