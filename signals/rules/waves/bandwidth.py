"""The widest green bands through a corridor, with a proof that none are wider.

The bands, the cycle and the speeds between signals are chosen at once, as in Little, Kelson and
Gartner's MAXBAND (Transportation Research Record 795, 1981). Its loop equation, in shares of the
cycle, for the link from signal i to the next one h, is

    (w_h + v_h) = (w_i + v_i) + (t + u) - (r_h + s_h - r_i - s_i) / 2 - q_h - p_i - (d_i - d_h) - m

with the time w from the end of the outbound red r to the band, v from the inbound band to the
beginning of the inbound red s, travel times t and u, the difference d of the reds' centres, queue
clearances q and p, and a whole number m. MAXBAND is solved as a mixed-integer programme; but w and
v enter by their sum alone, t and u too, and so do the bands: w + v may be anything from 0 to
2 - r - s - B for bands of B together. For one cycle length the sums that a signal leaves open are
arcs of a circle, carried along the street and cut at each signal: B can be had where something is
left of them at the end. That is decided in one pass. What is left to search is one number, the
cycle: for a range of them the arcs are carried with the widest spread of travel times, and a range
in which nothing wider than the best known can be is put aside. So the proof costs a few hundred
passes where a general solver branches on every link.

A band may also be given up for the other one: two bands need room for a car both ways, and where
that costs more than a band is worth, one way alone is wider.
"""

import heapq
import math
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from signals.rules.waves.arcs import WHOLE, Arcs, arcs_from, common, middle, moved
from signals.rules.waves.corridor import KPH, Coordination, Corridor, CorridorSignal, LeftTurns

EXACT: Final = 1e-8
"""Share of the cycle by which a wider band must be wider to count."""
TOUCH: Final = 1e-9
HALVINGS: Final = 50
SAMPLES: Final = 17
LOOK_EVERY: Final = 64
"""Ranges between two looks at the clock."""


def coordinate(corridor: Corridor, *, time_limit_s: float | None = None) -> Coordination:
    """Find the widest weighted bands.

    Parameters
    ----------
    corridor : Corridor
        Signals and what may be chosen.
    time_limit_s : float or None
        After so long the best that was found is given, with what is proven of it.

    Returns
    -------
    Coordination
        With gap 0 unless the time ran out.

    Notes
    -----
    A pass costs as the signals; a cycle range takes tens to hundreds of them.
    """
    chain = Chain(corridor)
    alone = max(
        _one_way(corridor, outbound=True),
        _one_way(corridor, outbound=False),
        key=lambda found: found.objective,
    )
    together, pace, proven = chain.widest(time_limit_s)
    bound = max(alone.objective, sum(chain.worth(proven)) if proven >= 0 else 0.0)
    best = alone
    if together >= 0:
        both = chain.placed(together, pace)
        if both.objective >= alone.objective - EXACT:
            best = both
    return best.with_bound(max(bound, best.objective))


