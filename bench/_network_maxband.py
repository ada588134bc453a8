"""MAXBAND on a network as it is published, one programme for HiGHS: the peer of our own search."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import (  # type: ignore[import-untyped] # it ships no types
    Bounds,
    LinearConstraint,
    milp,
)
from scipy.sparse import csr_array  # type: ignore[import-untyped] # the same

from signals.rules.waves.corridor import KPH

if TYPE_CHECKING:
    from signals.rules.waves.network import Network

OPTIMAL, STOPPED, INFEASIBLE = 0, 1, 2


def widest(network: Network, time_limit_s: float, *, optional: bool = False) -> tuple[float, float]:
    """Give the best weighted sum of bands and its bound; below 0 where none was found.

    An offset for each signal, a whole number for each link and direction. Left-turn patterns are
    not chosen. `optional`: a band may be left out; as published, all are there.
    """
    low: list[float] = []
    high: list[float] = []
    whole: list[int] = []
    cost: list[float] = []
    rows: list[tuple[dict[int, float], float, float]] = []

    def variable(least: float, most: float, integer: int = 0, worth: float = 0.0) -> int:
        low.append(least)
        high.append(most)
        whole.append(integer)
        cost.append(-worth)
        return len(low) - 1

    shortest_s, longest_s = network.cycle_s
    pace = variable(shortest_s / longest_s, 1.0)
    offset = {name: variable(0.0, 1.0) for name in network.signals}
    high[offset[network.signals[0]]] = 0.0
    for corridor in network.corridors:
        for outbound in (True, False):
            signals = corridor.signals if outbound else corridor.signals[::-1]
            links = corridor.links_m if outbound else corridor.links_m[::-1]
            reds = [each.red.outbound if outbound else each.red.inbound for each in signals]
            slow, fast = corridor.outbound_kph if outbound else corridor.inbound_kph
            weight = corridor.weight.outbound if outbound else corridor.weight.inbound
            band = variable(0.0, 1 - max(reds), worth=weight)
            on = variable(0.0 if optional else 1.0, 1.0, 1)
            rows.append(({band: 1.0, on: -1.0}, -math.inf, 0.0))
            waits = [variable(0.0, 1.0) for _ in signals]
            for wait, red in zip(waits, reds, strict=True):
                rows.append(({wait: 1.0, band: 1.0, on: red}, -math.inf, 1.0))
            begins = [
                each.red_centre + red / 2 + (0.0 if outbound else each.red_centre_difference)
                for each, red in zip(signals, reds, strict=True)
            ]
            for place, (here, there) in enumerate(pairwise(signals)):
                travel = variable(0.0, 100.0)
                rows.append(
                    ({travel: 1.0, pace: -links[place] * KPH / fast / shortest_s}, 0.0, math.inf)
                )
                rows.append(
                    ({travel: 1.0, pace: -links[place] * KPH / slow / shortest_s}, -math.inf, 0.0)
                )
                early = (
                    there.queue_clearance.outbound if outbound else there.queue_clearance.inbound
                )
                turn = variable(-100.0, 100.0, 1)
                fixed = begins[place] - begins[place + 1] - early
                rows.append(
                    (
                        {
                            offset[there.name]: 1.0, waits[place + 1]: 1.0, travel: -1.0,
                            offset[here.name]: -1.0, waits[place]: -1.0, turn: -1.0,
                        },
                        fixed,
                        fixed,
                    )
                )  # fmt: skip
    matrix = csr_array(
        (
            [value for terms, _, _ in rows for value in terms.values()],
            (
                [number for number, (terms, _, _) in enumerate(rows) for _ in terms],
                [place for terms, _, _ in rows for place in terms],
            ),
        ),
        shape=(len(rows), len(low)),
    )
    result = milp(
        np.array(cost),
        constraints=LinearConstraint(matrix, [row[1] for row in rows], [row[2] for row in rows]),
        bounds=Bounds(low, high),
        integrality=np.array(whole),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    if result.status == INFEASIBLE:
        return -1.0, 0.0
    if result.status not in {OPTIMAL, STOPPED}:
        raise RuntimeError(result.message)
    found = -1.0 if result.x is None else -float(result.fun)
    bound = result.mip_dual_bound
    return found, math.inf if bound is None else -float(bound)
