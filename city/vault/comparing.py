"""Plates opened for a comparison by the system itself: nobody sees them."""

from collections.abc import Collection

from sqlalchemy import select

from city import audit
from city.errors import CityError, Forbidden, Invalid
from city.identifiers import VehicleId
from city.people.actors import Actor
from city.vault.keys import KeySource
from city.vault.opening import open_vault
from city.vault.plates import LONGEST_PURPOSE, MOST_AT_ONCE, decrypt
from city.vault.store import VEHICLE
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork


def open_for_comparison(
    uow: UnitOfWork,
    actor: Actor,
    vehicle_ids: Collection[VehicleId],
    purpose: str,
    *,
    keys: KeySource | None = None,
) -> dict[VehicleId, PlateNumber]:
    """Open plates for a rule to compare with a read, such as an exit's with those inside.

    One record for all of them: no person sees any, so there is no look at each to put on record.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    actor : Actor
        A part of the system; nobody else compares plates unseen.
    vehicle_ids : collection of VehicleId
        At most 500.
    purpose : str
        Why, for the record; 1 to 120 characters.
    keys : KeySource or None
        Another key source than the process's own.

    Returns
    -------
    dict of VehicleId to PlateNumber
        Without those that are unknown or forgotten. Never answer with it.

    Raises
    ------
    Forbidden
        For whoever is not the system.
    Invalid
        For too many at once, or without a purpose.
    """
    if actor.kind != "system":
        raise Forbidden("only the system compares plates")
    if not 1 <= len(purpose) <= LONGEST_PURPOSE:
        raise Invalid(f"must say why, in 1 to {LONGEST_PURPOSE} characters", field="purpose")
    if len(vehicle_ids) > MOST_AT_ONCE:
        raise Invalid(f"must be at most {MOST_AT_ONCE}", field="vehicle_ids")
    rows = uow.connection.execute(
        select(VEHICLE).where(VEHICLE.c.id.in_(list(vehicle_ids)), VEHICLE.c.forgotten_at.is_(None))
    ).all()
    if not rows:
        return {}
    # Opened after the rows were read: no row can be under a key that this does not know yet.
    opened = open_vault(uow.connection, keys)
    if opened is None:
        raise CityError("the vault has plates and no keys")
    found = {
        VehicleId(row.id): decrypt(
            opened.ring,
            row.key_version,
            row.id,
            row.kind,
            (bytes(row.nonce), bytes(row.ciphertext)),
        )
        for row in rows
    }
    audit.record(
        uow,
        actor,
        "vault.plates_compared",
        "vehicle",
        "many",
        {"purpose": purpose, "n": len(found)},
    )
    return found
