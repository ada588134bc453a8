"""Studies of junctions: other functions of lanes, or no signal at all."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, Outgoing, PageQuery
from web.api.schemas.signals import (
    ProfileName,
    SignalDemandOut,
    SignalFlowIn,
    SignalName,
    SignalOutlookOut,
)

Turn = Literal["left", "partial_left", "straight", "partial_right", "right", "u_turn"]
Title = Annotated[str, Field(min_length=1, max_length=120)]


class LaneWayIn(Incoming):
    """A turn into a road."""

    turn: Turn
    to_road: SignalName


class LaneWayOut(Outgoing):
    """A turn into a road."""

    turn: Turn
    to_road: str


class LaneWayHereOut(LaneWayOut):
    """A turn out of an approach, and who takes it."""

    flow_vph: Annotated[float | None, Field(description="null where nobody told")]
    most_lanes: int


class ApproachLanesOut(Outgoing):
    """An approach; its lanes from the kerb to the middle, its turns from right to left."""

    road: str
    bearing_deg: Annotated[float, Field(description="Where its traffic comes from")]
    lanes: list[str]
    functions: list[list[LaneWayOut]]
    ways: list[LaneWayHereOut]


class SignalLanesOut(Outgoing):
    """What a junction's lanes are for."""

    demand: Annotated[SignalDemandOut | None, Field(description="Whose flows these are")]
    approaches: list[ApproachLanesOut]


class CountedFlowsQuery(Incoming):
    """Of which hour, on which days."""

    days: Literal["working", "free"] = "working"
    hour: Annotated[int, Field(ge=0, le=23, description="Of the street's day")]


class CountedTurnOut(Outgoing):
    """A turn, and what is counted of it."""

    from_road: str
    to_road: str
    flow_vph: Annotated[
        float | None,
        Field(description="In pcu by tables, vehicles by detectors; null where nobody counted"),
    ]
    source: Literal["table", "detectors"] | None
    days: Annotated[int, Field(description="On which it stands")]
    parted: Annotated[
        Literal["counted", "demand", "even"] | None,
        Field(description="How a phase's count was parted among its turns"),
    ]
    imputed: Annotated[
        float, Field(description="Share of bins in which something stands for a broken detector")
    ]


class CountedFlowsOut(Outgoing):
    """A junction's flows in an hour of the day, as counted."""

    days: Literal["working", "free"]
    hour: int
    turns: list[CountedTurnOut]


class JunctionFlowsIn(Incoming):
    """Other flows of a junction's turns; those elsewhere stay."""

    based_on: Annotated[UUID | None, Field(description="The demand that was looked at")]
    name: Title
    source: Title
    flows: Annotated[list[SignalFlowIn], Field(min_length=1, max_length=200)]


class ApproachFunctionsIn(Incoming):
    """What an approach's lanes shall be for, from the kerb to the middle."""

    road: SignalName
    lanes: Annotated[
        list[Annotated[list[LaneWayIn], Field(max_length=12)]], Field(min_length=1, max_length=20)
    ]


class SignalStudyIn(Incoming):
    """What is to be studied: functions of some approaches' lanes, or no signal where null."""

    network_id: UUID
    signal: SignalName
    profile: ProfileName = "gb"
    functions: Annotated[list[ApproachFunctionsIn] | None, Field(max_length=20)] = None


class SignalStudiesQuery(PageQuery):
    """Whose studies."""

    network_id: UUID
    signal: SignalName


class SignalStudyKeepIn(Incoming):
    """Under which title a study is kept, and why."""

    title: Title
    note: Annotated[str, Field(max_length=2_000)] = ""


class StudySideOut(Outgoing):
    """A junction under a plan: figures vehicle by vehicle, and the checker's report."""

    outlook: SignalOutlookOut
    report: dict[str, Any]
    cycle_s: float


class WithoutSignalOut(Outgoing):
    """A junction whose lesser road gives way."""

    roads_with_right_of_way: list[str]
    greater_road_vph: int
    lesser_approach_vph: int
    asked_vph: Annotated[
        list[float] | None, Field(description="The table's line that is reached; null where none")
    ]
    signal_asked_for: bool
    over_capacity: bool
    delay_s: float | None
    longest_approach_delay_s: float | None
    level: Literal["A", "B", "C", "D", "E", "F"]
    crossing_ways: int
    merging_ways: int
    crossings_on_foot: int


class StudyResultOut(Outgoing):
    """What a study found; a side is null where no plan passes the checker, or none runs."""

    demand: str
    source: str
    in_force: StudySideOut | None
    as_it_is: Annotated[StudySideOut | None, Field(description="Timed anew, lanes as they are")]
    changed: StudySideOut | None = None
    without_signal: WithoutSignalOut | None


class SignalStudyOut(Outgoing):
    """A study: what is asked, how far it is, what it found."""

    id: UUID
    network_id: UUID
    signal: str
    profile: str
    functions: Annotated[
        dict[str, list[list[LaneWayOut]]] | None, Field(description="null: without a signal")
    ]
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    requested_at: Instant
    finished_at: Instant | None
    problem: str | None
    result: StudyResultOut | None
    title: str | None
    note: str
    kept_at: Instant | None


class SignalStudyDetailOut(Outgoing):
    """A study with the junction's document under each side's plan."""

    study: SignalStudyOut
    documents: dict[str, Any]


class SignalStudiesOut(Outgoing):
    """A page of a junction's studies, the latest first."""

    items: list[SignalStudyOut]
    next: str | None
