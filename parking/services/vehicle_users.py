"""Binding vehicles to accounts by proof, and unbinding them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Conflict, NotFound
from city.identifiers import AccountId, ParkingSessionId, VehicleId, uuid7
from city.vault import keyed_digests
from city.works.database import UnitOfWork
from parking.rules.vehicle_users import (
    EndedBecause,
    Proof,
    VehicleUse,
    check_takes_over,
    ended,
)
from parking.services.tickets import clean_code, new_code
from parking.store import vehicle_users as store

CODE_LIVES: Final = timedelta(minutes=15)
"""Wall time: long enough to hand a phone over, too short to pass a code on for long."""
CODE_LENGTH: Final = 8
PURPOSE: Final = "stay-code"


def issue_code(uow: UnitOfWork, session_id: ParkingSessionId, by: str) -> tuple[str, datetime]:
    """Make a code for whoever stands at a stay's vehicle; give it with when it ends."""
    code, now = new_code(CODE_LENGTH), uow.wall.now()
    store.add_code(
        uow.connection,
        keyed_digests(uow, PURPOSE, code)[0],
        session_id,
        made_at=now,
        expires_at=now + CODE_LIVES,
        made_by=by,
    )
    return code, now + CODE_LIVES


def take_code(uow: UnitOfWork, code: str) -> ParkingSessionId:
    """Use a code up; give the stay at whose vehicle it was shown.

    Raises
    ------
    NotFound
        Where there is no such code, or it has ended or was used.
    """
    digests = keyed_digests(uow, PURPOSE, clean_code(code, "code"))
    found = store.take_code(uow.connection, digests, uow.wall.now())
    if found is None:
        raise NotFound("there is no such code, or it has ended or was used", field="code")
    return found.session_id


def bind(
    uow: UnitOfWork,
    account_id: AccountId,
    vehicle_id: VehicleId,
    *,
    proof: Proof,
    proof_id: UUID,
    since_at: datetime,
    resale: bool = False,
) -> VehicleUse:
    """Bind a vehicle to an account.

    Parameters
    ----------
    uow : UnitOfWork
    account_id, vehicle_id
        Several accounts may have one vehicle, and one account several.
    proof, proof_id
        What shows it: the bill or the stay.
    since_at : datetime
        From when on its stays are the account's to see.
    resale : bool
        Whether it was sold to this account: then all others lose it.

    Raises
    ------
    Conflict
        Where the account has the vehicle already.
    Invalid
        Where the proof does not do for taking it over.
    """
    now = uow.clock.now()
    use = VehicleUse(uuid7(), account_id, vehicle_id, since_at, None, proof, proof_id, now)
    if resale:
        check_takes_over(proof)
        others = [
            ended(each, since_at, str(account_id), EndedBecause.RESALE)
            for each in store.of_vehicle(uow.connection, vehicle_id)
            if each.account_id != account_id
        ]
        store.write_ends(uow.connection, others)
    if not store.add(uow.connection, use):
        raise Conflict("is yours already", field="vehicle_id", reason="bound")
    return use


def unbind(uow: UnitOfWork, account_id: AccountId, vehicle_id: VehicleId, by: str) -> VehicleUse:
    """Unbind a vehicle from an account, by its own word.

    Raises
    ------
    NotFound
        Where the account does not have it.
    """
    for use in store.of_account(uow.connection, account_id, lock=True):
        if use.vehicle_id == vehicle_id:
            gone = ended(use, uow.clock.now(), by, EndedBecause.OWN)
            store.write_ends(uow.connection, [gone])
            return gone
    raise NotFound("is not a vehicle of yours", field="vehicle_id")


def vehicles(
    connection: Connection, account_id: AccountId, *, ended: bool = False
) -> list[VehicleUse]:
    """Give an account's vehicles, with `ended` also those that were."""
    return store.of_account(connection, account_id, ended=ended)


def accounts_of(
    connection: Connection, vehicle_ids: Collection[VehicleId]
) -> dict[VehicleId, list[AccountId]]:
    """Give the accounts of drivers whose vehicles some are now."""
    return store.accounts_of(connection, vehicle_ids)


def was_theirs(
    connection: Connection, account_id: AccountId, vehicle_id: VehicleId | None, at: datetime
) -> bool:
    """Say whether a vehicle was an account's at an instant."""
    return vehicle_id is not None and store.covering(connection, account_id, vehicle_id, at)
