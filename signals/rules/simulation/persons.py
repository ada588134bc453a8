"""How many people a vehicle carries, by SUMO's class."""

from collections.abc import Mapping
from typing import Final

PERSONS: Final[Mapping[str, float]] = {
    "pedestrian": 1.0,
    "bicycle": 1.0,
    "moped": 1.1,
    "motorcycle": 1.1,
    "passenger": 1.5,
    "private": 1.5,
    "taxi": 1.5,
    "delivery": 1.2,
    "truck": 1.1,
    "trailer": 1.1,
    "bus": 25.0,
    "coach": 30.0,
    "tram": 60.0,
    "rail_urban": 200.0,
}
"""Common practice of occupancy counts; a city sets its own."""
OTHERWISE: Final = 1.5
"""Of a class that is not listed."""
