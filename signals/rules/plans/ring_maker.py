"""Plans of rings and barriers for a crossroads: which left turn leads, which lags, the splits.

Opposite approaches share a side of the barrier. In each of its two rings the left turn of one and
the way ahead of the other follow each other, in either order, so that a side has four patterns:
both left turns lead, both lag, or one does either. Unlike stages, the two rings change at different
times; that pays where opposite directions differ. The search takes the best pattern of some greens,
then moves barrier and splits by whole seconds while that helps.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import Turn
from signals.rules.model.plans import Programme
from signals.rules.model.rings import Overlap, RingPhase, Rings
from signals.rules.plans.candidates import streams_of
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.safety.case import Case

_LEFT: Final = frozenset({Turn.LEFT, Turn.PARTIAL_LEFT, Turn.U_TURN})
_SIDES: Final = 2
_STEPS_S: Final = (6.0, 2.0, 1.0)
_BEGUN_S: Final = (60.0, 100.0)
"""Greens of both sides to begin with."""
_LEAST_GAIN: Final = 1e-6
_FAR: Final = 2.0
_MOVES: Final = tuple(
    tuple(sign * by for by in each)
    for each in (
        (1, 0, 0, 0, 0, 0),
        (0, 1, 0, 0, 0, 0),
        (0, 0, 1, 0, 0, 0),
        (0, 0, 0, 1, 0, 0),
        (0, 0, 0, 0, 1, 0),
        (0, 0, 0, 0, 0, 1),
        (1, 0, 0, -1, 0, 0),
    )
    for sign in (1, -1)
)
"""By what the greens are moved: each longer or shorter, one side's at the other's cost."""

Groups = frozenset[str]


@dataclass(frozen=True, slots=True)
class Ring:
    """What follows each other on a side: a left turn, and the way ahead against it."""

    left: Groups
    ahead: Groups


Side = tuple[Ring, Ring]
Greens = tuple[float, ...]
"""Of each side its greens in all, and the left turn's of each ring."""


def sides_of(case: Case) -> tuple[Side, Side] | None:
    """Give the two sides of a crossroads; None where its streams do not fall into such.

    There have to be four approaches in two opposite pairs, each with left turns in lanes of their
    own that may run beside each other, and for every crossing a way ahead beside which it may run
    whatever the other ring shows.
    """
    facts = {fact.name: fact for fact in case.groups if fact.movements}
    names = [fact.name for fact in case.groups]
    hard = {
        frozenset((names[pair.one], names[pair.other])) for pair in case.pairs if not pair.settled
    }

    def meet(one: Groups, other: Groups) -> bool:
        return any(frozenset((a, b)) in hard for a in one for b in other)

    left: dict[str, Groups] = {}
    ahead: dict[str, Groups] = {}
    walks: list[Groups] = []
    for stream in streams_of(case.junction):
        of = [facts[name] for name in stream.groups]
        if of[0].kind is GroupKind.PEDESTRIAN:
            walks.append(stream.groups)
            continue
        roads = {road for fact in of for road in fact.roads}
        if len(roads) != 1:
            return None
        kept = left if all(fact.turns <= _LEFT for fact in of) else ahead
        road = roads.pop()
        kept[road] = kept.get(road, frozenset()) | stream.groups
    pairs = [
        (one, other)
        for one in sorted(ahead)
        for other in sorted(ahead)
        if one < other and not meet(ahead[one], ahead[other])
    ]
    if left.keys() != ahead.keys() or len(pairs) != _SIDES or len(ahead) != 2 * _SIDES:
        return None
    found: list[Side] = []
    for one, other in pairs:
        beside = ((left[one], left[other]), (left[one], ahead[one]), (left[other], ahead[other]))
        if any(meet(first, second) for first, second in beside):
            return None
        found.append((Ring(left[one], ahead[other]), Ring(left[other], ahead[one])))
    for walk in walks:
        if not _placed(walk, found, meet):
            return None
    return (found[0], found[1])


def _placed(walk: Groups, sides: list[Side], meet: Callable[[Groups, Groups], bool]) -> bool:
    """Put a crossing beside a way ahead."""
    for place, side in enumerate(sides):
        for number, ring in enumerate(side):
            other = side[1 - number]
            if not meet(walk, ring.ahead | other.ahead | other.left):
                wider = Ring(ring.left, ring.ahead | walk)
                sides[place] = (wider, other) if number == 0 else (other, wider)
                return True
    return False


