"""Vehicles at a signal: capacity, control delay, back of queue, stops.

For a lane group with flow v and saturation flow s (both an hour), effective green g, cycle C,
analysis period T in hours and degree of saturation X = v / c:

(1)  c = s g / C
(2)  d = d1 PF + d2 + d3
(3)  d1 = 0.5 C (1 - g/C)^2 / (1 - min(1, X) g/C)
(4)  PF = (1 - R g/C) f / (1 - g/C)                  R: share of arrivals on green over g/C
(5)  d2 = 900 T ((X - 1) + sqrt((X - 1)^2 + 8 k I X / (c T)))
(6)  d3 = 1800 Q (1 + u) t / (c T),  t = min(T, Q / (c (1 - min(1, X)))),
     u = 0 for t < T, else 1 - c T (1 - min(1, X)) / Q: the share that stays
(7)  d1 with an initial queue Q: d1(X = 1) t / T + d1 PF (T - t) / T
(8)  Q' = max(0, Q + c T (X - 1))                    the queue handed to the next period
(9)  Q1 = PF2 v C (1 - g/C) / (3600 (1 - min(1, X) g/C)),
     PF2 = (1 - R g/C) (1 - v/s) / ((1 - g/C) (1 - R v/s))
(10) Q2 = 0.25 c T ((X - 1) + sqrt((X - 1)^2 + 8 b X / (c T) + 16 b Q / (c T)^2)),
     b = 0.12 I (s g / 3600)^0.7                      fixed time
(11) back of queue at a percentile = (Q1 + Q2) (p1 + p2 exp(-(Q1 + Q2) / p3))
(12) h = 0.9 ((1 - g/C) / (1 - min(1, X) g/C) + 3600 N / (v C))
     stops a vehicle, N the mean queue left at the end of green, d2 c / 3600 here

Sources: Highway Capacity Manual 2000, chapter 16: (1) to (5) are eqs. 16-6 and 16-9 to 16-12, (6)
to (8) appendix F, (9) to (11) appendix G; (12) Akçelik, Traffic Signals: Capacity and Timing
Analysis, ARRB 123 (1981), with HCM's incremental delay for his overflow queue. Numbers in brackets
are this module's; the manual itself was not at hand, the formulae are as textbooks restate them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from city.errors import Invalid
from signals.rules.delay.checks import Floats, above, at_least, green_share, within

FIXED_TIME_K: Final = 0.5
"""Incremental delay factor k of a fixed-time signal."""
QUARTER_HOUR_H: Final = 0.25
TINY: Final = 1e-9
PERCENTILES: Final = {
    70: (1.2, 0.1, 5.0),
    85: (1.4, 0.3, 5.0),
    90: (1.5, 0.5, 5.0),
    95: (1.6, 1.0, 5.0),
    98: (1.7, 1.5, 5.0),
}
"""p1, p2 and p3 of (11) for fixed time."""


@dataclass(frozen=True, slots=True)
class ControlDelay:
    """Mean control delay and its parts, seconds a vehicle."""

    uniform_s: Floats
    """Progression and the initial queue's share of the period reckoned in."""
    incremental_s: Floats
    initial_queue_s: Floats
    left_veh: Floats
    """Vehicles in the queue when the period ends."""

    @property
    def total_s(self) -> Floats:
        """The sum, by (2)."""
        return np.asarray(self.uniform_s + self.incremental_s + self.initial_queue_s)


def capacity_vph(
    saturation_flow_vph: ArrayLike, effective_green_s: ArrayLike, cycle_s: ArrayLike
) -> Floats:
    """Give what a lane group can pass in an hour, by (1)."""
    share, _ = green_share(effective_green_s, cycle_s)
    return np.asarray(above(saturation_flow_vph, 0, "saturation_flow_vph") * share)


def degree_of_saturation(
    flow_vph: ArrayLike,
    saturation_flow_vph: ArrayLike,
    effective_green_s: ArrayLike,
    cycle_s: ArrayLike,
) -> Floats:
    """Give flow over capacity; 1 and more do not clear."""
    capacity = capacity_vph(saturation_flow_vph, effective_green_s, cycle_s)
    return np.asarray(at_least(flow_vph, 0, "flow_vph") / capacity)


