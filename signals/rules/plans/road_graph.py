"""Ways over a network of roads: the least free-flow time between named roads."""

import heapq
import math
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from typing import Final

from signals.rules.model.sumo_net import SumoFile

_INNER: Final = {"internal", "crossing", "walkingarea"}


class Graph:
    """Roads as nodes, connections as arcs; the time to drive a road is the arc's length."""

    def __init__(self, file: SumoFile) -> None:
        self.time_s = {
            edge.name: max(lane.length_m / max(lane.speed_mps, 0.1) for lane in edge.lanes)
            for edge in file.edges.values()
            if edge.lanes and edge.function not in _INNER
        }
        self._after: dict[str, dict[str, None]] = {}
        for each in file.connections:
            if each.start in self.time_s and each.end in self.time_s:
                self._after.setdefault(each.start, {})[each.end] = None
        self._known: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def way(self, named: tuple[str, ...]) -> tuple[str, ...] | None:
        """Give the roads through the named ones; None where there is no way."""
        if named not in self._known:
            self._known[named] = self._search(named)
        return self._known[named]

    def _search(self, named: tuple[str, ...]) -> tuple[str, ...] | None:
        roads = [named[0]]
        for start, end in pairwise(named):
            part = list(self._shortest(start, end))
            if not part:
                return None
            roads += part[1:]
        return tuple(roads) if named[0] in self.time_s else None

    def _shortest(self, start: str, end: str) -> Iterator[str]:
        ticket: Callable[[], int] = count().__next__
        queue = [(0.0, ticket(), start)]
        before: dict[str, str | None] = {start: None}
        best = {start: 0.0}
        while queue:
            cost_s, _, road = heapq.heappop(queue)
            if road == end:
                way: list[str] = []
                at: str | None = road
                while at is not None:
                    way.append(at)
                    at = before[at]
                yield from reversed(way)
                return
            if cost_s > best[road]:
                continue
            for following in self._after.get(road, ()):
                further_s = cost_s + self.time_s[following]
                if further_s < best.get(following, math.inf):
                    best[following], before[following] = further_s, road
                    heapq.heappush(queue, (further_s, ticket(), following))
