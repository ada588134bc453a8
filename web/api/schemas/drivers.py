"""A driver's own side: vehicles, stays, bills, disputes."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.permits import AllowanceOut, PermitKindName, PermitState, WindowOut
from web.api.schemas.rights import ReservationOut
from web.api.schemas.stays import (
    BillOut,
    DisputeOut,
    DisputeState,
    Ground,
    PlateOut,
    SessionOut,
    SessionState,
)


class VehicleOut(Outgoing):
    """A vehicle of the caller's."""

    id: UUID
    plate: Annotated[PlateOut | None, Field(description="null for one that has only a ticket")]
    since_at: Annotated[Instant, Field(description="stays from here on are shown")]
    proof: Literal["paid-bill", "stay-code", "ticket"]


class VehiclesOut(Outgoing):
    """The caller's vehicles."""

    items: list[VehicleOut]


class BindIn(Incoming):
    """Proof that a vehicle is the caller's: a code, or a paid bill with its plate."""

    code: Annotated[str | None, Field(min_length=4, max_length=24)] = None
    bill_id: UUID | None = None
    plate: PlateText | None = None
    plate_kind: PlateKind | None = None
    resale: Annotated[bool, Field(description="it was sold to the caller: others lose it")] = False


class UnbindIn(Incoming):
    """Nothing more is needed than the vehicle."""


class StartIn(Incoming):
    """A stay that the caller starts."""

    bay_id: UUID
    vehicle_id: UUID
    until_at: InstantIn | None = None


class ExtendIn(Incoming):
    """Until when the stay is planned now."""

    until_at: InstantIn


class OfferIn(Incoming):
    """Nothing more is needed than the stay."""


class OfferOut(Outgoing):
    """What is due of a stay by now, and where it is paid."""

    amount: MoneyOut
    until_at: Annotated[Instant, Field(description="when the offer ends: it may cost more then")]
    leave_by_at: Annotated[
        Instant | None, Field(description="paid, until when it can leave and pay nothing more")
    ]
    link: Annotated[str, Field(description="path of its pay page")]


class EndIn(Incoming):
    """The stay ends now: nothing more is needed."""


class MyStayOut(SessionOut):
    """A stay of the caller's."""

    facility: Names | None


class MyStaysOut(Outgoing):
    """A page of the caller's stays, the latest first."""

    items: list[MyStayOut]
    next: str | None


class MineQuery(PageQuery):
    """How much, and from where."""


class MyStaysQuery(MineQuery):
    """Which of the caller's stays."""

    state: SessionState | None = None


class ListedDisputeOut(DisputeOut):
    """A dispute with what its bill is about; the plate is masked."""

    session_id: UUID
    facility: Names | None
    amount: MoneyOut
    plate: PlateOut | None


class MyBillsOut(Outgoing):
    """The bills of a page of the caller's stays, the latest first."""

    items: list[BillOut]
    next: str | None


class MyPlaceOut(Outgoing):
    """A facility."""

    id: UUID
    name: Names


class MyReservationIn(Incoming):
    """A bay to hold for a vehicle of the caller's: one bay, or any of a facility."""

    vehicle_id: UUID
    from_at: InstantIn
    until_at: InstantIn
    bay_id: UUID | None = None
    facility_id: UUID | None = None
    bay_kind: Annotated[str | None, Field(min_length=1, max_length=32)] = None


class GiveBackIn(Incoming):
    """Nothing more is needed than the reservation."""


class MyReservationOut(ReservationOut):
    """A bay held for a vehicle of the caller's."""

    vehicle_id: UUID
    facility: Names | None


class MyReservationsOut(Outgoing):
    """A page of reservations of the caller's vehicles, the latest first."""

    items: list[MyReservationOut]
    next: str | None


class MyListedVehicleOut(Outgoing):
    """A vehicle of the caller's on a permit's list."""

    vehicle_id: UUID
    plate: PlateOut | None


class MyPermitOut(Outgoing):
    """A permit on whose list a vehicle of the caller's is; of the others on it nothing is said."""

    id: UUID
    kind: PermitKindName
    label: str
    state: PermitState
    facilities: list[MyPlaceOut]
    timezone: str
    valid_from: Instant
    valid_until: Instant
    hours: list[WindowOut]
    allowance: AllowanceOut | None
    concurrent_limit: Annotated[
        int | None, Field(description="vehicles covered at a time; null: all on the list")
    ]
    vehicles: list[MyListedVehicleOut]


class MyPermitsOut(Outgoing):
    """The permits of the caller's vehicles, the latest first."""

    items: list[MyPermitOut]


class TicketOut(Outgoing):
    """A ticket for a vehicle without a plate."""

    vehicle_id: UUID
    facility_id: UUID
    made_at: Instant


class TicketCodeOut(TicketOut):
    """A ticket with what a gate reads; for whoever took it alone."""

    code: str


class TicketIn(Incoming):
    """Nothing more is needed than the facility."""


class DisputeIn(Incoming):
    """What is wrong with a bill."""

    ground: Ground
    words: Annotated[str, Field(max_length=1000)] = ""


class ResolveIn(Incoming):
    """How a dispute ends, and what the driver is told."""

    outcome: Literal["upheld", "rejected"]
    answer: Annotated[str, Field(min_length=3, max_length=1000)]


class WithdrawIn(Incoming):
    """Why a dispute is taken back."""

    words: Annotated[str, Field(min_length=3, max_length=1000)]


class DisputesQuery(PageQuery):
    """Which disputes."""

    state: DisputeState | None = None


class DisputesOut(Outgoing):
    """A page of disputes, the latest first."""

    items: list[ListedDisputeOut]
    next: str | None
