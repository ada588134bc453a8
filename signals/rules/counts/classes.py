"""Who is counted, and what each is worth in passenger-car units, as data.

Source: CJJ 37-2012 (urban road engineering), conversion of motor vehicles, from memory: the text
was not at hand. Motorcycles and e-bikes by practice; a city sets its own factors.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CountClass(StrEnum):
    """A class of road users, one column of a count table each."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    ARTICULATED = "articulated"
    MOTORCYCLE = "motorcycle"
    EBIKE = "ebike"
    BICYCLE = "bicycle"
    WALKER = "walker"


PCU: Final[Mapping[CountClass, float]] = {
    CountClass.CAR: 1.0,
    CountClass.BUS: 2.0,
    CountClass.TRUCK: 2.5,
    CountClass.ARTICULATED: 3.0,
    CountClass.MOTORCYCLE: 0.5,
}
"""Passenger-car units of those who drive; who rides is counted apart."""

RIDERS: Final = frozenset({CountClass.EBIKE, CountClass.BICYCLE})
RIDER_PCU: Final = 0.2
"""Of e-bikes and bicycles where they share the lanes of those who drive."""
DRIVERS: Final = frozenset(PCU)
