"""Facilities and bays with their live state."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from web.api.schemas.base import (
    Code,
    Incoming,
    Instant,
    InstantIn,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
)

BayState = Literal["free", "occupied", "unknown"]
Sure = Annotated[int, Field(ge=0, le=1000, description="per mille")]


class Counts(Outgoing):
    """Bays of a facility by state; unknown ones are never counted as free."""

    free: int
    occupied: int
    unknown: int
    total: int


class LimitsOut(Outgoing):
    """The largest vehicle that gets in; null where nothing is stated."""

    max_height_m: float | None
    max_width_m: float | None
    max_length_m: float | None
    max_weight_kg: float | None


class MachineOut(Outgoing):
    """A mechanical garage's lifts and pallets, and how long a car usually takes to come."""

    lifts: int
    pallets: int
    retrieval_s: int


class FacilityOut(Outgoing):
    """A facility with its live counts, their age and their quality.

    Bays for the public, reserved ones and those for permits are never added up.
    """

    id: UUID
    code: str
    name: Names
    district: str
    kind: str
    ownership: str
    position: Annotated[list[float], Field(min_length=2, max_length=2)]
    timezone: str
    tariff: str | None = Field(description="Code of the tariff in force, if any")
    revenue_nature: Literal["commercial", "public_non_tax"]
    counts: Annotated[Counts, Field(description="Bays that somebody without any right may use now")]
    reserved: Annotated[Counts, Field(description="Bays held for somebody")]
    permit: Annotated[Counts, Field(description="Bays for holders of permits")]
    closed: Annotated[int, Field(ge=0, description="Public bays that may not be used now")]
    availability: Annotated[
        Literal["free", "full", "unknown", "closed", "none"],
        Field(description="For the public, now; none: it has no public bays"),
    ]
    open_now: bool
    changes_at: Annotated[Instant | None, Field(description="When it opens or closes next")]
    opening: Annotated[
        list[dict[str, JsonValue]], Field(description="When it is open; empty: always")
    ]
    limits: LimitsOut
    machine: MachineOut | None
    heard_at: Annotated[
        Instant | None, Field(description="When a sensor here was last heard; null: never")
    ]
    data_age_s: Annotated[int | None, Field(ge=0)]
    quality: Annotated[int, Field(ge=0, le=1000, description="Bays with a known state, per mille")]


class LeavingOut(Outgoing):
    """What holds for whoever leaves."""

    mode: Annotated[
        Literal["leave-first", "pay-first"],
        Field(description="leave-first: the bill comes after; lost by overdue bills"),
    ]
    grace_s: Annotated[
        int | None, Field(description="to leave in once all is paid, of a small car")
    ]


class OneFacilityOut(FacilityOut):
    """A facility by itself, with what holds for whoever leaves it."""

    exit: Annotated[LeavingOut | None, Field(description="null: cannot be told just now")]


class FacilitiesQuery(PageQuery):
    """Which facilities."""

    district: Annotated[str | None, Field(pattern=r"^[0-9a-z]{2,12}$")] = None
    name: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=60,
            description="Those whose name or code holds these words, the best match first: one"
            " page of at most 50, without cursor or district",
        ),
    ] = None


class FacilitiesOut(Outgoing):
    """A page of facilities."""

    items: list[FacilityOut]
    next: str | None


class BayOut(Outgoing):
    """A bay with its live state, how sure it is and since when."""

    id: UUID
    facility_id: UUID
    label: str
    kind: str
    purpose: Literal["public", "reserved", "permit"]
    usable: Annotated[
        bool, Field(description="Whether somebody without any right may park on it now")
    ]
    position: Annotated[list[float], Field(min_length=2, max_length=2)]
    state: BayState
    since_at: Instant | None
    sure: Sure
    heard_at: Instant | None
    provisional: Annotated[
        bool, Field(description="The change is younger than the shortest stay that counts")
    ]


class BaysOut(Outgoing):
    """A page of bays."""

    items: list[BayOut]
    next: str | None


Latitude = Annotated[float, Field(ge=-85, le=85, allow_inf_nan=False)]


class QuoteIn(Incoming):
    """A stay to be priced."""

    facility_id: UUID
    enter_at: InstantIn
    leave_at: InstantIn
    vehicle: Literal["small", "large", "motorcycle"] = "small"
    energy: Literal["new"] | None = None
    exempt: Code | None = None


class QuoteLine(Outgoing):
    """One step of a fee and why it is so."""

    from_at: Instant
    to_at: Instant
    band: str
    units: int
    amount: MoneyOut
    why: Names


class QuoteOut(Outgoing):
    """A fee, explained: the lines sum to the total."""

    total: MoneyOut
    lines: list[QuoteLine]
    tariff: Annotated[str, Field(description="Code of the tariff")]


class EvidenceFrame(Outgoing):
    """A frame as it came, and what it says."""

    received_at: Instant
    device_at: Instant | None
    port: int
    frame_hex: str
    counter: int | None
    verdict: str
    fields: dict[str, object] | None
    observations: list[dict[str, object]]


class EvidenceDevice(Outgoing):
    """The sensor of a bay."""

    id: UUID
    network_key: str
    model: str
    since_at: Instant
    last_seen_at: Instant | None
    battery_v: float | None
    battery_low: bool | None
    rssi: float | None
    snr: float | None
    faults: list[str]


class EvidenceOut(Outgoing):
    """Why a bay has the state it has: its sensors and their last frames."""

    bay: BayOut
    devices: list[EvidenceDevice]
    frames: list[EvidenceFrame]