def progression_factor(
    effective_green_s: ArrayLike,
    cycle_s: ArrayLike,
    platoon_ratio: ArrayLike = 1.0,
    fit: ArrayLike = 1.0,
) -> Floats:
    """Give PF by (4); 1 where vehicles arrive at random (ratio and fit 1)."""
    share, _ = green_share(effective_green_s, cycle_s)
    ratio = at_least(platoon_ratio, 0, "platoon_ratio")
    if np.any(ratio * share > 1 + TINY):
        raise Invalid("puts more than all arrivals on green", field="platoon_ratio")
    red = np.where(share < 1, 1 - share, 1.0)
    found = (1 - ratio * share) * np.asarray(fit, dtype=np.float64) / red
    return np.asarray(np.where(share < 1, found, 1.0))


def uniform_delay_s(
    saturation: ArrayLike, effective_green_s: ArrayLike, cycle_s: ArrayLike
) -> Floats:
    """Give d1 by (3): delay of evenly spread arrivals without queues left over."""
    share, cycle = green_share(effective_green_s, cycle_s)
    x = np.minimum(1.0, at_least(saturation, 0, "saturation"))
    rest = 1 - x * share
    return np.asarray(
        np.where(rest > 0, 0.5 * cycle * (1 - share) ** 2 / np.where(rest > 0, rest, 1.0), 0.0)
    )


def incremental_delay_s(
    saturation: ArrayLike,
    capacity: ArrayLike,
    period_h: ArrayLike = QUARTER_HOUR_H,
    *,
    upstream: ArrayLike = 1.0,
    k: ArrayLike = FIXED_TIME_K,
) -> Floats:
    """Give d2 by (5): delay of chance and of demand above capacity.

    Parameters
    ----------
    saturation : array_like
    capacity : array_like
        Vehicles an hour.
    period_h : array_like
        Analysis period in hours.
    upstream : array_like
        I: 1 where vehicles arrive at random, less behind another signal.
    k : array_like
        0.5 for fixed time, less for actuated signals.
    """
    x = at_least(saturation, 0, "saturation")
    most = above(capacity, 0, "capacity")
    hours = above(period_h, 0, "period_h")
    chance = within(upstream, 0, 10, "upstream") * within(k, 0, 1, "k")
    over = x - 1
    return np.asarray(900 * hours * (over + np.sqrt(over**2 + 8 * chance * x / (most * hours))))


def control_delay(
    flow_vph: ArrayLike,
    saturation_flow_vph: ArrayLike,
    effective_green_s: ArrayLike,
    cycle_s: ArrayLike,
    *,
    period_h: ArrayLike = QUARTER_HOUR_H,
    initial_queue_veh: ArrayLike = 0.0,
    progression: ArrayLike = 1.0,
    upstream: ArrayLike = 1.0,
    k: ArrayLike = FIXED_TIME_K,
) -> ControlDelay:
    """Give the mean control delay of the vehicles that arrive in a period, by (2) to (8).

    Demand above capacity is delayed by what stands before it; the formula stays finite and the
    queue that it leaves goes into the next period's `initial_queue_veh`.
    """
    capacity = capacity_vph(saturation_flow_vph, effective_green_s, cycle_s)
    x = at_least(flow_vph, 0, "flow_vph") / capacity
    hours = above(period_h, 0, "period_h")
    queue = at_least(initial_queue_veh, 0, "initial_queue_veh")
    spare = capacity * (1 - np.minimum(1.0, x))
    # Hours until the initial queue is gone; the whole period where there is nothing to spare.
    gone = np.where(spare > 0, queue / np.where(spare > 0, spare, 1.0), np.inf)
    busy = np.where(queue > 0, np.minimum(hours, gone), 0.0)
    kept = np.where(
        (queue > 0) & (busy >= hours),
        1 - np.minimum(1.0, spare * hours / np.maximum(queue, TINY)),
        0.0,
    )
    uniform = uniform_delay_s(x, effective_green_s, cycle_s) * at_least(
        progression, 0, "progression"
    )
    full = uniform_delay_s(1.0, effective_green_s, cycle_s)
    return ControlDelay(
        uniform_s=np.asarray((full * busy + uniform * (hours - busy)) / hours),
        incremental_s=incremental_delay_s(x, capacity, hours, upstream=upstream, k=k),
        initial_queue_s=np.asarray(1800 * queue * (1 + kept) * busy / (capacity * hours)),
        left_veh=np.asarray(np.maximum(0.0, queue + capacity * hours * (x - 1))),
    )


