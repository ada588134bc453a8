"""Whose vehicle it is: bound by proof, for a time, to one or several accounts."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import AccountId, VehicleId


class Proof(StrEnum):
    """What shows that somebody has a vehicle."""

    PAID_BILL = "paid-bill"
    """The number of a paid bill of it, with its plate."""
    STAY_CODE = "stay-code"
    """A code that an attendant shows at the vehicle."""
    TICKET = "ticket"
    """The ticket that it came in with."""


class EndedBecause(StrEnum):
    """Why a vehicle is somebody's no more."""

    OWN = "own"
    """They said so."""
    RESALE = "resale"
    """Somebody else showed at the vehicle that it is theirs now."""
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class VehicleUse:
    """That a vehicle is, or was, an account's."""

    id: UUID
    account_id: AccountId
    vehicle_id: VehicleId
    since_at: datetime
    """Stays that begin from here on are the account's to see."""
    until_at: datetime | None
    proof: Proof
    proof_id: UUID
    """The bill or stay."""
    bound_at: datetime
    ended_by: str | None = None
    ended_because: EndedBecause | None = None

    def covers(self, at: datetime) -> bool:
        """Say whether the vehicle was the account's at an instant."""
        return self.since_at <= at and (self.until_at is None or at < self.until_at)


def ended(use: VehicleUse, at: datetime, by: str, because: EndedBecause) -> VehicleUse:
    """End a use; Conflict where it has ended."""
    if use.until_at is not None:
        raise Conflict("is not bound any more", field="vehicle_id", reason="unbound")
    return replace(use, until_at=max(at, use.since_at), ended_by=by, ended_because=because)


def check_takes_over(proof: Proof) -> None:
    """Refuse to unbind others by a proof that a former owner has too.

    Raises
    ------
    Invalid
        Where the proof is older than a sale could be: an old bill is not the vehicle.
    """
    if proof is not Proof.STAY_CODE:
        raise Invalid(
            "takes a code shown at the vehicle: whoever sold it has paid bills too", field="resale"
        )
