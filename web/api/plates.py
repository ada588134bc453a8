"""Plates as far as the caller's role may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from city import vault
from city.people import Role
from city.vehicles import PlateKind, normalise_plate
from lpr.rules.reads import PlateRead

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from city.identifiers import VehicleId
    from city.people import Actor
    from city.works.database import UnitOfWork

SEES_PLATES = frozenset({Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR, Role.FINANCE})
"""Roles whose work needs whole plates; each look is recorded."""


def masked_plates(
    connection: Connection, vehicle_ids: Iterable[VehicleId | None]
) -> dict[VehicleId, dict[str, Any]]:
    """Return masked plates for a list: nothing is decrypted, nothing recorded."""
    wanted = {each for each in vehicle_ids if each is not None}
    return {
        vehicle_id: {"text": plate.text, "kind": plate.kind.value, "masked": True}
        for vehicle_id, plate in (vault.masked(connection, wanted) if wanted else {}).items()
    }


def one_plate(
    uow: UnitOfWork, caller: Actor, vehicle_id: VehicleId | None, purpose: str
) -> dict[str, Any] | None:
    """Return one plate: whole, with a record, for roles that need it; masked for the others."""
    if vehicle_id is None:
        return None
    if caller.roles & SEES_PLATES:
        shown = vault.reveal(uow, caller, [vehicle_id], purpose).get(vehicle_id)
        if shown is not None:
            return {"text": shown.text, "kind": shown.kind.value, "masked": False}
    return masked_plates(uow.connection, [vehicle_id]).get(vehicle_id)


def plate_read(
    plate: str, kind: PlateKind | None, confidences: Sequence[float] | None
) -> PlateRead:
    """Return a plate as a camera read it; without confidences every character is certain."""
    text = normalise_plate(plate)
    sure = tuple(confidences) if confidences is not None else (1.0,) * len(text)
    return PlateRead(text, kind or PlateKind.UNKNOWN, sure)