class Chain:
    """A corridor as sums of both directions."""

    def __init__(self, corridor: Corridor) -> None:
        self._corridor = corridor
        signals = corridor.signals
        self._greens = [2 - each.red.outbound - each.red.inbound for each in signals]
        self._shifts = [_shifts(each) for each in signals]
        """For each left-turn pattern of a signal, what its sum is shifted by."""
        self._least_s = _times_s(corridor, fastest=True)
        self._most_s = _times_s(corridor, fastest=False)
        self._fixed = [
            (there.red.outbound + there.red.inbound - here.red.outbound - here.red.inbound) / 2
            + there.queue_clearance.outbound
            + here.queue_clearance.inbound
            for here, there in pairwise(signals)
        ]
        self.cap_out = 1 - max(each.red.outbound for each in signals)
        self.cap_in = 1 - max(each.red.inbound for each in signals)

    def worth(self, together: float) -> tuple[float, float]:
        """Give what both bands are worth by their weights, split as well as can be."""
        weight = self._corridor.weight
        outbound, inbound = self.split(together)
        return weight.outbound * outbound, weight.inbound * inbound

    def split(self, together: float) -> tuple[float, float]:
        """Split what both bands may take: evenly, or first to the one of more weight."""
        weight = self._corridor.weight
        if weight.outbound == weight.inbound:
            outbound = min(max(together / 2, together - self.cap_in), self.cap_out)
        elif weight.outbound > weight.inbound:
            outbound = min(together, self.cap_out)
        else:
            outbound = together - min(together, self.cap_in)
        return outbound, min(together - outbound, self.cap_in)

    def widest(self, time_limit_s: float | None) -> tuple[float, float, float]:
        """Give the widest sum of both bands, a pace that has it, and what is proven.

        Returns
        -------
        tuple
            The sum, below 0 where no car passes both ways; cycles a second; the bound.
        """
        begun_s = time.monotonic()
        shortest_s, longest_s = self._corridor.cycle_s
        slow, fast = 1 / longest_s, 1 / shortest_s
        cap = self.cap_out + self.cap_in
        best, best_pace = -1.0, fast
        count = 1 if fast <= slow else SAMPLES
        for number in range(count):
            pace = fast - (fast - slow) * number / max(1, count - 1)
            best, best_pace = self._better(pace, best, best_pace, cap)
            if best >= cap - EXACT:
                return best, best_pace, best
        if count == 1:
            return best, best_pace, best
        # The widest ranges first: each is halved where something wider may lie in it.
        ranges = [(slow - fast, slow, fast)]
        looked = 0
        while ranges:
            looked += 1
            if (
                time_limit_s is not None
                and looked % LOOK_EVERY == 0
                and time.monotonic() - begun_s > time_limit_s
            ):
                return best, best_pace, self._bound(ranges, best, cap)
            _, low, high = heapq.heappop(ranges)
            if self._reach(best + EXACT, low, high) is None:
                continue
            middle = (low + high) / 2
            if not low < middle < high:
                continue
            best, best_pace = self._better(middle, best, best_pace, cap)
            if best >= cap - EXACT:
                break
            heapq.heappush(ranges, (low - middle, low, middle))
            heapq.heappush(ranges, (middle - high, middle, high))
        return best, best_pace, best

    def _better(
        self, pace: float, best: float, best_pace: float, cap: float
    ) -> tuple[float, float]:
        """Give the widest sum at a pace where it is wider than the best known."""
        least = max(0.0, best + EXACT)
        if least > cap or self._reach(least, pace, pace) is None:
            return best, best_pace
        return self._limit(pace, pace, least, cap), pace

    def _limit(self, low: float, high: float, least: float, most: float) -> float:
        """Give the widest sum that can be had in a range of paces, from one that can."""
        if self._reach(most, low, high) is not None:
            return most
        for _ in range(HALVINGS):
            middle = (least + most) / 2
            if self._reach(middle, low, high) is None:
                most = middle
            else:
                least = middle
        return least

    def most_together(self, low: float, high: float, within: float) -> float:
        """Give a sum that both bands cannot exceed in a range of paces; below 0: no two bands.

        Not more than `within` above what the ranges of travel times allow. Costs as the signals and
        the logarithm of `within`.
        """
        most = self.cap_out + self.cap_in
        if self._reach(most, low, high) is not None:
            return most
        if self._reach(0.0, low, high) is None:
            return -1.0
        least = 0.0
        while most - least > within:
            middle_of = (least + most) / 2
            if self._reach(middle_of, low, high) is None:
                most = middle_of
            else:
                least = middle_of
        return most

    def _bound(
        self, ranges: Sequence[tuple[float, float, float]], best: float, cap: float
    ) -> float:
        """Give what is proven of the ranges that nobody looked at."""
        proven = best
        for _, low, high in ranges:
            least = max(0.0, proven)
            if self._reach(least, low, high) is not None:
                proven = self._limit(low, high, least, cap)
        return proven

    def _reach(self, together: float, low: float, high: float) -> list[Arcs] | None:
        """Carry what is open along the street; None where nothing is left.

        Paces from `low` to `high`; the travel times are any that they allow.
        """
        found: list[Arcs] = []
        arcs = WHOLE
        for number, (green, shifts) in enumerate(zip(self._greens, self._shifts, strict=True)):
            room = green - together
            if room < 0:
                return None
            if number:
                link = number - 1
                least = self._least_s[link] * low
                arcs = moved(arcs, least - self._fixed[link], self._most_s[link] * high - least)
            if room < 1:
                arcs = common(arcs, arcs_from(shifts, room))
                if not arcs:
                    return None
            found.append(arcs)
        return found

    # --- the answer ------------------------------------------------------------------------------

    def placed(self, together: float, pace: float) -> Coordination:
        """Give the places of bands that `widest` gave, from the last signal back to the first."""
        found = self._reach(together, pace, pace)
        if found is None:
            raise ValueError(f"{together} cannot be had at this pace")
        sums = [middle(found[-1])]
        travel: list[float] = []
        for link in range(len(found) - 2, -1, -1):
            least, most = self._least_s[link] * pace, self._most_s[link] * pace
            fixed = self._fixed[link]
            # The best sums leave points, which rounding would cut off.
            back = moved([(sums[-1], sums[-1])], fixed - most - TOUCH, most - least + 2 * TOUCH)
            here = middle(common(found[link], back))
            over = (sums[-1] - here + fixed - least) % 1.0
            travel.append(least + (0.0 if over > 1 - EXACT else min(over, most - least)))
            sums.append(here)
        sums.reverse()
        travel.reverse()
        return self._answer(together, pace, sums, travel)

    def _answer(
        self, together: float, pace: float, sums: Sequence[float], travel: Sequence[float]
    ) -> Coordination:
        corridor = self._corridor
        outbound, inbound = self.split(together)
        before, after, patterns = [], [], []
        for signal, green, shifts, shifted in zip(
            corridor.signals, self._greens, self._shifts, sums, strict=True
        ):
            room = green - together
            pattern, both = min(
                ((pattern, (shifted - shift) % 1.0) for shift, pattern in shifts),
                key=lambda each: _beyond(each[1], room),
            )
            both = 0.0 if both > room and both > 1 - EXACT else min(both, room)
            share = 0.0 if room <= 0 else (1 - signal.red.outbound - outbound) / room
            before.append(both * share)
            after.append(both * (1 - share))
            patterns.append(pattern)
        ways = _split_times(corridor, travel, self._least_s, self._most_s, pace)
        return _coordination(
            corridor,
            cycle_s=1 / pace,
            bands=(outbound, inbound),
            before=before,
            after=after,
            travel=ways,
            patterns=tuple(patterns),
        )


