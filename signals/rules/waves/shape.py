"""What a network's programmes share, and what goes into them and comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from signals.rules.waves.corridor import LeftTurns
from signals.rules.waves.loops import Link, Loop, loops_of, tree_of
from signals.rules.waves.network import Network


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
