"""Which approach and movement a count's words mean: names of roads, or compass and turn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.junction import SignalNetwork, Turn, approach_bearing_deg

CROSSING: Final = ""
"""Stands for the road to which people walk: they cross the arm."""

_COMPASS: Final = {
    "n": 0, "north": 0, "北": 0, "ne": 1, "northeast": 1, "东北": 1,
    "e": 2, "east": 2, "东": 2, "se": 3, "southeast": 3, "东南": 3,
    "s": 4, "south": 4, "南": 4, "sw": 5, "southwest": 5, "西南": 5,
    "w": 6, "west": 6, "西": 6, "nw": 7, "northwest": 7, "西北": 7,
}  # fmt: skip
_TURNS: Final = {
    "left": frozenset({Turn.LEFT, Turn.PARTIAL_LEFT}),
    "straight": frozenset({Turn.STRAIGHT}),
    "right": frozenset({Turn.RIGHT, Turn.PARTIAL_RIGHT}),
    "u_turn": frozenset({Turn.U_TURN}),
}
_TURN_WORDS: Final = {
    **{name: name for name in _TURNS},
    "through": "straight", "l": "left", "t": "straight", "r": "right", "u": "u_turn",
    "左": "left", "左转": "left", "直": "straight", "直行": "straight",
    "右": "right", "右转": "right", "掉头": "u_turn", "调头": "u_turn",
}  # fmt: skip
_CROSSING_WORDS: Final = frozenset({"crossing", "walk", "行人", "过街", "行人过街"})
_SECTOR_DEG: Final = 45.0


@dataclass(frozen=True)
class Legs:
    """A junction's ways in and out, as counts name them."""

    junction: str
    turns: Mapping[tuple[str, str], frozenset[Turn]]
    """By road from and road to."""
    lanes: Mapping[tuple[str, str], int]
    """How many lanes serve a pair of roads for those who drive."""
    bearings_deg: Mapping[str, float]
    """Where each approach's traffic comes from, clockwise from north."""
    ridden: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Pairs on which bicycles have lanes of their own."""

    def approach(self, word: str) -> str:
        """Give the road of an approach by its name or its point of the compass.

        Raises
        ------
        Invalid
            Where no approach, or more than one, is meant.
        """
        if word in self.bearings_deg:
            return word
        text = word.strip().lower().removesuffix("进口").removesuffix("进口道")
        sector = _COMPASS.get(text)
        if sector is None:
            raise Invalid(f"the junction has no approach {word[:40]}", field="approach")
        found = [
            road
            for road, bearing in self.bearings_deg.items()
            if round(bearing / _SECTOR_DEG) % 8 == sector
        ]
        if not found:
            # Few streets run true to the compass: the nearest within its four points.
            found = [
                road
                for road, bearing in self.bearings_deg.items()
                if sector % 2 == 0 and round(bearing / (2 * _SECTOR_DEG)) % 4 == sector // 2
            ]
        if len(found) != 1:
            says = "no approach" if not found else f"{len(found)} approaches"
            raise Invalid(f"the junction has {says} from {word[:40]}", field="approach")
        return found[0]

    def towards(self, road: str, word: str) -> str:
        """Give the road to which a movement leads, by its name or its turn; ``""`` on foot.

        Raises
        ------
        Invalid
            Where no movement, or more than one, is meant.
        """
        if (road, word) in self.turns:
            return word
        text = word.strip().lower()
        if text in _CROSSING_WORDS:
            return CROSSING
        turn = _TURN_WORDS.get(text)
        if turn is None:
            raise Invalid(f"no movement leads from {road} to {word[:40]}", field="movement")
        found = [
            end
            for (start, end), turns in self.turns.items()
            if start == road and turns & _TURNS[turn]
        ]
        if len(found) != 1:
            says = "no movement" if not found else f"{len(found)} movements"
            raise Invalid(f"{road} has {says} {word[:40]}: name the road", field="movement")
        return found[0]


def legs_of(network: SignalNetwork) -> dict[str, Legs]:
    """Give every junction's legs by its name."""
    found = {}
    for junction in network.junctions:
        turns: dict[tuple[str, str], set[Turn]] = {}
        lanes: dict[tuple[str, str], set[str]] = {}
        ridden: set[tuple[str, str]] = set()
        for each in junction.movements:
            if each.kind is GroupKind.PEDESTRIAN:
                continue
            pair = (network.road_of[each.from_lane].name, network.road_of[each.to_lane].name)
            turns.setdefault(pair, set()).add(each.turn)
            if each.kind is GroupKind.BICYCLE:
                ridden.add(pair)
            else:
                lanes.setdefault(pair, set()).add(each.from_lane)
        found[junction.name] = Legs(
            junction.name,
            {pair: frozenset(each) for pair, each in turns.items()},
            {pair: len(each) for pair, each in lanes.items()},
            {
                road.name: bearing
                for road in network.approaches(junction)
                if math.isfinite(bearing := approach_bearing_deg(road))
            },
            frozenset(ridden),
        )
    return found
