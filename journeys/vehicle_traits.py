"""What a tariff may know of a vehicle, from its plate's kind alone: no plate is opened for it."""

from city.plate_rules import RULES
from city.vehicles import PlateKind, VehicleClass
from parking.rules.tariffs.model import VehicleTraits


def traits_of(kind: PlateKind | None) -> VehicleTraits:
    """Give the traits that a plate's kind proves.

    A kind that does not tell the vehicle's class counts as small: the driver's favour, where
    nobody knows better.
    """
    if kind is None:
        return VehicleTraits()
    rule = RULES[kind]
    return VehicleTraits(
        vehicle_class=rule.vehicle_class or VehicleClass.SMALL,
        energy=rule.energy,
        plate_kind=kind,
    )
