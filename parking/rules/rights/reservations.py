"""Reservations: a bay held for a vehicle, until it comes, does not come, or is not needed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from city.errors import Conflict, Invalid
from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    ReservationId,
    VehicleId,
)
from city.time import as_utc


class ReservationState(StrEnum):
    """Where a reservation stands."""

    HELD = "held"
    """The bay is kept for the vehicle."""
    ARRIVED = "arrived"
    """The vehicle is there."""
    FINISHED = "finished"
    """It came and left, or its time ran out while it was there."""
    CANCELLED = "cancelled"
    """Given back before its time."""
    RELEASED = "released"
    """Given back early, in its time."""
    NO_SHOW = "no_show"
    """Nobody came within the hold."""
    UNCLEAR = "unclear"
    """Another vehicle stood in the bay, or one that nobody identified: not held against anybody."""


class Occupant(StrEnum):
    """Who stands in a reserved bay, as far as anybody knows."""

    NOBODY = "nobody"
    UNKNOWN = "unknown"
    """A vehicle that nobody has identified."""
    ANOTHER = "another"
    """A vehicle that is not the one awaited."""


OPEN_STATES: Final = (ReservationState.HELD, ReservationState.ARRIVED)


@dataclass(frozen=True, slots=True)
class ReservationPolicy:
    """What a region lets people reserve.

    Raises
    ------
    Invalid
        On a length of time that is not above zero.
    """

    longest: timedelta = timedelta(hours=24)
    furthest_ahead: timedelta = timedelta(days=14)
    hold: timedelta = timedelta(minutes=15)
    """How long after its beginning the bay is kept for somebody who has not come."""
    early: timedelta = timedelta(minutes=30)
    """How long before its beginning an arrival in the bay counts as its own."""
    open_at_once: int = 2
    """Reservations that a vehicle may have at a time."""
    no_shows: int = 3
    """So many within ``no_show_window``, and the vehicle reserves nothing for the rest of it."""
    no_show_window: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        for name in ("longest", "furthest_ahead", "hold", "no_show_window"):
            if getattr(self, name) <= timedelta():
                raise Invalid("must be above zero", field=name)
        if self.open_at_once < 1 or self.no_shows < 1:
            raise Invalid("must be at least 1", field="open_at_once")


DEFAULT_RESERVATIONS: Final = ReservationPolicy()


@dataclass(frozen=True, slots=True)
class Reservation:
    """A bay held for a vehicle.

    Raises
    ------
    Invalid
        On an instant without offset, or an end that is not after the beginning.
    """

    id: ReservationId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    vehicle_id: VehicleId
    from_at: datetime
    until_at: datetime
    hold_until_at: datetime
    """From here on a bay to which nobody came is given back."""
    state: ReservationState = ReservationState.HELD
    session_id: ParkingSessionId | None = None
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("from_at", "until_at", "hold_until_at"):
            object.__setattr__(self, name, as_utc(getattr(self, name), name))
        if self.until_at <= self.from_at:
            raise Invalid("must lie after the beginning", field="until_at")

    @property
    def open(self) -> bool:
        """Whether it still keeps the bay."""
        return self.state in OPEN_STATES

    def arrived(self, session_id: ParkingSessionId) -> "Reservation":
        """Note that the vehicle is there; a reservation that is over stays as it is."""
        if self.state is not ReservationState.HELD:
            return self
        return replace(self, state=ReservationState.ARRIVED, session_id=session_id)

    def left(self, at: datetime) -> "Reservation":
        """Note that the vehicle left: what is left of the time is free again."""
        if self.state is not ReservationState.ARRIVED:
            return self
        return replace(self, state=ReservationState.FINISHED, ended_at=min(at, self.until_at))

    def given_back(self, at: datetime) -> "Reservation":
        """Give it back: cancelled before its time, released early in it.

        Raises
        ------
        Conflict
            Where it is over already.
        """
        if not self.open or at >= self.until_at:
            raise Conflict("the reservation is over already", field="id", state=self.state.value)
        early = ReservationState.CANCELLED if at < self.from_at else ReservationState.RELEASED
        return replace(self, state=early, ended_at=max(at, self.from_at))

    def due(self, at: datetime, occupant: Occupant) -> "Reservation":
        """Give what has become of it by an instant, whoever stands in its bay.

        A bay is not given away under a vehicle that may be the one that is awaited, and nobody who
        may have found the bay taken is said not to have come.
        """
        if self.state is ReservationState.ARRIVED and at >= self.until_at:
            return replace(self, state=ReservationState.FINISHED, ended_at=self.until_at)
        if self.state is not ReservationState.HELD or at < self.hold_until_at:
            return self
        ended_at = min(at, self.until_at)
        if occupant is Occupant.NOBODY:
            return replace(self, state=ReservationState.NO_SHOW, ended_at=ended_at)
        if occupant is Occupant.ANOTHER or at >= self.until_at:
            return replace(self, state=ReservationState.UNCLEAR, ended_at=ended_at)
        return self


def check_wish(
    from_at: datetime, until_at: datetime, now: datetime, policy: ReservationPolicy
) -> None:
    """Refuse a reservation that cannot be: of the past, too long, too far ahead.

    Raises
    ------
    Invalid
        Naming field and rule.
    """
    if until_at <= from_at:
        raise Invalid("must lie after the beginning", field="until_at")
    if from_at < now:
        raise Invalid("lies in the past: a reservation begins now or later", field="from_at")
    if until_at - from_at > policy.longest:
        raise Invalid(
            f"is more than {_hours(policy.longest)} h after the beginning",
            field="until_at",
            longest_h=_hours(policy.longest),
        )
    if from_at - now > policy.furthest_ahead:
        days = policy.furthest_ahead // timedelta(days=1)
        raise Invalid(f"is more than {days} days ahead", field="from_at", furthest_days=days)


def hold_until(from_at: datetime, until_at: datetime, policy: ReservationPolicy) -> datetime:
    """Give until when a bay is kept for somebody who has not come."""
    return min(until_at, from_at + policy.hold)


def check_standing(
    open_now: int, no_shows: int, policy: ReservationPolicy, field: str = "plate"
) -> None:
    """Refuse a vehicle that holds enough bays already, or too often did not come.

    Raises
    ------
    Conflict
        With the rule and its figures.
    """
    if open_now >= policy.open_at_once:
        raise Conflict(
            f"the vehicle has {open_now} reservations already, the most there may be",
            field=field,
            reason="open",
            most=policy.open_at_once,
        )
    if no_shows >= policy.no_shows:
        days = policy.no_show_window // timedelta(days=1)
        raise Conflict(
            f"the vehicle did not come to {no_shows} reservations within {days} days",
            field=field,
            reason="no_shows",
            most=policy.no_shows,
        )


def _hours(time: timedelta) -> int:
    return time // timedelta(hours=1)
