"""How long a plate is kept: until nothing needs it and the policy's days have passed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from city.money import Money
from city.vault import masked
from city.vehicles import PlateKind, parse_plate
from journeys.forget_plates import forget_plates
from journeys.take_payment import take_payment
from tests.journeys.test_stay_to_cash import apply, attach, billed, sessions

if TYPE_CHECKING:
    from tests.journeys.conftest import Street

KEPT = timedelta(days=180)
OTHER = parse_plate("京B54321", PlateKind.BLUE7)


def shown(street: Street) -> dict[str, str]:
    """Give the masked plate of every stay that has one, by its bay's label."""
    labels = {bay.id: bay.label for bay in street.bays}
    found = {each.bay_id: each.stay.vehicle_id for each in sessions(street)}
    with street.database.read() as connection:
        plates = masked(connection, [each for each in found.values() if each])
    return {labels[bay]: plates[one].text for bay, one in found.items() if bay and one}


def forget_after(street: Street, days: int) -> None:
    """Run the job as it would be so many days on, by the wall."""
    street.wall.advance(days * 86_400)
    forget_plates(street.database, KEPT)


def test_a_plate_is_forgotten_once_its_bill_is_paid_and_its_days_have_passed(
    street: Street,
) -> None:
    bill = billed(street)
    forget_after(street, 181)
    assert shown(street) == {"A1": "京A·****5"}  # it owes
    with street.database.unit_of_work() as uow:
        take_payment(uow, street.attendant, bill.id, Money(900, "CNY"))
    forget_plates(street.database, KEPT)
    assert shown(street) == {"A1": "***"}


def test_a_parked_car_keeps_its_plate_and_a_recent_one_too(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id)
    forget_after(street, 179)
    assert shown(street) == {"A1": "京A·****5"}
    forget_after(street, 2)
    assert shown(street) == {"A1": "京A·****5"}  # parked
    apply(street, street.change(0, ("occupied", 0), bay=1))
    (other,) = [each for each in sessions(street) if each.stay.vehicle_id is None]
    attach(street, other.id, OTHER)
    forget_plates(street.database, KEPT)
    assert shown(street)["A2"] == "京B·****1"
