"""The network's bands as a mixed-integer programme, for a range of cycle lengths.

MAXBAND's equations (Little, Kelson and Gartner, 1981; for networks MAXBAND-86: Chaudhary, Pinnoi
and Messer, Transportation Research Record 1324, 1991), in shares of the cycle. On the link from
signal i to the next one h, with the time w from the end of the outbound red r to the band, v from
the inbound band to the beginning of the inbound red s, travel times t and u, queue clearances q and
p, the difference d of the reds' centres and bands b and c:

(1)  w_i + b + r_i y <= 1,  b <= (1 - max r) y     the band within the green; y = 0: no band
(2)  v_i + c + s_i z <= 1,  c <= (1 - max s) z
(3)  x = t + (r_i - r_h) / 2 + w_i - w_h - q_h     from outbound red's centre to centre
(4)  x + m = (s_h - s_i) / 2 + v_h - v_i + p_i - u + d_i - d_h        m whole: the way back
(5)  sum over a loop of +-(x + centre_i - centre_h) = n               n whole: one offset a signal

Three things make it close where the plain one does not:

* It is for a *range* of cycle lengths. The travel times' ranges shrink with it, and with them those
  of the whole numbers; and each street alone, which is solved exactly for the range
  (`bandwidth.Chain`), bounds what its bands may take: (6) b + c <= S.
* A link alone leaves b + c at most g(m), a tent over the whole number m; between two whole numbers
  the line over the tent's values there holds, far below the tent itself:
  (7)  b + c <= g(k) + (g(k + 1) - g(k)) (m - k).
* Only what is better than the best known plan is asked for: (8) sum of the bands >= best.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped] # no types
from scipy.sparse import csr_array  # type: ignore[import-untyped] # the same

from signals.rules.waves.corridor import KPH, Corridor, LeftTurns
from signals.rules.waves.loops import Link, Loop, loops_of, tree_of
from signals.rules.waves.network import Network

OPTIMAL, STOPPED, INFEASIBLE = 0, 1, 2
WHISKER: Final = 1e-7

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StreetLimit:
    """What a street alone can have in a range of cycles.

    Attributes
    ----------
    worth
        Weighted sum of its bands at most.
    together
        Sum of both bands at most, where both are there; below 0: never both.
    """

    worth: float
    together: float


@dataclass(frozen=True, slots=True)
class Point:
    """A plan as values: what fixes the programme's whole numbers.

    Attributes
    ----------
    pace
        Cycles a second.
    before, after
        For each corridor and signal, w and v; 0 to 1 where there is no band.
    out_travel, in_travel
        For each corridor and link, in outbound order.
    on
        For each corridor, whether its outbound and its inbound band are there.
    patterns
        For each corridor and signal.
    """

    pace: float
    before: Sequence[Sequence[float]]
    after: Sequence[Sequence[float]]
    out_travel: Sequence[Sequence[float]]
    in_travel: Sequence[Sequence[float]]
    on: Sequence[tuple[bool, bool]]
    patterns: Sequence[Sequence[LeftTurns | None]]


@dataclass(frozen=True, slots=True)
class Solved:
    """What a programme gave: a plan's pace and offsets, if it found one, and what is proven."""

    pace: float | None
    offsets: tuple[float, ...]
    bound: float
    whole: bool
    """Whether the search came to its end."""


@dataclass(frozen=True, slots=True)
class _Street:
    """Places of a corridor's variables."""

    out_band: int
    in_band: int
    out_on: int
    in_on: int
    before: int
    after: int
    out_travel: int
    in_travel: int
    whole: int
    turns: dict[int, tuple[int, int]]


class Shape:
    """What a network's programmes have in common: links, loops and a tree to read offsets from."""

    def __init__(self, network: Network) -> None:
        self.network = network
        numbers = {name: number for number, name in enumerate(network.signals)}
        self.count = len(numbers)
        self.links = [
            Link(number, place, numbers[here.name], numbers[there.name])
            for number, corridor in enumerate(network.corridors)
            for place, (here, there) in enumerate(pairwise(corridor.signals))
        ]
        self.loops: list[Loop] = loops_of(self.count, self.links)
        self.tree = tree_of(self.count, self.links)


