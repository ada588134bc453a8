"""A band for each link of a street, as wide as what both of its signals show, proven the best.

One band for a whole street is as narrow as its narrowest place and takes no heed of where traffic
comes and goes. Here each link has bands of its own, weighed by its own demand, as in MULTIBAND
(Gartner, Assmann, Lasaga and Hou, Transportation Research Part B 25, 1991), and as in AM-Band
(Zhang, Xie, Gartner, Stamatiadis and Arsava, Part C 58, 2015) they may lie unevenly around the
line of a car that meets every green of the street. What is best is the mean over the links of

    weight out x outbound band + weight in x inbound band

in shares of the cycle. Where no car can pass both ways, or that would cost more than it is worth,
one way alone has bands.

A band through the whole street may be asked for besides (`least_through`).

The search: what each link can have for itself bounds the whole, at once for hundreds of ranges of
cycles, and closely, for links bind each other through their lines alone. Lines by dynamic
programming at the best cycles, put right by a linear programme, come near that bound; the ranges
that still may hold more are solved by mixed-integer programmes, the best first.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from signals.rules.waves.corridor import Corridor, Showing
from signals.rules.waves.link_answer import LinkBand, LinkCoordination
from signals.rules.waves.link_lines import lines_at
from signals.rules.waves.link_programme import LineUp, LinkProgramme
from signals.rules.waves.linked import Floats, Linked
from signals.rules.waves.places import placed, split_times

EXACT: Final = 1e-7
"""By how much more bands must be worth to count."""
RANGES: Final = 64
HALVINGS: Final = 5
TRIED: Final = 6
"""Cycles at which lines are looked for before anything is proven."""
APART: Final = 0.02
"""How far apart these are, as a share of the pace."""
WIDEST: Final = 0.08
"""The widest range of one programme, as a share of the pace."""
LONG_S: Final = 1e6


def coordinate_links(corridor: Corridor, *, time_limit_s: float | None = None) -> LinkCoordination:
    """Find the bands by link that are worth the most.

    Parameters
    ----------
    corridor : Corridor
        `link_weights` says what each link's bands are worth.
    time_limit_s : float or None
        After so long the best that was found is given, with what is proven of it.

    Returns
    -------
    LinkCoordination
        Within a millionth of the best, and with gap 0, unless the time ran out.
    """
    linked = Linked(corridor)
    best = max(
        _one_way(linked, outbound=True),
        _one_way(linked, outbound=False),
        key=lambda found: found.objective,
    )
    search = _Search(linked, best.objective, time_limit_s)
    lines, bound = search.run()
    if lines is not None:
        both = _both_ways(linked, lines)
        if both.objective >= best.objective - EXACT:
            best = both
    # What is left within a millionth is the solver's rounding.
    bound = best.objective if bound <= best.objective + 10 * EXACT else bound
    return replace(best, bound=bound)


class _Search:
    """The best lines both ways over all cycles."""

    def __init__(self, linked: Linked, known: float, time_limit_s: float | None) -> None:
        self._linked = linked
        self._best = known
        self._lines: LineUp | None = None
        self._until = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
        shortest_s, longest_s = linked.corridor.cycle_s
        self._slow, self._fast = 1 / longest_s, 1 / shortest_s

    def run(self) -> tuple[LineUp | None, float]:
        """Give the best lines, where they are worth more than what was known, and the bound."""
        edges = np.linspace(self._slow, self._fast, RANGES + 1)
        low, high = (edges[:-1], edges[1:]) if self._fast > self._slow else (edges[:1], edges[:1])
        most = self._linked.most(low, high)
        self._try(low, high, most)
        for _ in range(HALVINGS):
            open_ = most > self._best + EXACT
            if not open_.any() or self._fast <= self._slow:
                break
            low, high = low[open_], high[open_]
            middle = (low + high) / 2
            low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
            most = self._linked.most(low, high)
        proven = self._proven(low, high, most)
        return self._lines, proven

    def _try(self, low: Floats, high: Floats, most: Floats) -> None:
        """Look for lines at the best of the ranges that lie apart."""
        tried: list[float] = []
        for number in np.argsort(-most):
            if len(tried) == TRIED or most[number] <= self._best + EXACT:
                return
            if self._left_s() <= 0 and self._lines is not None:
                return
            pace = float(low[number] + high[number]) / 2
            if any(abs(pace - each) < APART * pace for each in tried):
                continue
            tried.append(pace)
            cases = lines_at(self._linked, pace)
            if cases is not None:
                self._keep(LinkProgramme(self._linked, self._slow, self._fast, cases))

    def _keep(self, programme: LinkProgramme, limit_s: float = LONG_S) -> tuple[float, bool]:
        """Solve a programme, keep what is better; give its bound and whether it came to its end."""
        lines, bound, ended = programme.solve(self._best, limit_s)
        if lines is not None:
            worth = _both_ways(self._linked, lines).objective
            if worth > self._best:
                self._best, self._lines = worth, lines
        return bound, ended

    def _proven(self, low: Floats, high: Floats, most: Floats) -> float:
        """Solve the ranges that may hold more; give what is proven of all."""
        ranges = _together(low, high, most, self._best + EXACT)
        ranges.sort(key=lambda each: -each[2])
        left = 0.0
        for number, (start, end, bound) in enumerate(ranges):
            if bound <= self._best + EXACT:
                break
            if self._left_s() <= 0:
                left = max(each[2] for each in ranges[number:])
                break
            programme = LinkProgramme(self._linked, start, end)
            proven, ended = self._keep(programme, min(self._left_s(), LONG_S))
            if not ended:
                left = max(left, min(proven, bound))
        return max(left, self._best)

    def _left_s(self) -> float:
        return self._until - time.monotonic()


def _together(
    low: Floats, high: Floats, most: Floats, above: float
) -> list[tuple[float, float, float]]:
    """Join neighbouring ranges that may hold more, up to a width."""
    found: list[tuple[float, float, float]] = []
    for number in np.argsort(low):
        start, end, bound = float(low[number]), float(high[number]), float(most[number])
        if bound <= above:
            continue
        if found and found[-1][1] >= start and end - found[-1][0] <= WIDEST * start:
            begun, _, other = found[-1]
            found[-1] = (begun, end, max(bound, other))
        else:
            found.append((start, end, bound))
    return found


# --- the answer ----------------------------------------------------------------------------------


def _one_way(linked: Linked, *, outbound: bool) -> LinkCoordination:
    """Give one direction all that neighbouring greens have in common, and the other nothing."""
    corridor = linked.corridor
    showings = [
        max(each, key=lambda one: one.out_green if outbound else one.in_green)
        for each in linked.showings
    ]
    # Greens on each other's middles have all of the shorter one in common.
    rest = [(each.out_green if outbound else each.in_green) / 2 for each in showings]
    pace = 1 / corridor.cycle_s[0]
    travel = split_times(corridor, [each * pace for each in linked.least_s], pace)
    return _answer(
        linked,
        pace,
        before=rest if outbound else None,
        after=None if outbound else rest,
        travel=travel,
        showings=showings,
    )


def _both_ways(linked: Linked, lines: LineUp) -> LinkCoordination:
    showings = [each[number] for each, number in zip(linked.showings, lines.showings, strict=True)]
    travel = split_times(linked.corridor, lines.travel, lines.pace)
    return _answer(
        linked,
        lines.pace,
        before=lines.before,
        after=lines.after,
        travel=travel,
        showings=showings,
    )


def _answer(
    linked: Linked,
    pace: float,
    *,
    before: Sequence[float] | None,
    after: Sequence[float] | None,
    travel: tuple[Sequence[float], Sequence[float]],
    showings: Sequence[Showing],
) -> LinkCoordination:
    out_parts = _parts(before, [each.out_green for each in showings])
    in_parts = _parts(after, [each.in_green for each in showings])
    through = (_through(before, showings, out=True), _through(after, showings, out=False))
    plan = placed(
        linked.corridor,
        cycle_s=1 / pace,
        bands=through,
        before=None if before is None else [each - min(before) for each in before],
        after=None if after is None else [each - min(after) for each in after],
        travel=travel,
        showings=showings,
    )
    # The through bands begin as much before the line as it is after the shortest beginning.
    out_line = [each + min(before or (0.0,)) for each in plan.outbound_start]
    in_line = [each + through[1] - min(after or (0.0,)) for each in plan.inbound_start]
    outbound = tuple(
        LinkBand(out_line[link] - first, first + last)
        for link, (first, last) in enumerate(out_parts)
    )
    inbound = tuple(
        LinkBand(in_line[link + 1] - last, first + last)
        for link, (first, last) in enumerate(in_parts)
    )
    worth = sum(
        weight.outbound * one.width + weight.inbound * other.width
        for weight, one, other in zip(linked.weights, outbound, inbound, strict=True)
    )
    return LinkCoordination(plan, outbound, inbound, worth, math.inf)


def _parts(rest: Sequence[float] | None, greens: Sequence[float]) -> list[tuple[float, float]]:
    """Give for each link what lies between the line and the nearer end of both greens, each way."""
    if rest is None:
        return [(0.0, 0.0)] * (len(greens) - 1)
    return [
        (min(here, there), min(green - here, next_green - there))
        for (here, there), (green, next_green) in zip(pairwise(rest), pairwise(greens), strict=True)
    ]


def _through(rest: Sequence[float] | None, showings: Sequence[Showing], *, out: bool) -> float:
    if rest is None:
        return 0.0
    return max(
        0.0,
        min(rest)
        + min(
            (each.out_green if out else each.in_green) - here
            for here, each in zip(rest, showings, strict=True)
        ),
    )
