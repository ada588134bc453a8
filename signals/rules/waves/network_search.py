"""The widest bands of a network in the time given, with what is proven of them.

Three parts, each cheap by itself:

* *Streets alone, over ranges of the cycle.* A street's widest bands for a range of cycle lengths
  are had exactly (`bandwidth.Chain`). All streets have one cycle: the sum over the streets, at its
  largest over the ranges, is a bound already, and says where good cycles lie.
* *Plans* by ruin and recreation at those cycles (`ascent`), then polished by the linear programme
  that their whole numbers leave.
* *Proof*, range by range, the most promising first: a mixed-integer programme for the range, asked
  only for what is better than the best plan (`programme`). A range that it neither fills nor
  empties in its slice of time is halved, which tightens both the streets' bounds and the programme.

Whatever stops it, the best plan and the largest bound of the ranges left open are there.
"""

import heapq
import math
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from signals.rules.waves.ascent import Ascent
from signals.rules.waves.bandwidth import Chain
from signals.rules.waves.network import Network, NetworkCoordination
from signals.rules.waves.plans import answer_of, bands_of, point_of, worth_of
from signals.rules.waves.programme import Programme
from signals.rules.waves.shape import Shape, Solved, StreetLimit
from signals.rules.waves.ways import ways_of

PROVEN: Final = 1e-6
"""Share of the cycle by which wider bands must be wider to count."""
WITHIN: Final = 1e-4
"""How closely a street's own bound is worked out."""
PLANS_ALONE: Final = 0.5
"""Share of the time for the search for plans where programmes prove nothing."""
STARTS: Final = 6
PLANS_TOGETHER: Final = 600
"""Signals of all plans that are improved at once; at least two plans are."""
LEAST_S: Final = 0.3
"""A programme is not begun for less."""
PATIENCE: Final = 40
MOST_PLACES: Final = 130
"""Signals of all corridors up to which the programme says anything in the time there is."""


@dataclass(order=True, slots=True)
class Cell:
    """A range of paces that may hold something better than the best plan."""

    order: float
    low: float = field(compare=False)
    high: float = field(compare=False)
    bound: float = field(compare=False)
    limits: tuple[StreetLimit, ...] = field(compare=False)
    depth: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Effort:
    """How the time is shared out.

    Attributes
    ----------
    cells
        Ranges of the cycle that the streets alone are bounded in.
    first
        Share of the time for them.
    plans
        Share of the time for the search for plans.
    slice_s
        What a programme gets at first.
    workers
        Programmes at once.
    """

    cells: int = 48
    first: float = 0.2
    plans: float = 0.25
    slice_s: float = 4.0
    workers: int = 2
    seed: int = 1


def coordinate_network(
    network: Network, *, time_limit_s: float = 60.0, effort: Effort | None = None
) -> NetworkCoordination:
    """Find the widest weighted bands of a network.

    Parameters
    ----------
    network : Network
    time_limit_s : float
        After so long the best that was found is given, with what is proven of it.
    effort : Effort or None
        How the time is shared out.

    Returns
    -------
    NetworkCoordination
        With a gap of 0 where nothing wider by more than a millionth of the cycle exists.

    Notes
    -----
    A plan and a bound are there after some passes over the signals; the proof grows exponentially
    with the loops at worst.
    """
    return _Search(network, time_limit_s, effort or Effort()).run()


