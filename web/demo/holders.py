"""Whose the demo town's permit bays are."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from city.vehicles import PlateKind, PlateNumber, parse_plate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from city.identifiers import BayId
    from web.demo.bays import DemoFacility


def holders(facilities: Iterable[DemoFacility]) -> dict[BayId, PlateNumber]:
    """Give the car that each permit bay belongs to; no car has two.

    The letter stands where no other car of the town has one, so that nobody else drives about
    under a holder's number.
    """
    numbers = count(1)
    return {
        bay.bay_id: parse_plate(f"皖RP{next(numbers):04d}", PlateKind.BLUE7)
        for each in sorted(facilities, key=lambda each: each.code)
        for bay in each.bays
        if bay.purpose == "permit"
    }