def back_of_queue_veh(
    lane_flow_vph: ArrayLike,
    lane_saturation_flow_vph: ArrayLike,
    effective_green_s: ArrayLike,
    cycle_s: ArrayLike,
    *,
    period_h: ArrayLike = QUARTER_HOUR_H,
    initial_queue_veh: ArrayLike = 0.0,
    platoon_ratio: ArrayLike = 1.0,
    upstream: ArrayLike = 1.0,
    percentile: int | None = None,
) -> Floats:
    """Give how far a lane's queue reaches, in vehicles, by (9) to (11).

    Parameters
    ----------
    percentile : int or None
        One of 70, 85, 90, 95, 98: not exceeded in that share of the cycles. None: the mean.
    """
    share, cycle = green_share(effective_green_s, cycle_s)
    flow = at_least(lane_flow_vph, 0, "lane_flow_vph")
    saturation_flow = above(lane_saturation_flow_vph, 0, "lane_saturation_flow_vph")
    capacity = saturation_flow * share
    x = flow / capacity
    hours = above(period_h, 0, "period_h")
    queue = at_least(initial_queue_veh, 0, "initial_queue_veh")
    ratio = at_least(platoon_ratio, 0, "platoon_ratio")
    # What does not pass in the period does not lengthen the cycle's own queue.
    y = np.minimum(flow, capacity) / saturation_flow
    reds = np.maximum(0.0, 1 - ratio * share)
    first = flow * cycle / 3600 * reds / np.maximum(1 - ratio * y, TINY)
    chance = (
        0.12 * at_least(upstream, 0, "upstream") * (saturation_flow * share * cycle / 3600) ** 0.7
    )
    turns = capacity * hours
    second = (
        0.25
        * turns
        * (
            (x - 1)
            + np.sqrt((x - 1) ** 2 + 8 * chance * x / turns + 16 * chance * queue / turns**2)
        )
    )
    mean = first + second
    if percentile is None:
        return np.asarray(mean)
    if percentile not in PERCENTILES:
        raise Invalid(f"must be one of {', '.join(map(str, PERCENTILES))}", field="percentile")
    p1, p2, p3 = PERCENTILES[percentile]
    return np.asarray(mean * (p1 + p2 * np.exp(-mean / p3)))


def stops_per_vehicle(
    flow_vph: ArrayLike,
    saturation_flow_vph: ArrayLike,
    effective_green_s: ArrayLike,
    cycle_s: ArrayLike,
    *,
    period_h: ArrayLike = QUARTER_HOUR_H,
) -> Floats:
    """Give how often a vehicle stops, by (12); above 1 where queues take more than a cycle."""
    share, cycle = green_share(effective_green_s, cycle_s)
    capacity = capacity_vph(saturation_flow_vph, effective_green_s, cycle_s)
    flow = at_least(flow_vph, 0, "flow_vph")
    x = flow / capacity
    left = incremental_delay_s(x, capacity, period_h) * capacity / 3600
    rest = np.where(share < 1, 1 - np.minimum(1.0, x) * share, 1.0)
    held = np.where(flow > 0, 3600 * left / (np.where(flow > 0, flow, 1.0) * cycle), 0.0)
    return np.asarray(0.9 * ((1 - share) / rest + held))


def spills_back(
    queue_veh: ArrayLike, storage_m: ArrayLike, *, spacing_m: float = 7.0
) -> tuple[Floats, Floats]:
    """Give queue over storage, and where it is above 1: the queue stands in the junction before.

    Parameters
    ----------
    queue_veh : array_like
        Of one lane, at the percentile that is to be held.
    storage_m : array_like
    spacing_m : float
        Road that a standing car takes.
    """
    ratio = at_least(queue_veh, 0, "queue_veh") * spacing_m / above(storage_m, 0, "storage_m")
    return np.asarray(ratio), np.asarray(ratio > 1)
