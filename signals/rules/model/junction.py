"""A signalled junction: roads and lanes, movements, signal groups, and which ways conflict.

Lengths are metres in the network's own plane, x to the east and y to the north. Signal groups are
in the order of SUMO's link indices, so that a state string and a junction's groups line up.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.geometry import Point, bearing_deg, joined, length_m

_MOST_SPEED_MPS: Final = 100.0


class Turn(StrEnum):
    """Where a movement leads, seen from its approach."""

    LEFT = "left"
    PARTIAL_LEFT = "partial_left"
    STRAIGHT = "straight"
    PARTIAL_RIGHT = "partial_right"
    RIGHT = "right"
    U_TURN = "u_turn"
    CROSSING = "crossing"
    """On foot across an arm."""


LEFTS: Final = frozenset({Turn.LEFT, Turn.PARTIAL_LEFT, Turn.U_TURN})
RIGHTS: Final = frozenset({Turn.RIGHT, Turn.PARTIAL_RIGHT})


class ConflictKind(StrEnum):
    """How two ways through a junction get into each other."""

    CROSSING = "crossing"
    MERGING = "merging"
    """Both end in the same road."""
    CLOSE = "close"
    """They pass beside each other with less than a lane between, as opposite left turns may."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane before or behind the junction."""

    name: str
    speed_mps: float
    length_m: float
    shape: tuple[Point, ...]
    width_m: float | None = None
    """None where the network does not say."""
    allow: tuple[str, ...] = ()
    """SUMO's vehicle classes that may use it; empty for no such list."""
    disallow: tuple[str, ...] = ()
    waiting_area: Turn | None = None
    """Marked area inside the junction where this turn waits (待行区)."""

    def __post_init__(self) -> None:
        _within("speed_mps", self.speed_mps, _MOST_SPEED_MPS)
        _within("length_m", self.length_m)
        if self.width_m is not None:
            _within("width_m", self.width_m)


@dataclass(frozen=True, slots=True)
class Road:
    """One direction of a street; its lanes from the kerb to the middle."""

    name: str
    start: str
    end: str
    lanes: tuple[Lane, ...]

    def __post_init__(self) -> None:
        _once((lane.name for lane in self.lanes), f"roads.{self.name}.lanes")


@dataclass(frozen=True, slots=True)
class PathPiece:
    """A part of the way through a junction: one internal lane."""

    name: str
    speed_mps: float
    length_m: float
    shape: tuple[Point, ...]
    width_m: float | None = None

    def __post_init__(self) -> None:
        _within("speed_mps", self.speed_mps, _MOST_SPEED_MPS)


@dataclass(frozen=True, slots=True)
class Movement:
    """One way from a lane to a lane that a signal group releases."""

    name: str
    group: str
    node: str
    from_lane: str
    to_lane: str
    turn: Turn
    kind: GroupKind
    pieces: tuple[PathPiece, ...] = ()
    refuge_m: float | None = None
    """Crossings: distance from the kerb to the refuge in the middle; None where there is none."""

    @property
    def path(self) -> tuple[Point, ...]:
        """The way from the stop line on; empty where the network draws none."""
        return joined([piece.shape for piece in self.pieces])

    @property
    def length_m(self) -> float:
        """Length of the way through the junction."""
        return length_m(self.path)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two movements that get into each other, and who gives way where both may go."""

    first: str
    second: str
    kind: ConflictKind
    first_m: tuple[float, float]
    """From the first's stop line to the first and to the last point that they share."""
    second_m: tuple[float, float]
    first_yields: bool
    second_yields: bool


@dataclass(frozen=True, slots=True)
class LampChange:
    """A lamp shown on the way from red to green or back, and for how long."""

    aspect: Aspect
    duration_s: float


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """Lamps that always show the same, and how they gain and lose green."""

    name: str
    kind: GroupKind
    gaining: tuple[LampChange, ...] = ()
    """Between red and green."""
    losing: tuple[LampChange, ...] = (LampChange(Aspect.YELLOW, 3.0),)
    """Between green and red, the flashing end of the green included."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place where roads meet. Several nodes can share one controller."""

    name: str
    position: Point
    type: str
    shape: tuple[Point, ...] = ()