class Programme:
    """Variables and rows for a range of paces.

    Parameters
    ----------
    shape : Shape
    low, high : float
        Cycles a second.
    limits : Sequence of StreetLimit or None
        For each corridor, for the same range.
    """

    def __init__(
        self, shape: Shape, low: float, high: float, limits: Sequence[StreetLimit] | None
    ) -> None:
        self._shape = shape
        self._network = shape.network
        self._unit_s = 1 / high
        """The pace is counted in the fastest one, so that it goes from `low / high` to 1."""
        self._low: list[float] = []
        self._high: list[float] = []
        self._whole: list[bool] = []
        self._cost: list[float] = []
        self._terms: list[float] = []
        self._term_rows: list[int] = []
        self._term_places: list[int] = []
        self._row_low: list[float] = []
        self._row_high: list[float] = []
        self._pace = self._variable(low / high, 1.0)
        self._streets = [self._street(corridor) for corridor in self._network.corridors]
        for number, corridor in enumerate(self._network.corridors):
            limit = None if limits is None else limits[number]
            self._bands(number, corridor, limit)
            self._times(number, corridor)
            self._ways_back(number, corridor)
        self._loops = [self._loop(loop) for loop in shape.loops]

    # --- variables and rows ----------------------------------------------------------------------

    def _variable(self, low: float, high: float, *, whole: bool = False, cost: float = 0.0) -> int:
        self._low.append(low)
        self._high.append(high)
        self._whole.append(whole)
        self._cost.append(cost)
        return len(self._low) - 1

    def _row(self, terms: dict[int, float], low: float, high: float) -> None:
        number = len(self._row_low)
        for place, value in terms.items():
            self._term_rows.append(number)
            self._term_places.append(place)
            self._terms.append(value)
        self._row_low.append(low)
        self._row_high.append(high)

    def _reach(self, terms: dict[int, float]) -> tuple[float, float]:
        """Give the least and the most of a sum by its variables' limits."""
        least = most = 0.0
        for place, value in terms.items():
            ends = (value * self._low[place], value * self._high[place])
            least += min(ends)
            most += max(ends)
        return least, most

    def _street(self, corridor: Corridor) -> _Street:
        signals, links = corridor.signals, len(corridor.signals) - 1
        out_cap = 1 - max(each.red.outbound for each in signals)
        in_cap = 1 - max(each.red.inbound for each in signals)
        out_band = self._variable(0, out_cap, cost=-corridor.weight.outbound)
        in_band = self._variable(0, in_cap, cost=-corridor.weight.inbound)
        out_on = self._variable(0, 1, whole=True)
        in_on = self._variable(0, 1, whole=True)
        before, after, out_travel, in_travel, whole = (
            self._block(count) for count in (len(signals), len(signals), links, links, links)
        )
        turns = {
            place: (self._variable(0, 1, whole=True), self._variable(0, 1, whole=True))
            for place, each in enumerate(signals)
            if each.patterns
        }
        return _Street(
            out_band, in_band, out_on, in_on, before, after, out_travel, in_travel, whole, turns
        )

    def _block(self, count: int) -> int:
        first = len(self._low)
        for _ in range(count):
            self._variable(0, 1)
        return first

    def _bands(self, number: int, corridor: Corridor, limit: StreetLimit | None) -> None:
        """Add (1), (2) and (6), and what left turns may be chosen."""
        street = self._streets[number]
        for place, signal in enumerate(corridor.signals):
            for waits, red, band, on in (
                (street.before, signal.red.outbound, street.out_band, street.out_on),
                (street.after, signal.red.inbound, street.in_band, street.in_on),
            ):
                self._row({waits + place: 1, band: 1, on: red}, -math.inf, 1)
            for pattern in LeftTurns:
                if signal.patterns and pattern not in signal.patterns:
                    self._forbid(street.turns[place], pattern)
        for band, on in ((street.out_band, street.out_on), (street.in_band, street.in_on)):
            self._row({band: 1, on: -self._high[band]}, -math.inf, 0)
        if limit is None:
            return
        weight = corridor.weight
        self._row(
            {street.out_band: weight.outbound, street.in_band: weight.inbound},
            -math.inf,
            limit.worth + WHISKER,
        )
        alone = max(self._high[street.out_band], self._high[street.in_band])
        if limit.together < 0:
            self._row({street.out_on: 1, street.in_on: 1}, -math.inf, 1)
        elif limit.together >= alone:
            # Both: what the street can have; one: what one can have.
            more = limit.together - alone
            self._row(
                {street.out_band: 1, street.in_band: 1, street.out_on: -more, street.in_on: -more},
                -math.inf,
                alone - more + WHISKER,
            )

    def _forbid(self, places: tuple[int, int], pattern: LeftTurns) -> None:
        terms, most = {}, 1.0
        for place, leads in zip(places, pattern.leads, strict=True):
            terms[place] = 1.0 if leads else -1.0
            most -= 0.0 if leads else 1.0
        # Both as in the pattern would reach two.
        self._row(terms, -math.inf, most)

    def _times(self, number: int, corridor: Corridor) -> None:
        street = self._streets[number]
        for place, length_m in enumerate(corridor.links_m):
            for travel, (slow_kph, fast_kph) in (
                (street.out_travel + place, corridor.outbound_kph),
                (street.in_travel + place, corridor.inbound_kph),
            ):
                least = length_m * KPH / fast_kph / self._unit_s
                most = length_m * KPH / slow_kph / self._unit_s
                self._low[travel] = least * self._low[self._pace]
                self._high[travel] = most
                self._row({travel: 1, self._pace: -least}, 0, math.inf)
                self._row({travel: 1, self._pace: -most}, -math.inf, 0)

    def _step(self, number: int, place: int) -> tuple[dict[int, float], float]:
        """Give x of (3): its terms and its fixed part."""
        signals, street = self._network.corridors[number].signals, self._streets[number]
        here, there = signals[place], signals[place + 1]
        terms = {
            street.out_travel + place: 1.0,
            street.before + place: 1.0,
            street.before + place + 1: -1.0,
        }
        fixed = (here.red.outbound - there.red.outbound) / 2 - there.queue_clearance.outbound
        return terms, fixed

    def _ways_back(self, number: int, corridor: Corridor) -> None:
        """Add (4) and (7)."""
        street = self._streets[number]
        for place in range(len(corridor.signals) - 1):
            terms, fixed = self._back(number, place)
            whole = street.whole + place
            least, most = self._reach(terms)
            self._low[whole] = math.ceil(-most - fixed - WHISKER)
            self._high[whole] = math.floor(-least - fixed + WHISKER)
            self._whole[whole] = True
            self._row({**terms, whole: 1.0}, -fixed, -fixed)
            self._tent(street, place, corridor, terms, fixed)

    def _centre(
        self,
        corridor: Corridor,
        street: _Street,
        place: int,
        sign: float,
        terms: dict[int, float],
    ) -> float:
        """Add `sign` times the difference d of the reds' centres; give its fixed part."""
        signal = corridor.signals[place]
        if place not in street.turns:
            return sign * signal.red_centre_difference
        out_leads, in_leads = street.turns[place]
        terms[out_leads] = sign * signal.left_turns.outbound
        terms[in_leads] = -sign * signal.left_turns.inbound
        return -sign * (signal.left_turns.outbound - signal.left_turns.inbound) / 2

    def _tent(
        self, street: _Street, place: int, corridor: Corridor, terms: dict[int, float], fixed: float
    ) -> None:
        """Add (7) for a link: which sums of both bands leave its whole number room."""
        waits = {
            street.before + place, street.before + place + 1,
            street.after + place, street.after + place + 1,
        }  # fmt: skip
        least, most = self._reach({at: value for at, value in terms.items() if at not in waits})
        greens = [
            2 - each.red.outbound - each.red.inbound for each in corridor.signals[place : place + 2]
        ]
        cap = self._high[street.out_band] + self._high[street.in_band]
        whole = street.whole + place
        numbers = range(int(self._low[whole]), int(self._high[whole]) + 1)
        # w + v runs from 0 to the greens less the bands, at both ends.
        tops = [
            min(cap, greens[0] + most + fixed + number, greens[1] - least - fixed - number)
            for number in numbers
        ]
        alone = max(self._high[street.out_band], self._high[street.in_band])
        for start, top in enumerate(tops[:-1] or tops):
            number = numbers[start]
            slope = tops[start + 1] - top if start + 1 < len(tops) else 0.0
            # Without one of the bands the link leaves room for any number.
            lowest = min(top + slope * (other - number) for other in (numbers[0], numbers[-1]))
            loose = max(0.0, alone - lowest)
            self._row(
                {
                    street.out_band: 1, street.in_band: 1, whole: -slope,
                    street.out_on: loose, street.in_on: loose,
                },
                -math.inf,
                top - slope * number + 2 * loose + WHISKER,
            )  # fmt: skip

    def _loop(self, loop: Loop) -> int:
        """Add (5) for a loop; give the place of its whole number."""
        terms: dict[int, float] = {}
        fixed = 0.0
        for number, sign in loop:
            link = self._shape.links[number]
            step, part = self._between(link)
            fixed += sign * part
            for place, value in step.items():
                terms[place] = terms.get(place, 0.0) + sign * value
        least, most = self._reach(terms)
        whole = self._variable(
            math.ceil(least + fixed - WHISKER), math.floor(most + fixed + WHISKER), whole=True
        )
        self._row({**terms, whole: -1.0}, -fixed, -fixed)
        return whole

    def _between(self, link: Link) -> tuple[dict[int, float], float]:
        """Give one signal's offset after the one before it: terms and fixed part."""
        signals = self._network.corridors[link.corridor].signals
        terms, fixed = self._step(link.corridor, link.place)
        return terms, fixed + (signals[link.place].red_centre - signals[link.place + 1].red_centre)

    # --- solving ---------------------------------------------------------------------------------

    def solve(self, best: float, time_limit_s: float) -> Solved:
        """Look for a plan worth more than `best`.

        Returns
        -------
        Solved
            `bound` is what any plan in the range is worth at most, and at least `best`.
        """
        # HiGHS takes a limit of 0 for none.
        answer = self._run(self._low, self._high, best, max(0.05, time_limit_s), relaxed=False)
        if answer is None:
            return Solved(None, (), best, whole=True)
        values, bound, ended = answer
        pace, offsets = (None, ()) if values is None else self._read(values)
        return Solved(pace, offsets, max(best, bound), ended)

    def polish(self, point: Point, time_limit_s: float) -> Solved:
        """Give the best plan that has the whole numbers of a plan: a linear programme."""
        fixed = self._numbers(point)
        low, high = list(self._low), list(self._high)
        for place, value in fixed.items():
            low[place] = high[place] = value
        answer = self._run(low, high, -math.inf, max(0.05, time_limit_s), relaxed=True)
        if answer is None or answer[0] is None:
            return Solved(None, (), math.inf, whole=True)
        pace, offsets = self._read(answer[0])
        return Solved(pace, offsets, answer[1], answer[2])

    def relax(self, time_limit_s: float) -> float:
        """Give the bound of the linear relaxation; infinity where the time ran out."""
        answer = self._run(self._low, self._high, -math.inf, max(0.05, time_limit_s), relaxed=True)
        if answer is None:
            return -math.inf
        return answer[1] if answer[2] else math.inf

    def _run(
        self,
        low: Sequence[float],
        high: Sequence[float],
        best: float,
        time_limit_s: float,
        *,
        relaxed: bool,
    ) -> tuple[Floats | None, float, bool] | None:
        """Run HiGHS: values, bound, whether it came to the end; None where there is no plan."""
        if any(here > there for here, there in zip(low, high, strict=True)):
            return None
        cost = np.array([*self._cost, -best] if best > 0 else self._cost)
        whole = np.array([*self._whole, True] if best > 0 else self._whole, dtype=float)
        limits = Bounds([*low, 0.0], [*high, 1.0]) if best > 0 else Bounds(low, high)
        rows, row_low, row_high = self._rows(cost, best)
        result = milp(
            cost,
            constraints=LinearConstraint(rows, row_low, row_high),
            bounds=limits,
            integrality=np.zeros(len(cost)) if relaxed else whole,
            options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
        )
        if result.status == INFEASIBLE:
            return None
        ended = result.status == OPTIMAL
        values = None if result.x is None else np.asarray(result.x)
        if relaxed:
            bound = -float(cost @ values) if ended and values is not None else math.inf
        else:
            dual = result.mip_dual_bound
            bound = math.inf if dual is None or not math.isfinite(dual) else -float(dual)
        if best > 0 and values is not None and values[-1] > 0.5:  # noqa: PLR2004 - one of 0 and 1
            values = None
        return values, bound, ended

    def _rows(self, cost: Floats, best: float) -> tuple[object, Floats, Floats]:
        """Give the rows, (8) among them where there is a best plan."""
        terms, rows, places = list(self._terms), list(self._term_rows), list(self._term_places)
        row_low, row_high = list(self._row_low), list(self._row_high)
        if best > 0:
            # Keeping the best plan is an answer too, of no bands: so HiGHS always has one, and
            # says what it proved when its time runs out.
            kept = len(cost) - 1
            most = -sum(value * self._high[place] for place, value in enumerate(self._cost))
            for low, high, keeping in ((best, math.inf, best), (-math.inf, most, most)):
                for place, value in (*enumerate(self._cost), (kept, -keeping)):
                    if value:
                        terms.append(-value)
                        rows.append(len(row_low))
                        places.append(place)
                row_low.append(low)
                row_high.append(high)
        matrix = csr_array((terms, (rows, places)), shape=(len(row_low), len(cost)))
        return matrix, np.array(row_low), np.array(row_high)

    def _read(self, values: Floats) -> tuple[float, tuple[float, ...]]:
        """Give the pace and the offsets of a solution."""
        pace = float(values[self._pace]) / self._unit_s
        offsets = [0.0] * self._shape.count
        for signal, step in self._shape.tree:
            if step is None:
                continue
            terms, fixed = self._between(self._shape.links[step.link])
            after = fixed + sum(value * float(values[place]) for place, value in terms.items())
            offsets[signal] = offsets[step.before] + step.sign * after
        return pace, tuple(each % 1.0 for each in offsets)

    def _numbers(self, point: Point) -> dict[int, float]:
        """Give the whole numbers of a plan by their places."""
        found: dict[int, float] = {}
        values: dict[int, float] = {}
        for number, corridor in enumerate(self._network.corridors):
            street = self._streets[number]
            found[street.out_on], found[street.in_on] = map(float, point.on[number])
            for first, given in (
                (street.before, point.before[number]),
                (street.after, point.after[number]),
                (street.out_travel, point.out_travel[number]),
                (street.in_travel, point.in_travel[number]),
            ):
                values |= {first + place: value for place, value in enumerate(given)}
            for place, places in street.turns.items():
                pattern = point.patterns[number][place] or corridor.signals[place].patterns[0]
                found |= dict(zip(places, map(float, pattern.leads), strict=True))
            values |= found
            for place in range(len(corridor.signals) - 1):
                terms, fixed = self._back(number, place)
                found[street.whole + place] = float(
                    round(-fixed - sum(value * values[at] for at, value in terms.items()))
                )
        for loop, whole in zip(self._shape.loops, self._loops, strict=True):
            total = 0.0
            for link_number, sign in loop:
                terms, fixed = self._between(self._shape.links[link_number])
                total += sign * (fixed + sum(v * values[at] for at, v in terms.items()))
            found[whole] = float(round(total))
        return found

    def _back(self, number: int, place: int) -> tuple[dict[int, float], float]:
        """Give (4) of a link without its whole number: terms and fixed part."""
        corridor, street = self._network.corridors[number], self._streets[number]
        here, there = corridor.signals[place], corridor.signals[place + 1]
        terms, fixed = self._step(number, place)
        terms |= {
            street.in_travel + place: 1.0,
            street.after + place: 1.0,
            street.after + place + 1: -1.0,
        }
        fixed += (here.red.inbound - there.red.inbound) / 2 - here.queue_clearance.inbound
        for where, sign in ((place, -1.0), (place + 1, 1.0)):
            fixed += self._centre(corridor, street, where, sign, terms)
        return terms, fixed
