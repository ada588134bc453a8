"""Signal networks, plan versions from draft to street, trials, optimisations."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from web.api.schemas.base import Incoming, Instant, Names, Outgoing, PageQuery
from web.api.schemas.signal_drives import SignalDriveOut

NetworkCode = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
SignalName = Annotated[str, Field(min_length=1, max_length=200)]
Title = Annotated[str, Field(min_length=1, max_length=120, pattern="^[^\\x00]*$")]
Text = Annotated[str, Field(max_length=1_000, pattern="^[^\\x00]*$")]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern="^[^\\x00]*$")]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
ProfileName = Annotated[str, Field(max_length=20, description="gb, nema or as-is")]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
SpeedKph = Annotated[float, Field(ge=5, le=130, allow_inf_nan=False)]
PlanDocument = Annotated[
    dict[str, JsonValue],
    Field(description="Greenbay's JSON of signals: `plans` with intervals (docs/signals.md)"),
]
Status = Literal[
    "draft", "checked", "approved", "deployed", "measured", "kept", "reverted", "withdrawn"
]
Point = tuple[float, float]


class SignalNetworkOut(Outgoing):
    """A network of signals as it was imported."""

    id: UUID
    code: str
    revision: int
    name: Names
    origin: Literal["import", "demo"]
    imported_at: Instant
    heard_at: Annotated[
        Instant | None,
        Field(description="When a controller or detector station of it was heard last"),
    ]


class SignalNetworksOut(Outgoing):
    """A page of networks, each in its latest revision, the latest import first."""

    items: list[SignalNetworkOut]
    next: str | None


class SignalNetworkIn(Incoming):
    """A file to import: SUMO's network, or our own JSON, as text."""

    MOST_BYTES: ClassVar[int] = 16 * 1024 * 1024

    code: NetworkCode
    name: Title
    content: Annotated[str, Field(min_length=1)]


class SignalRoadOut(Outgoing):
    """One direction of a street at a signal: its middle in the network's own plane, metres."""

    name: str
    lanes: int
    line: list[Point]


class SignalLaneResultOut(Outgoing):
    """How a lane fares by the delay model."""

    lane: str
    flow_vph: float
    capacity_vph: float
    saturation: float
    delay_s: float


class SignalOutlookOut(Outgoing):
    """How a junction fares by the delay model; no level where nobody drives."""

    signal: str
    flow_vph: float
    delay_s: Annotated[float, Field(description="Mean of a vehicle")]
    saturation: Annotated[float, Field(description="Of the fullest lane")]
    level: Literal["A", "B", "C", "D", "E", "F"] | None
    grade: Annotated[int | None, Field(description="1 to 4 by the Chinese table")]
    lanes: list[SignalLaneResultOut]


class RunningPlanOut(Outgoing):
    """What a controller runs."""

    origin: Literal["found", "deployed", "restored"]
    version_id: UUID | None
    name: str
    cycle_s: float
    offset_s: float
    from_at: Instant
    change: dict[str, Any] | None


class SignalOut(Outgoing):
    """A signalled junction with what it runs and how it fares."""

    name: str
    title: Names
    x_m: float
    y_m: float
    running: RunningPlanOut | None
    outlook: SignalOutlookOut | None


class SignalDemandOut(Outgoing):
    """Who drives where: what plans are foretold and made for."""

    id: UUID
    name: str
    source: str
    hours: float
    recorded_at: Instant


class SignalOptimisationOut(Outgoing):
    """An optimisation: how far it is, and the draft that it made."""

    id: UUID
    network_id: UUID
    profile: str
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    requested_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    problem: str | None
    version_id: UUID | None
    result: dict[str, Any] | None


class SignalNetworkDetailOut(Outgoing):
    """A network with its roads and signals."""

    network: SignalNetworkOut
    profile: str
    roads: list[SignalRoadOut]
    signals: list[SignalOut]
    demand: SignalDemandOut | None
    optimisation: SignalOptimisationOut | None
    """The one asked for last."""


class SignalProfileQuery(Incoming):
    """Under which profile plans are foretold."""

    profile: ProfileName = "gb"


class SignalFileQuery(Incoming):
    """In which format a network is given."""

    format: Literal["json", "sumo"] = "json"


class SignalDetailOut(Outgoing):
    """A junction with all that a diagram of it needs."""

    signal: SignalOut
    model: dict[str, Any]
    plan: dict[str, Any] | None


class SignalFlowIn(Incoming):
    """Vehicles per hour from a road to a road."""

    from_road: SignalName
    to_road: SignalName
    vph: Seconds


class SignalDemandIn(Incoming):
    """Flows by road from and road to; or a SUMO routes file with the network that it is for."""

    MOST_BYTES: ClassVar[int] = 16 * 1024 * 1024

    name: Title
    source: Title
    flows: list[SignalFlowIn] | None = None
    routes: str | None = None
    network_content: str | None = None
    begin_s: Seconds | None = None
    end_s: Seconds | None = None


class SignalPlanOut(Outgoing):
    """A version of plans and who did what to it."""

    id: UUID
    network_id: UUID
    number: int
    title: str
    note: str
    status: Status
    revision: Annotated[int, Field(description="Counts the edits of a draft")]
    origin: Literal["person", "optimisation", "schedule"]
    profile: str
    signals: list[str]
    drafted_at: Instant
    drafted_by: str
    edited_at: Instant | None
    edited_by: str | None
    checked_at: Instant | None
    checked_by: str | None
    checked_revision: int | None
    safe: bool | None
    predicted: dict[str, Any] | None
    approved_at: Instant | None
    approved_by: str | None
    approved_revision: int | None
    deployed_at: Instant | None
    deployed_by: str | None
    measured_at: Instant | None
    measured_by: str | None
    measured: dict[str, Any] | None
    decided_at: Instant | None
    decided_by: str | None
    decided_reason: str | None


