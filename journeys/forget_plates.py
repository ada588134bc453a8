"""Plates are kept no longer than the policy says: forgotten once nothing needs them any more."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection

from city import vault
from city.identifiers import VehicleId
from city.works.database import Database
from city.works.jobs import Task
from parking.services import rights, stays
from payments import services as payments

TASK: Final = "journeys.forget_plates"
DAILY: Final = "41 3 * * *"


def forget_plates(database: Database, kept_for: timedelta) -> None:
    """Forget the plates that were last used longer ago, a transaction for each thousand.

    A vehicle that is parked, waits for its bill or has an unpaid one keeps its plate, and so does
    one that a permit, a reservation or a blacklist names. Cost grows with the vehicles that are
    that old and still remembered.

    Parameters
    ----------
    database : Database
        Whose wall time counts.
    kept_for : timedelta
        How long a plate is kept after its last use.
    """
    before_at = database.wall.now() - kept_for
    done: vault.ForgottenUpTo | None = None
    while True:
        with database.unit_of_work() as uow:
            needed = partial(_needed, uow.connection, uow.clock.now())
            done = vault.forget(uow, before_at, needed=needed, after=done)
        if done is None:
            return


def _needed(
    connection: Connection, now: datetime, vehicle_ids: Sequence[VehicleId]
) -> frozenset[VehicleId]:
    return (
        stays.open_vehicles(connection, vehicle_ids)
        | payments.debtors(connection, vehicle_ids)
        | rights.needed(connection, vehicle_ids, now)
    )


def task(database: Database, kept_for: timedelta) -> Task:
    """Give the task that runs daily."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        forget_plates(database, kept_for)

    return Task(TASK, handle, every=DAILY)
