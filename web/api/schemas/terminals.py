"""Terminals over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    Latitude,
    Longitude,
    MoneyIn,
    MoneyOut,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.shifts import Pieces

AppVersion = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:+-]+$")]
Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
State = Literal["awaited", "active", "locked", "revoked"]
Concern = Literal["silent", "battery", "waiting", "clock", "missed"]
Network = Literal["wifi", "cellular", "none", "other"]


class TerminalIn(Incoming):
    """A terminal to register."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    district: Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]


class TerminalReasonIn(Incoming):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class OfflineCashIn(Incoming):
    """How much cash a terminal may hold that the city does not know of."""

    offline_cash: MoneyIn


class PublicKeyIn(Incoming):
    """A public key as a JWK (RFC 7517) has it."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate


class EnrolmentIn(Incoming):
    """A device that enrols: the request is signed by the very key that it names."""

    code: Annotated[str, Field(min_length=12, max_length=32)]
    public_key: PublicKeyIn
    app_version: AppVersion


class TerminalHealthIn(Incoming):
    """How a terminal does."""

    app_version: AppVersion
    tariffs_version: Annotated[str | None, Field(max_length=64)] = None
    battery_percent: Annotated[int | None, Field(ge=0, le=100)] = None
    charging: bool | None = None
    network: Network | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    accuracy_m: Annotated[float | None, Field(ge=0, le=1e6, allow_inf_nan=False)] = None
    acts_waiting: Annotated[int, Field(ge=0, le=1_000_000)]
    oldest_waiting_at: InstantIn | None = None
    clock_behind_ms: Annotated[
        int | None,
        Field(ge=-(10**13), le=10**13, description="Our clock less the device's own"),
    ] = None


class TerminalHealthOut(Outgoing):
    """How a terminal said it does; its place is coarse."""

    at: Instant
    battery_percent: int | None
    charging: bool | None
    network: str | None
    position: list[float] | None
    accuracy_m: float | None
    tariffs_version: str | None
    acts_waiting: int
    oldest_waiting_at: Instant | None
    clock_behind_ms: int | None


class ActCountOut(Outgoing):
    """How far a terminal's acts have come."""

    last_sequence: int
    received: int
    missing: Annotated[int, Field(description="Numbers before the last one that never came")]
    refused: int


class TerminalOut(Outgoing):
    """A terminal."""

    id: UUID
    name: str
    district: str
    state: State
    state_reason: str
    registered_at: Instant
    enrolled_at: Instant | None
    key: Annotated[str | None, Field(description="Thumbprint (RFC 7638) of its public key")]
    code_expires_at: Instant | None
    heard_at: Instant | None
    app_version: str | None
    missed_requests: Annotated[int, Field(description="Running numbers that never arrived")]
    offline_cash: Annotated[MoneyOut, Field(description="Most cash it takes without a line")]
    signed_in: Annotated[UUID | None, Field(description="Account of who is signed in")]
    acts: ActCountOut
    health: TerminalHealthOut | None
    concerns: list[Concern]


class TerminalCodeOut(Outgoing):
    """A terminal and its code, which is shown here and never again."""

    terminal: TerminalOut
    code: str
    expires_at: Instant


class TerminalsQuery(PageQuery):
    """Which terminals."""


class TerminalsOut(Outgoing):
    """Terminals, the newest first."""

    items: list[TerminalOut]
    next: str | None
    at: Instant


class ActsOfKindOut(Outgoing):
    """How many acts of one kind ended one way."""

    kind: str
    outcome: str
    acts: int


class CashOfOut(Outgoing):
    """Cash that one person took at a terminal in a day."""

    account_id: UUID
    amount: MoneyOut


class DifferingOut(Outgoing):
    """Cash that a terminal told of and that is not the payment of its number."""

    act_id: UUID
    at: Instant
    told: MoneyOut | None
    paid: MoneyOut | None


class TerminalDayOut(Outgoing):
    """A terminal's day, held against the payments that its acts became."""

    terminal_id: UUID
    day: date
    counts: list[ActsOfKindOut]
    missing: Annotated[int, Field(description="numbers that never came, of all its time")]
    bills: int
    cash: list[CashOfOut]
    differences: int
    differing: Annotated[list[DifferingOut], Field(description="the first hundred")]
    names: dict[str, str]


class TerminalStandingOut(Outgoing):
    """What a terminal is told of itself."""

    id: UUID
    name: str
    district: str
    state: State
    state_reason: str
    server_at: Annotated[Instant, Field(description="Wall time, to correct a device's clock by")]
    city_at: Annotated[Instant, Field(description="Business time: the demo's, in the demo")]
    next_act: Annotated[int, Field(description="Number that a device without memory goes on from")]
    offline_cash: Annotated[
        MoneyOut, Field(description="Most cash that may be taken before we know of any of it")
    ]
    awaited_photos: Annotated[
        list[UUID], Field(description="Named by its acts and not here, whole: the newest 100")
    ]


class SignInIn(Incoming):
    """A person who signs in; who it is, session or token says."""

    terminal_id: Annotated[UUID, Field(description="The terminal that also signs the request")]


class SignedInOut(Outgoing):
    """A person at a terminal."""

    account_id: UUID
    name: str
    terminal: TerminalStandingOut


