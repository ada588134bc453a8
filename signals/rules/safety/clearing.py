"""The intergreen that two conflicting movements need, from where their ways meet.

With the yellow that the ending movement shows, its way to the conflict, and the way of the one that
enters:

(1)  t = yellow + clearing - entering, not below the yellow
(2)  clearing = (s_c + b / 2 + l) / v_c
(3)  entering = (s_e - b / 2) / v_e

s: from the stop line to where the ways meet (the last such point for the one that clears, the first
for the one that enters); b: width of the other's way; l: length of what clears; v: speeds.
People on foot clear the whole crossing, or the part up to the refuge.

Source: RiLSA 2010, 2.7 for the form (from memory; there the crossing time takes the yellow's place)
and ITE's red clearance (w + L) / v with the entering time left out.
"""

import math
from dataclasses import dataclass
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.geometry import bearing_deg
from signals.rules.model.junction import (
    RIGHTS,
    Conflict,
    ConflictKind,
    Movement,
    SignalledJunction,
    SignalNetwork,
    Turn,
)
from signals.rules.safety.profiles import Profile

LANE_WIDTH_M: Final = 3.2
"""SUMO's lane where a network states no width."""
CROSSING_WIDTH_M: Final = 4.0
OPPOSITE_DEG: Final = 110.0
"""Approaches that point at least so far apart are opposite ones, skewed junctions included."""
BESIDE_DEG: Final = 45.0
"""Approaches that point the same way: a lane for bicycles beside the road, for one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two signal groups of which some movements conflict, seen from the first."""

    one: int
    """Place of the group that ends or is looked at."""
    other: int
    clear_s: float
    """From the end of the first's yellow to the second's green; 0 without a clearing rule."""
    yields: bool
    """The first gives way to the second in every conflict."""
    yielded_to: bool
    """The second gives way to the first in every conflict."""
    settled: bool
    """In every conflict one of them gives way, not the same one everywhere perhaps."""
    first: str
    second: str
    """Movements that need the most time, to name."""
    merging: bool
    """All of their conflicts are merges."""
    left_yields: bool
    """A left turn of the first gives way to straight on of the second."""


def clearing_s(
    conflict: Conflict,
    leaving: Movement,
    entering: Movement,
    network: SignalNetwork,
    profile: Profile,
) -> float:
    """Give equations (2) less (3) for one movement after another, not below zero."""
    if not profile.clearing:
        return 0.0
    swapped = conflict.first != leaving.name
    leaving_m = conflict.second_m if swapped else conflict.first_m
    entering_m = conflict.first_m if swapped else conflict.second_m
    out, into = profile.clearing[leaving.kind], profile.clearing[entering.kind]
    if leaving.kind is GroupKind.PEDESTRIAN:
        gone_s = crossing_m(leaving) / profile.walking_mps
    else:
        turning = leaving.turn is not Turn.STRAIGHT
        speed_mps = out.turning_mps if turning else out.straight_mps
        way_m = leaving_m[1] + width_m(entering, network) / 2 + out.length_m
        gone_s = way_m / speed_mps
    if entering.kind is GroupKind.PEDESTRIAN:
        # From whichever kerb is nearer.
        near_m = min(entering_m[0], max(entering.length_m - entering_m[1], 0.0))
    else:
        near_m = entering_m[0]
    come_m = max(near_m - width_m(leaving, network) / 2, 0.0)
    come_s = 0.0 if math.isinf(into.entering_mps) else come_m / into.entering_mps
    return max(gone_s - come_s, 0.0)


def may_give_way(
    conflict: Conflict, yielding: Movement, other: Movement, network: SignalNetwork
) -> bool:
    """Say whether a movement can be trusted to give way to another while both are green.

    Turning right into a road it can, and turning round, whoever comes; else only to opposite
    streams, to its own approach and to people on foot; straight on never where ways cross.
    """
    merges = conflict.kind is ConflictKind.MERGING
    if yielding.turn is Turn.STRAIGHT and not merges:
        return False
    if other.kind is GroupKind.PEDESTRIAN:
        return True
    if merges and yielding.turn in RIGHTS | {Turn.U_TURN}:
        return True
    apart_deg = abs(_heading_deg(yielding, network) - _heading_deg(other, network)) % 360
    apart_deg = min(apart_deg, 360 - apart_deg)
    return apart_deg >= OPPOSITE_DEG or apart_deg <= BESIDE_DEG


def _heading_deg(movement: Movement, network: SignalNetwork) -> float:
    lane = network.lanes[movement.from_lane]
    line = lane.shape if len(set(lane.shape[-2:])) > 1 else movement.path
    return bearing_deg(line[-2], line[-1]) if len(line) > 1 else 0.0


def crossing_m(movement: Movement) -> float:
    """Give how far people on foot walk before they are safe: to the refuge or the other kerb."""
    whole_m = movement.length_m
    if movement.refuge_m is None:
        return whole_m
    return max(movement.refuge_m, whole_m - movement.refuge_m)


def width_m(movement: Movement, network: SignalNetwork) -> float:
    """Give the width of a movement's way."""
    if movement.kind is GroupKind.PEDESTRIAN:
        widths = [piece.width_m for piece in movement.pieces if piece.width_m is not None]
        return widths[0] if widths else CROSSING_WIDTH_M
    lane = network.lanes.get(movement.from_lane)
    return LANE_WIDTH_M if lane is None or lane.width_m is None else lane.width_m


def pairs_of(
    junction: SignalledJunction, network: SignalNetwork, profile: Profile
) -> tuple[Pair, ...]:
    """Give the pairs of groups that must not be green together, in both directions.

    Who gives way does so where ``may_give_way`` allows it, whatever priorities a network has for
    the time without signals.

    Ways that are merely close are no conflict. Two movements of one group are not told of here:
    the group's lamps cannot part them.
    """
    place = {group.name: index for index, group in enumerate(junction.groups)}
    found: dict[tuple[int, int], Pair] = {}
    for conflict in junction.conflicts:
        if conflict.kind is ConflictKind.CLOSE:
            continue
        first, second = junction.by_name[conflict.first], junction.by_name[conflict.second]
        if first.group == second.group:
            continue
        first_yields = conflict.first_yields and may_give_way(conflict, first, second, network)
        second_yields = conflict.second_yields and may_give_way(conflict, second, first, network)
        sides = (
            (first, second, first_yields, second_yields),
            (second, first, second_yields, first_yields),
        )
        for leaving, entering, yields, yielded_to in sides:
            key = (place[leaving.group], place[entering.group])
            clear_s = clearing_s(conflict, leaving, entering, network, profile)
            merging = conflict.kind is ConflictKind.MERGING
            lefts = (
                not merging
                and yields
                and leaving.turn in {Turn.LEFT, Turn.PARTIAL_LEFT}
                and entering.turn is Turn.STRAIGHT
            )
            known = found.get(key)
            if known is None:
                found[key] = Pair(
                    *key,
                    clear_s,
                    yields,
                    yielded_to,
                    yields or yielded_to,
                    leaving.name,
                    entering.name,
                    merging,
                    lefts,
                )
                continue
            worse = clear_s > known.clear_s
            found[key] = Pair(
                *key,
                max(clear_s, known.clear_s),
                yields and known.yields,
                yielded_to and known.yielded_to,
                known.settled and (yields or yielded_to),
                leaving.name if worse else known.first,
                entering.name if worse else known.second,
                merging and known.merging,
                lefts or known.left_yields,
            )
    return tuple(found.values())
