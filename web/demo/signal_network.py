"""The demo town's signals drawn lane by lane: roads, ways through junctions, plans, demand.

Every arm has lanes for cars, a bicycle lane beside the kerb and a crossing, with a refuge where
there are two lanes or more. Lanes follow the street's own line, to the right of its middle; ways
through a junction are curves from lane to lane. Metres in a plane around the town's centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from signals.rules.junctions import GroupKind
from signals.rules.model.documents import network_from_json
from signals.rules.model.stages import GreenStage, flashing_s, programme_from_stages
from signals.rules.safety.case import intergreens, prepare, yielding
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import GB
from web.demo.bays import BICYCLE_LANE_M, LANE_WIDTH_M
from web.demo.signal_plans import LEFT_SHARE, SIDES, Arm, arms_at, has_left_stage
from web.demo.town import CENTRE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from city.places import Position
    from city.streets import StreetLink
    from signals.rules.junctions import Junction
    from signals.rules.model.junction import SignalNetwork
    from signals.rules.model.plans import Programme
    from web.demo.town import Town

CODE: Final = "linjiang"
SETBACK_M: Final = 10.0
"""From the edge of the crossing street to the stop line."""
CROSSING_BEFORE_M: Final = 5.0
"""The crossing lies so far beyond the stop line."""
WALKING_MPS: Final = 1.2
RIGHT_SHARE: Final = 0.14
EARTH_M: Final = 6_371_008.8
CURVE_POINTS: Final = 6
CYCLE_S: Final = 96.0
"""Of all junctions, so that they can be coordinated."""
LEAST_LEFT_S: Final = 9.0
LEAST_THROUGH_S: Final = 16.0
WALK_S: Final = 7.0
BUSY: Final = 0.62
"""Of the flows that the junctions were first timed for: what a weekday's peak brings."""
KPH: Final = 3.6

Point = tuple[float, float]
Flow = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class DemoSignals:
    """The town's signals: network, what the controllers run, who drives where in a busy hour."""

    network: SignalNetwork
    plans: tuple[Programme, ...]
    flows: tuple[Flow, ...]
    titles: Mapping[str, tuple[str, str]]


def draw_signals(town: Town, junctions: Sequence[Junction]) -> DemoSignals:
    """Draw the signals of the town; the same town gives the same signals."""
    arms = arms_at(town)
    drawer = _Drawer(town, arms)
    document: dict[str, Any] = {"roads": [], "junctions": []}
    flows: list[Flow] = []
    for junction in town.junctions:
        document["junctions"].append(drawer.junction(junction.code, junction.node))
        flows += drawer.flows(junction.node)
    document["roads"] = list(drawer.roads.values())
    network = network_from_json(document)
    greens = {each.code: each for each in junctions}
    plans = tuple(
        _plan(network, junction.code, greens[junction.code]) for junction in town.junctions
    )
    titles = {each.code: (each.name.zh, each.name.en) for each in town.junctions}
    return DemoSignals(network, plans, tuple(flows), titles)


