"""Where the detectors of an approach lie: one at each stop line, one far enough upstream of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.adaptive.detectors import Detector
from signals.rules.model.sumo_net import SumoFile

STOP_M: Final = 2.0
"""Before the stop line: under whoever stands there first."""
ADVANCE_M: Final = 150.0
"""Eleven seconds at 50 km/h: a change and a least green; and room for twenty cars between."""
_LEAST_M: Final = 25.0
"""Closer to the stop line a second detector says nothing new."""
_ENTRY_M: Final = 20.0
"""From where a lane begins: who turns in or starts there is whole and in lane by then."""
_INNER: Final = {"internal", "crossing", "walkingarea"}


@dataclass(frozen=True, slots=True)
class _Before:
    """A lane that leads to another."""

    lane: str
    straight: bool


class Layout:
    """Lanes, their lengths, speeds and what leads to them."""

    def __init__(self, roads: SumoFile) -> None:
        lanes = {
            (edge.name, lane.index): lane
            for edge in roads.edges.values()
            if edge.function not in _INNER
            for lane in edge.lanes
        }
        self.length_m = {lane.name: lane.length_m for lane in lanes.values()}
        self._speed_mps = {lane.name: max(lane.speed_mps, 1.0) for lane in lanes.values()}
        self._before: dict[str, list[_Before]] = {}
        for each in roads.connections:
            start = lanes.get((each.start, each.start_lane))
            end = lanes.get((each.end, each.end_lane))
            if start is None or end is None or each.signal is not None or each.direction == "t":
                continue
            found = _Before(start.name, each.direction == "s")
            self._before.setdefault(end.name, []).append(found)

    def stop(self, lane: str) -> Detector:
        """Give the detector at a lane's stop line."""
        at_m = min(STOP_M, self.length_m[lane] / 2)
        return Detector(f"stop {lane}", lane, at_m, at_m)

    def advance(self, lane: str) -> tuple[Detector, float] | None:
        """Give the detector upstream and the free travel time to the stop line; None: no room.

        Upstream of a short lane it lies on the one that goes straight on into it, never across a
        signal.
        """
        here, before_m, travel_s = lane, 0.0, 0.0
        seen = {lane}
        while before_m + self.length_m[here] < ADVANCE_M:
            ways = self._before.get(here, [])
            straight = [way.lane for way in ways if way.straight] or [way.lane for way in ways]
            if len(straight) != 1 or straight[0] in seen:
                break
            before_m += self.length_m[here]
            travel_s += self.length_m[here] / self._speed_mps[here]
            here = straight[0]
            seen.add(here)
        from_end_m = min(ADVANCE_M - before_m, max(self.length_m[here] - _ENTRY_M, 0.0))
        if before_m + from_end_m < _LEAST_M:
            return None
        travel_s += from_end_m / self._speed_mps[here]
        found = Detector(f"advance {here}", here, before_m + from_end_m, from_end_m)
        return found, travel_s


def shares_of(
    fed: Mapping[str, Sequence[str]], flow_per_s: Mapping[str, float]
) -> dict[str, float]:
    """Give the share of those who pass a detector that come to each of the lanes that it serves."""
    found = {}
    for lanes in fed.values():
        total = sum(flow_per_s[lane] for lane in lanes)
        for lane in lanes:
            found[lane] = flow_per_s[lane] / total if total > 0 else 1 / len(lanes)
    return found
