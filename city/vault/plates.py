"""Vehicles' plates: encrypted with AES-256-GCM, found by HMAC-SHA256, shown masked.

The nonce is random, 96 bits; under one key at most 2^32 encryptions are allowed (NIST SP
800-38D, 8.3), far beyond a city's vehicles. A ciphertext is bound to its vehicle, kind and key
version as associated data: moved to another row, it does not open.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, select, tuple_, update

from city import audit
from city.errors import CityError, Forbidden, Invalid
from city.identifiers import VehicleId, uuid7
from city.people.actors import SYSTEM, Actor
from city.people.roles import Role
from city.vault.keys import KeyRing, KeySource
from city.vault.opening import OpenVault, open_for_writing, open_vault, take_turns
from city.vault.store import VEHICLE
from city.vehicles import PlateKind, PlateNumber
from city.works.database import UnitOfWork

NONCE_BYTES: Final = 12
ENCRYPT: Final = "encrypt"
LOOKUP: Final = "lookup"
USE_NOTED_EVERY: Final = timedelta(days=1)
MOST_AT_ONCE: Final = 500
FORGET_AT_ONCE: Final = 1_000
LONGEST_PURPOSE: Final = 120
FORGOTTEN_TEXT: Final = "***"

MAY_SEE_PLATES: Final = frozenset({Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR, Role.FINANCE})
"""Roles that may look for a plate and see one in the clear; all others see it masked."""


class ForgottenUpTo(NamedTuple):
    """How far old vehicles have been looked at."""

    used_at: datetime
    vehicle_id: VehicleId


@dataclass(frozen=True, slots=True)
class MaskedPlate:
    """A plate as everybody may see it; of a forgotten vehicle ``***``."""

    text: str
    kind: PlateKind


def associated_data(vehicle_id: UUID, kind: str, version: int) -> bytes:
    """Give what a ciphertext is bound to."""
    return f"{vehicle_id}|{kind}|{version}".encode()


def encrypt(
    ring: KeyRing, version: int, vehicle_id: UUID, kind: str, text: str
) -> tuple[bytes, bytes]:
    """Encrypt a plate's text; give nonce and ciphertext with its tag."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AESGCM(ring.derive(version, ENCRYPT))
    return nonce, cipher.encrypt(nonce, text.encode(), associated_data(vehicle_id, kind, version))


def decrypt(
    ring: KeyRing, version: int, vehicle_id: UUID, kind: str, sealed: tuple[bytes, bytes]
) -> PlateNumber:
    """Open nonce and ciphertext of a vehicle's row.

    Raises
    ------
    CityError
        Where they are not what was kept for this vehicle: the row was tampered with.
    """
    cipher = AESGCM(ring.derive(version, ENCRYPT))
    try:
        clear = cipher.decrypt(*sealed, associated_data(vehicle_id, kind, version))
    except InvalidTag:
        raise CityError("a plate was changed in the vault", vehicle_id=str(vehicle_id)) from None
    return PlateNumber(clear.decode(), PlateKind(kind))


def _find(connection: Connection, lookups: dict[int, bytes]) -> tuple[VehicleId, datetime] | None:
    """Find a vehicle under any live version: one statement, so that a rotation cannot hide it."""
    row = connection.execute(
        select(VEHICLE.c.id, VEHICLE.c.used_at).where(
            tuple_(VEHICLE.c.key_version, VEHICLE.c.lookup).in_(list(lookups.items()))
        )
    ).one_or_none()
    return None if row is None else (VehicleId(row.id), row.used_at)


def _note_use(uow: UnitOfWork, vehicle_id: VehicleId, used_at: datetime) -> None:
    now = uow.wall.now()
    if now - used_at >= USE_NOTED_EVERY:
        uow.connection.execute(
            update(VEHICLE).where(VEHICLE.c.id == vehicle_id).values(used_at=now)
        )


