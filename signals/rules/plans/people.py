"""The people of a demand beside its drivers: who is in vehicles, who walks over which crossing.

Walks are followed by the shortest way along pavements and over crossings, in either direction.
"""

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from signals.rules.model.sumo_net import SumoEdge, SumoFile
from signals.rules.plans.drivers import BICYCLES, Drivers

_FOOT: Final = "pedestrian"
_ON_FOOT: Final = {"crossing", "walkingarea"}


@dataclass(frozen=True, slots=True)
class People:
    """Persons an hour, by where they pass."""

    persons_ph: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """In vehicles, bicycles left out, by road from and road to."""
    walkers_ph: Mapping[str, float] = field(default_factory=dict)
    """By the crossing's lane."""
    riders: Drivers = BICYCLES
    """How bicycles are ridden, in the mean."""

    def scaled(self, factor: float) -> "People":
        """Give the people of a demand that is larger or smaller throughout."""
        return People(
            {pair: each * factor for pair, each in self.persons_ph.items()},
            {lane: each * factor for lane, each in self.walkers_ph.items()},
            self.riders,
        )


def walkers_at_crossings(
    file: SumoFile, walks: Iterable[tuple[tuple[str, ...], float]]
) -> dict[str, float]:
    """Count walks at every crossing that they lead over, by its lane.

    Parameters
    ----------
    file : SumoFile
    walks : Iterable
        Roads that each leads along, two or more, and how many an hour go so.

    Notes
    -----
    One search for each pair of roads. Walks that no way serves count nowhere, and nobody does where
    a network has no crossings.
    """
    lanes = {
        edge.name: edge.lanes[0].name
        for edge in file.edges.values()
        if edge.function == "crossing" and edge.lanes
    }
    if not lanes:
        return {}
    pavements = _Pavements(file)
    found: dict[str, float] = {}
    for roads, flow in walks:
        for start, end in pairwise(roads):
            for edge in pavements.way(start, end):
                if edge in lanes:
                    found[lanes[edge]] = found.get(lanes[edge], 0.0) + flow
    return found


class _Pavements:
    """Edges that people on foot may use as nodes, in both directions."""

    def __init__(self, file: SumoFile) -> None:
        self._length_m = {
            edge.name: min(lane.length_m for lane in edge.lanes)
            for edge in file.edges.values()
            if _walkable(edge)
        }
        self._beside: dict[str, dict[str, None]] = {}
        inner = {edge.name for edge in file.edges.values() if edge.function in _ON_FOOT}
        for each in file.connections:
            ends = (each.start, each.end)
            if inner & set(ends) and all(end in self._length_m for end in ends):
                self._beside.setdefault(each.start, {})[each.end] = None
                self._beside.setdefault(each.end, {})[each.start] = None
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def way(self, start: str, end: str) -> tuple[str, ...]:
        """Give the edges of the shortest way; none where there is no way."""
        if (start, end) not in self._known:
            self._known[start, end] = self._search(start, end)
        return self._known[start, end]

    def _search(self, start: str, end: str) -> tuple[str, ...]:
        best = {start: 0.0}
        before: dict[str, str] = {}
        queue = [(0.0, start)]
        while queue:
            walked_m, here = heapq.heappop(queue)
            if here == end:
                way = [here]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return tuple(reversed(way))
            if walked_m > best[here]:
                continue
            for following in self._beside.get(here, ()):
                further_m = walked_m + self._length_m[following]
                if further_m < best.get(following, math.inf):
                    best[following], before[following] = further_m, here
                    heapq.heappush(queue, (further_m, following))
        return ()


def _walkable(edge: SumoEdge) -> bool:
    if edge.function in _ON_FOOT:
        return bool(edge.lanes)
    return any(
        _FOOT in lane.allow if lane.allow else not {_FOOT, "all"} & set(lane.disallow)
        for lane in edge.lanes
    )
