"""Vehicles bound to accounts, and the codes that prove it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql

from city.identifiers import AccountId, ParkingSessionId, VehicleId
from parking.rules.vehicle_users import EndedBecause, Proof, VehicleUse
from parking.store.tables import stay_code, vehicle_user

MOST_VEHICLES: Final = 50
MOST_USERS: Final = 100


def add(connection: Connection, use: VehicleUse) -> bool:
    """Write a use; False where the account has the vehicle already."""
    added = (
        postgresql.insert(vehicle_user)
        .values(
            id=use.id,
            account_id=use.account_id,
            vehicle_id=use.vehicle_id,
            since_at=use.since_at,
            proof=use.proof.value,
            proof_id=use.proof_id,
            bound_at=use.bound_at,
        )
        .on_conflict_do_nothing(
            index_elements=["account_id", "vehicle_id"],
            index_where=vehicle_user.c.until_at.is_(None),
        )
        .returning(vehicle_user.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def of_account(
    connection: Connection, account_id: AccountId, *, ended: bool = False, lock: bool = False
) -> list[VehicleUse]:
    """Give an account's vehicles, also those that were, the newest first."""
    query = select(vehicle_user).where(vehicle_user.c.account_id == account_id)
    if not ended:
        query = query.where(vehicle_user.c.until_at.is_(None))
    if lock:
        query = query.with_for_update()
    query = query.order_by(vehicle_user.c.id.desc()).limit(MOST_VEHICLES)
    return [_use(row) for row in connection.execute(query)]


def of_vehicle(connection: Connection, vehicle_id: VehicleId) -> list[VehicleUse]:
    """Give those whose vehicle it is now, locked."""
    query = (
        select(vehicle_user)
        .where(vehicle_user.c.vehicle_id == vehicle_id, vehicle_user.c.until_at.is_(None))
        .order_by(vehicle_user.c.id)
        .limit(MOST_USERS)
        .with_for_update()
    )
    return [_use(row) for row in connection.execute(query)]


def accounts_of(
    connection: Connection, vehicle_ids: Collection[VehicleId]
) -> dict[VehicleId, list[AccountId]]:
    """Give the accounts whose vehicles some are now, in the order of their taking: a statement."""
    query = (
        select(vehicle_user.c.vehicle_id, vehicle_user.c.account_id)
        .where(vehicle_user.c.vehicle_id.in_(list(vehicle_ids)), vehicle_user.c.until_at.is_(None))
        .order_by(vehicle_user.c.id)
    )
    found: dict[VehicleId, list[AccountId]] = {}
    for row in connection.execute(query):
        found.setdefault(VehicleId(row.vehicle_id), []).append(AccountId(row.account_id))
    return found


def covering(
    connection: Connection, account_id: AccountId, vehicle_id: VehicleId, at: datetime
) -> bool:
    """Say whether a vehicle was an account's at an instant."""
    columns = vehicle_user.c
    query = select(columns.id).where(
        columns.account_id == account_id,
        columns.vehicle_id == vehicle_id,
        columns.since_at <= at,
        columns.until_at.is_(None) | (columns.until_at > at),
    )
    return connection.execute(query.limit(1)).first() is not None


def write_ends(connection: Connection, uses: Sequence[VehicleUse]) -> None:
    """Write that uses have ended."""
    for use in uses:
        connection.execute(
            update(vehicle_user)
            .where(vehicle_user.c.id == use.id)
            .values(until_at=use.until_at, ended_by=use.ended_by, ended_because=use.ended_because)
        )


@dataclass(frozen=True, slots=True)
class StayCode:
    """A code that proves that whoever has it stands at a vehicle."""

    session_id: ParkingSessionId
    expires_at: datetime
    used_at: datetime | None


def add_code(
    connection: Connection,
    code_digest: bytes,
    session_id: ParkingSessionId,
    *,
    made_at: datetime,
    expires_at: datetime,
    made_by: str,
) -> None:
    """Write a code as its keyed hash."""
    connection.execute(
        insert(stay_code).values(
            code_digest=code_digest,
            session_id=session_id,
            made_at=made_at,
            expires_at=expires_at,
            made_by=made_by,
        )
    )


def take_code(connection: Connection, digests: Sequence[bytes], at: datetime) -> StayCode | None:
    """Use a code up: it is given once, and only while it holds."""
    columns = stay_code.c
    row = connection.execute(
        update(stay_code)
        .where(
            columns.code_digest.in_(list(digests)),
            columns.used_at.is_(None),
            columns.expires_at > at,
        )
        .values(used_at=at)
        .returning(columns.session_id, columns.expires_at, columns.used_at)
    ).one_or_none()
    if row is None:
        return None
    return StayCode(ParkingSessionId(row.session_id), row.expires_at, row.used_at)


def _use(row: Row[tuple[object, ...]]) -> VehicleUse:
    kept = row._mapping  # noqa: SLF001 - the documented way to a row's names
    because = kept["ended_because"]
    return VehicleUse(
        id=UUID(str(kept["id"])),
        account_id=AccountId(kept["account_id"]),
        vehicle_id=VehicleId(kept["vehicle_id"]),
        since_at=kept["since_at"],
        until_at=kept["until_at"],
        proof=Proof(kept["proof"]),
        proof_id=kept["proof_id"],
        bound_at=kept["bound_at"],
        ended_by=kept["ended_by"],
        ended_because=None if because is None else EndedBecause(because),
    )
