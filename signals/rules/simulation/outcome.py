"""What a simulated run was like for those who travelled, and what several seeds say together.

Delay is the drain delay: the run goes on until everybody has arrived, and a trip's delay is its
time loss plus how long it waited outside the network to get in. Stopping at the end of the demand
would hide gridlock.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import stdtrit  # type: ignore[import-untyped] # it ships no types

from signals.rules.simulation.persons import OTHERWISE, PERSONS

_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's journey."""

    vehicle_class: str
    time_loss_s: float
    depart_delay_s: float
    waiting_s: float
    """Standing on the way."""
    stops: int
    arrived: bool

    @property
    def delay_s(self) -> float:
        """Time loss and wait for a place to start."""
        return self.time_loss_s + self.depart_delay_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run; None where nobody of that kind travelled."""

    seed: int
    drain_delay_s: float
    waiting_s: float
    stops: float
    trips: int
    teleports: int
    longest_wait_s: float
    """Longest that anybody stood at a stop line without its lane having green."""
    longest_standing_s: float
    """Longest that a trip stood altogether."""
    pedestrian_delay_s: float | None
    bicycle_delay_s: float | None
    person_delay_s: float
    safety_violations: int
    unfinished: int
    """Trips that had not arrived when the run was given up; their delay until then counts."""


FIGURES: Final = (
    "drain_delay_s",
    "waiting_s",
    "stops",
    "trips",
    "teleports",
    "longest_wait_s",
    "longest_standing_s",
    "pedestrian_delay_s",
    "bicycle_delay_s",
    "person_delay_s",
    "safety_violations",
    "unfinished",
)


def outcome_of(
    seed: int,
    trips: Sequence[Trip],
    walks_s: Sequence[float],
    *,
    teleports: int,
    safety_violations: int,
    longest_wait_s: float = 0.0,
    persons: Mapping[str, float] = PERSONS,
) -> Outcome:
    """Sum a run up.

    Parameters
    ----------
    seed : int
    trips : Sequence of Trip
    walks_s : Sequence of float
        Time lost by each person on foot.
    teleports, safety_violations : int
    longest_wait_s : float
        At a stop line without green.
    persons : Mapping
        Persons in a vehicle by its class.

    Notes
    -----
    Person delay is the sum of delay x persons over the sum of persons.
    """
    bicycles = [trip.delay_s for trip in trips if trip.vehicle_class == "bicycle"]
    return Outcome(
        seed=seed,
        drain_delay_s=_mean([trip.delay_s for trip in trips]) or 0.0,
        waiting_s=_mean([trip.waiting_s for trip in trips]) or 0.0,
        stops=_mean([float(trip.stops) for trip in trips]) or 0.0,
        trips=len(trips),
        teleports=teleports,
        longest_wait_s=longest_wait_s,
        longest_standing_s=max((trip.waiting_s for trip in trips), default=0.0),
        pedestrian_delay_s=_mean(walks_s),
        bicycle_delay_s=_mean(bicycles),
        person_delay_s=person_delay_s(trips, walks_s, persons),
        safety_violations=safety_violations,
        unfinished=sum(not trip.arrived for trip in trips),
    )


def person_delay_s(
    trips: Sequence[Trip], walks_s: Sequence[float], persons: Mapping[str, float] = PERSONS
) -> float:
    """Give the sum of delay x persons over the sum of persons; 0 where nobody travelled."""
    inside = [persons.get(trip.vehicle_class, OTHERWISE) for trip in trips]
    walking = persons.get("pedestrian", 1.0)
    weight = sum(inside) + len(walks_s) * walking
    lost_s = sum(trip.delay_s * each for trip, each in zip(trips, inside, strict=True))
    return (lost_s + sum(walks_s) * walking) / weight if weight > 0 else 0.0


PUBLIC: Final = frozenset({"bus", "coach", "tram"})
EMERGENCY: Final = frozenset({"emergency"})


@dataclass(frozen=True, slots=True)
class Shares:
    """Whose delay it was; None where nobody of that kind travelled."""

    public_delay_s: float | None
    """Mean of buses and trams."""
    public_trips: int
    emergency_delay_s: float | None
    emergency_trips: int
    others_person_delay_s: float
    """Of everybody else, as ``Outcome.person_delay_s``."""


def shares_of(trips: Sequence[Trip], walks_s: Sequence[float]) -> Shares:
    """Tell those who may have priority from everybody else."""
    public = [trip.delay_s for trip in trips if trip.vehicle_class in PUBLIC]
    emergency = [trip.delay_s for trip in trips if trip.vehicle_class in EMERGENCY]
    others = [trip for trip in trips if trip.vehicle_class not in PUBLIC | EMERGENCY]
    return Shares(
        _mean(public),
        len(public),
        _mean(emergency),
        len(emergency),
        person_delay_s(others, walks_s),
    )


def means_of(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Give the mean of every figure over the seeds; None where a seed has none."""
    return {name: _over(outcomes, name, statistics.fmean) for name in FIGURES}


def intervals_of(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, float] | None]:
    """Give Student's 95 % interval of every mean; None with a single seed."""
    found: dict[str, tuple[float, float] | None] = {}
    for name in FIGURES:
        half = _over(outcomes, name, half_width) if len(outcomes) > 1 else None
        mean = _over(outcomes, name, statistics.fmean)
        found[name] = None if half is None or mean is None else (mean - half, mean + half)
    return found


def half_width(values: Sequence[float]) -> float:
    """Give half of Student's 95 % interval of the mean of two or more values."""
    freedom = len(values) - 1
    quantile = float(stdtrit(freedom, (1 + _CONFIDENCE) / 2))
    return quantile * statistics.stdev(values) / math.sqrt(len(values))


def _over(
    outcomes: Sequence[Outcome], name: str, figure: Callable[[Sequence[float]], float]
) -> float | None:
    values = [getattr(each, name) for each in outcomes]
    return None if not values or None in values else figure([float(each) for each in values])


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
