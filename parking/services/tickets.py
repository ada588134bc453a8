"""Tickets: how a vehicle without a plate comes in and goes out, and is billed.

Its driver scans in and gets a code that the gate reads on both ways. The ticket's id stands for
the vehicle until somebody says which plate it got. The code is the ticket's id under the vault's
key: nobody guesses it, it lies nowhere, and its driver can be shown it again.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select

from city.errors import Invalid, NotFound
from city.identifiers import AccountId, FacilityId, VehicleId, uuid7
from city.vault import keyed_digests
from city.works.database import UnitOfWork
from parking.store.tables import ticket as table

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is mistaken for something else when it is read out."""
CODE_LENGTH: Final = 10
"""49 bits: nobody guesses one of a city's in a lifetime of requests."""
PURPOSE: Final = "ticket"
CODE_PURPOSE: Final = "ticket code"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A vehicle without a plate."""

    vehicle_id: VehicleId
    facility_id: FacilityId
    account_id: AccountId
    made_at: datetime


def _code(key: bytes) -> str:
    number, letters = int.from_bytes(key, "big"), []
    for _ in range(CODE_LENGTH):
        number, at = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[at])
    return "".join(letters)


def new_code(length: int) -> str:
    """Make a code of letters and digits that are told apart."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def clean_code(code: str, field: str) -> str:
    """Give a code as it is kept: upper case, without what people put between; Invalid if none."""
    cleaned = "".join(code.upper().split()).replace("-", "")
    if not cleaned or any(each not in ALPHABET for each in cleaned):
        raise Invalid("is not a code", field=field)
    return cleaned


def issue(uow: UnitOfWork, facility_id: FacilityId, account_id: AccountId) -> Ticket:
    """Make a ticket; its code is kept only as a keyed hash."""
    made = Ticket(VehicleId(uuid7()), facility_id, account_id, uow.clock.now())
    code = _code(keyed_digests(uow, CODE_PURPOSE, made.vehicle_id.hex)[0])
    uow.connection.execute(
        insert(table).values(
            id=made.vehicle_id,
            facility_id=facility_id,
            account_id=account_id,
            code_digest=keyed_digests(uow, PURPOSE, code)[0],
            made_at=made.made_at,
        )
    )
    return made


def find(uow: UnitOfWork, facility_id: FacilityId, code: str) -> Ticket | None:
    """Give the ticket of a code at a facility."""
    digests = keyed_digests(uow, PURPOSE, clean_code(code, "ticket"))
    row = uow.connection.execute(
        select(table).where(
            table.c.code_digest.in_(list(digests)), table.c.facility_id == facility_id
        )
    ).one_or_none()
    return None if row is None else _ticket(row)


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        VehicleId(row.id), FacilityId(row.facility_id), AccountId(row.account_id), row.made_at
    )


def of_account(uow: UnitOfWork, account_id: AccountId, vehicle_id: VehicleId) -> tuple[Ticket, str]:
    """Give a ticket that an account took, with its code.

    Raises
    ------
    NotFound
        Where the account took no such ticket, or the key that made its code is no more: then no
        gate knows it either.
    """
    row = uow.connection.execute(
        select(table).where(table.c.id == vehicle_id, table.c.account_id == account_id)
    ).one_or_none()
    if row is not None:
        for key in keyed_digests(uow, CODE_PURPOSE, vehicle_id.hex):
            code = _code(key)
            if row.code_digest in keyed_digests(uow, PURPOSE, code):
                return _ticket(row), code
    raise NotFound("there is no such ticket", field="vehicle_id")
