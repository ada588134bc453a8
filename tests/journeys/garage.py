"""A garage with gates beside the street, and those who pass them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from city.identifiers import AccountId, FacilityId, OperatorId, ParkingSessionId, uuid7
from city.people.actors import Actor
from city.places import Position
from city.vehicles import PlateKind, normalise_plate
from city.works.jobs import Worker
from journeys import settle_stay
from journeys.admit_vehicle import Direction, Passage, Passed, pass_gate
from journeys.correct_stay import Correction, CorrectionKind, correct_stay
from lpr.rules.reads import PlateRead
from parking.services import corrections, stay_views, stays
from parking.store.places import Facility, add_facilities
from payments import services as payments
from tests.journeys.conftest import DISTRICT, at

if TYPE_CHECKING:
    from parking.rules.evidence import Evidence
    from parking.rules.stays import ParkingSession
    from payments.rules.bills import Bill
    from tests.journeys.conftest import Street

GATES = Actor("integration", "gates", None, frozenset(), "gates")
_events = count(1)


def read(text: str, sure: float = 0.99, kind: PlateKind = PlateKind.BLUE7) -> PlateRead:
    """Give a read, every character of it as sure."""
    return PlateRead(normalise_plate(text), kind, (sure,) * len(normalise_plate(text)))


@dataclass(slots=True)
class Garage:
    """What a test works on: the street's clock, people and tariff, and a facility with gates."""

    street: Street
    facility: Facility = field(init=False)

    def __post_init__(self) -> None:
        tariff_id = self.street.facility.tariff_id
        self.facility = Facility(
            code="G-1",
            district=DISTRICT,
            ownership="commercial",
            kind="garage",
            name_zh="滨江车库",
            name_en="Riverside Garage",
            position=Position(120.11, 30.21),
            timezone="Asia/Shanghai",
            operator_id=OperatorId(uuid7()),
            revenue_nature="commercial",
            tariff_id=tariff_id,
            id=FacilityId(uuid7()),
        )
        with self.street.database.unit_of_work() as uow:
            add_facilities(uow.connection, [self.facility])

    def passes(
        self,
        direction: str,
        minute: float,
        plate: str | None = "京A12345",
        *,
        sure: float = 0.99,
        event: str | None = None,
        ticket: str | None = None,
        gate: str = "N1",
        by: Actor = GATES,
    ) -> Passed:
        """Send a passage; the clock is moved on to it where it lies ahead."""
        wanted = at(minute)
        behind_s = (wanted - self.street.clock.now()).total_seconds()
        if behind_s > 0:
            self.street.clock.advance(behind_s)
        passage = Passage(
            self.facility.id,
            gate,
            Direction(direction),
            event or f"e{next(_events)}",
            wanted,
            None if ticket else read(plate or "", sure),
            ticket,
        )
        with self.street.database.unit_of_work() as uow:
            return pass_gate(uow, by, passage)


def sessions(street: Street) -> list[ParkingSession]:
    """Give all stays, oldest first."""
    with street.database.read() as connection:
        found = stays.page(connection).items
    return sorted(found, key=lambda each: (each.stay.opened_at, each.id))


def session(street: Street, session_id: ParkingSessionId) -> ParkingSession:
    """Give one stay."""
    with street.database.read() as connection:
        found = stays.find(connection, session_id)
    assert found is not None
    return found


def evidence(street: Street, of: ParkingSession) -> list[Evidence]:
    """Give all that was said of a stay and its parts."""
    with street.database.read() as connection:
        return list(stay_views.timeline(connection, of).evidence)


def correct(
    street: Street, of: ParkingSession, kind: str, **members: Any
) -> tuple[ParkingSession, ...]:
    """Correct a stay as the attendant."""
    said = Correction(CorrectionKind(kind), members.pop("reason", "as I saw it"), **members)
    with street.database.unit_of_work() as uow:
        return correct_stay(uow, street.attendant, of.id, said)


def minutes_pass(street: Street, minutes: float) -> None:
    """Let time pass, and do what the worker does every minute."""
    street.clock.advance(minutes * 60)
    with street.database.unit_of_work() as uow:
        corrections.open_remainders(uow)
        stays.announce_settled(uow)
    Worker(street.url, [settle_stay.task(street.database)], database=street.database).drain()


def bills(street: Street) -> list[Bill]:
    """Give all bills, oldest first."""
    with street.database.read() as connection:
        return sorted(payments.bills(connection).items, key=lambda bill: bill.issued_at)


def driver_of(street: Street) -> AccountId:
    """Give the driver's account."""
    found = street.driver.account_id
    assert found is not None
    return found
