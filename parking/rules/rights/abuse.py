"""Signs that an exempt plate is misused: seen unusually often, or in two places at once.

A sign is no proof. A copied military plate and a busy ambulance look alike in a count, so the
report names figures and thresholds, and a person decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from city.errors import Invalid
from city.identifiers import BayId, ParkingSessionId, VehicleId
from city.places import Position, distance_m

_HOUR_S = 3600
_KM_M = 1000


@dataclass(frozen=True, slots=True)
class AbuseThresholds:
    """From where on a plate is named.

    Raises
    ------
    Invalid
        On a threshold that is not above zero.
    """

    stays: int = 40
    """Stays in the period: more than one on every day of a month, and a third more."""
    parked_h: int = 300
    """Hours parked in the period: ten a day over a month."""
    overlap_s: int = 300
    """Seconds in two bays at once: above what two sensors' clocks differ by."""
    speed_kph: int = 150
    """From one bay to the next faster than this is two vehicles."""
    near_m: int = 500
    """Bays closer than this say nothing about speed: sensors' delays weigh more."""

    def __post_init__(self) -> None:
        for name in ("stays", "parked_h", "overlap_s", "speed_kph", "near_m"):
            if getattr(self, name) <= 0:
                raise Invalid("must be above zero", field=name)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A stay of a vehicle, with its place."""

    session_id: ParkingSessionId
    bay_id: BayId | None
    """None where gates count, not bays."""
    position: Position
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Clash:
    """Two stays that one vehicle cannot both have had."""

    first: Sighting
    second: Sighting
    overlap_s: int
    """Seconds at both places; zero where it would have had to be too fast."""
    distance_m: int
    speed_kph: int | None
    """Speed that it would have needed; None where it was at both places at once."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A vehicle that the report names, and for what."""

    vehicle_id: VehicleId
    stays: int
    parked_s: int
    often: bool
    long: bool
    clashes: tuple[Clash, ...]


def suspect(
    vehicle_id: VehicleId, sightings: Sequence[Sighting], thresholds: AbuseThresholds
) -> Suspect | None:
    """Look at a vehicle's stays of a period; None where no threshold is reached.

    Parameters
    ----------
    vehicle_id : VehicleId
        The vehicle.
    sightings : Sequence[Sighting]
        Its stays, any order, cut to the period. Cost grows as n log n with them.
    thresholds : AbuseThresholds
        From where on it is named.
    """
    parked_s = sum(int((s.until_at - s.from_at).total_seconds()) for s in sightings)
    often = len(sightings) >= thresholds.stays
    long = parked_s >= thresholds.parked_h * _HOUR_S
    clashes = tuple(clashes_of(sightings, thresholds))
    if not (often or long or clashes):
        return None
    return Suspect(vehicle_id, len(sightings), parked_s, often, long, clashes)


def clashes_of(sightings: Sequence[Sighting], thresholds: AbuseThresholds) -> Iterable[Clash]:
    """Give each stay that contradicts the one, of those that began before it, that ended last."""
    ordered = sorted(sightings, key=lambda each: (each.from_at, each.until_at))
    last: Sighting | None = None
    for each in ordered:
        if last is not None and (each.bay_id is None or each.bay_id != last.bay_id):
            clash = _clash(last, each, thresholds)
            if clash is not None:
                yield clash
        if last is None or each.until_at > last.until_at:
            last = each


def _clash(first: Sighting, second: Sighting, thresholds: AbuseThresholds) -> Clash | None:
    apart_m = round(distance_m(first.position, second.position))
    shared = min(first.until_at, second.until_at) - second.from_at
    overlap_s = int(shared.total_seconds())
    if overlap_s >= thresholds.overlap_s:
        return Clash(first, second, overlap_s, apart_m, None)
    if apart_m < thresholds.near_m:
        return None
    between_s = max(1.0, (second.from_at - first.until_at) / timedelta(seconds=1))
    speed_kph = round(apart_m / _KM_M / (between_s / _HOUR_S))
    if speed_kph < thresholds.speed_kph:
        return None
    return Clash(first, second, 0, apart_m, speed_kph)
