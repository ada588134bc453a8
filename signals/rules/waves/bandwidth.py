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

A signal whose own cycle is half of the corridor's opens two arcs, half a cycle apart.

A band may also be given up for the other one: two bands need room for a car both ways, and where
that costs more than a band is worth, one way alone is wider.
"""

import heapq
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from signals.rules.waves.arcs import WHOLE, Arcs, arcs_of, common, middle, moved
from signals.rules.waves.corridor import Coordination, Corridor, Pair
from signals.rules.waves.places import one_way, placed, split_times, times_s

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
    begun_s = time.monotonic()
    best = max(
        one_way(corridor, outbound=True),
        one_way(corridor, outbound=False),
        key=lambda found: found.objective,
    )
    bound = best.objective
    # With half cycles, narrow bands may pass signals that wide ones cannot: the widest first.
    chains = [Chain(corridor, caps) for caps in _caps(corridor)]
    chains.sort(key=lambda each: -each.most)
    for number, chain in enumerate(chains):
        if chain.most <= best.objective - EXACT:
            break
        left_s = None if time_limit_s is None else time_limit_s - (time.monotonic() - begun_s)
        if number and left_s is not None and left_s <= 0:
            bound = max(bound, chain.most)
            break
        if number and not chain.may_beat(best.objective + EXACT):
            continue
        together, pace, proven = chain.widest(left_s)
        if proven >= 0:
            bound = max(bound, sum(chain.worth(proven)))
        if together >= 0:
            both = chain.placed(together, pace)
            if both.objective >= best.objective - EXACT:
                best = both
    return best.with_bound(max(bound, best.objective))


def _caps(corridor: Corridor) -> list[Pair]:
    """Give widths up to which one set of showings serves: one pair where all greens are alike."""
    showings = [each.showings() for each in corridor.signals]
    sides = []
    for lengths in (
        [[one.out_green for one in each] for each in showings],
        [[one.in_green for one in each] for each in showings],
    ):
        most = min(max(each) for each in lengths)
        sides.append({most} | {one for each in lengths for one in each if one < most})
    return [Pair(outbound, inbound) for outbound in sides[0] for inbound in sides[1]]


class Chain:
    """A corridor as sums of both directions.

    Parameters
    ----------
    corridor : Corridor
    caps : Pair or None
        The widest bands that are looked for: signals show themselves in ways that leave room for
        them. None: as wide as each signal can.
    """

    def __init__(self, corridor: Corridor, caps: Pair | None = None) -> None:
        self._corridor = corridor
        all_of = [each.showings() for each in corridor.signals]
        self.cap_out = min(max(one.out_green for one in each) for each in all_of)
        self.cap_in = min(max(one.in_green for one in each) for each in all_of)
        if caps is not None:
            self.cap_out, self.cap_in = caps.outbound, caps.inbound
        self._showings = [
            [
                one
                for one in each
                if one.out_green >= self.cap_out - TOUCH and one.in_green >= self.cap_in - TOUCH
            ]
            for each in all_of
        ]
        self._openings = [
            [((one.out_begin - one.in_end) % 1.0, one.out_green + one.in_green) for one in each]
            for each in self._showings
        ]
        """For each showing of a signal, what its sum is shifted by, and its room for no band."""
        self._least_s = times_s(corridor, fastest=True)
        self._most_s = times_s(corridor, fastest=False)
        self._fixed = [
            there.queue_clearance.outbound + here.queue_clearance.inbound
            for here, there in pairwise(corridor.signals)
        ]

    @property
    def most(self) -> float:
        """What both bands would be worth at their widest."""
        return sum(self.worth(self.cap_out + self.cap_in))

    def may_beat(self, objective: float) -> bool:
        """Tell whether bands worth so much may be there at any pace; no is proven."""
        least, most = 0.0, self.cap_out + self.cap_in
        if self.most < objective:
            return False
        for _ in range(HALVINGS):
            half = (least + most) / 2
            least, most = (half, most) if sum(self.worth(half)) < objective else (least, half)
        shortest_s, longest_s = self._corridor.cycle_s
        return self._reach(least, 1 / longest_s, 1 / shortest_s) is not None

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
        for number, openings in enumerate(self._openings):
            rooms = [(shift, green - together) for shift, green in openings if green >= together]
            if not rooms:
                return None
            if number:
                link = number - 1
                least = self._least_s[link] * low
                arcs = moved(arcs, least - self._fixed[link], self._most_s[link] * high - least)
            if all(room < 1 for _, room in rooms):
                arcs = common(arcs, arcs_of(rooms))
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
        before, after, chosen = [], [], []
        for showings, openings, shifted in zip(self._showings, self._openings, sums, strict=True):
            showing, both, room = min(
                (
                    (showing, (shifted - shift) % 1.0, green - together)
                    for showing, (shift, green) in zip(showings, openings, strict=True)
                    if green >= together
                ),
                key=lambda each: _beyond(each[1], each[2]),
            )
            both = 0.0 if both > room and both > 1 - EXACT else min(both, room)
            share = 0.0 if room <= 0 else (showing.out_green - outbound) / room
            before.append(both * share)
            after.append(both * (1 - share))
            chosen.append(showing)
        return placed(
            corridor,
            cycle_s=1 / pace,
            bands=(outbound, inbound),
            before=before,
            after=after,
            travel=split_times(corridor, travel, pace),
            showings=chosen,
        )


def _beyond(value: float, room: float) -> float:
    """Give how far a sum lies off what is open, on the circle."""
    return 0.0 if value <= room else min(value - room, 1.0 - value)