class _Search:
    """The best plan so far and the ranges that are still open."""

    def __init__(self, network: Network, time_limit_s: float, effort: Effort) -> None:
        self._network = network
        self._effort = effort
        self._begun_s = time.monotonic()
        # HiGHS looks at the clock now and then only.
        self._limit_s = max(time_limit_s * 0.95 - 0.3, time_limit_s / 2)
        self._ways = ways_of(network)
        self._chains = [Chain(corridor) for corridor in network.corridors]
        self._shape = Shape(network)
        self._alone = [
            max(corridor.weight.outbound * chain.cap_out, corridor.weight.inbound * chain.cap_in)
            for corridor, chain in zip(network.corridors, self._chains, strict=True)
        ]
        shortest_s, longest_s = network.cycle_s
        self._slow, self._fast = 1 / longest_s, 1 / shortest_s
        self._worth = -1.0
        self._offsets: tuple[float, ...] = (0.0,) * self._shape.count
        self._pace = self._fast
        self._cells: list[Cell] = []
        self._provable = len(self._shape.links) + len(self._chains) <= MOST_PLACES

    def run(self) -> NetworkCoordination:
        """Bound, find, prove; give what there is."""
        self._keep(self._offsets, self._pace)
        self._bound_streets()
        self._find_plans()
        self._prove()
        streets = [chain.worth(chain.cap_out + chain.cap_in) for chain in self._chains]
        found = answer_of(
            self._network, self._ways, self._offsets, self._pace, [sum(each) for each in streets]
        )
        return found.with_bound(max(found.objective, self._proven()))

    def _left_s(self) -> float:
        return self._begun_s + self._limit_s - time.monotonic()

    def _proven(self) -> float:
        """Give what any plan is worth at most: the best, or what the open ranges may hold."""
        return max([self._worth, *(cell.bound for cell in self._cells)])

    def _keep(self, offsets: Sequence[float], pace: float) -> float:
        """Take a plan where it is better than the best; give its exact worth."""
        pace = min(max(pace, self._slow), self._fast)
        worth = worth_of(self._ways, bands_of(self._ways, offsets, pace))
        if worth > self._worth:
            self._worth, self._offsets, self._pace = worth, tuple(offsets), pace
        return worth

    # --- streets alone ---------------------------------------------------------------------------

    def _limits(self, low: float, high: float) -> tuple[StreetLimit, ...]:
        found = []
        for chain, alone in zip(self._chains, self._alone, strict=True):
            together = chain.most_together(low, high, WITHIN)
            both = sum(chain.worth(together)) if together >= 0 else 0.0
            found.append(StreetLimit(max(alone, both), together))
        return tuple(found)

    def _cell(self, low: float, high: float, most: float, depth: int) -> Cell:
        limits = self._limits(low, high)
        bound = min(most, sum(each.worth for each in limits))
        return Cell(-bound, low, high, bound, limits, depth)

    def _open(self, cell: Cell) -> None:
        if cell.bound > self._worth + PROVEN:
            heapq.heappush(self._cells, cell)

    def _bound_streets(self) -> None:
        """Halve the ranges of the largest bounds for a while."""
        until_s = self._left_s() * (1 - self._effort.first)
        self._open(self._cell(self._slow, self._fast, math.inf, 0))
        while self._cells and len(self._cells) < self._effort.cells and self._left_s() > until_s:
            cell = heapq.heappop(self._cells)
            if not self._halved(cell):
                heapq.heappush(self._cells, cell)
                return

    def _halved(self, cell: Cell) -> bool:
        """Open both halves of a range; False where it has none."""
        middle = math.sqrt(cell.low * cell.high)
        if not cell.low < middle < cell.high:
            return False
        for low, high in ((cell.low, middle), (middle, cell.high)):
            self._open(self._cell(low, high, cell.bound, cell.depth + 1))
        return True

    # --- plans -----------------------------------------------------------------------------------

    def _find_plans(self) -> None:
        """Search at the most promising cycles, and go on where the most is found."""
        share = self._effort.plans if self._provable else max(PLANS_ALONE, self._effort.plans)
        until_s = self._left_s() - self._limit_s * share
        searches = self._first_plans(until_s)
        turns, still, most = 0, 0, 0.0
        while searches and still < PATIENCE and not self._enough(until_s):
            turns += 1
            for search, _ in searches:
                for _ in range(5):
                    search.improve(2 + turns % 7)
                if self._enough(until_s):
                    break
            best = max(search.best()[0] for search, _ in searches)
            still, most = (0, best) if best > most + PROVEN else (still + 1, most)
            if turns % 10 == 0:
                for search, _ in searches:
                    search.forget()
                if len(searches) > 1:
                    searches.sort(key=lambda each: -each[0].best()[0])
                    search, pace = searches.pop()
                    self._polish(search.best()[1], pace)
        for search, pace in searches:
            if self._left_s() > 0:
                self._polish(search.best()[1], pace)

    def _first_plans(self, until_s: float) -> list[tuple[Ascent, float]]:
        """Begin a search in the middle of each of the most promising ranges."""
        plans = max(2, min(16, PLANS_TOGETHER // self._shape.count))
        found: list[tuple[Ascent, float]] = []
        for number, cell in enumerate(sorted(self._cells)[:STARTS]):
            if self._enough(until_s):
                break
            pace = math.sqrt(cell.low * cell.high)
            search = Ascent(self._ways, self._shape.count, pace, plans, self._effort.seed + number)
            search.begin(lambda: self._enough(until_s))
            while not self._enough(until_s) and search.sweep(lambda: self._enough(until_s)):
                pass
            found.append((search, pace))
            self._keep(search.best()[1], pace)
        return found

    def _enough(self, until_s: float) -> bool:
        return self._left_s() < until_s or self._proven() <= self._worth + PROVEN

    def _polish(self, offsets: Sequence[float], pace: float) -> None:
        """Keep a plan, and the best that has its whole numbers, at any pace."""
        self._keep(offsets, pace)
        bands = bands_of(self._ways, offsets, pace)
        programme = Programme(self._shape, self._slow, self._fast, None)
        point = point_of(self._network, self._ways, offsets, pace, bands)
        found = programme.polish(point, max(1.0, self._left_s() / 4))
        if found.pace is not None:
            self._keep(found.offsets, found.pace)

    # --- proof -----------------------------------------------------------------------------------

    def _prove(self) -> None:
        """Empty the ranges, the largest bound first."""
        if not self._provable:
            return
        with ThreadPoolExecutor(self._effort.workers) as pool:
            running: dict[Future[Solved], Cell] = {}
            while True:
                self._cells = [each for each in self._cells if each.bound > self._worth + PROVEN]
                heapq.heapify(self._cells)
                while (
                    self._cells and len(running) < self._effort.workers and self._left_s() > LEAST_S
                ):
                    cell = heapq.heappop(self._cells)
                    slice_s = self._effort.slice_s * 1.5**cell.depth
                    running[pool.submit(self._solve, cell, min(slice_s, self._left_s()))] = cell
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    self._close(running.pop(future), future.result())

    def _solve(self, cell: Cell, slice_s: float) -> Solved:
        programme = Programme(self._shape, cell.low, cell.high, cell.limits)
        return programme.solve(self._worth + PROVEN, slice_s)

    def _close(self, cell: Cell, solved: Solved) -> None:
        """Take what a programme gave; halve the range where it came to no end."""
        if solved.pace is not None:
            self._polish(solved.offsets, solved.pace)
        if solved.whole:
            return
        cell.bound = min(cell.bound, solved.bound)
        cell.order = -cell.bound
        if cell.bound <= self._worth + PROVEN:
            return
        if self._left_s() > 1 and self._halved(cell):
            return
        heapq.heappush(self._cells, cell)
