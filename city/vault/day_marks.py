"""Marks of a day: a vehicle's name on the street, the same past every camera, another one tomorrow.

Whoever tells of passages makes their marks here, so that a car read at a gate and at a stop line
has one mark. A mark is a keyed hash under the vault's key and the day: a journey is known by it, a
habit is not, and without the key nobody can try out all plates.
"""

import hmac
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from city.identifiers import VehicleId
from city.vault.keys import KeySource
from city.vault.opening import OpenVault, open_for_writing
from city.vault.plates import decrypt
from city.vault.store import VEHICLE
from city.works.database import UnitOfWork

MARK_BYTES: Final = 16
_PURPOSE: Final = "day-mark"
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_DAY_BEGINS: Final = timedelta(hours=4)
"""When the fewest are on their way: a journey past it is two."""


def mark_day(at: datetime) -> date:
    """Give the day of marks to which an instant of the wall's time belongs."""
    return (at.astimezone(_ZONE) - _DAY_BEGINS).date()


def marks_of_plates(
    uow: UnitOfWork, plates: Iterable[tuple[str, datetime]], *, keys: KeySource | None = None
) -> list[bytes]:
    """Give each plate's mark at its instant, in their order.

    Parameters
    ----------
    uow : UnitOfWork
    plates : iterable of str and datetime
        Plates as `normalise_plate` writes them, each with an instant of the wall's time. Their kind
        is not asked: who pushes reads often has none, and few numbers are on the road as two kinds.
    keys : KeySource or None
        Another key source than the process's own.

    Notes
    -----
    Made under the key in force: on the day on which a new one comes into force, journeys that were
    under way then are not known.
    """
    opened = open_for_writing(uow, keys)
    days: dict[date, bytes] = {}
    return [_mark(opened, days, plate, at) for plate, at in plates]


def mark_of_vehicle(
    uow: UnitOfWork, vehicle_id: VehicleId, at: datetime, *, keys: KeySource | None = None
) -> bytes:
    """Give the mark of a vehicle that is known, by its plate, which does not leave the vault.

    A vehicle without a plate (one with a ticket, or forgotten) has a mark too, which meets no read.
    """
    row = uow.connection.execute(
        select(VEHICLE).where(VEHICLE.c.id == vehicle_id, VEHICLE.c.forgotten_at.is_(None))
    ).one_or_none()
    # Opened after the row was read: it cannot be under a key that this does not know yet.
    opened = open_for_writing(uow, keys)
    if row is None:
        return _mark(opened, {}, f"vehicle {vehicle_id}", at)
    sealed = (bytes(row.nonce), bytes(row.ciphertext))
    plate = decrypt(opened.ring, row.key_version, row.id, row.kind, sealed)
    return _mark(opened, {}, plate.text, at)


def _mark(opened: OpenVault, days: dict[date, bytes], subject: str, at: datetime) -> bytes:
    day = mark_day(at)
    if day not in days:
        days[day] = opened.ring.derive(opened.current, f"{_PURPOSE}/{day}")
    return hmac.digest(days[day], subject.encode(), "sha256")[:MARK_BYTES]