def _beyond(value: float, room: float) -> float:
    """Give how far a sum lies off what is open, on the circle."""
    return 0.0 if value <= room else min(value - room, 1.0 - value)


def _shifts(signal: CorridorSignal) -> list[tuple[float, LeftTurns | None]]:
    choices: Sequence[LeftTurns | None] = signal.patterns or (None,)
    return [(-signal.difference(each) % 1.0, each) for each in choices]


def _times_s(corridor: Corridor, *, fastest: bool) -> list[float]:
    """Give there and back over each link, in seconds."""
    side = 1 if fastest else 0
    each = KPH / corridor.outbound_kph[side] + KPH / corridor.inbound_kph[side]
    return [length_m * each for length_m in corridor.links_m]


def _split_times(
    corridor: Corridor,
    travel: Sequence[float],
    least_s: Sequence[float],
    most_s: Sequence[float],
    pace: float,
) -> tuple[list[float], list[float]]:
    """Split there and back: both as far between their fastest and slowest."""
    outbound: list[float] = []
    inbound: list[float] = []
    for link, length_m in enumerate(corridor.links_m):
        free = (most_s[link] - least_s[link]) * pace
        share = 0.0 if free <= 0 else (travel[link] - least_s[link] * pace) / free
        for found, (slow_kph, fast_kph) in (
            (outbound, corridor.outbound_kph),
            (inbound, corridor.inbound_kph),
        ):
            fast_s, slow_s = length_m * KPH / fast_kph, length_m * KPH / slow_kph
            found.append((fast_s + share * (slow_s - fast_s)) * pace)
    return outbound, inbound