class SignalPlansOut(Outgoing):
    """A page of a network's versions, the latest first."""

    items: list[SignalPlanOut]
    next: str | None


class SignalDifferenceOut(Outgoing):
    """One fact in which a plan differs from what ran before."""

    signal: str
    what: Literal["added", "removed", "cycle", "offset", "control", "green", "change", "stages"]
    stage: int | None
    before: float | str | None
    after: float | str | None


class SignalPlanDetailOut(Outgoing):
    """A version with its plans, its report and how it differs from what ran before."""

    plan: SignalPlanOut
    document: dict[str, Any]
    report: dict[str, Any] | None
    differences: list[SignalDifferenceOut]
    names: Annotated[dict[str, str], Field(description="Who the subjects are, as far as staff")]
    drive: Annotated[
        SignalDriveOut | None,
        Field(description="The drive in simulation of this revision that was asked for last"),
    ]


class SignalPlansQuery(PageQuery):
    """Versions of one network."""

    network_id: UUID


class SignalPlanIn(Incoming):
    """A draft: of given plans, or of what some signals run now."""

    MOST_BYTES: ClassVar[int] = 8 * 1024 * 1024

    network_id: UUID
    title: Title
    note: Text = ""
    profile: ProfileName = "gb"
    document: PlanDocument | None = None
    signals: Annotated[list[SignalName] | None, Field(max_length=2_000)] = None


class SignalPlanEditIn(Incoming):
    """Other plans for a draft, drawn on the revision that was read."""

    MOST_BYTES: ClassVar[int] = 8 * 1024 * 1024

    document: PlanDocument
    revision: Revision
    title: Title | None = None
    note: Text | None = None
    profile: ProfileName | None = None


class SignalPlanRevisionIn(Incoming):
    """What is acted on: a version as it stands at a revision."""

    revision: Revision


class SignalDecisionIn(Incoming):
    """Whether a deployed plan stays, and why."""

    decision: Literal["keep", "revert"]
    reason: Reason


class SignalWithdrawalIn(Incoming):
    """Why a plan is taken back."""

    reason: Reason


class SignalStreetIn(Incoming):
    """A street through signals, in driving order; speeds as permitted where none is given."""

    signals: Annotated[list[SignalName], Field(min_length=2, max_length=40)]
    outbound_kph: SpeedKph | None = None
    inbound_kph: SpeedKph | None = None


class SignalTrialIn(Incoming):
    """Plans to try instead of those in force, and a street to see them on."""

    MOST_BYTES: ClassVar[int] = 8 * 1024 * 1024

    network_id: UUID
    profile: ProfileName = "gb"
    plans: Annotated[list[dict[str, JsonValue]], Field(max_length=2_000)] = Field(
        default_factory=list
    )
    street: SignalStreetIn | None = None


class SignalStageIn(Incoming):
    """Signal groups that are green together, and for how long."""

    groups: Annotated[list[SignalName], Field(min_length=1, max_length=64)]
    green_s: Annotated[float, Field(ge=1, le=300, allow_inf_nan=False)]


class SignalDrawingIn(Incoming):
    """Stages in their order, over and over."""

    profile: ProfileName = "gb"
    stages: Annotated[list[SignalStageIn], Field(min_length=2, max_length=16)]
    offset_s: Annotated[float, Field(ge=0, le=1e4, allow_inf_nan=False)] = 0


class SignalDrawnOut(Outgoing):
    """The plan of drawn stages, as a document's `plans` has it; nothing is kept."""

    plan: dict[str, Any]


class SignalDirectionOut(Outgoing):
    """Who goes along a street at a junction: greens from the plan's start, without its offset."""

    group: str
    road: str
    speed_kph: float
    greens: list[tuple[float, float]]


class SignalStopOut(Outgoing):
    """A junction of a street."""

    signal: str
    position_m: float
    cycle_s: float
    offset_s: float
    outbound: SignalDirectionOut | None
    inbound: SignalDirectionOut | None


class SignalBandOut(Outgoing):
    """The widest band of a direction, and when it begins at its first signal."""

    width_s: float
    begin_s: float


class SignalStreetOut(Outgoing):
    """A street under plans; no bands where the cycles do not fit each other."""

    stops: list[SignalStopOut]
    cycle_s: float | None
    outbound_kph: float
    inbound_kph: float
    outbound: SignalBandOut | None
    inbound: SignalBandOut | None
    outbound_delay_s: Annotated[float | None, Field(description="Of a vehicle through all signals")]
    inbound_delay_s: float | None
    waiting_vehicles: float | None


class SignalTrialOut(Outgoing):
    """What plans would do; nothing is kept."""

    report: dict[str, Any] | None
    outlooks: list[SignalOutlookOut]
    before: list[SignalOutlookOut]
    street: SignalStreetOut | None


class SignalOptimisationIn(Incoming):
    """Signals to make plans for; all where none is named."""

    network_id: UUID
    profile: ProfileName = "gb"
    signals: Annotated[list[SignalName] | None, Field(max_length=2_000)] = None
