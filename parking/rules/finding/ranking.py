"""Which free bays to offer, and in what order: by the time from door to door."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from city.identifiers import BayId
from city.money import Money
from city.vehicles import Energy, VehicleClass
from parking.rules.finding.travel import Way

FITTING: Final[dict[VehicleClass, frozenset[str]]] = {
    VehicleClass.SMALL: frozenset({"standard"}),
    VehicleClass.LARGE: frozenset({"coach", "lorry"}),
    VehicleClass.MOTORCYCLE: frozenset({"motorcycle"}),
}
"""Kinds of bays that a class may stand in; kinds for a purpose need more than a class."""
CHARGING: Final = "charging"
DISABLED: Final = "disabled"

Only = Literal["charging", "disabled"]
"""Kinds of bays that a driver may ask for alone."""


def fits(kind: str, vehicle: VehicleClass, energy: Energy | None, only: Only | None = None) -> bool:
    """Tell whether a vehicle may stand in a kind of bay as far as vehicle and energy decide.

    Bays for disabled drivers, loading and the like are for those who prove a right to them: those
    for disabled drivers are offered to who asks for nothing else, the others never; charging bays
    are for new-energy cars.
    """
    if only is not None and kind != only:
        return False
    if kind == DISABLED:
        return only == DISABLED and vehicle is VehicleClass.SMALL
    if kind == CHARGING:
        return vehicle is VehicleClass.SMALL and energy is Energy.NEW
    return kind in FITTING[vehicle]


@dataclass(frozen=True, slots=True)
class Option:
    """A free bay as it is offered.

    Attributes
    ----------
    drive
        None where the driver did not say from where.
    retrieval_s
        Wait for a mechanical garage to bring the car.
    arrive_at
        When the chance is judged and the price begins.
    chance_free
        That the bay is still free on arrival, 0..1; None where nothing is known of its group.
    price_total, price_per_hour
        None where no published tariff prices the vehicle; the total also where no end was given.
    """

    bay_id: BayId
    distance_m: float
    walk: Way
    drive: Way | None
    retrieval_s: float
    arrive_at: datetime
    chance_free: float | None
    price_total: Money | None
    price_per_hour: Money | None

    @property
    def door_to_door_s(self) -> float:
        """Seconds from where the driver is (or from the bay) to the destination's door."""
        drive_s = 0.0 if self.drive is None else self.drive.time_s
        return drive_s + self.retrieval_s + self.walk.time_s


def ranked(options: Iterable[Option], limit: int) -> Sequence[Option]:
    """Give the quickest options first; of equals the surer, then the nearer, then by identifier."""
    return sorted(
        options,
        key=lambda each: (
            round(each.door_to_door_s),
            -(each.chance_free or 0.0),
            each.distance_m,
            each.bay_id,
        ),
    )[:limit]
