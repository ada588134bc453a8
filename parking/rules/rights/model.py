"""What the coverage of a stay is decided from, and what is decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from city.identifiers import ParkingSessionId, VehicleId
from city.money import Money
from parking.rules.rights.benefits import Benefit
from parking.rules.rights.permits import Membership, Permit
from parking.rules.rights.spans import Span, Spans, normal
from parking.rules.tariffs.reasons import Why

RightKind = Literal["permit", "benefit"]


class Outcome(StrEnum):
    """What becomes of a part of a stay."""

    COVERED = "covered"
    """A right covers it: the tariff does not charge it."""
    OVERSTAY = "overstay"
    """Past the hours of a contract, at the contract's price instead of the tariff's."""
    CHARGED = "charged"
    """The tariff charges it."""


@dataclass(frozen=True, slots=True)
class RightRef:
    """Which right."""

    kind: RightKind
    id: UUID


@dataclass(frozen=True, slots=True)
class Presence:
    """A vehicle's stay, as far as a right's list of vehicles is concerned."""

    session_id: ParkingSessionId
    vehicle_id: VehicleId
    span: Span
    """Of an open stay: until the present instant, or later."""


@dataclass(frozen=True, slots=True)
class Use:
    """Time of a right that a billed stay has had: it is fixed."""

    session_id: ParkingSessionId
    vehicle_id: VehicleId
    span: Span
    slot: int | None = None
    """Which of the vehicles at a time it was; None where the right has no limit."""


@dataclass(frozen=True, slots=True)
class PermitInSight:
    """A permit that may cover a stay, and what else is needed to tell."""

    permit: Permit
    members: tuple[Membership, ...]
    """Of the stay's vehicle and of every rival, at least."""
    rivals: tuple[Presence, ...] = ()
    """Other stays, not billed yet, of listed vehicles in the permit's facilities."""
    uses: tuple[Use, ...] = ()
    """Of billed stays: those that share time with this one, and the vehicle's own of its days."""


@dataclass(frozen=True, slots=True)
class BenefitInSight:
    """A benefit of the vehicle's kind of plate, and what the vehicle has used of it."""

    benefit: Benefit
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a stay with one outcome."""

    from_at: datetime
    until_at: datetime
    outcome: Outcome
    why: Why
    right: RightRef | None = None
    """What covers it, or whose hours were overstayed."""
    fee: Money | None = None
    """Of an overstay at a contract's price."""

    @property
    def span(self) -> Span:
        """Its beginning and its end."""
        return self.from_at, self.until_at


@dataclass(frozen=True, slots=True)
class Coverage:
    """A stay in parts: in order, without holes, from arrival to departure."""

    parts: tuple[Part, ...]

    def spans(self, *outcomes: Outcome) -> Spans:
        """Give the instants with one of some outcomes."""
        return normal(part.span for part in self.parts if part.outcome in outcomes)

    @property
    def not_by_tariff(self) -> Spans:
        """What the tariff must leave out: covered, or priced by a contract."""
        return self.spans(Outcome.COVERED, Outcome.OVERSTAY)

    @property
    def overstays(self) -> tuple[Part, ...]:
        """The parts that a contract prices."""
        return tuple(part for part in self.parts if part.outcome is Outcome.OVERSTAY)

    def used(self) -> dict[RightRef, Spans]:
        """Give the time that each right covered: what is kept once the stay is billed."""
        found: dict[RightRef, list[Span]] = {}
        for part in self.parts:
            if part.outcome is Outcome.COVERED and part.right is not None:
                found.setdefault(part.right, []).append(part.span)
        return {right: normal(spans) for right, spans in found.items()}


def slots_for(limit: int, spans: Spans, taken: Iterable[Use]) -> list[tuple[int, Span]]:
    """Give each stretch of covered time one of a permit's slots, cut where a slot is taken.

    Parameters
    ----------
    limit : int
        Slots: vehicles at a time.
    spans : Spans
        What is covered; at each instant a slot is free.
    taken : Iterable[Use]
        What other stays have, with their slots.

    Raises
    ------
    ValueError
        Where no slot is free at some instant: the coverage was decided from other uses.
    """
    by_slot: list[Spans] = [normal(use.span for use in each) for each in _by_slot(limit, taken)]
    given: list[tuple[int, Span]] = []
    for start, end in spans:
        at = start
        while at < end:
            slot, free_until = max(
                ((slot, _free_until(held, at, end)) for slot, held in enumerate(by_slot)),
                key=lambda found: (found[1], -found[0]),
            )
            if free_until <= at:
                raise ValueError("no slot is free")
            given.append((slot, (at, free_until)))
            at = free_until
    return given


def _by_slot(limit: int, taken: Iterable[Use]) -> list[list[Use]]:
    found: list[list[Use]] = [[] for _ in range(limit)]
    for use in taken:
        if use.slot is not None and use.slot < limit:
            found[use.slot].append(use)
    return found


def _free_until(held: Spans, at: datetime, end: datetime) -> datetime:
    for low, high in held:
        if high <= at:
            continue
        return at if low <= at else min(low, end)
    return end