def keep_plate(uow: UnitOfWork, plate: PlateNumber, *, keys: KeySource | None = None) -> VehicleId:
    """Find the vehicle of a plate, or keep it as a new one.

    Safe against itself in other transactions and against a rotation of the keys: a plate never
    gets two vehicles.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction. Where it keeps several new plates, keep them in the order of their
        ``identity``, or two transactions can wait for each other (PostgreSQL ends one).
    plate : PlateNumber
        Number and kind.
    keys : KeySource or None
        Another key source than the process's own.

    Returns
    -------
    VehicleId
        The only thing that other tables may hold.

    Raises
    ------
    Unavailable
        Where the key ring is missing or not this database's.
    """
    opened = open_vault(uow.connection, keys)
    found = None
    if opened is not None:
        found = _find(uow.connection, opened.lookups(LOOKUP, plate.identity))
    if found is None:
        opened = open_for_writing(uow, keys)
        lookups = opened.lookups(LOOKUP, plate.identity)
        take_turns(uow.connection, lookups.values())
        found = _find(uow.connection, lookups)
        if found is None:
            return _new_vehicle(uow, opened, plate, lookups[opened.current])
    _note_use(uow, *found)
    return found[0]


def _new_vehicle(
    uow: UnitOfWork, opened: OpenVault, plate: PlateNumber, lookup: bytes
) -> VehicleId:
    vehicle_id, at = VehicleId(uuid7()), uow.wall.now()
    nonce, ciphertext = encrypt(opened.ring, opened.current, vehicle_id, plate.kind, plate.text)
    uow.connection.execute(
        insert(VEHICLE).values(
            id=vehicle_id,
            kind=plate.kind.value,
            masked=plate.masked(),
            key_version=opened.current,
            lookup=lookup,
            nonce=nonce,
            ciphertext=ciphertext,
            created_at=at,
            used_at=at,
        )
    )
    return vehicle_id


def _require(actor: Actor, purpose: str) -> str:
    if actor.kind != "system" and not actor.has_any(*MAY_SEE_PLATES):
        raise Forbidden("your roles do not allow you to see plates")
    cleaned = purpose.strip()
    if not 1 <= len(cleaned) <= LONGEST_PURPOSE:
        raise Invalid(f"must say why, in 1 to {LONGEST_PURPOSE} characters", field="purpose")
    return cleaned


def find_plate(
    uow: UnitOfWork,
    actor: Actor,
    plate: PlateNumber,
    purpose: str,
    *,
    keys: KeySource | None = None,
) -> VehicleId | None:
    """Find the vehicle of a plate without keeping it; recorded with its purpose.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction; the look is recorded where it commits.
    actor : Actor
        Attendant, inspector, operator, finance, or the system.
    plate : PlateNumber
        Number and kind.
    purpose : str
        Why, for the record; 1 to 120 characters.
    keys : KeySource or None
        Another key source than the process's own.

    Returns
    -------
    VehicleId or None
        None where no such plate is kept.

    Raises
    ------
    Forbidden
        Where the actor's roles do not allow it.
    """
    why = _require(actor, purpose)
    found = None
    opened = open_vault(uow.connection, keys)
    while opened is not None:
        found = _find(uow.connection, opened.lookups(LOOKUP, plate.identity))
        if found is not None:
            break
        # A rotation that began in between may have moved the row to a version unknown before.
        before, opened = opened, open_vault(uow.connection, keys)
        if opened is not None and opened.live == before.live:
            break
    audit.record(
        uow,
        actor,
        "vault.plate_looked_up",
        "vehicle",
        "none" if found is None else str(found[0]),
        {"purpose": why, "found": found is not None, "masked": plate.masked()},
    )
    return None if found is None else found[0]