class ActPartIn(Incoming):
    """One act; which members are needed follows from the kind."""

    id: Annotated[UUID, Field(description="Made on the device before the act was shown as done")]
    sequence: Annotated[int, Field(ge=1, le=2**53 - 1, description="From 1, without gaps")]
    kind: Literal[
        "plate",
        "end",
        "move",
        "split",
        "swap",
        "join",
        "set-aside",
        "exempt",
        "cash",
        "ahead",
        "escape",
        "report",
        "shift-begin",
        "shift-pause",
        "shift-resume",
        "shift-count",
        "shift-explain",
        "cash-give",
        "cash-take",
        "sign-out",
    ]
    account_id: Annotated[UUID, Field(description="Who did it, signed in at the terminal")]
    device_at: Annotated[InstantIn, Field(description="By the device's own clock")]
    offset_ms: Annotated[
        int | None,
        Field(ge=-(10**13), le=10**13, description="The city's clock less the device's, if known"),
    ] = None
    bay_id: Annotated[UUID | None, Field(description="all but cash, shifts and sign-out")] = None
    to_bay_id: Annotated[
        UUID | None,
        Field(description="move; join: of the stay that counts"),
    ] = None
    plate: Annotated[PlateText | None, Field(description="plate, swap")] = None
    plate_kind: PlateKind | None = None
    reason: Annotated[
        str | None,
        Field(
            max_length=500,
            description="end, move, split, swap, join, set-aside; exempt where asked; escape",
        ),
    ] = None
    minutes_before: Annotated[
        int | None, Field(ge=0, le=1440, description="split: how long ago the other one came")
    ] = None
    vehicle_left: Annotated[
        bool | None, Field(description="split: whether the noted vehicle left, else it came")
    ] = None
    what: Annotated[
        Literal[
            "motorcycle",
            "object",
            "works",
            "sensor-fault",
            "other",
            "sensor-silent",
            "sensor-wrong",
            "bay-blocked",
        ]
        | None,
        Field(description="set-aside: one of the first five; report: one of the last four"),
    ] = None
    note: Annotated[
        str | None, Field(max_length=500, description="report, shift-count, shift-explain")
    ] = None
    place: Annotated[str | None, Field(max_length=80, description="shift-begin")] = None
    pieces: Annotated[
        Pieces | None, Field(description="shift-count: how many of each face, in fen")
    ] = None
    shift_id: Annotated[UUID | None, Field(description="shift-explain: one's own")] = None
    person_id: Annotated[
        UUID | None,
        Field(description="cash-give: the colleague, else the office; cash-take: who gave it"),
    ] = None
    move_id: Annotated[
        UUID | None, Field(description="cash-take: the offer, in place of a person")
    ] = None
    exempt: Annotated[
        str | None, Field(pattern="^[a-z][a-z0-9-]{1,39}$", description="exempt: the reason's code")
    ] = None
    photo_id: Annotated[
        UUID | None, Field(description="Of a picture taken with it, made on the device")
    ] = None
    photo_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    bill_id: Annotated[UUID | None, Field(description="cash; escape, in place of a bay")] = None
    amount_minor: Annotated[
        int | None,
        Field(ge=1, le=10**12, description="ahead: asked for; cash-give; cash-take: counted"),
    ] = None
    minutes_ahead: Annotated[
        int | None, Field(ge=0, le=720, description="ahead: from the act on")
    ] = None
    tendered_minor: Annotated[int | None, Field(ge=0, le=10**12, description="cash, ahead")] = None
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$", description="with amounts")] = None


class ActsIn(Incoming):
    """A batch of acts, in any order; each is read by itself."""

    MOST_BYTES: ClassVar[int] = 1_048_576

    sent_at: Annotated[InstantIn, Field(description="By the device's own clock")]
    items: Annotated[
        list[Any],
        Field(
            max_length=500, description="Each an `ActPartIn`: one that is none is told by itself"
        ),
    ]


class ActResultOut(Outgoing):
    """What became of an act."""

    id: Annotated[UUID | None, Field(description="None where it could not be read")]
    index: int
    result: Literal["created", "exists", "conflict"]
    kept: Annotated[bool, Field(description="Whether the device may forget it")]
    reason: str | None
    detail: Annotated[str | None, Field(description="The refusal in words")]
    advice: (
        Literal[
            "look-again",
            "nothing",
            "sign-in",
            "type-again",
            "take-photo",
            "renumber",
            "call-supervisor",
        ]
        | None
    )
    effect: dict[str, Any] | None


class ActResultsOut(Outgoing):
    """A result for each act, in the order that was sent."""

    items: list[ActResultOut]
    next_act: int
    missing: int
    city_at: Instant


class ActsQuery(PageQuery):
    """Which acts."""

    terminal_id: UUID | None = None
    outcome: Literal["done", "refused"] | None = None


class ActOut(Outgoing):
    """An act as it is kept; its plate is in the vault."""

    id: UUID
    terminal_id: UUID
    sequence: int
    kind: str
    account_id: UUID
    device_at: Instant
    offset_ms: int | None
    at: Annotated[Instant, Field(description="By the city's clock")]
    basis: Literal["measured", "on-upload"]
    received_at: Instant
    detail: dict[str, Any]
    outcome: Literal["done", "refused"]
    reason: str | None
    words: str | None
    advice: str | None
    effect: dict[str, Any] | None


class ActsOut(Outgoing):
    """Acts, the newest first."""

    items: list[ActOut]
    next: str | None


class MyActOut(Outgoing):
    """One's own act; its plate is in the vault."""

    id: UUID
    kind: str
    at: Annotated[Instant, Field(description="By the city's clock")]
    outcome: Literal["done", "refused"]
    words: Annotated[str | None, Field(description="Why it was refused")]
    bay_label: str | None
    amount: Annotated[MoneyOut | None, Field(description="Of cash: what was paid by it")]


class MyActsOut(Outgoing):
    """One's own acts of a day at a terminal, the last first."""

    day: date
    items: list[MyActOut]
    counts: Annotated[list[ActsOfKindOut], Field(description="of all of them")]
    taken_minor: Annotated[int, Field(description="cash that became payments that day")]
    carried: Annotated[MoneyOut, Field(description="cash that one owes by the ledger, of all days")]
