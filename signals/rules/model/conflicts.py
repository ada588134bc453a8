"""Which movements conflict, how, and where: from the drawn ways and, where known, a network's foes.

A merge is told from a crossing by the roads in which the ways end; ways that share no point are
merely close. Who gives way follows the network's own priorities where it states them, and else the
rules of the road: turning gives way to straight and to people on foot, left to right.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.geometry import Point, meeting
from signals.rules.model.junction import LEFTS, RIGHTS, Conflict, ConflictKind, Movement, Turn

CLOSE_M: Final = 1.5
"""Ways that come closer than this without a shared point are told of as close."""


def conflict_of(
    first: Movement,
    second: Movement,
    *,
    lines: tuple[Sequence[Point], Sequence[Point]],
    same_road: bool,
    yields: tuple[bool, bool],
) -> Conflict:
    """Give the conflict of two movements that a network calls foes.

    Parameters
    ----------
    first, second : Movement
    lines : tuple of Sequence of Point
        Their ways through the junction.
    same_road : bool
        Both end in the same road.
    yields : tuple of bool
        Whether the first and the second give way to the other.

    Notes
    -----
    Without drawn ways nothing is known of where they meet: a crossing, at the stop line of the one
    that enters and at the end of the one that clears, which is the careful assumption.
    """
    one, other = lines
    if len(one) < 2 or len(other) < 2:  # noqa: PLR2004 - a line has two ends
        kind = ConflictKind.MERGING if same_road else ConflictKind.CROSSING
        return Conflict(
            first.name,
            second.name,
            kind,
            (0.0, first.length_m),
            (0.0, second.length_m),
            yields[0],
            yields[1],
        )
    met = meeting(one, other)
    if same_road:
        kind = ConflictKind.MERGING
    else:
        kind = ConflictKind.CROSSING if met.crosses else ConflictKind.CLOSE
    return Conflict(first.name, second.name, kind, met.first_m, met.second_m, yields[0], yields[1])


def conflicts_by_geometry(
    movements: Sequence[Movement],
    road_of: Callable[[str], str],
    line_of: Callable[[Movement], Sequence[Point]],
) -> tuple[Conflict, ...]:
    """Find the conflicts of movements by their drawn ways alone.

    Parameters
    ----------
    movements : Sequence of Movement
    road_of : callable
        Name of a lane's road.
    line_of : callable
        A movement's way through the junction.

    Returns
    -------
    tuple of Conflict
        Movements out of one lane are none; cost grows with the square of the movements.
    """
    found = []
    for first, second in combinations(movements, 2):
        walks = GroupKind.PEDESTRIAN in {first.kind, second.kind}
        if first.node != second.node or (not walks and first.from_lane == second.from_lane):
            continue
        if first.kind is second.kind is GroupKind.PEDESTRIAN:
            continue
        same_road = not walks and road_of(first.to_lane) == road_of(second.to_lane)
        same_approach = not walks and road_of(first.from_lane) == road_of(second.from_lane)
        lines = (line_of(first), line_of(second))
        met = meeting(*lines)
        if not met.crosses and (same_approach or not (same_road or met.apart_m < CLOSE_M)):
            continue
        if same_approach and met.first_m[1] == 0 == met.second_m[1]:
            continue
        yields = (gives_way(first, second), gives_way(second, first))
        found.append(conflict_of(first, second, lines=lines, same_road=same_road, yields=yields))
    return tuple(found)


def gives_way(movement: Movement, other: Movement) -> bool:
    """Say whether a movement gives way to another by the rules of the road (right-hand traffic).

    Source: Road Traffic Safety Law implementing regulation, article 38 and 51(7) for turning
    against straight and right against opposite left [from memory].
    """
    ranks = (_rank(movement), _rank(other))
    if movement.kind is not GroupKind.PEDESTRIAN and other.kind is GroupKind.PEDESTRIAN:
        return movement.turn is not Turn.STRAIGHT
    return ranks[0] > ranks[1]


def _rank(movement: Movement) -> int:
    if movement.kind is GroupKind.PEDESTRIAN or movement.turn is Turn.STRAIGHT:
        return 0
    if movement.turn in LEFTS:
        return 1
    return 2 if movement.turn in RIGHTS else 0