def reveal(
    uow: UnitOfWork,
    actor: Actor,
    vehicle_ids: Collection[VehicleId],
    purpose: str,
    *,
    keys: KeySource | None = None,
) -> dict[VehicleId, PlateNumber]:
    """Show plates in the clear; a record for each vehicle, with the purpose.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction. Show nothing before it has committed.
    actor : Actor
        Attendant, inspector, operator, finance, or the system.
    vehicle_ids : collection of VehicleId
        At most 500.
    purpose : str
        Why, for the record; 1 to 120 characters.
    keys : KeySource or None
        Another key source than the process's own.

    Returns
    -------
    dict of VehicleId to PlateNumber
        Without those that are unknown or forgotten.

    Raises
    ------
    Forbidden
        Where the actor's roles do not allow it.
    CityError
        Where a ciphertext was tampered with.
    """
    why = _require(actor, purpose)
    if len(vehicle_ids) > MOST_AT_ONCE:
        raise Invalid(f"must be at most {MOST_AT_ONCE}", field="vehicle_ids")
    rows = uow.connection.execute(
        select(VEHICLE).where(VEHICLE.c.id.in_(list(vehicle_ids)), VEHICLE.c.forgotten_at.is_(None))
    ).all()
    shown: dict[VehicleId, PlateNumber] = {}
    # Opened after the rows were read: no row can be under a key that this does not know yet.
    opened = open_vault(uow.connection, keys) if rows else None
    if opened is not None:
        for row in rows:
            sealed = (bytes(row.nonce), bytes(row.ciphertext))
            shown[VehicleId(row.id)] = decrypt(
                opened.ring, row.key_version, row.id, row.kind, sealed
            )
    audit.record_all(
        uow,
        actor,
        "vault.plate_revealed",
        "vehicle",
        {str(v): {"purpose": why, "shown": v in shown} for v in vehicle_ids},
    )
    return shown


def masked(
    connection: Connection, vehicle_ids: Iterable[VehicleId]
) -> dict[VehicleId, MaskedPlate]:
    """Give plates as everybody may see them; needs no key, and is not recorded.

    Vehicles that are unknown are left out.
    """
    rows = connection.execute(
        select(VEHICLE.c.id, VEHICLE.c.masked, VEHICLE.c.kind).where(
            VEHICLE.c.id.in_(list(vehicle_ids))
        )
    )
    return {
        VehicleId(row.id): MaskedPlate(row.masked or FORGOTTEN_TEXT, PlateKind(row.kind))
        for row in rows
    }


def forget(
    uow: UnitOfWork,
    before_at: datetime,
    *,
    needed: Callable[[Sequence[VehicleId]], Collection[VehicleId]] = lambda _: (),
    after: ForgottenUpTo | None = None,
    limit: int = FORGET_AT_ONCE,
) -> ForgottenUpTo | None:
    """Forget vehicles that were last kept before an instant: retention.

    The row stays with its kind, so that what refers to it still counts; plate, mask and keyed
    hash go. The same plate seen again is a new vehicle.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    before_at : datetime
        Wall time; use is noted once a day, so that the limit is exact to a day.
    needed : callable
        Gives those of some vehicles to keep whatever their age: with an open stay, an unpaid
        bill, a dispute.
    after : ForgottenUpTo
        What the last call gave: go on behind it. Otherwise those that are kept would be looked
        at again and again.
    limit : int
        Most to look at in this transaction.

    Returns
    -------
    ForgottenUpTo or None
        Where to go on; None where there is nothing older left.
    """
    old = (
        select(VEHICLE.c.id, VEHICLE.c.used_at)
        .where(VEHICLE.c.forgotten_at.is_(None), VEHICLE.c.used_at < before_at)
        .order_by(VEHICLE.c.used_at, VEHICLE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if after is not None:
        old = old.where(tuple_(VEHICLE.c.used_at, VEHICLE.c.id) > tuple_(*after))
    rows = uow.connection.execute(old).all()
    if not rows:
        return None
    kept = set(needed([VehicleId(row.id) for row in rows]))
    ids = [row.id for row in rows if row.id not in kept]
    uow.connection.execute(
        update(VEHICLE)
        .where(VEHICLE.c.id.in_(ids))
        .values(
            masked=None,
            key_version=None,
            lookup=None,
            nonce=None,
            ciphertext=None,
            forgotten_at=uow.wall.now(),
        )
    )
    audit.record_all(
        uow,
        SYSTEM,
        "vault.plate_forgotten",
        "vehicle",
        {str(vehicle_id): {"before_at": before_at.isoformat()} for vehicle_id in ids},
    )
    return ForgottenUpTo(rows[-1].used_at, VehicleId(rows[-1].id))
