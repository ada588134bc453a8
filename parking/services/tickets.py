"""Tickets: how a vehicle without a plate comes in and goes out, and is billed.

Its driver scans in and gets a code that the gate reads on both ways. The ticket's id stands for
the vehicle until somebody says which plate it got.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select

from city.errors import Invalid
from city.identifiers import AccountId, FacilityId, VehicleId, uuid7
from city.vault import keyed_digests
from city.works.database import UnitOfWork
from parking.store.tables import ticket as table

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is mistaken for something else when it is read out."""
CODE_LENGTH: Final = 10
"""49 bits: nobody guesses one of a city's in a lifetime of requests."""
PURPOSE: Final = "ticket"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A vehicle without a plate."""

    vehicle_id: VehicleId
    facility_id: FacilityId
    account_id: AccountId
    made_at: datetime


def new_code(length: int = CODE_LENGTH) -> str:
    """Make a code of letters and digits that are told apart."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def clean_code(code: str, field: str) -> str:
    """Give a code as it is kept: upper case, without what people put between; Invalid if none."""
    cleaned = "".join(code.upper().split()).replace("-", "")
    if not cleaned or any(each not in ALPHABET for each in cleaned):
        raise Invalid("is not a code", field=field)
    return cleaned


def issue(uow: UnitOfWork, facility_id: FacilityId, account_id: AccountId) -> tuple[Ticket, str]:
    """Make a ticket; give it with its code, which is kept only as a keyed hash."""
    code = new_code()
    made = Ticket(VehicleId(uuid7()), facility_id, account_id, uow.clock.now())
    uow.connection.execute(
        insert(table).values(
            id=made.vehicle_id,
            facility_id=facility_id,
            account_id=account_id,
            code_digest=keyed_digests(uow, PURPOSE, code)[0],
            made_at=made.made_at,
        )
    )
    return made, code


def find(uow: UnitOfWork, facility_id: FacilityId, code: str) -> Ticket | None:
    """Give the ticket of a code at a facility."""
    digests = keyed_digests(uow, PURPOSE, clean_code(code, "ticket"))
    row = uow.connection.execute(
        select(table).where(
            table.c.code_digest.in_(list(digests)), table.c.facility_id == facility_id
        )
    ).one_or_none()
    if row is None:
        return None
    return Ticket(
        VehicleId(row.id), FacilityId(row.facility_id), AccountId(row.account_id), row.made_at
    )