class _Drawer:
    """Draws roads once, for both junctions that they may lie between."""

    def __init__(self, town: Town, arms: Mapping[str, Mapping[str, Arm]]) -> None:
        self._links = town.network.links
        self._arms = arms
        self.roads: dict[str, dict[str, Any]] = {}

    def junction(self, code: str, node: str) -> dict[str, Any]:
        """Give a junction's document, its roads being drawn beside it."""
        arms = self._arms[node]
        movements: list[dict[str, Any]] = []
        for side, arm in arms.items():
            movements += self._driven(side, arm, arms)
            movements.append(self._walked(side, arm))
        names = list(dict.fromkeys(each["group"] for each in movements))
        kinds = {each["group"]: each["kind"] for each in movements}
        flashing = {
            each["group"]: math.ceil(_walk_m(each) / WALKING_MPS)
            for each in movements
            if each["kind"] == "pedestrian"
        }
        groups = [
            {
                "name": name,
                "kind": kinds[name],
                "losing": _losing(kinds[name], flashing.get(name, 3)),
            }
            for name in names
        ]
        middle = next(iter(arms.values())).link.geometry[-1]
        return {
            "name": code,
            "nodes": [{"name": code, "position_m": _plane(middle)}],
            "groups": groups,
            "movements": movements,
        }

    def flows(self, node: str) -> list[Flow]:
        """Give the flows of a junction in a busy hour, by the turns that its arms allow."""
        arms = self._arms[node]
        found: list[Flow] = []
        for side, arm in arms.items():
            shares = {
                _turned(side, 2): 1 - LEFT_SHARE - RIGHT_SHARE,
                _turned(side, 1): LEFT_SHARE,
                _turned(side, 3): RIGHT_SHARE,
            }
            open_ = {other: share for other, share in shares.items() if other in arms}
            total = sum(open_.values())
            found += [
                (arm.link.id, _out(arms[other].link), round(BUSY * arm.flow_vph * share / total, 1))
                for other, share in open_.items()
            ]
        return found

    def _driven(self, side: str, arm: Arm, arms: Mapping[str, Arm]) -> list[dict[str, Any]]:
        own = self._road(arm.link.id)
        count = arm.link.lanes
        group = f"{side}-vehicles"
        left_apart = has_left_stage(arm, arms)
        # Where nobody goes straight on, left and right share the lanes.
        opposite = _turned(side, 2) in arms
        half = max(count // 2, 1)
        found: list[dict[str, Any]] = []
        for turn, steps in (("right", 3), ("straight", 2), ("left", 1)):
            other = _turned(side, steps)
            if other not in arms:
                continue
            into = self._road(_out(arms[other].link))
            room = arms[other].link.lanes
            # Lanes from the kerb, behind the bicycles'.
            if turn == "right":
                pairs = [(1, 1)] if opposite else [(lane, lane) for lane in range(1, half + 1)]
            elif turn == "left":
                lefts = [count] if opposite else range(half + 1 if count > 1 else 1, count + 1)
                pairs = [(lane, room - (count - lane)) for lane in lefts]
            else:
                last = count - 1 if left_apart else count
                pairs = [(lane, min(lane, room)) for lane in range(1, last + 1)]
                pairs = pairs[:room] or [(count, room)]
            for start, end in pairs:
                if end < 1:
                    continue
                name = f"{side}-left" if turn == "left" and left_apart else group
                found.append(_way((own, start), (into, end), name, turn, "vehicle"))
            if turn == "straight" or (turn == "right" and not opposite):
                bikes = f"{side}-bicycles"
                found.append(_way((own, 0), (into, 0), bikes, turn, "bicycle"))
        return found

    def _walked(self, side: str, arm: Arm) -> dict[str, Any]:
        inward = self._road(arm.link.id)["lanes"][0]["shape"]
        half_m = (LANE_WIDTH_M * arm.link.lanes + BICYCLE_LANE_M) * 2
        heading = _unit(inward[-2], inward[-1])
        kerb = BICYCLE_LANE_M / 2
        right: Point = (heading[1], -heading[0])
        begin = _moved(inward[-1], heading, CROSSING_BEFORE_M, right, kerb)
        end = _moved(begin, heading, 0.0, right, -half_m)
        crossing: dict[str, Any] = {
            "group": f"{side}-crossing",
            "from_lane": f"{side} kerb inbound",
            "to_lane": f"{side} kerb outbound",
            "turn": "crossing",
            "kind": "pedestrian",
            "path": [{"shape": [begin, end], "width_m": 4.0}],
        }
        if arm.link.lanes > 1:
            crossing["refuge_m"] = half_m / 2
        return crossing

    def _road(self, link_id: str) -> dict[str, Any]:
        """Give a road, drawn where it was not yet."""
        if link_id not in self.roads:
            link = self._links[link_id]
            line = [_plane(each) for each in link.geometry]
            line = _cut(line, self._setback_m(link.start), self._setback_m(link.end))
            offsets = [
                LANE_WIDTH_M * link.lanes + BICYCLE_LANE_M / 2,
                *(LANE_WIDTH_M * (link.lanes - lane - 0.5) for lane in range(link.lanes)),
            ]
            self.roads[link_id] = {
                "name": link_id,
                "start": link.start,
                "end": link.end,
                "lanes": [
                    {
                        "name": f"{link_id}_{place}",
                        "speed_mps": link.speed_kph / KPH,
                        "shape": _beside(line, offset_m),
                        "width_m": LANE_WIDTH_M if place else BICYCLE_LANE_M,
                        **({} if place else {"allow": ["bicycle"]}),
                    }
                    for place, offset_m in enumerate(offsets)
                ],
            }
        return self.roads[link_id]

    def _setback_m(self, node: str) -> float:
        if node not in self._arms:
            return 0.0
        widest = max(arm.link.lanes for arm in self._arms[node].values())
        return LANE_WIDTH_M * widest + BICYCLE_LANE_M + SETBACK_M


def _plan(network: SignalNetwork, code: str, junction: Junction) -> Programme:
    """Give what a controller runs at first: the invented stages with intergreens as they must be.

    Greens are cut until nobody on foot waits too long.
    """
    known = network.junction_of[code]
    case = prepare(known, network, GB)
    flash_s = {group.name: flashing_s(group) for group in known.groups}
    walks = {each.name for each in known.groups if each.kind is GroupKind.PEDESTRIAN}
    if junction.plan is None:
        raise ValueError(f"{code} was laid without a plan")
    stages, least = [], []
    for stage in junction.plan.stages:
        groups = frozenset(stage.groups) & flash_s.keys()
        least_s = LEAST_THROUGH_S if walks & groups else LEAST_LEFT_S
        needed_s = max((flash_s[name] + WALK_S for name in groups & walks), default=0.0)
        least.append(max(least_s, needed_s))
        stages.append(GreenStage(stage.name, groups, max(float(stage.green_s), least[-1])))
    matrix, gives = intergreens(case), yielding(case)

    def made(chosen: Sequence[GreenStage]) -> Programme:
        return programme_from_stages(
            known,
            "day",
            chosen,
            intergreen=lambda ended, started: matrix.get((ended, started), 0.0),
            yields=lambda one, other: (one, other) in gives,
        )

    while True:
        found = made(stages)
        room = [each.green_s - least_s for each, least_s in zip(stages, least, strict=True)]
        fits = found.cycle_s <= CYCLE_S and not check_programme(case, found).violations
        if fits or max(room) < 1:
            break
        place = room.index(max(room))
        stages[place] = replace(stages[place], green_s=stages[place].green_s - 1)
    # One cycle for the whole town, where it can be had: else there are no green waves.
    main = [place for place, stage in enumerate(stages) if walks & stage.groups]
    spare_s = CYCLE_S - found.cycle_s
    longer = [
        replace(stage, green_s=stage.green_s + (spare_s // len(main) if place in main else 0.0))
        for place, stage in enumerate(stages)
    ]
    longer[main[0]] = replace(
        longer[main[0]], green_s=longer[main[0]].green_s + spare_s % len(main)
    )
    common = made(longer)
    return common if spare_s > 0 and not check_programme(case, common).violations else found


def _way(
    start: tuple[dict[str, Any], int],
    end: tuple[dict[str, Any], int],
    group: str,
    turn: str,
    kind: str,
) -> dict[str, Any]:
    first, last = start[0]["lanes"][start[1]], end[0]["lanes"][end[1]]
    return {
        "group": group,
        "from_lane": first["name"],
        "to_lane": last["name"],
        "turn": turn,
        "kind": kind,
        "path": [{"shape": _curve(first["shape"], last["shape"])}],
    }


def _losing(kind: str, flashing: int) -> list[dict[str, Any]]:
    flash = {"aspect": "flashing_green", "duration_s": flashing}
    return [flash] if kind == "pedestrian" else [flash, {"aspect": "yellow", "duration_s": 3}]


def _walk_m(crossing: Mapping[str, Any]) -> float:
    """Give how far one walks to safety: to the refuge or the other kerb."""
    (begin, end) = crossing["path"][0]["shape"]
    whole_m = math.dist(begin, end)
    refuge_m = crossing.get("refuge_m")
    return whole_m if refuge_m is None else max(refuge_m, whole_m - refuge_m)


def _turned(side: str, steps: int) -> str:
    return SIDES[(SIDES.index(side) + steps) % len(SIDES)]


def _out(link: StreetLink) -> str:
    """Give the other direction of a link."""
    return f"{link.end}-{link.start}"


def _plane(at: Position) -> Point:
    parallel_m = EARTH_M * math.cos(math.radians(CENTRE.latitude))
    return (
        round(math.radians(at.longitude - CENTRE.longitude) * parallel_m, 2),
        round(math.radians(at.latitude - CENTRE.latitude) * EARTH_M, 2),
    )


def _unit(start: Point, end: Point) -> Point:
    length = math.dist(start, end)
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _moved(at: Point, along: Point, ahead_m: float, aside: Point, aside_m: float) -> Point:
    return (
        round(at[0] + along[0] * ahead_m + aside[0] * aside_m, 2),
        round(at[1] + along[1] * ahead_m + aside[1] * aside_m, 2),
    )


def _cut(line: Sequence[Point], first_m: float, last_m: float) -> list[Point]:
    """Give a line without so much at its ends."""
    found = _without(list(line), first_m)
    return _without(found[::-1], last_m)[::-1]


def _without(line: list[Point], cut_m: float) -> list[Point]:
    left_m = cut_m
    for place, (here, there) in enumerate(pairwise(line)):
        length = math.dist(here, there)
        if length > left_m:
            share = left_m / length
            point = (
                here[0] + (there[0] - here[0]) * share,
                here[1] + (there[1] - here[1]) * share,
            )
            return [point, *line[place + 1 :]]
        left_m -= length
    return line[-2:]


def _beside(line: Sequence[Point], right_m: float) -> list[Point]:
    """Give the line so far to the right of another."""
    found = []
    for place, point in enumerate(line):
        before, after = line[max(place - 1, 0)], line[min(place + 1, len(line) - 1)]
        along = _unit(before, after)
        found.append(_moved(point, along, 0.0, (along[1], -along[0]), right_m))
    return found


def _curve(first: Sequence[Point], last: Sequence[Point]) -> list[Point]:
    """Give a smooth way from the end of a lane to the beginning of another."""
    start, end = first[-1], last[0]
    out, into = _unit(first[-2], first[-1]), _unit(last[0], last[1])
    reach = math.dist(start, end) * 0.4
    one = (start[0] + out[0] * reach, start[1] + out[1] * reach)
    two = (end[0] - into[0] * reach, end[1] - into[1] * reach)
    found = []
    for step in range(CURVE_POINTS + 1):
        t = step / CURVE_POINTS
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        found.append(
            (
                round(
                    sum(w * p[0] for w, p in zip(weights, (start, one, two, end), strict=True)), 2
                ),
                round(
                    sum(w * p[1] for w, p in zip(weights, (start, one, two, end), strict=True)), 2
                ),
            )
        )
    return found
