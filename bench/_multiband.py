"""Bands by link as they are published, a mixed-integer programme for HiGHS: our search's peer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from signals.rules.waves.corridor import KPH
from signals.rules.waves.highs import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals.rules.waves.corridor import Corridor

EXACT = 1e-9
LONG_S = 1e6


def widest_links(
    corridor: Corridor, time_limit_s: float = LONG_S, cycles: Sequence[int] | None = None
) -> tuple[float, float]:
    """Give the best weighted mean of the links' bands and its bound; below 0 where there is none.

    Source: Zhang, Xie, Gartner, Stamatiadis and Arsava, Transportation Research Part C 58 (2015),
    for two lines, signals that turn once and reds whose centres are given.

    Parameters
    ----------
    corridor : Corridor
    time_limit_s : float
    cycles : Sequence of int or None
        How many whole cycles each link takes, where they are chosen already.
    """
    programme = _Programme(corridor, cycles)
    model = programme.model
    found = model.run(model.low, model.high, 0.0, time_limit_s, relaxed=False)
    if found is None:
        return -1.0, -1.0
    values, bound, _ = found
    if values is None:
        return -1.0, bound
    return float(sum(value * values[place] for place, value in programme.worth.items())), bound


def ranges(corridor: Corridor) -> list[range]:
    """Give the whole numbers of cycles that each link may take."""
    model = _Programme(corridor, None)
    return [
        range(int(model.model.low[place]), int(model.model.high[place]) + 1)
        for place in model.whole
    ]


class _Programme:
    """Lines at w and v in the greens; bands around them; loops closed by whole numbers."""

    def __init__(self, corridor: Corridor, cycles: Sequence[int] | None) -> None:
        self.model = model = Model()
        self.worth: dict[int, float] = {}
        self.whole: list[int] = []
        shortest_s, longest_s = corridor.cycle_s
        pace = model.variable(1 / longest_s, 1 / shortest_s)
        signals = corridor.signals
        greens = [(1 - each.red.outbound, 1 - each.red.inbound) for each in signals]
        rest = [(model.variable(0, out), model.variable(0, back)) for out, back in greens]
        for link, length_m in enumerate(corridor.links_m):
            here, there = signals[link], signals[link + 1]
            times = []
            for slow_kph, fast_kph in (corridor.outbound_kph, corridor.inbound_kph):
                least_s, most_s = length_m * KPH / fast_kph, length_m * KPH / slow_kph
                time = model.variable(least_s / longest_s, most_s / shortest_s)
                model.row({time: 1, pace: -least_s}, 0, math.inf)
                model.row({time: 1, pace: -most_s}, -math.inf, 0)
                times.append(time)
            right = (
                (there.red.outbound + there.red.inbound - here.red.outbound - here.red.inbound) / 2
                + there.queue_clearance.outbound
                + here.queue_clearance.inbound
                + here.red_centre_difference
                - there.red_centre_difference
            )
            terms = {rest[link][0]: 1.0, rest[link][1]: 1.0, times[0]: 1.0, times[1]: 1.0}
            terms |= {rest[link + 1][0]: -1.0, rest[link + 1][1]: -1.0}
            least, most = model.reach(terms)
            low, high = math.ceil(least - right - EXACT), math.floor(most - right + EXACT)
            if cycles is not None:
                low = high = cycles[link]
            whole = model.variable(low, high, whole=True)
            self.whole.append(whole)
            model.row({**terms, whole: -1.0}, right, right)
            self._bands(corridor, link, rest, greens)

    def _bands(
        self,
        corridor: Corridor,
        link: int,
        rest: Sequence[tuple[int, int]],
        greens: Sequence[tuple[float, float]],
    ) -> None:
        model, count = self.model, len(corridor.signals) - 1
        weight = (corridor.link_weights or (corridor.weight,) * count)[link]
        for side, value in enumerate((weight.outbound, weight.inbound)):
            # Before the line and after it.
            for sign in (1.0, -1.0):
                part = model.variable(0, 1, cost=-value / count)
                self.worth[part] = value / count
                for end in (link, link + 1):
                    room = 0.0 if sign > 0 else greens[end][side]
                    model.row({part: 1.0, rest[end][side]: -sign}, -math.inf, room)