class RingMaker:
    """Rings of one crossroads, judged as stages are."""

    def __init__(self, maker: JunctionMaker, sides: tuple[Side, Side], free: Sequence[str]) -> None:
        self._maker, self._sides, self._free = maker, sides, free

    def best(self, beat_s: float = math.inf) -> Programme | None:
        """Give the rings of least delay that were found; None where no greens fit.

        They are given up where the best pattern is far from a cost to beat before its splits are
        moved. Cost: 32 programmes, then some hundred of the best pattern.
        """
        starts = [
            (self._cost(pattern, greens), pattern, greens)
            for pattern in product((True, False), repeat=2 * _SIDES)
            for greens in self._starts()
        ]
        cost_s, pattern, greens = min(starts, key=lambda each: each[0])
        if not math.isfinite(cost_s) or cost_s > _FAR * beat_s:
            return None
        for step_s in _STEPS_S:
            better = True
            while better:
                better = False
                for move in _MOVES:
                    tried = tuple(each + step_s * by for each, by in zip(greens, move, strict=True))
                    tried_s = self._cost(pattern, tried)
                    if tried_s < cost_s * (1 - _LEAST_GAIN):
                        cost_s, greens, better = tried_s, tried, True
        rings = self._rings(pattern, greens)
        return None if rings is None else self._maker.ring_programme(rings)

    def _starts(self) -> Iterator[Greens]:
        """Give greens to begin with: sides and turns by their flow ratios."""
        ratios = [
            [(self._maker.ratio(ring.left), self._maker.ratio(ring.ahead)) for ring in side]
            for side in self._sides
        ]
        heaviest = [max(sum(each) for each in side) for side in ratios]
        for begun_s in _BEGUN_S:
            greens: list[float] = []
            for side, weights, heavy in zip(self._sides, ratios, heaviest, strict=True):
                whole_s, lefts = float(round(begun_s * heavy / sum(heaviest))), []
                for ring, (left, ahead) in zip(side, weights, strict=True):
                    left_s = max(
                        self._maker.least_s(ring.left), round(whole_s * left / (left + ahead))
                    )
                    whole_s = max(whole_s, left_s + self._maker.least_s(ring.ahead))
                    lefts.append(left_s)
                greens += [whole_s, *lefts]
            yield tuple(greens)

    def _cost(self, pattern: Sequence[bool], greens: Greens) -> float:
        rings = self._rings(pattern, greens)
        return math.inf if rings is None else self._maker.ring_cost(rings)

    def _rings(self, pattern: Sequence[bool], greens: Greens) -> Rings | None:
        """Give rings of a pattern: of each ring, whether its left turn leads."""
        orders: list[list[tuple[Groups, Groups]]] = []
        for place, side in enumerate(self._sides):
            leads = pattern[2 * place : 2 * place + 2]
            orders.append(
                [
                    (ring.left, ring.ahead) if first else (ring.ahead, ring.left)
                    for ring, first in zip(side, leads, strict=True)
                ]
            )
        sides = []
        for place, side in enumerate(self._sides):
            following = [phases[0] for phases in orders[1 - place]]
            first_s = [self._maker.change_s(one, [other]) for one, other in orders[place]]
            last_s = [self._maker.change_s(other, following) for _, other in orders[place]]
            whole_s, *lefts_s = greens[3 * place : 3 * place + 3]
            # A ring with shorter changes has more green.
            side_s = whole_s + max(
                one_s + other_s for one_s, other_s in zip(first_s, last_s, strict=True)
            )
            rings = []
            for number, ring in enumerate(side):
                left_s = lefts_s[number]
                ahead_s = side_s - first_s[number] - last_s[number] - left_s
                if left_s < self._maker.least_s(ring.left) or ahead_s < self._maker.least_s(
                    ring.ahead
                ):
                    return None
                rings.append(
                    tuple(
                        RingPhase(
                            f"{place + 1}{'ab'[number]} {_says(groups, ring)}",
                            groups,
                            left_s if groups is ring.left else ahead_s,
                            change_s,
                        )
                        for groups, change_s in zip(
                            orders[place][number], (first_s[number], last_s[number]), strict=True
                        )
                    )
                )
            sides.append(tuple(rings))
        names = tuple(phase.name for side in sides for ring in side for phase in ring)
        return Rings(tuple(sides), tuple(Overlap(group, names) for group in self._free))


def _says(groups: Groups, ring: Ring) -> str:
    return "left" if groups is ring.left else "ahead"
