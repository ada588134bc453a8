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
from typing import Final

from signals.rules.waves.corridor import KPH, Corridor, LeftTurns
from signals.rules.waves.highs import Floats, Model
from signals.rules.waves.loops import Link, Loop
from signals.rules.waves.shape import Point, Shape, Solved, StreetLimit

WHISKER: Final = 1e-7


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
        self._model = Model()
        self._pace = self._model.variable(low / high, 1.0)
        self._streets = [self._street(corridor) for corridor in self._network.corridors]
        for number, corridor in enumerate(self._network.corridors):
            limit = None if limits is None else limits[number]
            self._bands(number, corridor, limit)
            self._times(number, corridor)
            self._ways_back(number, corridor)
        self._loops = [self._loop(loop) for loop in shape.loops]

    # --- variables and rows ----------------------------------------------------------------------

    def _street(self, corridor: Corridor) -> _Street:
        signals, links = corridor.signals, len(corridor.signals) - 1
        out_cap = 1 - max(each.red.outbound for each in signals)
        in_cap = 1 - max(each.red.inbound for each in signals)
        out_band = self._model.variable(0, out_cap, cost=-corridor.weight.outbound)
        in_band = self._model.variable(0, in_cap, cost=-corridor.weight.inbound)
        out_on = self._model.variable(0, 1, whole=True)
        in_on = self._model.variable(0, 1, whole=True)
        before, after, out_travel, in_travel, whole = (
            self._block(count) for count in (len(signals), len(signals), links, links, links)
        )
        turns = {
            place: (self._model.variable(0, 1, whole=True), self._model.variable(0, 1, whole=True))
            for place, each in enumerate(signals)
            if each.patterns
        }
        return _Street(
            out_band, in_band, out_on, in_on, before, after, out_travel, in_travel, whole, turns
        )

    def _block(self, count: int) -> int:
        first = len(self._model.low)
        for _ in range(count):
            self._model.variable(0, 1)
        return first

    def _bands(self, number: int, corridor: Corridor, limit: StreetLimit | None) -> None:
        """Add (1), (2) and (6), and what left turns may be chosen."""
        street = self._streets[number]
        for place, signal in enumerate(corridor.signals):
            for waits, red, band, on in (
                (street.before, signal.red.outbound, street.out_band, street.out_on),
                (street.after, signal.red.inbound, street.in_band, street.in_on),
            ):
                self._model.row({waits + place: 1, band: 1, on: red}, -math.inf, 1)
            for pattern in LeftTurns:
                if signal.patterns and pattern not in signal.patterns:
                    self._forbid(street.turns[place], pattern)
        for band, on in ((street.out_band, street.out_on), (street.in_band, street.in_on)):
            self._model.row({band: 1, on: -self._model.high[band]}, -math.inf, 0)
        if limit is None:
            return
        weight = corridor.weight
        self._model.row(
            {street.out_band: weight.outbound, street.in_band: weight.inbound},
            -math.inf,
            limit.worth + WHISKER,
        )
        alone = max(self._model.high[street.out_band], self._model.high[street.in_band])
        if limit.together < 0:
            self._model.row({street.out_on: 1, street.in_on: 1}, -math.inf, 1)
        elif limit.together >= alone:
            # Both: what the street can have; one: what one can have.
            more = limit.together - alone
            self._model.row(
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
        self._model.row(terms, -math.inf, most)

    def _times(self, number: int, corridor: Corridor) -> None:
        street = self._streets[number]
        for place, length_m in enumerate(corridor.links_m):
            for travel, (slow_kph, fast_kph) in (
                (street.out_travel + place, corridor.outbound_kph),
                (street.in_travel + place, corridor.inbound_kph),
            ):
                least = length_m * KPH / fast_kph / self._unit_s
                most = length_m * KPH / slow_kph / self._unit_s
                self._model.low[travel] = least * self._model.low[self._pace]
                self._model.high[travel] = most
                self._model.row({travel: 1, self._pace: -least}, 0, math.inf)
                self._model.row({travel: 1, self._pace: -most}, -math.inf, 0)

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
            least, most = self._model.reach(terms)
            self._model.low[whole] = math.ceil(-most - fixed - WHISKER)
            self._model.high[whole] = math.floor(-least - fixed + WHISKER)
            self._model.whole[whole] = True
            self._model.row({**terms, whole: 1.0}, -fixed, -fixed)
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
        least, most = self._model.reach(
            {at: value for at, value in terms.items() if at not in waits}
        )
        greens = [
            2 - each.red.outbound - each.red.inbound for each in corridor.signals[place : place + 2]
        ]
        cap = self._model.high[street.out_band] + self._model.high[street.in_band]
        whole = street.whole + place
        numbers = range(int(self._model.low[whole]), int(self._model.high[whole]) + 1)
        # w + v runs from 0 to the greens less the bands, at both ends.
        tops = [
            min(cap, greens[0] + most + fixed + number, greens[1] - least - fixed - number)
            for number in numbers
        ]
        alone = max(self._model.high[street.out_band], self._model.high[street.in_band])
        for start, top in enumerate(tops[:-1] or tops):
            number = numbers[start]
            slope = tops[start + 1] - top if start + 1 < len(tops) else 0.0
            # Without one of the bands the link leaves room for any number.
            lowest = min(top + slope * (other - number) for other in (numbers[0], numbers[-1]))
            loose = max(0.0, alone - lowest)
            self._model.row(
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
        least, most = self._model.reach(terms)
        whole = self._model.variable(
            math.ceil(least + fixed - WHISKER), math.floor(most + fixed + WHISKER), whole=True
        )
        self._model.row({**terms, whole: -1.0}, -fixed, -fixed)
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
        answer = self._model.run(
            self._model.low, self._model.high, best, max(0.05, time_limit_s), relaxed=False
        )
        if answer is None:
            return Solved(None, (), best, whole=True)
        values, bound, ended = answer
        pace, offsets = (None, ()) if values is None else self._read(values)
        return Solved(pace, offsets, max(best, bound), ended)

    def polish(self, point: Point, time_limit_s: float) -> Solved:
        """Give the best plan that has the whole numbers of a plan: a linear programme."""
        fixed = self._numbers(point)
        low, high = list(self._model.low), list(self._model.high)
        for place, value in fixed.items():
            low[place] = high[place] = value
        answer = self._model.run(low, high, -math.inf, max(0.05, time_limit_s), relaxed=True)
        if answer is None or answer[0] is None:
            return Solved(None, (), math.inf, whole=True)
        pace, offsets = self._read(answer[0])
        return Solved(pace, offsets, answer[1], answer[2])

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
