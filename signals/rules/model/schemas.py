"""The members of Greenbay's JSON of signals, as pydantic checks them."""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from signals.rules.documents import Document
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.junction import ConflictKind, Turn

FORMAT: Final = "greenbay-signals/1"

Number = Annotated[float, Field(allow_inf_nan=False)]
_Point = tuple[Number, Number]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Line = Annotated[list[_Point], Field(min_length=2, max_length=1_000)]


class LaneDocument(Document):
    """A lane before or behind the junction; metres and metres a second."""

    name: _Name
    speed_mps: Number
    shape: _Line
    length_m: Number | None = None
    width_m: Number | None = None
    allow: list[str] = Field(default_factory=list)
    disallow: list[str] = Field(default_factory=list)
    waiting_area: Turn | None = None


class RoadDocument(Document):
    """One direction of a street, lanes from the kerb."""

    name: _Name
    start: str = ""
    end: str = ""
    lanes: list[LaneDocument] = Field(min_length=1)


class PieceDocument(Document):
    """A part of a way through the junction."""

    name: Annotated[str, Field(pattern=r"^:.+_\d+$", max_length=200)] | None = None
    shape: _Line
    speed_mps: Number | None = None
    length_m: Number | None = None
    width_m: Number | None = None


class MovementDocument(Document):
    """One way from a lane to a lane."""

    name: _Name | None = None
    group: _Name
    node: str | None = None
    from_lane: _Name
    to_lane: _Name
    turn: Turn
    kind: GroupKind = GroupKind.VEHICLE
    path: list[PieceDocument] = Field(default_factory=list)
    refuge_m: Number | None = None


class ConflictDocument(Document):
    """Two movements that get into each other."""

    first: _Name
    second: _Name
    kind: ConflictKind
    first_m: tuple[Number, Number]
    second_m: tuple[Number, Number]
    first_yields: bool
    second_yields: bool


class ChangeDocument(Document):
    """A lamp between red and green or back."""

    aspect: Aspect
    duration_s: Number


class GroupDocument(Document):
    """Lamps that always show the same."""

    name: _Name
    kind: GroupKind = GroupKind.VEHICLE
    gaining: list[ChangeDocument] = Field(default_factory=list)
    losing: list[ChangeDocument] | None = None


class NodeDocument(Document):
    """A place where roads meet."""

    name: _Name
    position_m: _Point
    type: str = "traffic_light"
    shape: list[_Point] = Field(default_factory=list)


class JunctionDocument(Document):
    """What one controller switches."""

    name: _Name
    nodes: list[NodeDocument] = Field(default_factory=list)
    groups: list[GroupDocument] = Field(min_length=1)
    movements: list[MovementDocument] = Field(min_length=1)
    conflicts: list[ConflictDocument] | None = None


class IntervalDocument(Document):
    """A part of the cycle in which nothing changes; groups not named are red."""

    duration_s: Number
    shows: dict[str, Aspect]
    name: str = ""
    least_s: Number | None = None
    most_s: Number | None = None
    extra: dict[str, str] = Field(default_factory=dict)


class RingPhaseDocument(Document):
    """A phase of a ring."""

    name: _Name
    groups: list[_Name]
    green_s: Number
    change_s: Number


class OverlapDocument(Document):
    """A signal group that is green with several phases."""

    group: _Name
    phases: list[_Name]


class RingsDocument(Document):
    """Sides of a barrier, of each its rings, of each its phases."""

    sides: Annotated[
        list[Annotated[list[Annotated[list[RingPhaseDocument], Field(max_length=16)]],
                       Field(max_length=8)]],
        Field(max_length=8),
    ]  # fmt: skip
    overlaps: list[OverlapDocument] = Field(default_factory=list)


class PlanDocument(Document):
    """A programme: intervals, stages as `timing` writes them, or rings and barriers.

    With rings the intervals may be left out; where they are given, the checker holds them to the
    rings.
    """

    junction: _Name
    name: str = "0"
    offset_s: Number = 0.0
    control: str = "static"
    groups: list[str] | None = None
    intervals: list[IntervalDocument] | None = None
    stages: JsonValue = None
    rings: RingsDocument | None = None
    params: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, str] = Field(default_factory=dict)


class FileDocument(Document):
    """A network, plans, or both."""

    format: Literal["greenbay-signals/1"] = FORMAT
    roads: list[RoadDocument] = Field(default_factory=list)
    junctions: list[JunctionDocument] = Field(default_factory=list)
    plans: list[PlanDocument] = Field(default_factory=list)