# --- places on the street ------------------------------------------------------------------------


def _one_way(corridor: Corridor, *, outbound: bool) -> Coordination:
    """Give one direction all that its shortest green allows, and the other nothing."""
    signals, cycle_s = corridor.signals, corridor.cycle_s[0]
    reds = [each.red.outbound if outbound else each.red.inbound for each in signals]
    width = 1 - max(reds)
    # In the middle of what is left of each green.
    rest = [(1 - red - width) / 2 for red in reds]
    patterns = tuple(each.patterns[0] if each.patterns else None for each in signals)
    return _coordination(
        corridor,
        cycle_s=cycle_s,
        bands=(width, 0.0) if outbound else (0.0, width),
        before=rest if outbound else None,
        after=None if outbound else rest,
        travel=(
            [length * KPH / corridor.outbound_kph[1] / cycle_s for length in corridor.links_m],
            [length * KPH / corridor.inbound_kph[1] / cycle_s for length in corridor.links_m],
        ),
        patterns=patterns,
    )


def _coordination(
    corridor: Corridor,
    *,
    cycle_s: float,
    bands: tuple[float, float],
    before: Sequence[float] | None,
    after: Sequence[float] | None,
    travel: tuple[Sequence[float], Sequence[float]],
    patterns: tuple[LeftTurns | None, ...],
) -> Coordination:
    """Work out offsets from where the bands lie; `before` or `after` is None for no such band."""
    signals = corridor.signals
    centres = _centres(signals, before, after, travel, patterns)
    first = centres[0] - signals[0].red_centre
    out_start, in_start = [], []
    for number, (signal, centre) in enumerate(zip(signals, centres, strict=True)):
        wait = (1 - signal.red.outbound - bands[0]) / 2 if before is None else before[number]
        out_start.append(centre + signal.red.outbound / 2 + wait - first)
        other = centre + signal.difference(patterns[number])
        left = (1 - signal.red.inbound - bands[1]) / 2 if after is None else after[number]
        in_start.append(other + 1 - signal.red.inbound / 2 - left - bands[1] - first)
    return Coordination(
        cycle_s=cycle_s,
        offsets=tuple(
            (centre - signal.red_centre - first) % 1.0
            for signal, centre in zip(signals, centres, strict=True)
        ),
        outbound=bands[0],
        inbound=bands[1],
        objective=corridor.weight.outbound * bands[0] + corridor.weight.inbound * bands[1],
        bound=math.inf,
        outbound_travel=tuple(travel[0]),
        inbound_travel=tuple(travel[1]),
        outbound_start=tuple(out_start),
        inbound_start=tuple(in_start),
        patterns=patterns,
    )


def _centres(
    signals: Sequence[CorridorSignal],
    before: Sequence[float] | None,
    after: Sequence[float] | None,
    travel: tuple[Sequence[float], Sequence[float]],
    patterns: Sequence[LeftTurns | None],
) -> list[float]:
    """Give the centres of the outbound reds along the band that there is."""
    centres = [0.0]
    for link, (here, there) in enumerate(pairwise(signals)):
        step = 0.0
        if before is not None:
            step = (
                travel[0][link]
                + (here.red.outbound - there.red.outbound) / 2
                + before[link]
                - before[link + 1]
                - there.queue_clearance.outbound
            )
        elif after is not None:
            step = (
                (there.red.inbound - here.red.inbound) / 2
                + after[link + 1]
                - after[link]
                + here.queue_clearance.inbound
                - travel[1][link]
                + here.difference(patterns[link])
                - there.difference(patterns[link + 1])
            )
        centres.append(centres[-1] + step)
    return centres
