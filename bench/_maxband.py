"""MAXBAND as it is published, a mixed-integer programme for HiGHS: the peer of our own search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import (  # type: ignore[import-untyped] # it ships no types
    Bounds,
    LinearConstraint,
    milp,
)
from scipy.sparse import csr_array  # type: ignore[import-untyped] # the same

from signals.rules.waves.corridor import KPH, Corridor, CorridorSignal, LeftTurns

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPTIMAL, STOPPED, INFEASIBLE = 0, 1, 2
EXACT = 1e-6


def widest(corridor: Corridor, time_limit_s: float | None = None) -> tuple[float, float]:
    """Give the best weighted sum of two bands and its bound; below 0 where there are no two.

    Source: Little, Kelson and Gartner, Transportation Research Record 795 (1981).
    """
    return _Programme(corridor).solve(time_limit_s)


class _Programme:
    """The variables' places and the rows over them."""

    def __init__(self, corridor: Corridor) -> None:
        self.corridor = corridor
        signals = corridor.signals
        count, links = len(signals), len(signals) - 1
        self._out, self._in, self._pace = 0, 1, 2
        """Widths of the bands; shortest cycle over the cycle, 0..1."""
        self._w = range(3, 3 + count)
        self._v = range(self._w.stop, self._w.stop + count)
        self._t = range(self._v.stop, self._v.stop + links)
        self._u = range(self._t.stop, self._t.stop + links)
        self._m = range(self._u.stop, self._u.stop + links)
        turning = [number for number, each in enumerate(signals) if each.patterns]
        self._turns = {
            number: (self._m.stop + 2 * place, self._m.stop + 2 * place + 1)
            for place, number in enumerate(turning)
        }
        """Whether the outbound and the inbound left turn lead, 0 or 1."""
        self._size = self._m.stop + 2 * len(turning)
        self._low: NDArray[np.float64] = np.zeros(self._size)
        self._high: NDArray[np.float64] = np.ones(self._size)
        self._rows: list[tuple[dict[int, float], float, float]] = []
        self._build()

    def _build(self) -> None:
        corridor, signals = self.corridor, self.corridor.signals
        shortest_s, longest_s = corridor.cycle_s
        self._low[self._pace] = shortest_s / longest_s
        for number, each in enumerate(signals):
            for side, red, band in (
                (self._w, each.red.outbound, self._out),
                (self._v, each.red.inbound, self._in),
            ):
                self._high[side[number]] = 1 - red
                self._row({side[number]: 1, band: 1}, -math.inf, 1 - red)
            for pattern in LeftTurns:
                if each.patterns and pattern not in each.patterns:
                    self._forbid(number, pattern)
        for link, length_m in enumerate(corridor.links_m):
            for travel, (slow_kph, fast_kph) in (
                (self._t, corridor.outbound_kph),
                (self._u, corridor.inbound_kph),
            ):
                least = length_m * KPH / fast_kph / shortest_s
                most = length_m * KPH / slow_kph / shortest_s
                place = travel[link]
                self._low[place] = least * self._low[self._pace]
                self._high[place] = most
                self._row({place: 1, self._pace: -least}, 0, math.inf)
                if most > least:
                    self._row({place: 1, self._pace: -most}, -math.inf, 0)
                else:
                    self._row({place: 1, self._pace: -most}, 0, 0)
            self._loop(link)

    def _row(self, terms: dict[int, float], low: float, high: float) -> None:
        self._rows.append((terms, low, high))

    def _forbid(self, number: int, pattern: LeftTurns) -> None:
        terms, most = {}, 1.0
        for place, leads in zip(self._turns[number], pattern.leads, strict=True):
            terms[place] = 1.0 if leads else -1.0
            most -= 0.0 if leads else 1.0
        # Both as in the pattern would reach two.
        self._row(terms, -math.inf, most)

    def _loop(self, link: int) -> None:
        here, there = self.corridor.signals[link], self.corridor.signals[link + 1]
        terms: dict[int, float] = {
            self._w[link]: 1,
            self._v[link]: 1,
            self._w[link + 1]: -1,
            self._v[link + 1]: -1,
            self._t[link]: 1,
            self._u[link]: 1,
        }
        right = (
            (there.red.outbound + there.red.inbound - here.red.outbound - here.red.inbound) / 2
            + there.queue_clearance.outbound
            + here.queue_clearance.inbound
        )
        for number, signal, sign in ((link, here, 1.0), (link + 1, there, -1.0)):
            right += sign * self._difference(number, signal, terms, -sign)
        least = sum(
            value * (self._low if value > 0 else self._high)[place]
            for place, value in terms.items()
        )
        most = sum(
            value * (self._high if value > 0 else self._low)[place]
            for place, value in terms.items()
        )
        self._low[self._m[link]] = math.ceil(least - right - EXACT)
        self._high[self._m[link]] = math.floor(most - right + EXACT)
        terms[self._m[link]] = -1
        self._row(terms, right, right)

    def _difference(
        self, number: int, signal: CorridorSignal, terms: dict[int, float], sign: float
    ) -> float:
        """Give the fixed part of the reds' difference, and put the open part on the left side."""
        if number not in self._turns:
            return signal.red_centre_difference
        out_leads, in_leads = self._turns[number]
        terms[out_leads] = sign * signal.left_turns.outbound
        terms[in_leads] = -sign * signal.left_turns.inbound
        return -(signal.left_turns.outbound - signal.left_turns.inbound) / 2

    def solve(self, time_limit_s: float | None) -> tuple[float, float]:
        """Solve it: the sum that was found, and the most that it can be."""
        weight = self.corridor.weight
        cost = np.zeros(self._size)
        cost[self._out], cost[self._in] = -weight.outbound, -weight.inbound
        whole = np.zeros(self._size)
        whole[self._m.start :] = 1
        options: dict[str, float] = {"mip_rel_gap": 0.0}
        if time_limit_s is not None:
            options["time_limit"] = time_limit_s
        matrix = csr_array(
            (
                [value for terms, _, _ in self._rows for value in terms.values()],
                (
                    [row for row, (terms, _, _) in enumerate(self._rows) for _ in terms],
                    [place for terms, _, _ in self._rows for place in terms],
                ),
            ),
            shape=(len(self._rows), self._size),
        )
        limits = LinearConstraint(
            matrix, [row[1] for row in self._rows], [row[2] for row in self._rows]
        )
        result = milp(
            cost,
            constraints=limits,
            bounds=Bounds(self._low, self._high),
            integrality=whole,
            options=options,
        )
        if result.status == INFEASIBLE:
            return -1.0, 0.0
        if result.status not in {OPTIMAL, STOPPED}:
            raise RuntimeError(result.message)
        found = -1.0 if result.x is None else float(-cost @ result.x)
        bound = result.mip_dual_bound
        return found, math.inf if bound is None else -float(bound)
