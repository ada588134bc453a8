"""The lanes before a signal, prolonged upstream as far as no other signal lies between."""

from dataclasses import dataclass
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import SignalledJunction
from signals.rules.model.sumo_net import SumoFile

_INNER: Final = {"internal", "crossing", "walkingarea"}


@dataclass(frozen=True, slots=True)
class Approach:
    """A lane before the stop line."""

    lane: str
    stretch: tuple[str, ...]
    """The lane, and those upstream of it."""
    leads: tuple[tuple[str, tuple[str, ...]], ...]
    """Signal group and lanes behind the junction."""


class Upstream:
    """Who leads to which lane without a signal in between."""

    def __init__(self, roads: SumoFile) -> None:
        names = {
            (edge.name, lane.index): lane.name
            for edge in roads.edges.values()
            if edge.function not in _INNER
            for lane in edge.lanes
        }
        self.length_m = {
            lane.name: lane.length_m for edge in roads.edges.values() for lane in edge.lanes
        }
        self.into: dict[str, list[str]] = {}
        """Lanes straight before a lane, where no signal lies between."""
        for each in roads.connections:
            start = names.get((each.start, each.start_lane))
            end = names.get((each.end, each.end_lane))
            if start is not None and end is not None and each.signal is None:
                self.into.setdefault(end, []).append(start)

    def stretch(self, lane: str, least_m: float) -> tuple[str, ...]:
        """Give a lane with those upstream until every way to it is long enough."""
        found = {lane: self.length_m.get(lane, least_m)}
        edge = [lane]
        while edge:
            here = edge.pop()
            if found[here] >= least_m:
                continue
            for before in self.into.get(here, ()):
                if before not in found:
                    found[before] = found[here] + self.length_m[before]
                    edge.append(before)
        return tuple(found)


def approaches_of(
    junction: SignalledJunction, upstream: Upstream, least_m: float
) -> tuple[Approach, ...]:
    """Give the approaches of a junction, people on foot left out."""
    leads: dict[str, dict[str, list[str]]] = {}
    for movement in junction.movements:
        if movement.kind is not GroupKind.PEDESTRIAN:
            by_group = leads.setdefault(movement.from_lane, {})
            by_group.setdefault(movement.group, []).append(movement.to_lane)
    return tuple(
        Approach(
            lane,
            upstream.stretch(lane, least_m),
            tuple((group, tuple(lanes)) for group, lanes in by_group.items()),
        )
        for lane, by_group in leads.items()
    )
