"""Fixed-time plans of the demo town's junctions, timed after Webster from invented flows.

Through and left of opposite arms run together, lefts before their arm's own stage where a
street is wide enough for a lane of their own. Every arm has a crossing for pedestrians, green with
the arms beside it, and a bicycle lane, green with its own arm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from city.streets import StreetClass
from signals.rules.junctions import (
    Approach,
    FixedPlan,
    GroupKind,
    Junction,
    SignalGroup,
    Stage,
)
from signals.rules.timing import MovementFlow, StageDemand, critical_flow_ratio, time_stages
from web.demo.bays import BICYCLE_LANE_M, LANE_WIDTH_M, bearing_deg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from city.streets import StreetLink
    from web.demo.town import DemoJunction, Town

SATURATION_VPH: Final = 1_650.0
"""Of one lane with turning and mixed traffic."""
LANE_FLOWS_VPH: Final = {
    StreetClass.ARTERIAL: (250.0, 370.0),
    StreetClass.SUB_ARTERIAL: (120.0, 240.0),
    StreetClass.LOCAL: (40.0, 110.0),
}
"""Least and most arriving in a lane in a busy hour."""
LEFT_SHARE: Final = 0.16
LEFT_LANE_FROM_LANES: Final = 3
WALKING_MPS: Final = 1.2
WALKERS_START_S: Final = 6
LEFT_GREEN_S: Final = 8
VEHICLE_GREEN_S: Final = 12
YELLOW_S: Final = 3
ALL_RED_S: Final = 2
SIDES: Final = ("north", "east", "south", "west")


@dataclass(frozen=True, slots=True)
class Arm:
    """A side of a junction that traffic comes from, and how much in a busy hour."""

    side: str
    link: StreetLink
    bearing_deg: float
    flow_vph: float

    @property
    def has_left_lane(self) -> bool:
        """Tell whether left turns have a lane of their own."""
        return self.link.lanes >= LEFT_LANE_FROM_LANES

    @property
    def walk_s(self) -> int:
        """Seconds to walk across the arm, both carriageways and bicycle lanes."""
        width_m = 2 * (self.link.lanes * LANE_WIDTH_M + BICYCLE_LANE_M)
        return math.ceil(width_m / WALKING_MPS)


def lay_junctions(town: Town) -> tuple[Junction, ...]:
    """Return the signalled junctions with their approaches, lamps and plans.

    The same town gives the same plans.
    """
    arms = arms_at(town)
    return tuple(_junction(town, each, arms[each.node]) for each in town.junctions)


def arms_at(town: Town) -> dict[str, Mapping[str, Arm]]:
    """Give the arms of every signalled node by their sides; the same town gives the same."""
    random = Random(town.seed + 5)  # noqa: S311 - a town, not a secret
    arriving: dict[str, list[StreetLink]] = {}
    for link in town.network.links.values():
        arriving.setdefault(link.end, []).append(link)
    return {each.node: _arms(arriving[each.node], random) for each in town.junctions}


def _junction(town: Town, junction: DemoJunction, arms: Mapping[str, Arm]) -> Junction:
    return Junction(
        junction_id=junction.junction_id,
        code=junction.code,
        name_zh=junction.name.zh,
        name_en=junction.name.en,
        position=town.network.nodes[junction.node].position,
        district=junction.district,
        approaches=tuple(
            Approach(arm.side, arm.bearing_deg, arm.link.lanes, arm.link.id)
            for arm in arms.values()
        ),
        plan=_plan(arms),
    )


def _arms(links: Sequence[StreetLink], random: Random) -> Mapping[str, Arm]:
    """Name each arm by the side of the compass that its traffic comes from."""
    arms: dict[str, Arm] = {}
    for link in sorted(links, key=lambda each: each.id):
        bearing = round(bearing_deg(link.geometry[-1], link.geometry[-2]), 1) % 360
        side = SIDES[round(bearing / 90) % 4]
        flow_vph = link.lanes * random.uniform(*LANE_FLOWS_VPH[link.street_class])
        arms[side] = Arm(side, link, bearing, flow_vph)
    return {side: arms[side] for side in SIDES if side in arms}


def _plan(arms: Mapping[str, Arm]) -> FixedPlan:
    groups: list[SignalGroup] = []
    for arm in arms.values():
        groups.append(SignalGroup(f"{arm.side}-vehicles", GroupKind.VEHICLE, arm.side))
        if has_left_stage(arm, arms):
            groups.append(SignalGroup(f"{arm.side}-left", GroupKind.VEHICLE, arm.side))
        groups.append(SignalGroup(f"{arm.side}-bicycles", GroupKind.BICYCLE, arm.side))
        groups.append(
            SignalGroup(
                f"{arm.side}-crossing",
                GroupKind.PEDESTRIAN,
                arm.side,
                flashing_green_s=arm.walk_s,
            )
        )
    demands: list[StageDemand] = []
    green: dict[str, tuple[str, ...]] = {}
    for axis, across in (
        (("north", "south"), ("east", "west")),
        (("east", "west"), ("north", "south")),
    ):
        mine = [arms[side] for side in axis if side in arms]
        beside = [arms[side] for side in across if side in arms]
        lefts = [arm for arm in mine if has_left_stage(arm, arms)]
        if lefts:
            name = f"{axis[0]}-{axis[1]}-left"
            flows = [MovementFlow(arm.flow_vph * LEFT_SHARE, SATURATION_VPH) for arm in lefts]
            demands.append(_demand(name, flows, LEFT_GREEN_S))
            green[name] = tuple(f"{arm.side}-left" for arm in lefts)
        name = f"{axis[0]}-{axis[1]}"
        flows = [_through(arm, protected=arm in lefts) for arm in mine]
        walk_s = max((arm.walk_s for arm in beside), default=0)
        demands.append(_demand(name, flows, max(VEHICLE_GREEN_S, walk_s + WALKERS_START_S)))
        green[name] = (
            *(f"{arm.side}-vehicles" for arm in mine),
            *(f"{arm.side}-bicycles" for arm in mine),
            *(f"{arm.side}-crossing" for arm in beside),
        )
    timing = time_stages(demands, min_cycle_s=60, max_cycle_s=150)
    return FixedPlan(
        tuple(groups),
        tuple(
            Stage(each.name, green[each.name], each.green_s, each.yellow_s, each.all_red_s)
            for each in timing.stages
        ),
    )


def has_left_stage(arm: Arm, arms: Mapping[str, Arm]) -> bool:
    """Tell whether left turns get a stage: a lane of their own, a street to turn into."""
    left_of = SIDES[(SIDES.index(arm.side) + 1) % 4]
    return arm.has_left_lane and left_of in arms


def _through(arm: Arm, *, protected: bool) -> MovementFlow:
    lanes = arm.link.lanes - 1 if protected else arm.link.lanes
    share = 1 - LEFT_SHARE if protected else 1.0
    return MovementFlow(arm.flow_vph * share, lanes * SATURATION_VPH)


def _demand(name: str, flows: Sequence[MovementFlow], min_green_s: int) -> StageDemand:
    return StageDemand(
        name, critical_flow_ratio(flows), min_green_s, yellow_s=YELLOW_S, all_red_s=ALL_RED_S
    )
