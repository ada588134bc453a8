"""How a demand's drivers use a green: the headway at which they follow, what pulling away costs.

With v the slowest speed of a movement's way (m/s, no more than the drivers' own), l what a vehicle
takes up at rest (m), T the time that drivers keep (s), a their acceleration (m/s2):

(1)  s = 3600 / (T + 0.25 + 1.22 l / v)
(2)  start loss = 0.61 v / a - 0.3 s, at least 1 s

Who drives at v after a standing start is v / (2 a) behind who never stopped; dawdling makes that
more. Fitted to queues of SUMO's drivers (Krauss) in greens of 10 to 60 s, straight on and turning,
at 6.5 to 22 m/s, with accelerations of 1.5 to 2.6 m/s2 and T of 1 and 1.5 s: (1) within 6 %, the
green that (2) leaves within 1 s.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from signals.rules.model.junction import Movement

DAWDLING_S: Final = 0.25
"""Beyond the time that drivers keep."""
PULLING: Final = 1.22
"""Times the time to drive their own length: who pulls away is slower."""
_HOUR_S: Final = 3_600.0
_LOST_TO_SPEED: Final = 0.61
_LOST_LESS_S: Final = 0.3
_LEAST_LOSS_S: Final = 1.0
_DEFAULT_MPS: Final = 13.9


@dataclass(frozen=True, slots=True)
class Drivers:
    """What vehicles of a demand have in common in the mean; as given, SUMO's cars."""

    space_m: float = 7.5
    """A vehicle and the gap before it at rest."""
    headway_s: float = 1.0
    """The time that drivers keep behind the one before."""
    acceleration_mps2: float = 2.6
    top_mps: float = math.inf
    """Faster they do not drive, whatever the road allows."""

    def saturation_flow_vph(self, movement: Movement) -> float:
        """Give a lane's saturation flow by the speed at which its way is driven, by (1)."""
        own_s = PULLING * self.space_m / self.speed_mps(movement)
        return _HOUR_S / (self.headway_s + DAWDLING_S + own_s)

    def start_loss_s(self, movement: Movement) -> float:
        """Give what pulling away takes from a green, by (2)."""
        lost_s = _LOST_TO_SPEED * self.speed_mps(movement) / self.acceleration_mps2 - _LOST_LESS_S
        return max(lost_s, _LEAST_LOSS_S)

    def inside_veh(self, movement: Movement) -> int | None:
        """Give how many wait between stop line and conflict; None where the way does not say.

        SUMO parts a way where those who give way wait.
        """
        if len(movement.pieces) < 2:  # noqa: PLR2004 - up to where one waits, and on
            return None
        return 1 + int(movement.pieces[0].length_m / self.space_m)

    def speed_mps(self, movement: Movement) -> float:
        """Give the speed at the slowest piece of a way."""
        slowest = min((piece.speed_mps for piece in movement.pieces), default=_DEFAULT_MPS)
        return max(min(slowest, self.top_mps), 1.0)


CARS: Final = Drivers()
BICYCLES: Final = Drivers(2.1, 1.0, 1.2, 5.6)
"""SUMO's own."""


def mean_of(drivers: Iterable[tuple[Drivers, float]]) -> Drivers:
    """Give the mean of drivers by their numbers; SUMO's cars where there are none.

    Accelerations and speeds by their reciprocals: it is times that add up.
    """
    total = space_m = headway_s = slowness = pulling = 0.0
    for each, number in drivers:
        total += number
        space_m += number * each.space_m
        headway_s += number * each.headway_s
        pulling += number / each.acceleration_mps2
        slowness += number / each.top_mps
    if total <= 0:
        return CARS
    top_mps = total / slowness if slowness > 0 else math.inf
    return Drivers(space_m / total, headway_s / total, total / pulling, top_mps)
