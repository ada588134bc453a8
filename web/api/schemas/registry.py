"""The registry as its keepers see it, and the held times of a bay."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, InstantIn, Names, Outgoing, PageQuery
from web.api.schemas.place_keeping import (
    FacilityKind,
    Onboarding,
    Ownership,
    PlaceVersionOut,
    Title,
)
from web.api.schemas.rights import ReservationStateName
from web.api.schemas.stays import PlateOut


class RegisteredQuery(PageQuery):
    """Which facilities."""

    operator_id: UUID | None = None


class PurposesOut(Outgoing):
    """Bays in use by whom they are for; these are never added up."""

    public: int
    reserved: int
    permit: int


class RegisteredOut(Outgoing):
    """A facility as its keepers list it."""

    id: UUID
    operator_id: UUID
    code: str
    name: Names
    district: str
    kind: FacilityKind
    ownership: Ownership
    onboarding: Onboarding
    title: Title
    position: Annotated[list[float], Field(min_length=2, max_length=2)]
    tariff_id: UUID | None
    bays: PurposesOut
    suspended: Annotated[int, Field(ge=0, description="Bays that a permit takes out now")]
    version: int


class RegisteredPageOut(Outgoing):
    """A page of facilities, also those that are not live or were withdrawn."""

    items: list[RegisteredOut]
    next: str | None


class BayRecordsOut(Outgoing):
    """A page of a facility's bays as they are kept."""

    items: list[PlaceVersionOut]
    next: str | None


class HoldsQuery(Incoming):
    """Which stretch of time, of at most 62 days."""

    from_at: InstantIn
    until_at: InstantIn


class HoldOut(Outgoing):
    """A stretch of a bay's time that a permit or a reservation holds."""

    kind: Literal["permit", "reservation"]
    from_at: Instant
    until_at: Instant
    permit_id: UUID | None
    permit_label: str | None
    reservation_id: UUID | None
    reservation_state: ReservationStateName | None
    plate: Annotated[PlateOut | None, Field(description="Of a reservation; masked")]


class HoldsOut(Outgoing):
    """Who holds a bay's time, in order; no two of them overlap."""

    items: list[HoldOut]
    more: Annotated[bool, Field(description="Whether some were left out: ask for less time")]
