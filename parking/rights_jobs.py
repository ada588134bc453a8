"""What workers do for rights: who came to reserved bays and left, and what ends by the clock."""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue

from city.events.parking import ParkingSessionClosed, VehicleAttached
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task, handle_once
from parking.services import permits, reservations

ARRIVAL: Final = "parking.reservation_arrival"
DEPARTURE: Final = "parking.reservation_departure"
RELEASE: Final = "parking.release_reservations"
ENDED: Final = "parking.announce_ended_permits"
EVERY_MINUTE: Final = "* * * * *"


def tasks(database: Database) -> list[Task]:
    """Give the tasks of rights, to be registered by the worker."""

    def arrival(arguments: Mapping[str, JsonValue]) -> None:
        event = VehicleAttached.opened(arguments)
        with database.unit_of_work() as uow:
            if handle_once(uow, ARRIVAL, event.event_id):
                reservations.note_arrival(uow, event.session_id)

    def departure(arguments: Mapping[str, JsonValue]) -> None:
        event = ParkingSessionClosed.opened(arguments)
        with database.unit_of_work() as uow:
            if handle_once(uow, DEPARTURE, event.event_id):
                reservations.note_departure(uow, event.session_id, event.closed_at)

    return [
        Task(ARRIVAL, arrival),
        Task(DEPARTURE, departure),
        Task(
            RELEASE,
            _in_batches(database, reservations.release_due, reservations.DUE_AT_ONCE),
            every=EVERY_MINUTE,
        ),
        Task(
            ENDED,
            _in_batches(database, permits.announce_ended, permits.ENDED_AT_ONCE),
            every=EVERY_MINUTE,
        ),
    ]


def _in_batches(
    database: Database, work: Callable[[UnitOfWork], int], at_once: int
) -> Callable[[Mapping[str, JsonValue]], None]:
    """Give a handler that works in transactions of a batch each until one is not full."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        done = at_once
        while done == at_once:
            with database.unit_of_work() as uow:
                done = work(uow)

    return handle
