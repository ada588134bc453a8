"""Reservations and permits as responses carry them, to staff and to drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parking.services import places
from web.api.plates import masked_plates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from parking.rules.rights.permits import Allowance
    from parking.rules.rights.reservations import Reservation


def allowance_json(allowance: Allowance | None) -> dict[str, Any] | None:
    """Return an allowance as responses carry it."""
    return None if allowance is None else {"free_s": allowance.free_s, "per": allowance.per.value}


def shown_reservations(
    connection: Connection, found: Sequence[Reservation]
) -> list[dict[str, Any]]:
    """Return reservations with their bays' labels and masked plates: two statements."""
    bays = places.bays_by_id(connection, {each.bay_id for each in found})
    plates = masked_plates(connection, (each.vehicle_id for each in found))
    return [
        {
            "id": each.id,
            "state": each.state.value,
            "bay_id": each.bay_id,
            "bay_label": bays[each.bay_id].label if each.bay_id in bays else "",
            "facility_id": each.facility_id,
            "plate": plates.get(each.vehicle_id),
            "from_at": each.from_at,
            "until_at": each.until_at,
            "hold_until_at": each.hold_until_at,
            "session_id": each.session_id,
            "ended_at": each.ended_at,
        }
        for each in found
    ]
