"""Saturation flow from geometry.

(1) s = s0 N fw fHV fg fp fbb fa fLU fLT fRT

with lanes N of width W in metres, a share of heavy vehicles that count for E cars, gradient G in
per cent, parking manoeuvres and stopping buses an hour beside the group:

(2) fw = 1 + (W - 3.6) / 9                      2.4 m and wider
(3) fHV = 1 / (1 + P (E - 1))
(4) fg = 1 - G / 200                            -6 to 10 %
(5) fp = (N - 0.1 - 18 Nm / 3600) / N, at least 0.05; 1 without parking
(6) fbb = (N - 14.4 NB / 3600) / N, at least 0.05
(7) fLT = 0.95 in lanes of their own, 1 / (1 + 0.05 P) shared;  both protected
(8) fRT = 0.85 in lanes of their own, 1 - 0.15 P shared, 1 - 0.135 P in an only lane

Source: Highway Capacity Manual 2000, eq. 16-4 and exhibit 16-7, as textbooks restate them. What is
measured at the junction is better than any of it.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from city.errors import Invalid

BASE_PCPHPL: Final = 1_900.0
"""Passenger cars an hour and lane under base conditions, HCM; in China 1 550 to 1 650 is usual."""
LEAST_FACTOR: Final = 0.05
NARROWEST_M: Final = 2.4
STEEPEST_PERCENT: Final = (-6.0, 10.0)


@dataclass(frozen=True, slots=True)
class LaneGroup:
    """Lanes that discharge together.

    Attributes
    ----------
    lanes
        How many.
    width_m
        Of a lane, on average.
    heavy
        Share of heavy vehicles; each counts for `heavy_cars` cars.
    gradient_percent
        Uphill positive.
    parking_per_h
        Manoeuvres an hour beside the group; None: no parking there.
    buses_per_h
        That stop beside the group.
    left, right
        Shares of turning vehicles; 1 for lanes of their own. Turns are protected.
    centre
        Whether it lies in a business district.
    utilisation
        fLU: share of the lanes' flow to what the fullest would make of all.

    Raises
    ------
    Invalid
        Naming the member.
    """

    lanes: int
    width_m: float = 3.6
    heavy: float = 0.0
    heavy_cars: float = 2.0
    gradient_percent: float = 0.0
    parking_per_h: float | None = None
    buses_per_h: float = 0.0
    left: float = 0.0
    right: float = 0.0
    centre: bool = False
    utilisation: float = 1.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and not np.isfinite(value):
                raise Invalid("must be a number", field=each.name)
        for name, good in (
            ("lanes", self.lanes >= 1),
            ("width_m", self.width_m >= NARROWEST_M),
            ("heavy", 0 <= self.heavy <= 1),
            ("heavy_cars", self.heavy_cars >= 1),
            (
                "gradient_percent",
                STEEPEST_PERCENT[0] <= self.gradient_percent <= STEEPEST_PERCENT[1],
            ),
            ("parking_per_h", self.parking_per_h is None or self.parking_per_h >= 0),
            ("buses_per_h", self.buses_per_h >= 0),
            ("left", 0 <= self.left <= 1),
            ("right", 0 <= self.right <= 1 and self.left + self.right <= 1),
            ("utilisation", 0 < self.utilisation <= 1),
        ):
            if not good:
                raise Invalid("is out of range", field=name)


def saturation_flow_vph(group: LaneGroup, *, base_pcphpl: float = BASE_PCPHPL) -> float:
    """Give a lane group's saturation flow in vehicles an hour of green, by (1) to (8)."""
    if not 0 < base_pcphpl < np.inf:
        raise Invalid("must be positive", field="base_pcphpl")
    lanes = group.lanes
    parking = 1.0
    if group.parking_per_h is not None:
        parking = max(LEAST_FACTOR, (lanes - 0.1 - 18 * group.parking_per_h / 3600) / lanes)
    buses = max(LEAST_FACTOR, (lanes - 14.4 * group.buses_per_h / 3600) / lanes)
    left = 0.95 if group.left == 1 else 1 / (1 + 0.05 * group.left)
    shared = 0.135 if lanes == 1 else 0.15
    right = 0.85 if group.right == 1 else 1 - shared * group.right
    return (
        base_pcphpl
        * lanes
        * (1 + (group.width_m - 3.6) / 9)
        / (1 + group.heavy * (group.heavy_cars - 1))
        * (1 - group.gradient_percent / 200)
        * parking
        * buses
        * (0.9 if group.centre else 1.0)
        * group.utilisation
        * left
        * right
    )
