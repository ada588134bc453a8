"""People on foot and on bicycles at a signal.

(1) d = (C - g)^2 / (2 C)                                    on foot, every step of it
(2) c = s g / C,  s = 2 000 bicycles an hour and lane        bicycles
(3) d = 0.5 C (1 - g/C)^2 / (1 - min(1, v / c) g/C)

Source: Highway Capacity Manual 2000, eqs. 18-5, 19-10 and 19-11, as textbooks restate them. A
crossing in two steps adds the wait on the refuge, followed for walkers who arrive evenly: ours.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from signals.rules.delay.checks import Floats, above, at_least, green_share
from signals.rules.delay.vehicles import uniform_delay_s

BICYCLES_PER_LANE_PH: Final = 2_000.0


def walking_delay_s(effective_walk_s: ArrayLike, cycle_s: ArrayLike) -> Floats:
    """Give the mean wait of walkers at the kerb, by (1)."""
    share, cycle = green_share(effective_walk_s, cycle_s)
    return np.asarray(cycle * (1 - share) ** 2 / 2)


def two_step_delay_s(
    first_walk_s: tuple[float, float],
    second_walk_s: tuple[float, float],
    cycle_s: float,
    walk_to_refuge_s: float,
    *,
    instants: int = 720,
) -> float:
    """Give the mean wait at the kerb and on the refuge together.

    Parameters
    ----------
    first_walk_s, second_walk_s : tuple of float
        Beginning and length of each step's walk, in one cycle's time.
    cycle_s : float
    walk_to_refuge_s : float
        From the kerb to the refuge.
    instants : int
        Arrivals per cycle that the mean is taken over.
    """
    above(cycle_s, 0, "cycle_s")
    at_least(walk_to_refuge_s, 0, "walk_to_refuge_s")
    arrivals_s = (np.arange(instants) + 0.5) * cycle_s / instants
    kerb_s = _wait_s(arrivals_s, first_walk_s, cycle_s)
    refuge_s = _wait_s(arrivals_s + kerb_s + walk_to_refuge_s, second_walk_s, cycle_s)
    return float(np.mean(kerb_s + refuge_s))


def bicycle_delay_s(
    flow_bph: ArrayLike,
    effective_green_s: ArrayLike,
    cycle_s: ArrayLike,
    *,
    saturation_flow_bph: ArrayLike = BICYCLES_PER_LANE_PH,
) -> Floats:
    """Give the mean delay of bicycles, by (2) and (3).

    What exceeds the capacity is not in it: (3) has no overflow, and e-bikes form several files.
    """
    share, _ = green_share(effective_green_s, cycle_s)
    capacity = above(saturation_flow_bph, 0, "saturation_flow_bph") * share
    return uniform_delay_s(at_least(flow_bph, 0, "flow_bph") / capacity, effective_green_s, cycle_s)


def _wait_s(at_s: Floats, walk_s: tuple[float, float], cycle_s: float) -> Floats:
    begin_s, length_s = walk_s
    green_share(length_s, cycle_s)
    into_s = (at_s - begin_s) % cycle_s
    return np.asarray(np.where(into_s < length_s, 0.0, cycle_s - into_s))