@dataclass(frozen=True)
class SignalledJunction:
    """What one controller switches.

    Raises
    ------
    Invalid
        On a name used twice, or a movement or conflict that names what is not there.
    """

    name: str
    nodes: tuple[Node, ...]
    groups: tuple[ModelGroup, ...]
    movements: tuple[Movement, ...]
    conflicts: tuple[Conflict, ...]

    def __post_init__(self) -> None:
        where = f"junctions.{self.name}"
        _once((group.name for group in self.groups), f"{where}.groups")
        _once((movement.name for movement in self.movements), f"{where}.movements")
        groups = {group.name for group in self.groups}
        for movement in self.movements:
            if movement.group not in groups:
                raise Invalid(
                    f"has no signal group {movement.group}",
                    field=f"{where}.movements.{movement.name}",
                )
        names = {movement.name for movement in self.movements}
        for conflict in self.conflicts:
            for name in (conflict.first, conflict.second):
                if name not in names:
                    raise Invalid(f"has no movement {name}", field=f"{where}.conflicts")

    @cached_property
    def by_name(self) -> dict[str, Movement]:
        """Movements by their names."""
        return {movement.name: movement for movement in self.movements}

    @cached_property
    def released(self) -> dict[str, tuple[Movement, ...]]:
        """Movements by their signal groups; a group may have none."""
        found: dict[str, list[Movement]] = {group.name: [] for group in self.groups}
        for movement in self.movements:
            found[movement.group].append(movement)
        return {name: tuple(movements) for name, movements in found.items()}


@dataclass(frozen=True)
class SignalNetwork:
    """Signalled junctions and the roads at them.

    Raises
    ------
    Invalid
        On a name used twice, or a movement of a lane that is not there.
    """

    roads: tuple[Road, ...]
    junctions: tuple[SignalledJunction, ...]

    def __post_init__(self) -> None:
        _once((road.name for road in self.roads), "roads")
        _once((junction.name for junction in self.junctions), "junctions")
        for junction in self.junctions:
            for movement in junction.movements:
                ends = (movement.from_lane, movement.to_lane)
                missing = [lane for lane in ends if lane not in self.lanes]
                if movement.kind is not GroupKind.PEDESTRIAN and missing:
                    raise Invalid(
                        f"has no lane {missing[0]}",
                        field=f"junctions.{junction.name}.movements.{movement.name}",
                    )

    @cached_property
    def lanes(self) -> dict[str, Lane]:
        """Every lane by its name."""
        return {lane.name: lane for road in self.roads for lane in road.lanes}

    @cached_property
    def road_of(self) -> dict[str, Road]:
        """The road of every lane, by the lane's name."""
        return {lane.name: road for road in self.roads for lane in road.lanes}

    @cached_property
    def junction_of(self) -> dict[str, SignalledJunction]:
        """Junctions by their names."""
        return {junction.name: junction for junction in self.junctions}

    def approaches(self, junction: SignalledJunction) -> tuple[Road, ...]:
        """Give the roads that lead to a junction's stop lines."""
        names = {
            self.road_of[movement.from_lane].name: None
            for movement in junction.movements
            if movement.from_lane in self.road_of
        }
        return tuple(road for road in self.roads if road.name in names)

    def lane_functions(self, junction: SignalledJunction) -> dict[str, tuple[Turn, ...]]:
        """Give the turns out of every lane before the stop lines, a shared lane several."""
        found: dict[str, dict[Turn, None]] = {}
        for movement in junction.movements:
            if movement.kind is not GroupKind.PEDESTRIAN:
                found.setdefault(movement.from_lane, {})[movement.turn] = None
        return {lane: tuple(turns) for lane, turns in found.items()}


def approach_bearing_deg(road: Road) -> float:
    """Give where a road's traffic comes from, clockwise from north."""
    shape = road.lanes[0].shape
    return bearing_deg(shape[-1], shape[-2])


def describe(network: SignalNetwork, movement: Movement) -> str:
    """Say which way a movement leads, by the names of its roads."""
    if movement.kind is GroupKind.PEDESTRIAN:
        return f"crossing {movement.from_lane} to {movement.to_lane}"
    start = network.road_of[movement.from_lane].name
    end = network.road_of[movement.to_lane].name
    return f"{start} {movement.turn.value.replace('_', ' ')} to {end}"


def _within(field: str, value: float, most: float = math.inf) -> None:
    # Written so that NaN fails too.
    if not (0 < value <= most and math.isfinite(value)):
        raise Invalid("must be positive", field=field)


def _once(names: Iterable[str], field: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise Invalid(f"holds {twice[0]} twice", field=field)
